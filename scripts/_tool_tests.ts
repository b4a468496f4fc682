import { execute, npm, toPath } from "./_project.ts";

/** What users build, run and test their programs with. */
const TOOLS = [
  "@rollup/plugin-node-resolve@16",
  "esbuild@0.28.2",
  "rollup@4",
  "tsx@4",
  "vite@8",
  "vitest@5",
];

const EXPECTED = '[42,"b",true]\n';
const SOURCE = "tests/npm/tools/main.ts";
const OUT = "tests/npm/tools/out";
/** Longer than any of them takes on a busy machine. */
const LIMIT_MS = 120_000;

/** Commands that leave a program, and the program. */
interface Case {
  readonly name: string;
  /** Each is a script of an installed package, and its arguments. */
  readonly build: readonly (readonly string[])[];
  readonly program: readonly string[];
}

const ESBUILD_PROGRAM = ".bin/esbuild";
const ESBUILD = [ESBUILD_PROGRAM, "--platform=node", "--log-level=error"];

const CASES: readonly Case[] = [
  ...[
    ["as a module", "mjs", "--format=esm"],
    ["as CommonJS, with names kept", "cjs", "--format=cjs", "--keep-names"],
    ["minified", "min.mjs", "--format=esm", "--minify"],
  ].map(([how, extension, ...options]): Case => ({
    name: `esbuild, ${how}`,
    build: [[
      ...ESBUILD,
      SOURCE,
      "--bundle",
      ...options,
      `--outfile=${OUT}/esbuild.${extension}`,
    ]],
    program: [`${OUT}/esbuild.${extension}`],
  })),
  {
    name: "Rollup",
    build: [
      [...ESBUILD, SOURCE, "tests/npm/tools/helper.ts", `--outdir=${OUT}/js`],
      [
        "rollup/dist/bin/rollup",
        `${OUT}/js/main.js`,
        ...["-p", "node-resolve", "-d", `${OUT}/rollup`, "--silent"],
      ],
    ],
    program: [`${OUT}/rollup/main.js`],
  },
  {
    name: "Vite",
    build: [[
      ...["vite/bin/vite.js", "build", "--logLevel", "error"],
      ...["--ssr", SOURCE, "--outDir", `${OUT}/vite`],
    ]],
    program: [`${OUT}/vite/main.js`],
  },
  {
    name: "TypeScript, to CommonJS",
    build: [[
      ...["typescript/bin/tsc", "--noCheck", "--module", "commonjs"],
      ...["--target", "es2022", "--moduleResolution", "node10"],
      ...["--ignoreDeprecations", "6.0", "--rootDir", "tests/npm/tools"],
      ...["--outDir", `${OUT}/cjs`, SOURCE],
    ]],
    program: [`${OUT}/cjs/main.js`],
  },
  {
    name: "tsx",
    build: [],
    program: ["node_modules/tsx/dist/cli.mjs", SOURCE],
  },
];

/** How one tool did. */
export interface ToolResult {
  readonly name: string;
  readonly ok: boolean;
  /** What was printed, if it failed. */
  readonly output: string;
}

/**
 * Builds and runs a program with each tool in a project that has the package.
 *
 * @returns How they did, or why the tools cannot be installed.
 */
export async function runTools(
  node: string,
  cwd: URL,
): Promise<readonly ToolResult[] | string> {
  try {
    await npm(
      [
        ...["install", "--no-save", "--no-audit", "--no-fund"],
        // They differ in the types of Node they want, which nothing here needs.
        ...["--legacy-peer-deps", ...TOOLS],
      ],
      { cwd },
    );
  } catch (error) {
    return (error as Error).message;
  }
  const limits = { cwd, timeoutMs: LIMIT_MS };
  const script = ([path = "", ...args]: readonly string[]) =>
    // Its installation puts a native program in the script's place.
    path === ESBUILD_PROGRAM
      ? execute(toPath(new URL(`node_modules/${path}`, cwd)), args, limits)
      : execute(node, [`node_modules/${path}`, ...args], limits);
  await Deno.mkdir(new URL(`${OUT}/cjs/`, cwd), { recursive: true });
  await Deno.writeTextFile(
    new URL(`${OUT}/cjs/package.json`, cwd),
    '{ "type": "commonjs" }',
  );
  const results: ToolResult[] = [];
  for (const { name, build, program } of CASES) {
    let output = "";
    for (const step of build) output += (await script(step)).output;
    const result = await execute(node, program, limits);
    output += result.output;
    const ok = result.stdout === EXPECTED;
    results.push({ name, ok, output: ok ? "" : output });
  }
  const { ok, output } = await script([
    ...["vitest/vitest.mjs", "run", "--dir", "tests/npm/tools"],
  ]);
  results.push({ name: "Vitest", ok, output: ok ? "" : output });
  const own = await execute(
    node,
    ["--test", "tests/npm/tools/concepts_node_test.mjs"],
    limits,
  );
  results.push({
    name: "node --test",
    ok: own.ok,
    output: own.ok ? "" : own.output,
  });
  return results;
}
