/**
 * Runs what `deno task test` runs, in several processes beside each other.
 *
 *     deno task test:all
 *
 * One process runs its files one after the other and leaves a core idle while a
 * test waits for a child or a socket. Not `--parallel`: its files share a process,
 * and tests count what a process has open, measure its memory and send it signals.
 * The types are not looked at, as `deno task check` does that.
 *
 * @module
 */

import config from "../deno.json" with { type: "json" };
import { mapConcurrently } from "./_concurrently.ts";
import { execute, filesBelow, ROOT } from "./_project.ts";

/** Files at the top of `tests/` that one process runs. */
const GROUP_SIZE = 6;

/** Longer than the longest takes on a machine with ten others to run. */
const LIMIT_MS = 900_000;

/** What one process runs: folders and files, as paths from the root. */
interface Job {
  readonly paths: readonly string[];
  /** How many test files are in it. */
  readonly size: number;
}

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** The folders of `tests/` with tests in them, one a job. */
function roomJobs(tests: readonly string[]): Job[] {
  const sizes = new Map<string, number>();
  for (const path of tests) {
    const [, room = "", file] = path.split("/");
    if (file === undefined) continue;
    sizes.set(room, (sizes.get(room) ?? 0) + 1);
  }
  return [...sizes].map(([room, size]) => ({ paths: [`tests/${room}`], size }));
}

/** The test files at the top of `tests/`, some a job. */
function topJobs(tests: readonly string[]): Job[] {
  const top = tests.filter((path) => path.split("/").length === 2);
  const jobs: Job[] = [];
  for (let first = 0; first < top.length; first += GROUP_SIZE) {
    const paths = top.slice(first, first + GROUP_SIZE);
    jobs.push({ paths, size: paths.length });
  }
  return jobs;
}

/** The snippets of the comments and the pages: all but `tests/`. */
async function snippetJobs(): Promise<Job[]> {
  const pages: string[] = [];
  const sources: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(ROOT)) {
    if (name.startsWith(".") || name === "tests") continue;
    if (config.exclude.includes(`${name}/`)) continue;
    if (name.endsWith(".md") || name === "docs") pages.push(name);
    else if (isDirectory || name.endsWith(".ts")) sources.push(name);
  }
  return [pages, sources].map((paths) => ({ paths: paths.sort(), size: 0 }));
}

/** The number in front of a word in the last summary of a run. */
function count(output: string, word: string): number {
  const found = [...output.matchAll(new RegExp(`(\\d+) ${word}`, "g"))].at(-1);
  return Number(found?.[1] ?? 0);
}

async function runJob({ paths }: Job): Promise<Counts> {
  const start = performance.now();
  const { ok, output } = await execute(
    Deno.execPath(),
    ["task", "--quiet", "test", "--no-check", ...paths],
    { timeoutMs: LIMIT_MS },
  );
  const passed = count(output, "passed");
  const failed = count(output, "failed");
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(
    `${paths.join(" ")}: ${passed} passed, ${failed} failed, ` +
      `${count(output, "ignored")} ignored (${seconds} s)`,
  );
  for (const [line] of output.matchAll(/^Skipped.*$/gm)) console.log(line);
  if (ok && passed > 0) return { passed, failed };
  console.log(output);
  return { passed, failed: Math.max(failed, 1) };
}

const tests = (await filesBelow(ROOT, "tests/")).filter((path) =>
  path.endsWith("_test.ts") &&
  !config.exclude.some((folder) => path.startsWith(folder))
);
// The largest first, so that none is left running alone at the end.
const jobs = [
  ...[...roomJobs(tests), ...topJobs(tests)].sort((a, b) => b.size - a.size),
  ...await snippetJobs(),
];
const results = await mapConcurrently(jobs, runJob);
const sum = (key: keyof Counts) =>
  results.reduce((total, result) => total + result[key], 0);
console.log(`${sum("passed")} passed, ${sum("failed")} failed`);
Deno.exit(results.some(({ failed }) => failed > 0) ? 1 : 0);
