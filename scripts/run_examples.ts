/**
 * Runs the programs of `examples/`.
 *
 *     deno task examples                  every one, and what it printed
 *     deno task example                   their names and what each shows
 *     deno task example NAME [ARG…]       one, with the terminal to itself
 *
 * Without a name each runs to its end by itself and asks for nothing, so a
 * program that waits for input or a signal only does so where it is given
 * arguments.
 *
 * @module
 */

import { ROOT, toPath } from "./_project.ts";

/** Longer than any example takes on a slow machine. */
const LIMIT_MS = 60_000;

/** How many lines of a long output are shown, of its start and of its end. */
const FIRST_LINES = 30;
const LAST_LINES = 5;

const FOLDER = new URL("examples/", ROOT);

interface Example {
  readonly name: string;
  /** The first sentence of the program's own comment. */
  readonly summary: string;
}

/** Finds those in a folder of `examples/`, such as `web_scraping/`. */
async function findExamples(folder = ""): Promise<Example[]> {
  const examples: Example[] = [];
  const entries = Deno.readDir(new URL(folder, FOLDER));
  for await (const { name: file, isDirectory } of entries) {
    const name = folder + file;
    if (isDirectory) examples.push(...await findExamples(`${name}/`));
    if (!file.endsWith(".ts") || file.startsWith("_")) continue;
    const text = await Deno.readTextFile(new URL(name, FOLDER));
    const comment = text.match(/^\/\*\*\s*\*?\s*([^]*?)(?:\.\s|\n \*\n|\*\/)/);
    examples.push({
      name: name.replace(/\.ts$/, ""),
      summary: (comment?.[1] ?? "").replace(/\s*\n \*\s*/g, " ").trim(),
    });
  }
  return examples.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** The command that runs an example, as a user would type it. */
function command(name: string, args: readonly string[]): string[] {
  return ["run", "-A", toPath(new URL(`${name}.ts`, FOLDER)), ...args];
}

/** Shows lines as they come, and of many only the first and the last. */
class Excerpt {
  readonly #last: string[] = [];
  #count = 0;

  add(line: string): void {
    if (++this.#count <= FIRST_LINES) return console.log(`    ${line}`);
    this.#last.push(line);
    if (this.#last.length > LAST_LINES) this.#last.shift();
  }

  end(): void {
    const hidden = this.#count - FIRST_LINES - this.#last.length;
    if (hidden > 0) console.log(`    … ${hidden} more lines …`);
    for (const line of this.#last) console.log(`    ${line}`);
  }
}

async function showLines(
  pipe: ReadableStream<Uint8Array>,
  excerpt: Excerpt,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of pipe) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) excerpt.add(line);
  }
  if (rest !== "") excerpt.add(rest);
}

/** Runs one to its end and shows what it prints; tells whether all was well. */
async function show(name: string): Promise<boolean> {
  const child = new Deno.Command(Deno.execPath(), {
    args: command(name, []),
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const excerpt = new Excerpt();
  const shown = Promise.all([
    showLines(child.stdout, excerpt),
    showLines(child.stderr, excerpt),
  ]);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, LIMIT_MS);
  const { success } = await child.status;
  clearTimeout(timer);
  // A killed child's own children may hold the pipes open for good.
  if (!late) await shown;
  excerpt.end();
  if (late) console.log(`killed after ${LIMIT_MS / 1000} s`);
  return success && !late;
}

async function runAll(examples: readonly Example[]): Promise<number> {
  const failed: string[] = [];
  for (const [index, { name, summary }] of examples.entries()) {
    console.log(`[${index + 1}/${examples.length}] ${name} — ${summary}`);
    const start = performance.now();
    const ok = await show(name);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(`${ok ? "ok" : "FAILED"} (${seconds} s)\n`);
    if (!ok) failed.push(name);
  }
  const passed = examples.length - failed.length;
  console.log(`${passed} passed, ${failed.length} failed`);
  for (const name of failed) console.log(`    deno task example ${name}`);
  return failed.length === 0 && examples.length > 0 ? 0 : 1;
}

async function runOne(name: string, args: readonly string[]): Promise<number> {
  const { code } = await new Deno.Command(Deno.execPath(), {
    args: command(name, args),
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
  }).spawn().status;
  return code;
}

function list(examples: readonly Example[]): void {
  const width = Math.max(...examples.map(({ name }) => name.length));
  for (const { name, summary } of examples) {
    console.log(`${name.padEnd(width)}  ${summary}`);
  }
}

async function main([first, ...rest]: readonly string[]): Promise<number> {
  const examples = await findExamples();
  if (first === "--all") return await runAll(examples);
  const name = first?.replace(/\.ts$/, "");
  if (examples.some((example) => example.name === name)) {
    return await runOne(name!, rest);
  }
  if (first !== undefined) console.error(`There is no example ${first}:\n`);
  list(examples);
  return first === undefined ? 0 : 2;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
