/**
 * Runs the suite on Node and Bun, against the npm package as users install it,
 * and asks workerd what works there.
 *
 *     deno task test:npm [--on=node20,bun,workerd] [--no-build] [FILTER…]
 *
 * The tarball goes into an empty project. The test files follow, turned into
 * JavaScript: what they import by the package's name comes from there as it
 * does for users, and what they import of its internals from the same folder,
 * so that there is one copy of everything. Then small consumers, which are in
 * `tests/npm/`, import, require and type-check the package. The one that needs
 * packages of its own counts as skipped where they cannot be installed.
 *
 * A test file that needs Deno itself says so in its first lines, and the run
 * repeats it:
 *
 *     // node: skip <reason>
 *
 * What a runtime cannot do is in `tests/_support/runtimes.ts`; the tests of that
 * are skipped with its reason, and the run repeats that, too.
 *
 * @module
 */

import { buildNpm } from "./build_npm.ts";
import {
  execute,
  EXPORTS,
  filesBelow,
  isLibrary,
  NAME,
  npm,
  PEERS_OF_TESTS,
  ROOT,
  toPath,
  writeText,
} from "./_project.ts";
import { runBundles } from "./_bundle_tests.ts";
import { mapConcurrently } from "./_concurrently.ts";
import { runTools } from "./_tool_tests.ts";
import { TRACING_MODES, tracingPackages } from "./_tracing.ts";
import { toCode, toJavaScript } from "./_transpile.ts";
import { runWorkerd } from "./_workerd_tests.ts";

/** What the package promises to run on. */
const RUNTIMES = ["node20", "node22", "node24", "node26", "bun", "workerd"];

const OLDEST_NODE = "20";

const BUN = "bun@1.4";

/**
 * A file that takes longer hangs: the slowest takes some 15 s on an idle core, and
 * a machine may have ten others to run.
 */
const FILE_LIMIT_MS = 240_000;

const SKIP_REGEXP = /^\/\/ node: skip (.+)$/m;

/** Where the stand-ins for what Node lacks go in the project. */
const ASSERTIONS = "tests/_support/std_assert.js";
const DENO_SHIM = "scripts/_deno_shim.js";
const SMALL_RUNNER = "scripts/_small_runner.js";

/** The installed package's ES modules, in the project. */
const INSTALLED = `node_modules/${NAME}/esm/`;

interface Skipped {
  readonly path: string;
  readonly reason: string;
}

/** An empty project with the package and the suite in it. */
interface Project {
  readonly root: URL;
  /** The test files, as paths in the project. */
  readonly tests: readonly string[];
  readonly skipped: readonly Skipped[];
  /** Why the program in `tests/npm/tracing/` lacks its packages, if it does. */
  readonly tracingLack: string | null;
}

/** How many tests ended how. */
interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** Tests that were skipped, by the reasons that they gave. */
type Reasons = Map<string, number>;

interface FileResult extends Counts {
  /** Why tests were skipped, of those that say so. */
  readonly reasons: readonly string[];
  /** What it printed, if it failed. */
  readonly output: string;
}

const NONE: Counts = { passed: 0, failed: 0, skipped: 0 };

function sum(results: readonly Counts[]): Counts {
  return results.reduce((total, { passed, failed, skipped }) => ({
    passed: total.passed + passed,
    failed: total.failed + failed,
    skipped: total.skipped + skipped,
  }), NONE);
}

/** The way from one file of the project to another. */
function relative(from: string, to: string): string {
  return `./${"../".repeat(from.split("/").length - 1)}${to}`;
}

/** The path that a file of the project has in the repository. */
function toTypeScript(path: string): string {
  return path.replace(/\.js$/, ".ts");
}

/** Where an import of a test file leads in the project. */
function rewrite(from: string, specifier: string): string {
  if (specifier === "@std/assert") return relative(from, ASSERTIONS);
  if (!specifier.startsWith(".")) return specifier;
  const target = new URL(specifier, `file:///${from}`).pathname.slice(1);
  if (isLibrary(target)) {
    return toJavaScript(relative(from, INSTALLED + target));
  }
  if (target.startsWith("tests/") || target === toTypeScript(SMALL_RUNNER)) {
    return toJavaScript(specifier);
  }
  throw new Error(
    `Cannot run ${from} on Node as it imports ${target}: give the file a ` +
      `first line "// node: skip <reason>"`,
  );
}

