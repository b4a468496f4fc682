/**
 * Has workerd run `tests/npm/workerd/checks.mjs`, in one file with the package as
 * a bundler makes it, and asks it what it has found.
 */

import { LIMITS } from "../platform/limits.ts";
import { execute, npm, toPath } from "./_project.ts";

const PACKAGES = ["workerd@1", "esbuild@0.28.2"];
const FOLDER = "tests/npm/workerd/";
/** It has started long before, on the busiest of machines. */
const LIMIT_MS = 120_000;
const PAIR = 2;

/** How a check went. */
export interface WorkerdResult {
  readonly name: string;
  readonly ok: boolean;
  /** What is wrong, if it failed. */
  readonly output: string;
}

interface Findings {
  readonly checks: Readonly<Record<string, string | null>>;
  readonly refusals: Readonly<Record<string, string>>;
}

async function bundle(root: URL): Promise<void> {
  await npm(
    ["install", "--no-save", "--no-audit", "--no-fund", ...PACKAGES],
    { cwd: root },
  );
  // Where npm runs no scripts of packages, the programs are still missing.
  for (const name of ["workerd", "esbuild"]) {
    const install = `node_modules/${name}/install.js`;
    const { ok, output } = await execute("node", [install], { cwd: root });
    if (!ok) throw new Error(`Cannot install ${name}\n${output}`);
  }
  const { ok, output } = await execute(
    toPath(new URL("node_modules/.bin/esbuild", root)),
    [
      `${FOLDER}checks.mjs`,
      ...["--bundle", "--format=esm", "--platform=neutral"],
      ...["--conditions=import", "--external:node:*", "--log-level=error"],
      `--outfile=${FOLDER}out/bundle.mjs`,
    ],
    { cwd: root },
  );
  if (!ok) throw new Error(`Cannot bundle for workerd\n${output}`);
}

/** Starts workerd, and gives the address it says that it listens on. */
async function start(
  root: URL,
): Promise<{ readonly address: string; stop(): Promise<string> }> {
  const child = new Deno.Command(
    toPath(new URL("node_modules/workerd/bin/workerd", root)),
    {
      args: ["serve", "config.capnp", "--control-fd=1"],
      cwd: new URL(FOLDER, root),
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    },
  ).spawn();
  const errors = new Response(child.stderr).text();
  const stop = async () => {
    try {
      child.kill("SIGKILL");
    } catch (error) {
      // It has ended by itself, and what it said tells why.
      if (!(error instanceof TypeError)) throw error;
    }
    await child.status;
    return await errors;
  };
  const timer = setTimeout(stop, LIMIT_MS);
  let text = "";
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  while (!/"port":\d+/.test(text)) {
    // deno-lint-ignore no-await-in-loop -- one piece after the other
    const { value, done } = await reader.read();
    if (done) throw new Error(`workerd does not start\n${await stop()}`);
    text += value;
  }
  clearTimeout(timer);
  const [, port] = /"port":(\d+)/.exec(text) ?? [];
  return {
    address: `http://127.0.0.1:${port}`,
    async stop() {
      await reader.cancel();
      return await stop();
    },
  };
}

async function ask(address: string): Promise<string> {
  const response = await fetch(address, {
    signal: AbortSignal.timeout(LIMIT_MS),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`It answers ${response.status}: ${text}`);
  return text;
}

/** Which reasons against workerd a refusal gives. */
function reasonsIn(refusal: string): string[] {
  return LIMITS.flatMap(({ lacks: { workerd } }) =>
    workerd !== undefined && refusal.endsWith(` as workerd ${workerd}`)
      ? [workerd]
      : []
  );
}

/** Runs all checks, in a project that has the package. */
export async function runWorkerd(
  root: URL,
): Promise<readonly WorkerdResult[]> {
  await bundle(root);
  const { address, stop } = await start(root);
  const results: WorkerdResult[] = [];
  try {
    const { checks, refusals } = JSON.parse(await ask(address)) as Findings;
    for (const [name, error] of Object.entries(checks)) {
      results.push({ name, ok: error === null, output: error ?? "" });
    }
    for (const [what, refusal] of Object.entries(refusals)) {
      const ok = refusal.startsWith("OSError: Cannot ") &&
        reasonsIn(refusal).length > 0;
      results.push({ name: `${what}: refused by name`, ok, output: refusal });
    }
    const pair = Array.from({ length: PAIR }, () => ask(`${address}/wait`));
    const said = (await Promise.all(pair)).join();
    results.push({
      name: "requests at the same time have a loop each",
      ok: said === "waited,waited",
      output: said,
    });
  } catch (error) {
    results.push({ name: "it answers", ok: false, output: `${error}` });
  }
  const errors = await stop();
  if (results.every(({ ok }) => ok)) return results;
  return [...results, { name: "what it printed", ok: false, output: errors }];
}
