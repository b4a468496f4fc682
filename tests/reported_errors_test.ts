// node: skip reads the documentation and the sources, which are the same for every runtime
import { assertEquals, assertGreater } from "@std/assert";

import { THROWN, UNPROVOKED } from "./_support/thrown_errors.ts";

const ROOT = new URL("../", import.meta.url);
const PAGES = ["docs/errors.md", "docs/debugging.md"];

/** What only a fault of the library brings about. */
const FAULTS_OF_OURS = ["A step of the event loop threw"];

const FOLDERS = [
  "loop",
  "tasks",
  "sync",
  "queue",
  "streams",
  "subprocess",
  "threads",
  "workers",
  "debug",
];

/** What the pages say is reported: the first cells of their tables of messages. */
async function documented(): Promise<string[]> {
  const messages: string[] = [];
  for (const page of PAGES) {
    const text = await Deno.readTextFile(new URL(page, ROOT));
    let isTable = false;
    for (const line of text.split("\n")) {
      if (/^\| (message|it says) /.test(line)) isTable = true;
      else if (!line.startsWith("|")) isTable = false;
      const [, message] = /^\| `([^`]+)` /.exec(line) ?? [];
      if (isTable && message !== undefined) messages.push(message);
    }
  }
  return messages;
}

/** What the sources report, with `…` for what is put in. */
async function reported(): Promise<string[]> {
  const messages: string[] = [];
  for (const folder of FOLDERS) {
    for await (const { name } of Deno.readDir(new URL(`${folder}/`, ROOT))) {
      if (!name.endsWith(".ts")) continue;
      const text = await Deno.readTextFile(new URL(`${folder}/${name}`, ROOT));
      const code = text.replace(/\/\*[^]*?\*\//g, "");
      const found = code.matchAll(
        /\bmessage(?::|\s=)\s*(?:"([^"]+)"|`((?:[^`$]|\$\{[^}]*\})+)`)/g,
      );
      for (const [, plain, template] of found) {
        const text = plain ?? template!.replace(/\$\{[^}]*\}/g, "\u2026");
        // What begins with "Cannot" is thrown.
        if (!text.startsWith("Cannot ")) messages.push(text);
      }
    }
  }
  return messages;
}

/** Whether a message of the sources is that of a page, which may cut it short. */
function isSame(page: string, source: string): boolean {
  const parts = page.split("\u2026").map((part) => part.trim());
  const [start = ""] = parts;
  if (start !== "" && !source.startsWith(start)) return false;
  let from = 0;
  for (const part of parts) {
    const at = source.indexOf(part, from);
    if (at < 0) return false;
    from = at + part.length;
  }
  return true;
}

Deno.test("each message that the library reports is in a table of the pages", async () => {
  const [pages, sources] = [await documented(), await reported()];
  assertGreater(sources.length, 20);
  assertEquals(
    sources.filter((source) => !pages.some((page) => isSame(page, source))),
    [],
  );
});

/** What the tests of the project say, but for those that read the pages. */
async function testTexts(folder = new URL("tests/", ROOT)): Promise<string> {
  const texts: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const isPage = name === "reported_errors_test.ts";
    // deno-lint-ignore no-await-in-loop -- one file after the other
    if (isDirectory) texts.push(await testTexts(new URL(`${name}/`, folder)));
    else if (name.endsWith(".ts") && !isPage) {
      // deno-lint-ignore no-await-in-loop -- one file after the other
      texts.push(await Deno.readTextFile(new URL(name, folder)));
    }
  }
  return texts.join("\n");
}

/** Of a message the longest part with nothing that is put in. */
function longestPart(message: string): string {
  const parts = message.split(/\u2026|\d+ ms/).map((part) => part.trim());
  return parts.reduce((a, b) => b.length > a.length ? b : a);
}

Deno.test("each message that the pages list is brought about by a test", async () => {
  const texts = (await testTexts()).replace(/\\(?=[()])/g, "");
  const unseen = (await documented()).filter((message) =>
    !texts.includes(longestPart(message))
  );
  assertEquals(unseen, [...FAULTS_OF_OURS]);
});

Deno.test("errors.md explains each class that is tried, and a reason is given for the others", async () => {
  const page = await Deno.readTextFile(new URL("docs/errors.md", ROOT));
  const explained = [...page.matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
  assertEquals(
    explained.sort(),
    [...Object.keys(THROWN), ...Object.keys(UNPROVOKED)].sort(),
  );
});

Deno.test("each error class has one place in the tree of errors.md", async () => {
  const [page, source] = await Promise.all(
    ["docs/errors.md", "errors.ts"].map((path) =>
      Deno.readTextFile(new URL(path, ROOT))
    ),
  );
  const classes = [...source!.matchAll(/^export class (\w+)/gm)]
    .map(([, name = ""]) => name);
  assertGreater(classes.length, 20);
  const [, tree = ""] = /## The tree\n\n```text\n([^]+?)```/.exec(page!) ?? [];
  for (const name of classes) {
    assertEquals(tree.match(new RegExp(`\\b${name}\\b`, "g"))?.length, 1, name);
  }
});
