/**
 * Compares this library with its peers in one run: `deno task bench`. README.md beside this file says how to read it.
 */

import { type Absent, findPeers, type Peer, type Runtime } from "./peers.ts";
import { fromFileUrl, runProcess } from "./process.ts";
import { rows } from "./rows.ts";
import { type Result, runRow } from "./run.ts";
import { growthTable } from "./growth.ts";
import { type Report, toMarkdown } from "./results_file.ts";
import { formatResult, formatSummary, formatTable } from "./table.ts";

const USAGE = `Usage: deno task bench [options]

  --filter TEXT       only rows whose id or title contains TEXT
  --rows A,B          only the rows of these ids
  --peers A,B         only these peers (ours always runs)
  --rounds N          alternating rounds, 5 by default
  --sample-ms N       length of one sample, 100 by default
  --python PATH       the Python to use, by default the first that has uvloop
  --json              results for machines on stdout, progress on stderr
  --list              name the rows and stop
  --write A,B         put files that --json has made into RESULTS.md, and stop
  --node, --bun       our side and the npm peers on the node, or the bun, of PATH
`;

interface Options {
  filter: string;
  ids: readonly string[] | undefined;
  peers: readonly string[] | undefined;
  rounds: number;
  sampleMs: number;
  python: string | undefined;
  json: boolean;
  list: boolean;
  write: readonly string[] | undefined;
  runtime: Runtime;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

async function main(args: readonly string[]): Promise<number> {
  const options = parse(args);
  if (options === "help") {
    console.log(USAGE);
    return 0;
  }
  if (typeof options === "string") {
    console.error(`${options}\n${USAGE}`);
    return 2;
  }
  const { filter, ids } = options;
  const chosen = rows.filter(({ id, title }) =>
    ids?.includes(id) ?? (id.includes(filter) || title.includes(filter))
  );
  if (options.list) {
    for (const { id, title } of chosen) console.log(`${id}  ${title}`);
    return 0;
  }
  if (options.write !== undefined) {
    await writeResults(options.write);
    return 0;
  }
  const { runtime, python, peers: names } = options;
  const { peers: taking, absent } = await findPeers({
    runtime,
    ...(names !== undefined && { names }),
    ...(python !== undefined && { python }),
  });
  const say = options.json ? console.error : console.log;
  say(formatHeader(taking, absent));

  const start = performance.now();
  const results: Result[] = [];
  for (const row of chosen) {
    const ofRow = await runRow(row, taking, { ...options, onProgress });
    clearProgress();
    for (const result of ofRow) {
      results.push(result);
      say(formatResult(result, row));
    }
  }
  say(formatSummary(results, taking.map(({ name }) => name)));
  const growth = growthTable(results);
  if (growth.length > 0) {
    say("\nHow cost grows, and beside the row of 1,000:");
    say(formatTable(growth));
  }
  const minutes = Math.round((performance.now() - start) / 6000) / 10;
  say(`\n${minutes} minutes`);
  if (options.json) {
    const { rounds } = options;
    const report = {
      date: new Date().toISOString(),
      minutes,
      machine: describeMachine(),
      rounds,
      peers: taking.map(({ name, version }) => ({ name, version })),
      skipped: absent,
      results,
    } satisfies Report;
    console.log(JSON.stringify(report, null, 2));
  }
  // Missed targets are for the reader to judge on this machine; a side of ours that fails is an error.
  return results.some(({ failed }) => "ours" in failed) ? 1 : 0;
}

/** The options, "help", or what is wrong with them. */
function parse(args: readonly string[]): Options | string {
  const options: Options = {
    filter: "",
    ids: undefined,
    peers: undefined,
    rounds: 5,
    sampleMs: 100,
    python: undefined,
    json: false,
    list: false,
    write: undefined,
    runtime: "deno",
  };
  const words = args.flatMap((arg) =>
    arg.startsWith("--") && arg.includes("=")
      ? [arg.slice(0, arg.indexOf("=")), arg.slice(arg.indexOf("=") + 1)]
      : [arg]
  );
  for (let i = 0; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "--help" || word === "-h") return "help";
    else if (word === "--json") options.json = true;
    else if (word === "--list") options.list = true;
    else if (word === "--node") options.runtime = "node";
    else if (word === "--bun") options.runtime = "bun";
    else {
      const value = words[++i];
      if (value === undefined) return `Cannot read "${word}"`;
      if (word === "--filter") options.filter = value;
      else if (word === "--rows") {
        options.ids = value.split(",");
        const unknown = options.ids.find((id) =>
          !rows.some((row) => row.id === id)
        );
        if (unknown !== undefined) {
          return `"--rows" must be ids that --list names: received ${unknown}`;
        }
      } else if (word === "--peers") options.peers = value.split(",");
      else if (word === "--write") options.write = value.split(",");
      else if (word === "--python") options.python = value;
      else if (word === "--rounds" || word === "--sample-ms") {
        const number = Number(value);
        if (!Number.isInteger(number) || number < 1) {
          return `"${word}" must be a positive integer: received ${value}`;
        }
        if (word === "--rounds") options.rounds = number;
        else options.sampleMs = number;
      } else return `Unknown option "${word}"`;
    }
  }
  return options;
}

function formatHeader(
  peers: readonly Peer[],
  absent: readonly Absent[],
): string {
  const cores = navigator.hardwareConcurrency;
  const [load = 0] = Deno.loadavg();
  return [
    `${cores} cores, load ${load.toFixed(2)}` +
    (load > cores / 4 ? " (busy: numbers will be noisy)" : ""),
    ...peers.map(({ name, version }) => `${name}: ${version}`),
    ...absent.map(({ name, reason }) => `${name}: skipped, ${reason}`),
    "",
  ].join("\n");
}

function describeMachine(): Report["machine"] {
  return {
    os: Deno.build.os,
    arch: Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    load: Deno.loadavg(),
    deno: Deno.version,
  };
}

async function writeResults(paths: readonly string[]): Promise<void> {
  const reports = await Promise.all(
    paths.map(async (path) => JSON.parse(await Deno.readTextFile(path))),
  );
  const path = fromFileUrl(new URL("./RESULTS.md", import.meta.url));
  const earlier = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, toMarkdown(reports, earlier));
  const { ok, stderr } = await runProcess([
    Deno.execPath(),
    "fmt",
    "--quiet",
    path,
  ]);
  if (!ok) throw new Error(`Cannot format ${path}: ${stderr}`);
}

/** One line that is written over, on a terminal only. */
function onProgress(text: string): void {
  if (Deno.stderr.isTerminal()) writeProgress(`\r\x1b[K${text}`);
}

function clearProgress(): void {
  if (Deno.stderr.isTerminal()) writeProgress("\r\x1b[K");
}

function writeProgress(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(text));
}