/** Puts a test file, or a file it uses, into the project as JavaScript. */
async function addScript(root: URL, path: string): Promise<void> {
  const text = await Deno.readTextFile(new URL(path, ROOT));
  const { code, map } = toCode(
    { path, text },
    "esm",
    (specifier) => rewrite(path, specifier),
  );
  const output = toJavaScript(`./${path}`).slice(2);
  const isTest = path.endsWith("_test.ts");
  // In front of the first line, so that the line numbers stay.
  const stand = isTest
    ? `import { Deno } from "${relative(output, DENO_SHIM)}"; `
    : "";
  const mapName = output.slice(output.lastIndexOf("/") + 1);
  const sources = [new URL(path, ROOT).href];
  await writeText(
    new URL(output, root),
    `${stand}${code}//# sourceMappingURL=${mapName}.map\n`,
  );
  await writeText(
    new URL(`${output}.map`, root),
    JSON.stringify({ ...map, sources }),
  );
}

/** Puts all of `tests/` into the project. */
async function addTests(
  root: URL,
): Promise<Pick<Project, "tests" | "skipped">> {
  const tests: string[] = [];
  const skipped: Skipped[] = [];
  for (const path of await filesBelow(ROOT, "tests/")) {
    if (/^tests\/(?:jsr|npm|types)\//.test(path)) continue;
    if (!path.endsWith(".ts")) {
      await Deno.mkdir(new URL(".", new URL(path, root)), { recursive: true });
      await Deno.copyFile(new URL(path, ROOT), new URL(path, root));
      continue;
    }
    const text = await Deno.readTextFile(new URL(path, ROOT));
    const reason = text.slice(0, 500).match(SKIP_REGEXP)?.[1];
    if (reason !== undefined) {
      skipped.push({ path, reason });
      continue;
    }
    await addScript(root, path);
    if (path.endsWith("_test.ts")) tests.push(toJavaScript(`./${path}`));
  }
  await addScript(root, toTypeScript(DENO_SHIM));
  await addScript(root, toTypeScript(SMALL_RUNNER));
  return { tests, skipped };
}

/** Consumers that import every entry there is, by the file that they are in. */
const EVERY_ENTRY: Readonly<
  Record<string, (specifier: string, index: number) => string>
> = {
  "bundler/entries.ts": (specifier, index) =>
    `export * as entry${index} from "${specifier}";\n`,
  "nodenext/entries.mts": (specifier, index) =>
    `export * as entry${index} from "${specifier}";\n`,
  "nodenext/entries.cts": (specifier, index) =>
    `export import entry${index} = require("${specifier}");\n`,
};

/** Puts the consumers of `tests/npm/` into the project, as they are. */
async function addConsumers(root: URL): Promise<void> {
  const specifiers = Object.keys(EXPORTS).map((entry) => NAME + entry.slice(1));
  for (const [path, line] of Object.entries(EVERY_ENTRY)) {
    await writeText(
      new URL(`tests/npm/${path}`, root),
      specifiers.map(line).join(""),
    );
  }
  for (const path of await filesBelow(ROOT, "tests/npm/")) {
    const text = await Deno.readTextFile(new URL(path, ROOT));
    await writeText(new URL(path, root), text);
  }
}

/** Makes the project. */
async function createProject(tarball: URL): Promise<Project> {
  const folder = await Deno.makeTempDir({ prefix: "asyncio-npm-" });
  const root = new URL(`file://${folder}/`);
  await writeText(
    new URL("package.json", root),
    JSON.stringify({
      private: true,
      type: "module",
      dependencies: {
        [NAME]: `file:${toPath(tarball)}`,
        "@types/node": "^20.19.0",
        "typescript": "6.0.3",
      },
    }),
  );
  await npm(
    ["install", "--prefer-offline", "--no-audit", "--no-fund"],
    { cwd: root },
  );
  await addPeers(root);
  const tracingLack = await addTracing(root);
  await addConsumers(root);
  return { root, tracingLack, ...await addTests(root) };
}

/** Installs what the program in `tests/npm/tracing/` needs, or tells why not. */
async function addTracing(root: URL): Promise<string | null> {
  return await install(root, await tracingPackages());
}

/** Installs packages beside ours, or tells why not. */
async function install(
  root: URL,
  packages: readonly string[],
): Promise<string | null> {
  try {
    await npm(
      ["install", "--prefer-offline", "--no-audit", "--no-fund", ...packages],
      { cwd: root },
    );
    return null;
  } catch (error) {
    return `without ${packages.join(", ")}: ${error}`;
  }
}

/** Installs the packages that tests of optional peers need; see `_manifest.ts`. */
async function addPeers(root: URL): Promise<void> {
  const lack = await install(root, PEERS_OF_TESTS);
  // The tests that need them are skipped, and say so.
  if (lack !== null) console.log(lack);
}

/** A runtime that is not Deno. */
interface Runtime {
  /** For example `Node 20` or `Bun 1.4.5`. */
  readonly name: string;
  readonly program: string;
  /** In front of a test file. */
  readonly flags: readonly string[];
}

/** A runtime by its name in {@linkcode RUNTIMES}. */
async function findRuntime(name: string, { root }: Project): Promise<Runtime> {
  const version = name.match(/^node(\d+)$/)?.[1];
  if (version !== undefined) {
    return {
      name: `Node ${version}`,
      program: await findNode(version),
      flags: [
        "--enable-source-maps",
        "--expose-gc",
        "--test-reporter=tap",
        "--test-reporter-destination=stdout",
      ],
    };
  }
  if (name !== "bun") {
    throw new TypeError(
      `Cannot test on ${name}: expected ${RUNTIMES.join(", ")}`,
    );
  }
  const program = await installBun(root);
  const { stdout } = await execute(program, ["--version"]);
  return {
    name: `Bun ${stdout.trim()}`,
    program,
    flags: ["--expose-gc"],
  };
}

/** Puts Bun into a folder of the project, and gives its program. */
async function installBun(root: URL): Promise<string> {
  const folder = new URL("bun/", root);
  await writeText(new URL("package.json", folder), '{ "private": true }');
  await npm(
    ["install", "--prefer-offline", "--no-audit", "--no-fund", BUN],
    { cwd: folder },
  );
  // Where npm runs no scripts of packages, the program is still missing.
  const install = "node_modules/bun/install.js";
  const { ok, output } = await execute("node", [install], { cwd: folder });
  if (!ok) throw new Error(`Cannot install Bun\n${output}`);
  return toPath(new URL("node_modules/bun/bin/bun.exe", folder));
}

/** The program of a version of Node, from npm if it is not the one at hand. */
async function findNode(version: string): Promise<string> {
  const print = ["-p", "process.execPath + ' ' + process.versions.node"];
  const here = await execute("node", print).catch(() => undefined);
  const [path = "", own = ""] = here?.stdout.trim().split(" ") ?? [];
  if (own.startsWith(`${version}.`)) return path;
  const there = await npm(["exec", "--yes", `node@${version}`, "--", ...print]);
  return there.trim().split(" ")[0] ?? "";
}

/** Reads the summary that a report in TAP ends with. */
function counts(tap: string): Counts {
  const count = (word: string) =>
    Number(tap.match(new RegExp(`^# ${word} (\\d+)$`, "m"))?.[1] ?? 0);
  return {
    passed: count("pass"),
    failed: count("fail") + count("cancelled"),
    skipped: count("skipped") + count("todo"),
  };
}

/** Runs one test file. */
async function runFile(
  { program, flags }: Runtime,
  { root }: Project,
  path: string,
): Promise<FileResult> {
  const { ok, output } = await execute(
    program,
    [...flags, path],
    { cwd: root, timeoutMs: FILE_LIMIT_MS },
  );
  const result = counts(output);
  const reasons = [...output.matchAll(/^ *ok .* # SKIP (.+)$/gm)]
    .map(([, reason = ""]) => reason);
  const some = result.passed + result.skipped > 0;
  if (ok && some && result.failed === 0) {
    return { ...result, reasons, output: "" };
  }
  // A file that fell before its first test, or had none, failed as well.
  return { ...result, reasons, failed: Math.max(result.failed, 1), output };
}

/** What a reader of a failure needs: the report without what went well. */
function failures(output: string): string {
  return output
    .replace(/^( *)ok .*\n(?:\1 {2}---\n[^]*?\n\1 {2}\.\.\.\n)?/gm, "")
    .replace(
      /^ *(?:# (?:Subtest|[a-z_]+ [\d.]+$).*|TAP version.*|1\.\..*)\n/gm,
      "",
    )
    .trim();
}

/** Runs the consumers that are plain JavaScript. */
async function runConsumers(
  { program, flags }: Runtime,
  project: Project,
): Promise<Counts> {
  const results: Counts[] = [];
  const runOne = async (path: string, ...args: string[]) => {
    const { ok, output } = await execute(
      program,
      [...flags, `tests/npm/${path}`, ...args],
      { cwd: project.root, timeoutMs: FILE_LIMIT_MS },
    );
    if (!ok) console.log(`tests/npm/${path} ${args} failed\n${output}`);
    results.push({ ...NONE, [ok ? "passed" : "failed"]: 1 });
  };
  await runOne("esm/main.mjs");
  await runOne("cjs/main.cjs");
  for (const mode of TRACING_MODES) {
    if (project.tracingLack === null) await runOne("tracing/main.mjs", mode);
    else results.push({ ...NONE, skipped: 1 });
  }
  return sum(results);
}

/** Type-checks the consumers that are TypeScript. */
async function checkConsumers(project: Project): Promise<Counts> {
  const node = await findNode(OLDEST_NODE);
  const results: Counts[] = [];
  for (const resolution of ["nodenext", "bundler"]) {
    const { ok, output } = await execute(
      node,
      ["node_modules/typescript/bin/tsc", "-p", `tests/npm/${resolution}`],
      { cwd: project.root },
    );
    console.log(`Types, ${resolution}: ${ok ? "ok" : "failed"}`);
    if (!ok) console.log(output);
    results.push({ ...NONE, [ok ? "passed" : "failed"]: 1 });
  }
  return sum(results);
}

/** Builds and runs a program with the tools that rewrite code. */
async function checkTools(version: string, project: Project): Promise<Counts> {
  const node = await findNode(version);
  const tools = await runTools(node, project.root);
  if (typeof tools === "string") {
    console.log(`Skipped: build tools, which cannot be installed: ${tools}`);
    return { ...NONE, skipped: 1 };
  }
  const results = [...tools, ...await runBundles(node, project.root)];
  for (const { name, ok, output } of results) {
    console.log(`Build tools, ${name}: ${ok ? "ok" : "failed"}`);
    if (!ok) console.log(output);
  }
  return sum(
    results.map(({ ok }) => ({ ...NONE, [ok ? "passed" : "failed"]: 1 })),
  );
}

function countReasons(results: readonly FileResult[]): Reasons {
  const counts: Reasons = new Map();
  for (const reason of results.flatMap(({ reasons }) => reasons)) {
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  return counts;
}

/** What works on workerd, and what is refused there. */
async function checkWorkerd({ root }: Project): Promise<Counts> {
  const results = await runWorkerd(root);
  for (const { name, ok, output } of results) {
    if (!ok) console.log(`workerd, ${name}: failed\n${output}`);
  }
  const total = sum(
    results.map(({ ok }) => ({ ...NONE, [ok ? "passed" : "failed"]: 1 })),
  );
  console.log(`workerd: ${total.passed} passed, ${total.failed} failed`);
  return total;
}

/** Runs everything on one runtime and says how it went. */
async function runOn(
  name: string,
  project: Project,
  tests: readonly string[],
): Promise<Counts> {
  if (name === "workerd") return await checkWorkerd(project);
  const runtime = await findRuntime(name, project);
  const start = performance.now();
  const results = await mapConcurrently(
    tests,
    (path) => runFile(runtime, project, path),
  );
  results.forEach(({ output }, index) => {
    if (output) console.log(`\n${tests[index]} failed\n${failures(output)}\n`);
  });
  for (const [reason, count] of countReasons(results)) {
    console.log(`Skipped on ${runtime.name}: ${count} tests, as ${reason}`);
  }
  const total = sum([...results, await runConsumers(runtime, project)]);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(
    `${runtime.name}: ${total.passed} passed, ${total.failed} failed, ` +
      `${total.skipped} skipped (${tests.length} files, ${seconds} s)`,
  );
  return total;
}

async function main(args: readonly string[]): Promise<number> {
  const filters = args.filter((arg) => !arg.startsWith("--"));
  const runtimes = args.find((arg) => arg.startsWith("--on="))
    ?.replace("--on=", "").split(",") ?? RUNTIMES;
  const tarball = args.includes("--no-build")
    ? await existingTarball()
    : (await buildNpm("pack")).tarball;
  const project = await createProject(tarball);
  try {
    const { tracingLack } = project;
    if (tracingLack !== null) {
      console.log(
        `Skipped on Node: tests/npm/tracing/main.mjs (${tracingLack})`,
      );
    }
    for (const { path, reason } of project.skipped) {
      console.log(`Skipped on Node: ${path} (${reason})`);
    }
    const tests = project.tests.filter((path) =>
      filters.length === 0 || filters.some((filter) => path.includes(filter))
    );
    if (tests.length === 0) {
      throw new Error(`Cannot test as no file matches ${filters.join(" or ")}`);
    }
    console.log(
      `${NAME}, ${Object.keys(EXPORTS).length} entries, in an empty project`,
    );
    const results = [await checkConsumers(project)];
    for (const runtime of runtimes) {
      results.push(await runOn(runtime, project, tests));
    }
    results.push(await checkTools(OLDEST_NODE, project));
    const { passed, failed } = sum(results);
    console.log(`${passed} passed, ${failed} failed`);
    return failed === 0 ? 0 : 1;
  } finally {
    await Deno.remove(project.root, { recursive: true });
  }
}

async function existingTarball(): Promise<URL> {
  const out = new URL("npm/", ROOT);
  for await (const { name } of Deno.readDir(out)) {
    if (name.endsWith(".tgz")) return new URL(name, out);
  }
  throw new Error("Cannot test as npm/ has no tarball");
}

if (import.meta.main) Deno.exit(await main(Deno.args));
