// node: skip reads the documentation, which is the same for every runtime
import { assert, assertEquals, assertGreater } from "@std/assert";

const ROOT = new URL("../", import.meta.url);
const PAGE = new URL("docs/tutorial.md", ROOT);

/** A part of the tutorial, from one heading to the next. */
interface Section {
  readonly title: string;
  /** The functions of its snippets, by name. */
  readonly functions: readonly [name: string, text: string][];
  /** The programs that it names: `tcp_echo_server`. */
  readonly programs: readonly string[];
}

/** The functions of the top level, as they are but for `export`. */
function functionsOf(code: string): [name: string, text: string][] {
  return Array.from(
    code.matchAll(/^(?:export )?((?:async )?function (\w+)[^]*?^\})$/gm),
    ([, text, name]) => [name!, text!],
  );
}

async function readSections(): Promise<Section[]> {
  const page = await Deno.readTextFile(PAGE);
  return page.split(/^#{2,3} /m).slice(1).map((text) => ({
    title: text.slice(0, text.indexOf("\n")),
    functions: functionsOf(
      Array.from(text.matchAll(/^```ts\n([^]*?)^```/gm), ([, code]) => code!)
        .join("\n"),
    ),
    programs: Array.from(
      text.matchAll(/\]\(\.\.\/examples\/([\w/]+)\.ts\)/g),
      ([, program]) => program!,
    ),
  }));
}

async function findPrograms(folder = ""): Promise<string[]> {
  const programs: string[] = [];
  const url = new URL(`examples/${folder}`, ROOT);
  for await (const { name, isDirectory } of Deno.readDir(url)) {
    if (isDirectory) programs.push(...await findPrograms(`${name}/`));
    else if (name.endsWith(".ts") && !name.startsWith("_")) {
      programs.push(folder + name.replace(".ts", ""));
    }
  }
  return programs.sort();
}

Deno.test("the tutorial leads to every example", async () => {
  const named = (await readSections()).flatMap(({ programs }) => programs);
  assertEquals([...new Set(named)].sort(), await findPrograms());
});

Deno.test("the tutorial's functions are those of the examples", async () => {
  let compared = 0;
  for (const { title, functions, programs } of await readSections()) {
    const known = new Map<string, Set<string>>();
    for (const program of programs) {
      const url = new URL(`examples/${program}.ts`, ROOT);
      for (const [name, text] of functionsOf(await Deno.readTextFile(url))) {
        known.set(name, (known.get(name) ?? new Set()).add(text));
      }
    }
    for (const [name, text] of functions) {
      const originals = known.get(name);
      if (originals === undefined) continue;
      assert(originals.has(text), `${title}: ${name}() is another one`);
      compared++;
    }
  }
  assertGreater(compared, 15);
});
