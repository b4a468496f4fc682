/** Who takes part: finds each peer on this machine, or says why it is left out. */

import { fromFileUrl, runProcess } from "./process.ts";
import { type Guest, GUESTS } from "./types.ts";

/** What runs our side and the peers from npm. */
export type Runtime = "deno" | "node" | "bun";

/** A peer that was found: its version, and the command that runs one row on it. */
export interface Peer {
  readonly name: string;
  readonly version: string;
  readonly runtime: Runtime | "python";
  /** Runs a script, without anything of this harness. */
  script(path: string): readonly string[];
  /** Runs the worker. */
  command(args: readonly string[]): readonly string[];
}

/** A peer that takes no part, and why. */
export interface Absent {
  readonly name: string;
  readonly reason: string;
}

const CONFIG = fromFileUrl(new URL("./deno.json", import.meta.url));
/** The heap limit is out of the way of a million tasks; gc() is called where memory is measured and nowhere else. */
const V8_FLAGS = ["--expose-gc", "--max-old-space-size=16000"];

/** How those are called that come from PATH. */
const FROM_PATH = {
  node: ["node", ...V8_FLAGS],
  bun: ["bun", "--expose-gc"],
} as const;

const WORKER = fromFileUrl(new URL("./worker.ts", import.meta.url));
const THREAD = fromFileUrl(
  new URL("../threads/_worker_main.ts", import.meta.url),
);
const PYTHON_WORKER = fromFileUrl(
  new URL("./python/worker.py", import.meta.url),
);
const PYTHON_PROBE = fromFileUrl(new URL("./python/probe.py", import.meta.url));

/** Where to look for peers. */
export interface FindOptions {
  /** An interpreter to use instead of looking for one that has uvloop. */
  readonly python?: string;
  /** What to run our side and the other JavaScript peers on; Node and Bun from PATH. */
  readonly runtime?: Runtime;
  /** Look for these and for our side only. */
  readonly names?: readonly string[];
}

/** Every peer, ours first. */
export async function findPeers(
  options: FindOptions = {},
): Promise<{ peers: Peer[]; absent: Absent[] }> {
  const { names, runtime = "deno", python } = options;
  const isWanted = (name: string) =>
    name === "ours" || (names?.includes(name) ?? true);
  const found = [
    ...await findJavaScript(runtime, isWanted),
    ...["asyncio", "uvloop", ...GUESTS].some(isWanted)
      ? await findPython(python)
      : [],
  ].filter(({ name }) => isWanted(name));
  return {
    peers: found.filter((peer) => "command" in peer),
    absent: found.filter((peer) => "reason" in peer),
  };
}

const OURS = [
  "ours",
  "debug-off",
  "debug-on",
  "explored",
  "explored-pct",
  "timeline-on",
  "one-worker",
  "one-process",
];
/** Peers that start workers of files of their own, so that they cannot be part of a bundle. */
const POOLS = ["tinypool", "workerpool"];

/** Of these, the one whose workers never answer on a runtime. */
const WITHOUT_ANSWER: Readonly<Partial<Record<Runtime, Absent>>> = {
  deno: {
    name: "tinypool",
    reason: "its workers do not answer on Deno; see --node",
  },
  bun: {
    name: "workerpool",
    reason: "its workers do not answer on Bun; see --node",
  },
};

/** Peers that are part of the runtime. */
const HOSTS = ["bare", "deno-serve", "node-http"];

/** Peers that are one package of npm, under their own names. */
const PACKAGES = [
  "effection",
  "effect",
  "p-queue",
  "p-map",
  "p-limit",
  "p-retry",
  "async-mutex",
  "execa",
  "bullmq",
  "@nats-io/jetstream",
  ...POOLS,
];

async function findJavaScript(
  runtime: Runtime,
  isWanted: (name: string) => boolean,
): Promise<(Peer | Absent)[]> {
  const packages = PACKAGES.filter(isWanted);
  const modules = {
    "@asyncio/asyncio": OURS,
    ...Object.fromEntries(packages.map((name) => [name, [name]])),
  };
  const absent: Absent[] = [];
  const missing: string[] = [];
  for (const [module, names] of Object.entries(modules)) {
    const reason = await probe(module);
    if (reason === undefined) continue;
    missing.push(module);
    absent.push(...names.map((name) => ({ name, reason })));
  }
  const mute = WITHOUT_ANSWER[runtime];
  if (mute !== undefined) absent.push(mute);
  const version = runtime === "deno"
    ? `Deno ${Deno.version.deno}`
    : await versionOnPath(runtime);
  const host: Pick<Peer, "runtime" | "script" | "command"> = runtime === "deno"
    ? { runtime, script: denoScript, command: denoCommand }
    : {
      runtime,
      script: (path) => [runtime, path],
      command: await bundleCommand(
        FROM_PATH[runtime],
        missing,
        POOLS.filter((name) =>
          packages.includes(name) && !missing.includes(name)
        ),
      ),
    };
  const versions = new Map([...OURS, ...HOSTS].map((name) => [name, version]));
  for (const name of packages) {
    versions.set(name, `${await pinnedVersion(name)}, ${version}`);
  }
  return [...versions].map(([name, version]) =>
    absent.find((peer) => peer.name === name) ?? { name, version, ...host }
  );
}

const DENO_RUN = [
  Deno.execPath(),
  "run",
  "--quiet",
  "--no-check",
  "--allow-all",
  `--config=${CONFIG}`,
];

type Command = Peer["command"];

