// node: skip reads the documentation and the sources, which are the same for every runtime
import { assert, assertEquals, assertGreater } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));

Deno.test("servers.md has a row for each option of TLS", async () => {
  const source = await read("streams/tls.ts");
  const [, type = ""] = /interface TlsOptions \{([^]+?)^\}/m.exec(source) ?? [];
  const options = [...type.matchAll(/^ {2}(\w+)\?/gm)].map(([, name]) => name!);
  assertGreater(options.length, 5);
  const [, table = ""] = /^### What Python's `ssl=context`[^|]+([^]+?)^## /m
    .exec(await read("docs/servers.md")) ?? [];
  const named = new Set<string>();
  for (const line of table.split("\n").slice(2)) {
    const [, , ours = ""] = line.split("|");
    if (ours.trim().startsWith("\u2014")) continue;
    for (const [, name] of ours.matchAll(/`(\w+)`/g)) named.add(name!);
  }
  assertEquals(options.filter((name) => !named.has(name)), []);
});

Deno.test("docs/README.md names every page once", async () => {
  const list = await read("docs/README.md");
  for await (const { name } of Deno.readDir(new URL("docs/", ROOT))) {
    if (!name.endsWith(".md") || name === "README.md") continue;
    const links = list.split(`](${name})`).length - 1;
    assert(links === 1, `docs/README.md has ${links} links to ${name}`);
  }
});
