/**
 * Builds the site, in `site/`: the pages of `docs/`, the programs of
 * `examples/` and a reference of every public name.
 *
 *     deno task site
 *
 * The pages stay where they are; what the generator reads is made in
 * `tools/site/`, beside its packages, and is gone when it has ended. A link that leads nowhere fails the build.
 * The site can be served from anywhere: with a path in `SITE_BASE`, such as
 * `/asyncio/`, from below that path.
 *
 * @module
 */

import { readDocs } from "./_doc_json.ts";
import { execute, EXPORTS, NAME, ROOT, writeText } from "./_project.ts";
import { deadLinks } from "./_site_check.ts";
import { readGuides } from "./_site_guides.ts";
import { type Entry, makeReference } from "./_site_reference.ts";

const SITE = new URL("site/", ROOT);
const PAGES = new URL("tools/site/.pages/", ROOT);

async function readEntries(): Promise<Entry[]> {
  const entries = Object.entries(EXPORTS);
  // The root by itself, as what it exports counts as documented elsewhere.
  const isRoot = ([key]: readonly [string, string]) => key === ".";
  const [root, modules] = await Promise.all([
    readDocs(entries.filter(isRoot).map(([, path]) => path)),
    readDocs(entries.filter((entry) => !isRoot(entry)).map(([, path]) => path)),
  ]);
  return entries.map(([key, path]) => {
    const docs = root.get(path) ?? modules.get(path);
    if (!docs) throw new Error(`There is no documentation of ${path}`);
    return { specifier: NAME + key.slice(1), folder: key.slice(2), docs };
  });
}

/** Writes what the generator reads. */
async function stage(folder: URL): Promise<void> {
  const [guides, entries] = await Promise.all([readGuides(), readEntries()]);
  const reference = makeReference(entries);
  const pages = [...guides.pages, ...reference.pages];
  await Promise.all(
    pages.map(({ path, text }) =>
      writeText(new URL(`${path}.md`, folder), `${text.trimEnd()}\n`)
    ),
  );
  for (const path of guides.pictures) {
    await Deno.copyFile(new URL(path, ROOT), new URL(path, folder));
  }
  const { guides: list, examples } = guides;
  await writeText(
    new URL("sidebars.json", folder),
    JSON.stringify({
      "/docs/": list,
      "/bench/": list,
      "/examples/": examples,
      ...reference.sidebars,
    }),
  );
  console.log(`${pages.length} pages`);
}

async function removePages(): Promise<void> {
  try {
    await Deno.remove(PAGES, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function main(): Promise<number> {
  // A build that was killed has left them.
  await removePages();
  try {
    await stage(PAGES);
    const { ok, output } = await execute(
      Deno.execPath(),
      ["task", "--quiet", "--cwd=tools/site", "build"],
    );
    console.log(output.trim());
    if (!ok) return 1;
  } finally {
    await removePages();
  }
  const faults = await deadLinks(SITE);
  for (const fault of faults) console.error(fault);
  return faults.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main());
