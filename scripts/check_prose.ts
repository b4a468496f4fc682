/**
 * Reads the pages and the doc comments for habits that make them hard to read.
 *
 *     deno task prose [PATH...]
 *     deno task prose --fix [PATH...]
 *
 * The habits are in `tools/prose_habits.ts`; from write-good come words that are
 * written twice, and clichés. Tests and benchmarks are not looked at. With
 * `--fix` it puts other words where one word is enough; read what it did.
 *
 * @module
 */

import { TextlintKernel } from "@textlint/kernel";
import markdown from "@textlint/textlint-plugin-markdown";
import writeGood from "textlint-rule-write-good";
import { habits } from "../tools/prose_habits.ts";
import { filesBelow, libraryFiles, ROOT } from "./_project.ts";

/** Code that a generator wrote. */
const GENERATED = "platform/shared/worker_code.ts";

/** A text with the place in a file that each of its lines comes from. */
interface Prose {
  readonly lines: readonly string[];
  /** The number of each line in the file. */
  readonly numbers: readonly number[];
  /** How many characters of that line are left out at its beginning. */
  readonly indents: readonly number[];
}

/** The doc comments of a source as Markdown; each tag is a paragraph. */
export function commentsOf(source: string): Prose {
  const lines: string[] = [];
  const numbers: number[] = [];
  const indents: number[] = [];
  let isComment = false;
  let isCode = false;
  const add = (line: string, number: number, indent: number) => {
    lines.push(line);
    numbers.push(number);
    indents.push(indent);
  };
  for (const [index, line] of source.split("\n").entries()) {
    const number = index + 1;
    if (!isComment) {
      const [start] = line.match(/^\s*\/\*\*(?: |$)/) ?? [];
      if (start === undefined) continue;
      isComment = true;
      add("", number, 0);
      const [text = ""] = line.slice(start.length).split("*/");
      add(text, number, start.length);
    } else {
      const [start = ""] = line.match(/^\s*\*(?!\/) ?/) ?? [];
      const [text = ""] = line.slice(start.length).split(/^\s*\*\//);
      if (/^`{3,}/.test(text)) isCode = !isCode;
      if (!isCode && text.startsWith("@")) add("", number, 0);
      // A tag and the name of a parameter are no words of the sentence.
      const [tag = ""] = isCode
        ? []
        : text.match(/^@(?:(?:param|typeParam) \S+|\w+)(?: \{[^}]*\})? ?/) ??
          [];
      add(text.slice(tag.length), number, start.length + tag.length);
    }
    if (line.includes("*/")) isComment = isCode = false;
  }
  return { lines, numbers, indents };
}

/** A page as it is. */
function pageOf(text: string): Prose {
  const lines = text.split("\n");
  return {
    lines,
    numbers: lines.map((_, index) => index + 1),
    indents: lines.map(() => 0),
  };
}

const kernel = new TextlintKernel();

/** A fault, and its place in the file. */
interface Fault {
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** The faults of a file. */
async function findFaults(path: string, text: string): Promise<Fault[]> {
  const prose = path.endsWith(".md") ? pageOf(text) : commentsOf(text);
  const { messages } = await kernel.lintText(prose.lines.join("\n"), {
    filePath: path,
    ext: ".md",
    plugins: [{ pluginId: "markdown", plugin: markdown.default }],
    rules: [
      { ruleId: "habits", rule: habits },
      {
        ruleId: "write-good",
        rule: writeGood.default,
        options: {
          adverb: false,
          eprime: false,
          passive: false,
          so: false,
          thereIs: false,
          tooWordy: false,
          weasel: false,
        },
      },
    ],
  });
  return messages.map(({ message, loc }) => {
    const { line, column } = loc.start;
    const indent = prose.indents[line - 1] ?? 0;
    return {
      line: prose.numbers[line - 1] ?? line,
      column: column + indent,
      message,
    };
  });
}

/** A line for each fault of a file. */
export async function faultsOf(path: string, text: string): Promise<string[]> {
  const faults = await findFaults(path, text);
  return faults.map(({ line, column, message }) =>
    `${path}:${line}:${column} ${message}`
  );
}

/** Words that one other word can take the place of. */
const INSTEAD: Readonly<Record<string, string>> = {
  anew: "again",
  where: "if",
  Where: "If",
};

/** A text in which other words are where they can be; it wants to be read. */
export async function fix(path: string, text: string): Promise<string> {
  const lines = text.split("\n");
  const faults = await findFaults(path, text);
  // From behind, so that the places before stay what they are.
  for (const { line, column, message } of faults.toReversed()) {
    const [, word = ""] = message.match(/^"([^"]+)"/) ?? [];
    const instead = INSTEAD[word];
    const before = lines[line - 1] ?? "";
    if (instead === undefined || !before.startsWith(word, column - 1)) continue;
    lines[line - 1] = before.slice(0, column - 1) + instead +
      before.slice(column - 1 + word.length);
  }
  return lines.join("\n");
}

/** The pages and sources that are read. */
async function proseFiles(): Promise<string[]> {
  const below = await Promise.all(
    ["docs/", "examples/", "scripts/", "tools/"].map((folder) =>
      filesBelow(ROOT, folder)
    ),
  );
  return [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    ...await libraryFiles(),
    ...below.flat().filter((path) => /\.(md|ts)$/.test(path)),
  ].filter((path) => path !== GENERATED && !path.includes("node_modules/"));
}

async function main(args: readonly string[]): Promise<number> {
  const named = args.filter((arg) => arg !== "--fix");
  const paths = named.length > 0 ? named : await proseFiles();
  const faults: string[] = [];
  for (const path of paths) {
    const url = new URL(path, ROOT);
    let text = await Deno.readTextFile(url);
    if (args.includes("--fix")) {
      const fixed = await fix(path, text);
      if (fixed !== text) await Deno.writeTextFile(url, fixed);
      text = fixed;
    }
    faults.push(...await faultsOf(path, text));
  }
  for (const fault of faults) console.error(fault);
  console.log(`${paths.length} files, ${faults.length} problems`);
  return faults.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