function denoCommand(args: readonly string[]): readonly string[] {
  return [...DENO_RUN, `--v8-flags=${V8_FLAGS.join(",")}`, WORKER, ...args];
}

function denoScript(path: string): readonly string[] {
  return [...DENO_RUN, path];
}

/** Bundles the worker with all it imports, but what is missing, into one file that Node and Bun can run. */
async function bundleCommand(
  command: readonly string[],
  missing: readonly string[],
  pools: readonly string[],
): Promise<Command> {
  const folder = await Deno.makeTempDir({ prefix: "asyncio-bench-" });
  globalThis.addEventListener(
    "unload",
    () => Deno.removeSync(folder, { recursive: true }),
  );
  // Our side starts workers of its own, too, from where the sources have them.
  const bundle = `${folder}/bench/worker.mjs`;
  const external = [...new Set([...missing, ...POOLS])];
  await bundleFile(WORKER, bundle, external);
  await bundleFile(THREAD, `${folder}/threads/_worker_main.mjs`, []);
  if (pools.length > 0) await install(folder, pools);
  return (args) => [...command, bundle, ...args];
}

async function bundleFile(
  entry: string,
  output: string,
  external: readonly string[],
): Promise<void> {
  const { ok, stderr } = await runProcess([
    Deno.execPath(),
    "bundle",
    "--quiet",
    "--platform=deno",
    `--config=${CONFIG}`,
    `--output=${output}`,
    ...external.map((module) => `--external=${module}`),
    entry,
  ]);
  if (!ok) throw new Error(`Cannot bundle ${entry}: ${stderr}`);
}

/** Puts packages where the bundle finds them. */
async function install(
  folder: string,
  names: readonly string[],
): Promise<void> {
  const packages = await Promise.all(
    names.map(async (name) => `${name}@${await pinnedVersion(name)}`),
  );
  const npm = Deno.build.os === "windows" ? "npm.cmd" : "npm";
  const { ok, stderr } = await runProcess([
    npm,
    "install",
    "--prefer-offline",
    "--no-audit",
    "--no-fund",
    "--prefix",
    folder,
    ...packages,
  ]);
  if (!ok) throw new Error(`Cannot install ${packages.join(", ")}: ${stderr}`);
}

async function versionOnPath(runtime: "node" | "bun"): Promise<string> {
  const { ok, stdout } = await runProcess([runtime, "--version"]);
  if (!ok) throw new Error(`Cannot run our side: no ${runtime} on PATH`);
  const version = stdout.trim();
  return runtime === "node" ? `Node ${version.slice(1)}` : `Bun ${version}`;
}

/** Why a module cannot be imported here, or undefined when it can. */
async function probe(module: string): Promise<string | undefined> {
  const { ok, stderr } = await runProcess(denoCommand(["--probe", module]));
  if (ok) return undefined;
  const lines = stderr.split("\n").map((line) => line.trim());
  return lines.find((line) => /error/i.test(line)) ?? "cannot be imported";
}

/** The version of a package, which bench/deno.json names exactly. */
async function pinnedVersion(name: string): Promise<string> {
  const { imports } = JSON.parse(await Deno.readTextFile(CONFIG)) as {
    imports: Record<string, string>;
  };
  return imports[name]?.split("@").at(-1) ?? "unknown version";
}

/**
 * asyncio and uvloop run on one interpreter, so that their ratio is of the
 * loops alone: the first Python on PATH that has uvloop, otherwise the first
 * one.
 */
async function findPython(named?: string): Promise<(Peer | Absent)[]> {
  const separator = Deno.build.os === "windows" ? ";" : ":";
  const folders = (Deno.env.get("PATH") ?? "").split(separator);
  const candidates = named === undefined
    ? [...folders.map((folder) => `${folder}/python3`), "/usr/bin/python3"]
    : [named];
  let first: Pick<Found, "python" | "guests"> & { path: string } | undefined;
  for (const path of new Set(candidates)) {
    const { ok, stdout } = await runProcess([path, PYTHON_PROBE]);
    if (!ok) continue;
    const { python, uvloop, guests } = JSON.parse(stdout) as Found;
    first ??= { path, python, guests };
    if (uvloop === null) continue;
    return [
      ...guestPeers(path, python, guests),
      pythonPeer("asyncio", path, `CPython ${python}`),
      pythonPeer("uvloop", path, `${uvloop}, CPython ${python}`),
    ];
  }
  if (first === undefined) {
    const reason = "no python3 found";
    return ["asyncio", "uvloop", ...GUESTS].map((name) => ({ name, reason }));
  }
  return [
    ...guestPeers(first.path, first.python, first.guests),
    pythonPeer("asyncio", first.path, `CPython ${first.python}`),
    { name: "uvloop", reason: "no python3 found that has uvloop" },
  ];
}

/** What `python/probe.py` tells of an interpreter. */
interface Found {
  readonly python: string;
  readonly uvloop: string | null;
  readonly guests: Readonly<Record<Guest, string | null>>;
}

function guestPeers(
  path: string,
  python: string,
  versions: Found["guests"],
): (Peer | Absent)[] {
  return GUESTS.map((name) => {
    const version = versions[name];
    return version === null
      ? { name, reason: `not installed for ${path}` }
      : pythonPeer(name, path, `${version}, CPython ${python}`);
  });
}

function pythonPeer(name: string, path: string, version: string): Peer {
  return {
    name,
    version,
    runtime: "python",
    script: (script) => [path, script],
    command: (args) => [path, PYTHON_WORKER, ...args],
  };
}
