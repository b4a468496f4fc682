/** The rows about whole programs: what it costs to start one that imports a library, and what the library weighs. */

import { median } from "./measure.ts";
import type { Peer } from "./peers.ts";
import { fromFileUrl, runProcess } from "./process.ts";
import type { ProgramRow, WorkerResult } from "./types.ts";

const ROOT = fromFileUrl(new URL("../", import.meta.url));
const CONFIG = fromFileUrl(new URL("./deno.json", import.meta.url));

/** How often each script is started in one round. */
const STARTS = 5;

/** Runs one round of such a row. */
export function runProgramRow(
  row: ProgramRow,
  peer: Peer,
): Promise<WorkerResult> {
  const module = row.modules[peer.name];
  if (module === undefined) {
    throw new Error(`Row "${row.id}" has no "${peer.name}"`);
  }
  return row.measure === "size" ? size(peer, module) : startUp(peer, module);
}

async function startUp(peer: Peer, module: string): Promise<WorkerResult> {
  const scripts = await prepare(peer, module);
  const times: Record<string, number[]> = {};
  // The first start of a script fills caches.
  for (let start = 0; start <= STARTS; start++) {
    const empty = await time(peer.script(scripts["empty"] ?? ""));
    for (const [name, path] of Object.entries(scripts)) {
      if (name === "empty") continue;
      const over = await time(peer.script(path)) - empty;
      if (start > 0) (times[name] ??= []).push(over);
    }
  }
  return toResult(
    Object.fromEntries(
      Object.entries(times).map(([name, values]) => [name, median(values)]),
    ),
  );
}

async function time(command: readonly string[]): Promise<number> {
  const start = performance.now();
  await succeed(command);
  return (performance.now() - start) * 1e6;
}

async function size(peer: Peer, module: string): Promise<WorkerResult> {
  const scripts = await prepare(peer, module);
  const minified = await Deno.readFile(scripts["bundled"] ?? "");
  const zipped = new Blob([minified]).stream().pipeThrough(
    new CompressionStream("gzip"),
  );
  return toResult({
    minified: minified.length,
    gzipped: (await new Response(zipped).bytes()).length,
    ...(peer.name === "ours" && {
      modules: await countModules(`${ROOT}mod.ts`),
      npm: await packNpm(),
      Lock: await weigh("sync", "Lock"),
      "sleep and timeout": await weigh("tasks", "sleep, timeout"),
    }),
  });
}

/** Modules that a program loads; those that hold types alone are not. */
async function countModules(path: string): Promise<number> {
  const graph = JSON.parse(
    await succeed([Deno.execPath(), "info", "--json", path]),
  ) as { modules: { specifier: string; dependencies?: Dependency[] }[] };
  const dependencies = new Map(
    graph.modules.map((each) => [each.specifier, each.dependencies ?? []]),
  );
  const loaded = new Set([new URL(path, "file://").href]);
  for (const module of loaded) {
    for (const { code } of dependencies.get(module) ?? []) {
      if (code?.specifier.startsWith("file:")) loaded.add(code.specifier);
    }
  }
  return loaded.size;
}

/** An import, as `deno info` gives it; `code` is absent where it is for types alone. */
interface Dependency {
  readonly code?: { readonly specifier: string };
}

/** Bytes of the tarball that npm would publish. */
async function packNpm(): Promise<number> {
  await succeed([Deno.execPath(), "task", "--cwd", ROOT, "build:npm"]);
  let bytes = 0;
  for (const { name } of Deno.readDirSync(`${ROOT}npm`)) {
    if (name.endsWith(".tgz")) {
      bytes = Deno.statSync(`${ROOT}npm/${name}`).size;
    }
  }
  if (bytes === 0) throw new Error("Cannot find the tarball in npm/");
  return bytes;
}

/** Bytes of a bundle that uses these names of the package, and leaves out the rest. */
async function weigh(module: string, names: string): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "asyncio-bench-" });
  try {
    const entry = `${folder}/entry.mjs`;
    const output = `${folder}/out.mjs`;
    const from = `${ROOT}npm/esm/${module}/mod.js`;
    await Deno.writeTextFile(
      entry,
      `import { ${names} } from "${from}";\nconsole.log(${names});\n`,
    );
    await succeed([
      Deno.execPath(),
      "run",
      "-A",
      "npm:esbuild@0.28.2",
      entry,
      "--bundle",
      "--minify",
      "--format=esm",
      "--platform=node",
      "--log-level=error",
      `--outfile=${output}`,
    ]);
    return (await Deno.stat(output)).size;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function toResult(values: Readonly<Record<string, number>>): WorkerResult {
  return {
    metrics: Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, { ops: 1, value }]),
    ),
  };
}

/** By metric, and the empty one. */
type Scripts = Readonly<Record<string, string>>;

const prepared = new Map<string, Promise<Scripts>>();

/** The scripts of one peer, written once. */
function prepare(peer: Peer, module: string): Promise<Scripts> {
  const known = prepared.get(peer.name);
  if (known !== undefined) return known;
  const made = write(peer, module);
  prepared.set(peer.name, made);
  return made;
}

async function write(peer: Peer, module: string): Promise<Scripts> {
  const folder = await Deno.makeTempDir({ prefix: "asyncio-bench-" });
  globalThis.addEventListener(
    "unload",
    () => Deno.removeSync(folder, { recursive: true }),
  );
  if (peer.runtime === "python") {
    const scripts = { empty: `${folder}/a.py`, source: `${folder}/b.py` };
    await Deno.writeTextFile(scripts.empty, "");
    await Deno.writeTextFile(scripts.source, `import ${module}\n`);
    return scripts;
  }
  const empty = `${folder}/empty.mjs`;
  const entry = `${folder}/entry.mjs`;
  const bundled = `${folder}/bundled.mjs`;
  await Deno.writeTextFile(empty, "");
  await Deno.writeTextFile(
    entry,
    `import * as all from "${module}";\nglobalThis.all = all;\n`,
  );
  await bundle(entry, bundled);
  return {
    empty,
    // Node finds neither our source nor packages in Deno's cache.
    ...(peer.runtime === "deno" && { source: entry }),
    bundled,
  };
}

/** One file, minified, as programs are shipped whose start matters. */
async function bundle(entry: string, output: string): Promise<void> {
  await succeed([
    Deno.execPath(),
    "bundle",
    "--quiet",
    "--minify",
    "--platform=deno",
    `--config=${CONFIG}`,
    `--output=${output}`,
    entry,
  ]);
}

async function succeed(command: readonly string[]): Promise<string> {
  const { ok, stdout, stderr } = await runProcess(command);
  if (!ok) throw new Error(`Cannot run ${command.join(" ")}: ${stderr}`);
  return stdout;
}
