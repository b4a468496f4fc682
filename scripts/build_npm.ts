/**
 * Builds the npm package into `npm/`, as a folder and as a tarball.
 *
 *     deno task build:npm [--with=pack|dnt]
 *
 * Two routes lead to the same layout:
 *
 * - `dnt` is what Deno libraries are usually published with. It comes from JSR;
 *   where that is out of reach, the script says so and takes the other route.
 * - `pack` needs nothing but the TypeScript compiler from npm. Continuous
 *   integration takes it, and runs the suite on what comes out.
 *
 * The layout is dnt's: `esm/`, with its declarations, and `src/`, which the
 * source maps lead to. There is one kind of module, and so one copy of the
 * library in a program: Node's `require()` loads ES modules as well.
 *
 * @module
 */

import { type Manifest, manifest } from "./_manifest.ts";
import {
  execute,
  EXPORTS,
  libraryFiles,
  npm,
  ROOT,
  toPath,
  writeText,
} from "./_project.ts";
import { type Output, toCode, toDeclarations } from "./_transpile.ts";

/** Where the package is laid out. */
const OUT = new URL("npm/", ROOT);

/** What both routes copy from the root. */
const COPIED = ["LICENSE", "README.md"];

/** What a build made. */
export interface NpmBuild {
  /** The tarball. */
  readonly tarball: URL;
  /** The paths in it. */
  readonly files: readonly string[];
  /** Its size, in bytes. */
  readonly size: number;
  /** The size of what is in it, in bytes. */
  readonly unpackedSize: number;
}

/** Where this clone of the repository came from, if it did. */
async function originOfClone(): Promise<string | null> {
  const git = await execute("git", ["remote", "get-url", "origin"])
    .catch(() => undefined);
  return git?.ok === true ? git.stdout.trim() : null;
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeText(new URL(path, OUT), `${JSON.stringify(value, null, 2)}\n`);
}

/** Writes a file and its map, which leads back to `src/`. */
async function writeOutput(
  path: string,
  source: string,
  { code, map }: Output,
): Promise<void> {
  const up = "../".repeat(path.split("/").length - 1);
  const name = path.slice(path.lastIndexOf("/") + 1);
  await writeText(
    new URL(path, OUT),
    `${code}//# sourceMappingURL=${name}.map\n`,
  );
  await writeText(
    new URL(`${path}.map`, OUT),
    JSON.stringify({ ...map, file: name, sources: [`${up}src/${source}`] }),
  );
}

/** The files that declarations import, from the root of the package. */
function imported(path: string, code: string): string[] {
  // The examples in comments import what is not there.
  const specifiers = code.replace(/\/\*[^]*?\*\//g, "").matchAll(
    /(?:\bfrom |\bimport )"(\.[^"]+)"|\bimport\("(\.[^"]+)"\)/g,
  );
  return [...specifiers].map((match) => {
    const target = new URL(match[1] ?? match[2]!, `file:///${path}`).pathname;
    return target.slice(1).replace(/\.js$/, ".ts");
  });
}

/**
 * The declarations that users can reach from an entry. Those of an adapter
 * speak of Deno or Node types and would only cost space.
 */
function reachable(declarations: ReadonlyMap<string, Output>): Set<string> {
  const seen = new Set<string>();
  const open = Object.values(EXPORTS).map((path) => path.replace("./", ""));
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue;
    const found = declarations.get(path);
    if (!found) throw new Error(`Cannot build as ${path} is not there`);
    seen.add(path);
    open.push(...imported(path, found.code));
  }
  return seen;
}

/** The route that needs no JSR. */
async function buildWithPack(manifest: Manifest): Promise<void> {
  const paths = await libraryFiles();
  for (const path of paths) {
    const source = { path, text: await Deno.readTextFile(new URL(path, ROOT)) };
    await writeText(new URL(`src/${path}`, OUT), source.text);
    await writeOutput(
      `esm/${path.replace(/\.ts$/, ".js")}`,
      path,
      toCode(source, "esm"),
    );
  }
  const declarations = toDeclarations(toPath(ROOT), paths);
  for (const path of reachable(declarations)) {
    await writeOutput(
      `esm/${path.replace(/\.ts$/, ".d.ts")}`,
      path,
      declarations.get(path)!,
    );
  }
  await writeJson("package.json", manifest);
  await writeText(new URL(".npmignore", OUT), "*.tgz\n");
}

/** What is used of dnt; its own types come from JSR as well. */
interface Dnt {
  build(options: Readonly<Record<string, unknown>>): Promise<void>;
}

