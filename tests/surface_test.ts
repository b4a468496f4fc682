// node: skip reads the sources, which are the same for every runtime
import { assert, assertEquals, assertFalse } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import offline from "../import_map.offline.json" with { type: "json" };

const ROOT = new URL("../", import.meta.url);

/** Library folders with a `mod.ts` that is no public face. */
const HIDDEN = ["_internal", "platform"];

/** Entries whose names the root does not have, so that it needs no engine. */
const APART = ["durable/mod.ts", "jetstream/mod.ts"];

/** What is published and no library code. */
const PUBLISHED = [
  "CHANGELOG.md",
  "LICENSE",
  "README.md",
  "deno.json",
  "errors.ts",
  "mod.ts",
];

/** What git ignores. */
const UNTRACKED = ["coverage", "node_modules", "npm", "site"];

const exports: Readonly<Record<string, string>> = config.exports;

/**
 * The entries besides the root, as paths: `loop/mod.ts`, `errors.ts`; without the
 * command line, which is a program.
 */
const entries = Object.values(exports)
  .map((path) => path.replace("./", ""))
  .filter((path) => path !== "mod.ts" && path !== "cli/mod.ts");

/** The names a file lists in `export { … } from`, without `type`. */
async function listedNames(path: string): Promise<string[]> {
  const source = await Deno.readTextFile(new URL(path, ROOT));
  const names: string[] = [];
  for (const match of source.matchAll(/^export (?:type )?\{([^}]*)\}/gm)) {
    for (const part of (match[1] ?? "").split(",")) {
      const name = part.trim().replace(/^type /, "").split(" as ").at(-1);
      if (name) names.push(name);
    }
  }
  return names;
}

/** The names a file declares with `export`. */
async function declaredNames(path: string): Promise<string[]> {
  const source = await Deno.readTextFile(new URL(path, ROOT));
  const declaration =
    /^export (?:declare |abstract |async )*(?:class|const|function\*?|interface|let|type) (\w+)/gm;
  return [...source.matchAll(declaration)].map((match) => match[1] ?? "");
}

async function publicNames(path: string): Promise<Set<string>> {
  return new Set([
    ...await listedNames(path),
    ...await declaredNames(path),
  ]);
}

async function rootEntries(): Promise<Deno.DirEntry[]> {
  return await Array.fromAsync(Deno.readDir(ROOT));
}

Deno.test("deno.json exports each folder with a public face", async () => {
  const folders: string[] = [];
  for (const { name, isDirectory } of await rootEntries()) {
    if (!isDirectory || HIDDEN.includes(name)) continue;
    const face = new URL(`${name}/mod.ts`, ROOT);
    if (await Deno.stat(face).catch(() => undefined)) folders.push(name);
  }
  assertEquals(exports, {
    ".": "./mod.ts",
    "./errors": "./errors.ts",
    ...Object.fromEntries(
      folders.sort().map((name) => [`./${name}`, `./${name}/mod.ts`]),
    ),
  });
});

Deno.test("deno.json lists its exports in order", () => {
  assertEquals(Object.keys(exports), Object.keys(exports).toSorted());
});

Deno.test("each public face lists its names one by one", async () => {
  for (const path of ["mod.ts", ...entries]) {
    const source = await Deno.readTextFile(new URL(path, ROOT));
    assertFalse(/^export \*/m.test(source), `${path} has an export *`);
    assertFalse(/^export default/m.test(source), `${path} has a default`);
  }
});

Deno.test("each public face lists a name once", async () => {
  for (const path of ["mod.ts", ...entries]) {
    const names = await listedNames(path);
    assertEquals(
      names.filter((name, index) => names.indexOf(name) !== index),
      [],
      path,
    );
  }
});

Deno.test("mod.ts exports every name of every entry that is not apart, and no other", async () => {
  const names = new Set<string>();
  for (const path of entries) {
    if (APART.includes(path)) continue;
    for (const name of await publicNames(path)) names.add(name);
  }
  const root = await publicNames("mod.ts");
  assert(root.size > 0);
  assertEquals([...root].sort(), [...names].sort());
});

Deno.test("mod.ts gives the same values as the entries", async () => {
  const root: Record<string, unknown> = await import("@asyncio/asyncio");
  for (const path of entries) {
    if (APART.includes(path)) continue;
    const entry: Record<string, unknown> = await import(
      new URL(path, ROOT).href
    );
    for (const [name, value] of Object.entries(entry)) {
      assert(root[name] === value, `${name} of ${path}`);
    }
  }
});

Deno.test("deno.json publishes the library and nothing else", async () => {
  const libraryFolders = [
    ...HIDDEN,
    "cli",
    ...entries.filter((path) => path.endsWith("/mod.ts"))
      .map((path) => path.replace("/mod.ts", "")),
  ];
  const unlisted = (await rootEntries())
    .map(({ name, isDirectory }) => isDirectory ? `${name}/` : name)
    .filter((name) => !libraryFolders.includes(name.replace("/", "")))
    .filter((name) => !PUBLISHED.includes(name))
    .filter((name) => !name.startsWith("."))
    .filter((name) => !UNTRACKED.includes(name.replace("/", "")))
    .filter((name) => !config.publish.exclude.includes(name));
  assertEquals(unlisted, []);
});

Deno.test("the offline import map differs in the assertions only", () => {
  const { "@std/async": _, ...canonical } = config.imports;
  assertEquals(offline.imports, {
    ...canonical,
    "@std/assert": "./tests/_support/std_assert.ts",
  });
});
