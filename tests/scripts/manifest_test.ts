// node: skip tests the build, which runs on Deno
import { assertEquals, assertFalse } from "@std/assert";
import { manifest, webAddress } from "../../scripts/_manifest.ts";
import { EXPORTS } from "../../scripts/_project.ts";

const REMOTE = "git@code.example:asyncio/asyncio.git";
const ADDRESS = "https://code.example/asyncio/asyncio";

Deno.test.each([
  [REMOTE, ADDRESS],
  ["code.example:asyncio/asyncio", ADDRESS],
  ["ssh://git@code.example:22/asyncio/asyncio.git", ADDRESS],
  [`${ADDRESS}.git/`, ADDRESS],
  ["https://user:secret@code.example/asyncio/asyncio", ADDRESS],
  ["/srv/asyncio.git", null],
  ["file:///srv/asyncio.git", null],
  ["C:\\asyncio", null],
])("webAddress() turns %s into %s", (remote, address) => {
  assertEquals(webAddress(remote as string), address);
});

Deno.test("manifest() says where the sources are and bugs go", () => {
  const { homepage, repository, bugs } = manifest(REMOTE);
  assertEquals(homepage, `${ADDRESS}#readme`);
  assertEquals(repository, { type: "git", url: `git+${ADDRESS}.git` });
  assertEquals(bugs, { url: `${ADDRESS}/issues` });
  assertFalse("repository" in manifest(null));
});

Deno.test("manifest() has one kind of module for import and require()", () => {
  const { type, exports } = manifest(null);
  assertEquals(type, "module");
  for (const [entry, path] of Object.entries(EXPORTS)) {
    const base = path.replace("./", "./esm/").replace(/\.ts$/, "");
    assertEquals(exports[entry], {
      types: `${base}.d.ts`,
      default: `${base}.js`,
    });
  }
});
