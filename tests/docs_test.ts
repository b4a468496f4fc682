// node: skip reads the documentation, which is the same for every runtime
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

/** The README and all of `docs/`, as paths. */
async function pages(): Promise<string[]> {
  const found = ["README.md"];
  for await (const { href } of filesBelow(new URL("docs/", ROOT))) {
    if (href.endsWith(".md")) found.push(href.slice(ROOT.href.length));
  }
  return found.sort();
}

async function* filesBelow(folder: URL): AsyncIterable<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* filesBelow(new URL(`${name}/`, folder));
    else yield new URL(name, folder);
  }
}

/** The numbers of statements that tests carry in their names. */
async function testedNumbers(): Promise<Set<string>> {
  const numbers = new Set<string>();
  for await (const url of filesBelow(new URL("tests/", ROOT))) {
    if (!url.pathname.endsWith("_test.ts")) continue;
    const text = await Deno.readTextFile(url);
    const atEitherEnd =
      /["`](?:[A-Z]\d+\b[ ,]*)+|\((?:[A-Z]\d+\b[ ,]*)+\)["`]/g;
    for (const [names] of text.matchAll(atEitherEnd)) {
      for (const [number] of names.matchAll(/[A-Z]\d+/g)) numbers.add(number);
    }
  }
  return numbers;
}

Deno.test("documentation names statements that tests hold", async () => {
  const tested = await testedNumbers();
  for (const page of await pages()) {
    const text = await Deno.readTextFile(new URL(page, ROOT));
    const prose = text.replace(/^```[^]*?^```/gm, "");
    // V8 is an engine.
    const named = [...prose.matchAll(/\b(?!V8\b)[A-Z]\d{1,2}\b/g)]
      .map(([name]) => name);
    assertEquals(named.filter((name) => !tested.has(name)), [], page);
  }
});

Deno.test("documentation names files that are there", async () => {
  for (const page of await pages()) {
    const text = await Deno.readTextFile(new URL(page, ROOT));
    for (const [, path = ""] of text.matchAll(/`((?:\w+\/)+\w+\.ts)`/g)) {
      const found = await Deno.stat(new URL(path, ROOT)).catch(() => null);
      assert(found !== null, `${page} names ${path}`);
    }
  }
});

Deno.test("errors.md explains every error class, and no other", async () => {
  const source = await Deno.readTextFile(new URL("errors.ts", ROOT));
  const classes = [...source.matchAll(/^export class (\w+)/gm)];
  const text = await Deno.readTextFile(new URL("docs/errors.md", ROOT));
  const headings = [...text.matchAll(/^### (\w+)$/gm)];
  assertEquals(
    headings.map(([, name]) => name).toSorted(),
    classes.map(([, name]) => name).toSorted(),
  );
});

Deno.test("modules.md lists every entry of the package", async () => {
  const { exports, name }: { exports: Record<string, string>; name: string } =
    JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const text = await Deno.readTextFile(new URL("docs/modules.md", ROOT));
  assertEquals(
    [...text.matchAll(/^\| `(@[^`]+)`/gm)].map(([, entry]) => entry).toSorted(),
    Object.keys(exports).map((path) => name + path.slice(1)).toSorted(),
  );
});

/** The cells of the rows of tables that begin with the column `work`. */
function workRows(text: string): Record<string, string>[] {
  const rows: Record<string, string>[] = [];
  let head: string[] | null = null;
  for (const line of text.split("\n")) {
    const cells = line.split("|").slice(1, -1).map((cell) => cell.trim());
    if (cells[0] === "work") head = cells;
    else if (cells.length === 0) head = null;
    else if (head !== null && !cells[0]!.startsWith("--")) {
      rows.push(Object.fromEntries(head.map((name, i) => [name, cells[i]!])));
    }
  }
  return rows;
}

for (
  const [page, rows] of [["README.md", 3], ["docs/comparison.md", 10]] as const
) {
  Deno.test(`the ratios of ${page} are those of the reference run`, async () => {
    const [told, measured] = await Promise.all(
      [page, "bench/RESULTS.md"].map(async (path) =>
        workRows(await Deno.readTextFile(new URL(path, ROOT)))
      ),
    );
    assert(told!.length >= rows);
    for (const row of told!) {
      const found = measured!.find((each) => each["work"] === row["work"]);
      assert(found !== undefined, `no result for ${row["work"]}`);
      const { work, asyncio, uvloop } = found;
      assertEquals<unknown>(row, { work, asyncio, uvloop });
    }
  });
}

Deno.test("the README has 200 lines at most", async () => {
  const text = await Deno.readTextFile(new URL("README.md", ROOT));
  assert(text.trimEnd().split("\n").length <= 200);
});

/** The pages that a section of the list of guides has, in its order. */
async function listed(section: string): Promise<string[]> {
  const text = await Deno.readTextFile(new URL("docs/README.md", ROOT));
  const [, rest = ""] = text.split(`## ${section}\n`);
  const [items = ""] = rest.split("\n## ");
  return [...items.matchAll(/^- \[[^\]]+\]\(([\w-]+)\.md\)/gm)]
    .map(([, name = ""]) => name);
}

Deno.test("the list of guides follows what a reader needs first", async () => {
  const sections = ["Begin", "Use", "Come from elsewhere", "Look up"];
  const pages = (await Promise.all(sections.map(listed))).flat();
  const order =
    "start cancellation groups queues servers subprocesses threads durable " +
    "testing debugging performance from-python from-promises from-trio " +
    "from-twisted errors glossary architecture";
  assertEquals(
    pages.filter((page) => order.split(" ").includes(page)).join(" "),
    order,
  );
  assertEquals(new Set(pages).size, pages.length);
});

/** What is looked up in a table. */
const TABLES = [
  "comparison",
  "migrating",
  "modules",
  "permissions",
  "runtimes",
];

for (const section of ["Begin", "Use", "Come from elsewhere", "Look up"]) {
  Deno.test(`each guide of "${section}" begins with a program`, async () => {
    for (const page of await listed(section)) {
      if (TABLES.includes(page)) continue;
      const url = new URL(`docs/${page}.md`, ROOT);
      const lines = (await Deno.readTextFile(url)).split("\n");
      const first = lines.findIndex((line) => /^```(ts|js)$/.test(line));
      assert(first > 0 && first < 65, `${page}.md has none at its beginning`);
    }
  });
}
