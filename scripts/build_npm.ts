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
 * The layout is dnt's: `esm/` and `script/`, each with its declarations and a
 * `package.json` that names the kind of module, and `src/`, which the source
 * maps of both lead to.
 *
 * @module
 */

import {
  EXPORTS,
  filesBelow,
  libraryFiles,
  NAME,
  npm,
  ROOT,
  toPath,
  VERSION,
  writeText,
} from "./_project.ts";
import {
  type Format,
  type Output,
  restoreDynamicImports,
  toCode,
  toDeclarations,
} from "./_transpile.ts";

/** Where the package is laid out. */
const OUT = new URL("npm/", ROOT);

/** The folder of each kind of module. */
const FOLDERS: Readonly<Record<Format, string>> = {
  esm: "esm",
  cjs: "script",
};

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

interface Condition {
  readonly types: string;
  readonly default: string;
}

interface Manifest {
  readonly exports: Readonly<
    Record<string, string | { import: Condition; require: Condition }>
  >;
  readonly [field: string]: unknown;
}

/** The `exports` of `package.json`, from those of `deno.json`. */
function conditionalExports(): Manifest["exports"] {
  const condition = (format: Format, path: string): Condition => {
    const base = path.replace("./", `./${FOLDERS[format]}/`);
    return {
      types: base.replace(/\.ts$/, ".d.ts"),
      default: base.replace(/\.ts$/, ".js"),
    };
  };
  const entries = Object.entries(EXPORTS).map(([name, path]) =>
    [name, {
      import: condition("esm", path),
      require: condition("cjs", path),
    }] as const
  );
  return {
    ...Object.fromEntries(entries),
    "./package.json": "./package.json",
  };
}

function manifest(): Manifest {
  return {
    name: NAME,
    version: VERSION,
    description: "Python's asyncio for TypeScript: cancellation, structured " +
      "concurrency, streams, subprocesses and queues for async functions",
    keywords: [
      "async",
      "asyncio",
      "cancellation",
      "concurrency",
      "event-loop",
      "queue",
      "streams",
      "structured-concurrency",
      "subprocess",
    ],
    license: "MIT",
    main: "./script/mod.js",
    module: "./esm/mod.js",
    types: "./script/mod.d.ts",
    exports: conditionalExports(),
    // The first version 20 that has `process.getBuiltinModule()`.
    engines: { node: ">=20.16.0" },
  };
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
async function buildWithPack(): Promise<void> {
  const paths = await libraryFiles();
  for (const path of paths) {
    const source = { path, text: await Deno.readTextFile(new URL(path, ROOT)) };
    await writeText(new URL(`src/${path}`, OUT), source.text);
    for (const [format, folder] of Object.entries(FOLDERS)) {
      await writeOutput(
        `${folder}/${path.replace(/\.ts$/, ".js")}`,
        path,
        toCode(source, format as Format),
      );
    }
  }
  const declarations = toDeclarations(toPath(ROOT), paths);
  for (const path of reachable(declarations)) {
    for (const folder of Object.values(FOLDERS)) {
      await writeOutput(
        `${folder}/${path.replace(/\.ts$/, ".d.ts")}`,
        path,
        declarations.get(path)!,
      );
    }
  }
  await writeJson("esm/package.json", { type: "module" });
  await writeJson("script/package.json", { type: "commonjs" });
  await writeJson("package.json", manifest());
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
async function buildWithDnt(dnt: Dnt): Promise<void> {
  await dnt.build({
    entryPoints: Object.entries(EXPORTS).map(([name, path]) => ({
      name,
      path: toPath(new URL(path, ROOT)),
    })),
    outDir: toPath(OUT),
    // The library finds its runtime itself, and `deno check` knows its types.
    shims: {},
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
    package: manifest(),
  });
  for (const path of await filesBelow(OUT, "script/")) {
    if (!path.endsWith(".js")) continue;
    const url = new URL(path, OUT);
    const code = await Deno.readTextFile(url);
    const restored = restoreDynamicImports(code);
    if (restored !== code) await Deno.writeTextFile(url, restored);
  }
  const ignored = new URL(".npmignore", OUT);
  await Deno.writeTextFile(ignored, "*.tgz\n", { append: true });
}

/** Fails where the tarball lacks what it promises or has what it should not. */
function examine(files: readonly string[]): void {
  const targets = Object.values(manifest().exports).flatMap((target) =>
    typeof target === "string"
      ? [target]
      : [target.import, target.require].flatMap(Object.values)
  );
  const expected = [
    ...COPIED,
    "esm/package.json",
    "script/package.json",
    ...targets.map((target) => target.replace("./", "")),
  ];
  const missing = expected.filter((path) => !files.includes(path));
  const foreign = files.filter((path) =>
    /_test\.|_bench\.|\.tgz$|^(?:esm|script)\/(?:.*[^d]|d?)\.ts$/.test(path)
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
async function pack(): Promise<NpmBuild> {
  const json = await npm(["pack", "--json"], { cwd: OUT });
  const report: PackReport = Object.values(JSON.parse(json))[0] as PackReport;
  const files = report.files.map(({ path }) => path);
  examine(files);
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
  await (dnt ? buildWithDnt(dnt) : buildWithPack());
  for (const path of COPIED) {
    await Deno.copyFile(new URL(path, ROOT), new URL(path, OUT));
  }
  return await pack();
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