/** Loads dnt, which comes from JSR. */
async function loadDnt(): Promise<Dnt> {
  // A variable, so that nothing looks for it unless it is asked for.
  const specifier = "@deno/dnt";
  return await import(specifier) as Dnt;
}

/** Loads dnt, or says in a line why not. */
async function findDnt(): Promise<Dnt | undefined> {
  try {
    return await loadDnt();
  } catch (error) {
    const [reason] = `${error instanceof Error ? error.message : error}`
      .split("\n");
    console.log(`Building with pack as dnt is out of reach: ${reason}`);
    return undefined;
  }
}

/** The route of Deno's own tool. */
async function buildWithDnt(dnt: Dnt, manifest: Manifest): Promise<void> {
  await dnt.build({
    entryPoints: Object.entries(EXPORTS).map(([name, path]) => ({
      name,
      path: toPath(new URL(path, ROOT)),
    })),
    outDir: toPath(OUT),
    // The library finds its runtime itself, and `deno check` knows its types.
    shims: {},
    scriptModule: false,
    typeCheck: false,
    test: false,
    skipNpmInstall: true,
    declaration: "inline",
    declarationMap: true,
    compilerOptions: {
      target: "ES2022",
      // What declarations name: `AbortSignal`, `AsyncDisposable`.
      lib: ["ESNext", "DOM"],
      sourceMap: true,
    },
    package: manifest,
  });
  // Bundlers ask the nearest manifest, and this one would hide ours from them.
  await Deno.remove(new URL("esm/package.json", OUT));
  const ignored = new URL(".npmignore", OUT);
  await Deno.writeTextFile(ignored, "*.tgz\n", { append: true });
}

/** Fails where the tarball lacks what it promises or has what it should not. */
function examine(manifest: Manifest, files: readonly string[]): void {
  const targets = Object.values(manifest.exports).flatMap((target) =>
    typeof target === "string" ? [target] : Object.values(target)
  );
  const expected = [
    ...COPIED,
    ...targets.map((target) => target.replace("./", "")),
  ];
  const missing = expected.filter((path) => !files.includes(path));
  const foreign = files.filter((path) =>
    /_test\.|_bench\.|\.tgz$|^script\/|^esm\/(?:.*[^d]|d?)\.ts$|^esm\/package/
      .test(path)
  );
  if (missing.length === 0 && foreign.length === 0) return;
  throw new Error(
    `Cannot pack: missing ${missing.join(", ") || "nothing"}, ` +
      `not for users ${foreign.join(", ") || "nothing"}`,
  );
}

interface PackReport {
  readonly filename: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

/** Makes the tarball. */
async function pack(manifest: Manifest): Promise<NpmBuild> {
  const json = await npm(["pack", "--json"], { cwd: OUT });
  const report: PackReport = Object.values(JSON.parse(json))[0] as PackReport;
  const files = report.files.map(({ path }) => path);
  examine(manifest, files);
  return {
    tarball: new URL(report.filename, OUT),
    files,
    size: report.size,
    unpackedSize: report.unpackedSize,
  };
}

/**
 * Builds the package.
 *
 * @param route Which of the two ways to take, by default dnt's if it can be had.
 * @returns What was made.
 */
export async function buildNpm(route?: "pack" | "dnt"): Promise<NpmBuild> {
  await Deno.remove(OUT, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const dnt = route === "dnt"
    ? await loadDnt()
    : route === "pack"
    ? undefined
    : await findDnt();
  const made = manifest(await originOfClone());
  if (made["repository"] === undefined) {
    console.log(
      "The manifest names no repository as this clone has no remote " +
        '"origin" with an address',
    );
  }
  await (dnt ? buildWithDnt(dnt, made) : buildWithPack(made));
  for (const path of COPIED) {
    await Deno.copyFile(new URL(path, ROOT), new URL(path, OUT));
  }
  return await pack(made);
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(1)} kB`;
}

if (import.meta.main) {
  const route = Deno.args[0]?.replace("--with=", "");
  if (route !== undefined && route !== "pack" && route !== "dnt") {
    console.error("Usage: deno task build:npm [--with=pack|dnt]");
    Deno.exit(2);
  }
  const { tarball, files, size, unpackedSize } = await buildNpm(route);
  console.log(
    `npm/${tarball.href.split("/").at(-1)}: ${files.length} files, ` +
      `${kilobytes(size)} packed, ${kilobytes(unpackedSize)} unpacked`,
  );
}
