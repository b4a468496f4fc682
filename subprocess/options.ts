import { type NamesOf, OptionNames } from "../_internal/options.ts";
import type { DEVNULL, PIPE, STDOUT } from "./constants.ts";

/**
 * What a standard stream of a child is connected to: {@linkcode PIPE},
 * {@linkcode DEVNULL}, or, with `"inherit"` or `null`, what that of this program
 * is connected to.
 */
export type Stdio = typeof PIPE | typeof DEVNULL | "inherit" | null;

/** How a child process is started, whatever is done with its streams. */
export interface SpawnOptions {
  /**
   * What the child reads from.
   *
   * @default {"inherit"}
   */
  stdin?: Stdio | undefined;
  /**
   * Where the child's output goes.
   *
   * @default {"inherit"}
   */
  stdout?: Stdio | undefined;
  /**
   * Where the child's errors go; {@linkcode STDOUT} for where its output goes.
   *
   * @default {"inherit"}
   */
  stderr?: Stdio | typeof STDOUT | undefined;
  /**
   * The directory the child works in.
   *
   * @default {that of this program}
   */
  cwd?: string | URL | undefined;
  /**
   * The whole environment of the child: nothing is added to it.
   *
   * @default {that of this program}
   */
  env?: Readonly<Record<string, string>> | undefined;
  /**
   * Gives the child a session and a process group of its own: `killTree` reaches
   * all that it starts, and Ctrl-C in the terminal does not reach it.
   *
   * @default {false}
   */
  detached?: boolean | undefined;
  /** The user to run as, by number; not on Windows. */
  uid?: number | undefined;
  /** The group to run as, by number; not on Windows. */
  gid?: number | undefined;
  /** Gives the start up when it is aborted, and throws its reason. */
  signal?: AbortSignal | undefined;
}

const SPAWN_NAMES: NamesOf<SpawnOptions> = {
  stdin: true,
  stdout: true,
  stderr: true,
  cwd: true,
  env: true,
  detached: "boolean",
  uid: true,
  gid: true,
  signal: "signal",
};

/** The names of {@linkcode SpawnOptions}. */
export const SPAWN_OPTIONS: OptionNames = new OptionNames<SpawnOptions>(
  SPAWN_NAMES,
);

/** Options of {@linkcode createSubprocessExec} and its kin. */
export interface SubprocessOptions extends SpawnOptions {
  /**
   * How many bytes may come before a separator in what the child prints, and so
   * the length of the longest line; if more than twice as many are unread, the
   * child has to wait.
   *
   * @default {65536}
   */
  limit?: number | undefined;
  /**
   * Whether the child is ended when a task is cancelled that waits for it in
   * `wait` or `communicate`: it is asked to, and made to after
   * {@linkcode SubprocessOptions.graceMs}, and only then the cancellation goes on.
   *
   * @default {false}
   */
  killOnCancel?: boolean | undefined;
  /**
   * How long the child may take to end after SIGTERM before it gets SIGKILL, in
   * milliseconds; below 0 as 0.
   *
   * @default {5000}
   */
  graceMs?: number | undefined;
}

/** The names of {@linkcode SubprocessOptions}. */
export const SUBPROCESS_OPTIONS: OptionNames = new OptionNames<
  SubprocessOptions
>({ ...SPAWN_NAMES, limit: true, killOnCancel: "boolean", graceMs: true });
