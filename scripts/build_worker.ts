/**
 * Writes `platform/shared/worker_code.ts`: what a worker runs, as one script in a string.
 *
 *     deno task build:worker
 *
 * A worker that starts from a string needs no file beside the library, so it also
 * starts from a bundle, from a compiled program, and without leave to read. JSR
 * publishes sources as they are; the string is therefore one of them, and a test
 * compares it with what this makes.
 *
 * @module
 */

import { ROOT, toPath } from "./_project.ts";
import { toCode } from "./_transpile.ts";

const ENTRY = "threads/_worker_main.ts";
const OUT = new URL("platform/shared/worker_code.ts", ROOT);

/** The modules that the entry needs, by path, as functions of `require`. */
async function modules(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const open = [ENTRY];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (found.has(path)) continue;
    const text = await Deno.readTextFile(new URL(path, ROOT));
    const { code } = toCode({ path, text }, "cjs", (specifier) => {
      const target = new URL(specifier, `file:///${path}`).pathname.slice(1);
      return specifier.startsWith(".") ? target : specifier;
    });
    found.set(path, code);
    for (const [, target] of code.matchAll(/\brequire\("([^":]+)"\)/g)) {
      open.push(target!);
    }
  }
  return found;
}

/** The script: each module is run when it is first asked for. */
export async function workerScript(): Promise<string> {
  const entries = [...await modules()].sort(([a], [b]) => a < b ? -1 : 1);
  const bodies = entries.map(([path, code]) =>
    `${JSON.stringify(path)}(exports, require) {\n${code.trim()}\n}`
  );
  return `"use strict";
{
const modules = {
${bodies.join(",\n")}
};
const loaded = {};
const load = (path) => {
  if (loaded[path] === undefined) {
    loaded[path] = {};
    modules[path](loaded[path], load);
  }
  return loaded[path];
};
load(${JSON.stringify(ENTRY)});
}
`;
}

/** The file that holds the script. */
export async function workerCodeFile(): Promise<string> {
  const script = await workerScript();
  return `// Made by \`deno task build:worker\`; not to be changed by hand.
// deno-fmt-ignore-file

/** What a worker runs: \`${ENTRY}\` and all it imports, as one script. */
export const WORKER_CODE: string = ${JSON.stringify(script)};
`;
}

if (import.meta.main) {
  await Deno.writeTextFile(OUT, await workerCodeFile());
  console.log(`Wrote ${toPath(OUT)}`);
}
