import { OptionNames } from "../_internal/options.ts";

/** A line that a worker printed, or that tells what became of one. */
export interface WorkerLogLine {
  /** The worker's number, from 1. */
  readonly worker: number;
  /** The number of its process in the system. */
  readonly pid: number;
  /** Where it printed it; `"supervisor"` for what the supervisor has to say. */
  readonly stream: "stdout" | "stderr" | "supervisor";
  /** The line, without its end. */
  readonly text: string;
}

/** Options of {@linkcode prefork}. */
export interface PreforkOptions {
  /**
   * How many processes.
   *
   * @default {one for each processor}
   */
  workers?: number | undefined;
  /**
   * The program of each worker: a path, from the current directory or from
   * {@linkcode PreforkOptions.cwd}, or a URL, such as
   * `new URL("./server.ts", import.meta.url)`.
   */
  script: string | URL;
  /**
   * Its arguments.
   *
   * @default {[]}
   */
  args?: readonly string[] | undefined;
  /**
   * Flags for the runtime, in place of the default ones. On Deno
   * `--unstable-net`, which a shared port needs, is added.
   *
   * @default {on Deno each permission that this program has in whole; on Node its own flags}
   */
  runtimeArgs?: readonly string[] | undefined;
  /**
   * The directory the workers work in.
   *
   * @default {that of this program}
   */
  cwd?: string | undefined;
  /**
   * Variables of the environment, besides those of this program.
   *
   * @default {{}}
   */
  env?: Readonly<Record<string, string>> | undefined;
  /**
   * How long a worker may take to stop, in milliseconds, below 0 as 0: then what
   * it still does is cancelled, and soon after the process is killed.
   *
   * @default {10000}
   */
  graceMs?: number | undefined;
  /**
   * How long to wait for a worker to say that it is ready, in milliseconds, below
   * 0 as 0. One that has said nothing by then and runs counts as ready.
   *
   * @default {10000}
   */
  readyMs?: number | undefined;
  /**
   * How long to wait before a worker that has died early is started again, in
   * milliseconds, below 0 as 0; it doubles with each early death in a row, up to
   * 10 seconds.
   *
   * @default {100}
   */
  restartDelayMs?: number | undefined;
  /**
   * Whether SIGHUP reloads the workers, and SIGTERM and SIGINT stop them; a
   * second of those kills them.
   *
   * @default {true}
   */
  handleSignals?: boolean | undefined;
  /**
   * What to do with what the workers print.
   *
   * @default {each line goes to where this program prints, after the number of its worker: "[2] ..."}
   */
  onLog?: ((line: WorkerLogLine) => void) | undefined;
  /** Gives the start up when it is aborted, and throws its reason. */
  signal?: AbortSignal | undefined;
}

/** The names of {@linkcode PreforkOptions}. */
export const PREFORK_OPTIONS: OptionNames = new OptionNames<PreforkOptions>({
  workers: true,
  script: true,
  args: true,
  runtimeArgs: true,
  cwd: "string",
  env: true,
  graceMs: true,
  readyMs: true,
  restartDelayMs: true,
  handleSignals: "boolean",
  onLog: true,
  signal: "signal",
}, { number: "workers", string: "script" });
