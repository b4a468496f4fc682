import { DESCRIPTION, EXPORTS, NAME, PEERS, VERSION } from "./_project.ts";

/** Where an entry is, for compilers and for whoever runs it. */
interface Target {
  readonly types: string;
  readonly default: string;
}

/** What is in `package.json`. */
export interface Manifest {
  readonly exports: Readonly<Record<string, string | Target>>;
  readonly [field: string]: unknown;
}

/** The built files of an entry. */
function target(path: string): Target {
  const base = path.replace("./", "./esm/").replace(/\.ts$/, "");
  return { types: `${base}.d.ts`, default: `${base}.js` };
}

/** The `exports` of `package.json`, from those of `deno.json`. */
function exportsOfNpm(): Manifest["exports"] {
  const entries = Object.entries(EXPORTS).map(([name, path]) =>
    [name, target(path)] as const
  );
  return {
    ...Object.fromEntries(entries),
    "./package.json": "./package.json",
  };
}

/**
 * The address of the repository, as browsers know it, from one that Git knows:
 * `git@host:owner/name.git` or a URL. A user or a password in it, as builds have
 * them, is left out.
 *
 * @returns The address; `null` for a folder of this machine.
 */
export function webAddress(remote: string): string | null {
  const short = /^(?:[^@/]+@)?([^:/]+\.[^:/]+):(?!\/)(.+)$/.exec(remote);
  const address = short === null ? remote : `ssh://${short[1]}/${short[2]}`;
  if (!/^(?:https|ssh|git|git\+https|git\+ssh):\/\//.test(address)) return null;
  const { hostname, pathname } = new URL(address.replace(/^[^:]+/, "https"));
  return `https://${hostname}${pathname.replace(/(?:\.git)?\/*$/, "")}`;
}

/**
 * Where the sources are. npm compares it with where a release was built, so it is
 * that of the clone at hand and is written nowhere else.
 */
function repositoryFields(remote: string | null): Record<string, unknown> {
  const address = remote === null ? null : webAddress(remote);
  if (address === null) return {};
  return {
    homepage: `${address}#readme`,
    repository: { type: "git", url: `git+${address}.git` },
    bugs: { url: `${address}/issues` },
  };
}

/** @param remote Where the clone came from, as Git tells it. */
export function manifest(remote: string | null): Manifest {
  const root = target(EXPORTS["."]!);
  return {
    name: NAME,
    version: VERSION,
    description: DESCRIPTION,
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
    ...repositoryFields(remote),
    license: "MIT",
    type: "module",
    // Bundlers leave out the modules of which nobody uses an export.
    sideEffects: false,
    main: root.default,
    module: root.default,
    types: root.types,
    exports: exportsOfNpm(),
    // Loaded by the entry that needs it, and by no other.
    peerDependencies: PEERS,
    peerDependenciesMeta: Object.fromEntries(
      Object.keys(PEERS).map((name) => [name, { optional: true }]),
    ),
    // `npx @asyncio/asyncio`.
    bin: { asyncio: "./esm/cli/bin.js" },
    // The first versions whose `require()` loads ES modules.
    engines: { node: "^20.19.0 || >=22.12.0" },
  };
}
