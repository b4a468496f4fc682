// node: skip reads the documentation, which is the same for every runtime
import { assertEquals, assertGreater } from "@std/assert";
import { codeSpans, exportedNames } from "./_support/exported_names.ts";

const PAGE = new URL("../docs/from-trio.md", import.meta.url);

Deno.test("from-trio.md maps names to what is exported", async () => {
  const page = await Deno.readTextFile(PAGE);
  const ours = page.split("\n")
    .filter((line) => line.startsWith("| `"))
    .flatMap((line) => codeSpans(line.split("|")[2] ?? ""));
  assertGreater(ours.length, 0);
  const exported = await exportedNames();
  assertEquals(ours.filter((name) => !exported.has(name)), []);
});
