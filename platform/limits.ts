/**
 * What some runtimes cannot do. What they refuse, the table in docs/runtimes.md
 * and the tests that are left out on them all come from here. Each limit is a
 * constant of its own, so that a bundle has only those it needs.
 */
import { OSError } from "../errors.ts";
import { nodeProcess } from "./shared/node_process.ts";
import { runtimeName } from "./runtime.ts";

/** A runtime, as a column of the table. */
export type RuntimeColumn =
  | "Deno 2"
  | "Node 20"
  | "Node 22"
  | "Node 24"
  | "Node 26"
  | "Bun"
  | "workerd";

export interface Limit {
  /** What it is that others can do. */
  readonly what: string;
  /** Why not, as a sentence goes on behind the runtime's name. */
  readonly lacks: Readonly<Partial<Record<RuntimeColumn, string>>>;
}

export const DEFAULT_LOOP: Limit = {
  what: "tasks and waits outside of `run()`, in the default loop",
  lacks: {
    workerd: "keeps timers for the request that set them: call run() there",
  },
};

export const CONTEXT_OUTSIDE: Limit = {
  what: "`ContextVar.set()` outside of tasks and callbacks",
  lacks: { workerd: "has no AsyncLocalStorage.enterWith()" },
};

export const SIGNALS: Limit = {
  what: "signals of the system",
  lacks: { workerd: "has no signals" },
};

export const SOCKETS: Limit = {
  what: "`@asyncio/asyncio/streams`: TCP, Unix sockets, TLS, UDP, names",
  lacks: { workerd: "has no sockets of Node's kind" },
};

export const PROGRAMS: Limit = {
  what: "`@asyncio/asyncio/subprocess`",
  lacks: { workerd: "cannot start programs" },
};

export const THREADS: Limit = {
  what: "`@asyncio/asyncio/threads`",
  lacks: { workerd: "has no threads" },
};

export const WORKER_PROCESSES: Limit = {
  what: "`prefork()` of `@asyncio/asyncio/workers`",
  lacks: { workerd: "cannot start programs" },
};

export const REUSE_PORT: Limit = {
  what: "`reusePort` in a program that is no worker",
  lacks: {
    "Node 20": "has no reusePort, which came with Node 22.12",
    workerd: "has no sockets of Node's kind",
  },
};

export const THREAD_LIMITS: Limit = {
  what: "`resourceLimits` of worker threads",
  lacks: {
    Bun: "sets worker threads no limits",
    workerd: "has no threads",
  },
};

export const SHARED_SOCKETS: Limit = {
  what: "one queue of connections for all workers of `prefork()`",
  lacks: {
    "Deno 2": "cannot send a socket to another process",
    Bun: "cannot send a socket to another process",
    workerd: "cannot start programs",
  },
};

export const CALLER_FRAMES: Limit = {
  what: "an error of a wait names the line that waits",
  lacks: {
    Bun: "does not follow a promise to the function that awaits it",
  },
};

export const REJECTION_MODES: Limit = {
  what: "`--unhandled-rejections`, beside what the library lets pass",
  lacks: {
    "Deno 2": "has no flag --unhandled-rejections",
    workerd: "has no flag --unhandled-rejections",
  },
};

export const STRICT_REJECTIONS: Limit = {
  what: "the same with the mode `strict`",
  lacks: {
    "Deno 2": "has no flag --unhandled-rejections",
    Bun: "ends the program in the mode strict before it asks",
    workerd: "has no flag --unhandled-rejections",
  },
};

export const CLOSED_STDIN: Limit = {
  what: "a child that closes its stdin is noticed before something is written",
  lacks: {
    "Deno 2": "does not look at a pipe that nothing is written to",
    Bun: "does not look at a pipe that nothing is written to",
    workerd: "cannot start programs",
  },
};

export const NAMELESS_SIGNALS: Limit = {
  what: "`returnCode` tells of an end by a real-time signal, which has no name",
  lacks: {
    "Node 20": "tells an end by a real-time signal as status 0",
    "Node 22": "tells an end by a real-time signal as status 0",
    "Node 24": "tells an end by a real-time signal as status 0",
    "Node 26": "tells an end by a real-time signal as status 0",
    Bun: "tells an end by a real-time signal as status 0",
    workerd: "cannot start programs",
  },
};

export const NAMED_PIPES: Limit = {
  what: "a child can open its own pipes as `/dev/stdin` and `/dev/stdout`",
  lacks: {
    "Node 20": "gives a child sockets for pipes, which have no such name",
    "Node 22": "gives a child sockets for pipes, which have no such name",
    "Node 24": "gives a child sockets for pipes, which have no such name",
    "Node 26": "gives a child sockets for pipes, which have no such name",
    Bun: "gives a child sockets for pipes, which have no such name",
    workerd: "cannot start programs",
  },
};

export const UNREAD_AT_RESET: Limit = {
  what: "what came before a reset can be read after a pause",
  lacks: {
    Bun: "throws away what was not read when the peer resets",
    workerd: "has no sockets of Node's kind",
  },
};

export const OPEN_RESPONSES: Limit = {
  what: "a program ends, and shows its deadlock, while a page looks into it",
  lacks: {
    Bun: "keeps a program whose HTTP response has not ended",
    workerd: "has no sockets of Node's kind",
  },
};

export const DATABASES: Limit = {
  what: "`@asyncio/asyncio/durable`",
  lacks: {
    "Node 20": "has no node:sqlite, which came with Node 22.13",
    workerd: "has no files",
  },
};

/** All of them, in the order of the table. */
export const LIMITS: readonly Limit[] = [
  DEFAULT_LOOP,
  CONTEXT_OUTSIDE,
  SIGNALS,
  SOCKETS,
  PROGRAMS,
  THREADS,
  WORKER_PROCESSES,
  DATABASES,
  REUSE_PORT,
  THREAD_LIMITS,
  SHARED_SOCKETS,
  UNREAD_AT_RESET,
  CLOSED_STDIN,
  NAMELESS_SIGNALS,
  NAMED_PIPES,
  OPEN_RESPONSES,
  CALLER_FRAMES,
  REJECTION_MODES,
  STRICT_REJECTIONS,
];

/** The column of this runtime. A version of Node that has none lacks nothing. */
function column(): RuntimeColumn {
  if (runtimeName === "Deno") return "Deno 2";
  if (runtimeName !== "Node") return runtimeName;
  const [major = ""] = nodeProcess().versions.node.split(".");
  return `Node ${major}` as RuntimeColumn;
}

/** Why this runtime cannot do something; `null` if it can. */
export function reasonAgainst({ lacks }: Limit): string | null {
  const here = column();
  const why = lacks[here];
  return why === undefined ? null : `${here} ${why}`;
}

/** Whether this runtime can do something. */
export function can(limit: Limit): boolean {
  return reasonAgainst(limit) === null;
}

/** The error of what this runtime cannot do. */
export function refusal(limit: Limit, action: string): OSError {
  return new OSError(`Cannot ${action} as ${reasonAgainst(limit)}`, {
    code: "ENOTSUP",
  });
}
