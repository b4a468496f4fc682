/** Further copies of the package, as an npm and a JSR one in a program are. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

export type Asyncio = typeof import("@asyncio/asyncio");

const MAIN = new URL(import.meta.resolve("@asyncio/asyncio"));
const EXTENSION = MAIN.pathname.slice(MAIN.pathname.lastIndexOf("."));

const PLACES = [
  ..."_internal debug loop platform queue streams subprocess".split(" "),
  ..."sync tasks testing threads workers".split(" "),
  `errors${EXTENSION}`,
  `mod${EXTENSION}`,
];

/** A folder with a copy of all modules, to be removed. */
function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "asyncio-copy-"));
  for (const place of PLACES) {
    const from = fileURLToPath(new URL(place, MAIN));
    cpSync(from, join(folder, place), {
      recursive: true,
      filter: (path) => !/\.d\.ts$|\.map$/.test(path),
    });
  }
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  return folder;
}

/** Loads the package once more, from a folder of its own. */
export async function loadCopy(): Promise<Asyncio> {
  const folder = makeFolder();
  try {
    return await import(pathToFileURL(join(folder, `mod${EXTENSION}`)).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
