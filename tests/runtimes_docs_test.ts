// node: skip reads the documentation, which is the same for every runtime
import { assert, assertEquals } from "@std/assert";
import { LIMITS, type RuntimeColumn } from "../platform/limits.ts";

const ROOT = new URL("../", import.meta.url);
const PAGE = "docs/runtimes.md";

const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));

const COLUMNS: readonly RuntimeColumn[] = [
  "Deno 2",
  "Node 20",
  "Node 22",
  "Node 24",
  "Node 26",
  "Bun",
  "workerd",
];

/** The rows of the first table of the page, as trimmed cells. */
function rowsOf(text: string): string[][] {
  const [first = ""] = text.split("\n## ");
  return first.split("\n").filter((line) => line.startsWith("|"))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
}

Deno.test("the table of runtimes says what the code refuses, and no more", async () => {
  const [head, _line, ...rows] = rowsOf(await read(PAGE));
  assertEquals(head, ["what", ...COLUMNS]);
  assertEquals(
    rows,
    LIMITS.map(({ what, lacks }) => [
      what,
      ...COLUMNS.map((name) => lacks[name] === undefined ? "yes" : "no"),
    ]),
  );
});

Deno.test("each reason against a runtime is told once below the table", async () => {
  const text = (await read(PAGE)).replaceAll("\n  ", " ");
  const told = [...text.matchAll(/^- (.+)\.$/gm)].map(([, reason]) => reason);
  const given = COLUMNS.flatMap((name) =>
    LIMITS.flatMap(({ lacks }) =>
      lacks[name] === undefined ? [] : [`${name} ${lacks[name]}`]
    )
  );
  assertEquals(told, [...new Set(given)]);
});

Deno.test("each version that the runner tests has a column, and is in the README", async () => {
  const runner = await read("scripts/run_node_tests.ts");
  const [, list = ""] = runner.match(/const RUNTIMES = \[([^\]]+)\]/) ?? [];
  const names = [...list.matchAll(/"(\w+)"/g)].map(([, name = ""]) => name);
  const columns = names.map((name) =>
    name.replace(/^node/, "Node ").replace("bun", "Bun")
  );
  assertEquals<readonly string[]>(["Deno 2", ...columns], COLUMNS);
  const readme = await read("README.md");
  const [, install = ""] = readme.match(/## Install([^]+?)\n## /) ?? [];
  for (const column of COLUMNS) {
    const version = column.replace("Node ", "");
    assert(install.includes(version), `README does not name ${column}`);
  }
});

Deno.test("the errors load without a module of any runtime", async () => {
  const seen = new Set<string>();
  const visit = async (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    const text = await read(path);
    const imports = text.matchAll(
      /^(?:import|export)\b(?!\s+type\b)[^;"]*?\bfrom\s*"([^"]+)"/gm,
    );
    for (const [, specifier = ""] of imports) {
      assert(specifier.startsWith("."), `${path} imports ${specifier}`);
      const { href } = new URL(specifier, new URL(path, ROOT));
      // deno-lint-ignore no-await-in-loop -- one file after the other
      await visit(href.slice(ROOT.href.length));
    }
  };
  await visit("errors.ts");
  assert([...seen].every((path) => !path.startsWith("platform/")));
});
