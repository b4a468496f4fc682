/**
 * Child processes, as the library sees its host. A pipe is a connection that
 * goes one way, so that one transport class serves sockets and pipes alike.
 */
import type { HostConnection } from "./net.ts";
import type { SignalName } from "./signals.ts";

/** What a standard stream of a child is connected to. */
export type HostStdio = "pipe" | "null" | "inherit";

/** What to start, and how. */
export interface HostCommand {
  readonly program: string;
  readonly args: readonly string[];
  readonly stdin: HostStdio;
  readonly stdout: HostStdio;
  /** `stdout`: wherever that goes, in the order written. */
  readonly stderr: HostStdio | "stdout";
  readonly cwd: string | null;
  /** The whole environment; `null` for that of this program. */
  readonly env: Readonly<Record<string, string>> | null;
  /** Whether it gets a process group of its own. */
  readonly detached: boolean;
  readonly uid: number | null;
  readonly gid: number | null;
}

/** A child process. */
export interface HostChild {
  readonly pid: number;
  /** Its exit status, or the signal that ended it as a negative number. */
  readonly exited: Promise<number>;
  /**
   * The ends of its standard streams, by number; null for what is no pipe. The
   * first is only written to, the others are only read from: their `end` comes
   * when the last one who holds the child's end is gone.
   */
  readonly pipes: readonly (HostConnection | null)[];
  /** Sends a signal; throws the library's error where it cannot. */
  kill(signal: SignalName): void;
  /** Sends a signal to the process group of a detached child. */
  killGroup(signal: SignalName): void;
  /** Lets this program end before the child does. */
  unref(): void;
}

/** Child processes, as the host gives them. All errors are mapped. */
export interface HostChildren {
  /**
   * Starts a child, in the async context of the caller. Throws if it cannot;
   * a promise it gives only where the host tells of that later, and rejects it.
   */
  spawn(command: HostCommand): HostChild | Promise<never>;
  /**
   * The program, and the arguments before the command, of the system's shell.
   * A function, so that it is not asked for while modules load: on Deno the
   * answer costs all of Node's `process`.
   */
  shell(): readonly [string, ...string[]];
}
