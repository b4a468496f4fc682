/**
 * Worker processes and their supervisor, as the library sees its host. The two
 * talk over the channel that Node gives a child it forks, and Deno has as well.
 */
import type { HostChild } from "./children.ts";

/** What a worker knows of itself. */
export interface HostSeat {
  /** From 1. */
  readonly number: number;
  /** How many there are. */
  readonly workers: number;
  /** How long it may take to stop, in milliseconds. */
  readonly graceMs: number;
}

/** What to start, and how. */
export interface HostWorkerCommand {
  /** A path, or what else the runtime can run. */
  readonly script: string;
  readonly args: readonly string[];
  /** Flags of the runtime; `null` for those that this program has itself. */
  readonly runtimeArgs: readonly string[] | null;
  readonly cwd: string | null;
  /** Variables besides those of this program. */
  readonly env: Readonly<Record<string, string>>;
  readonly seat: HostSeat;
}

/** A worker process, as its supervisor sees it. */
export interface HostWorkerProcess extends HostChild {
  /**
   * Called when the worker says that it is ready, from a callback of the host.
   */
  onReady: (() => void) | null;
  /** Asks it to end: by a message if it listens, otherwise by SIGTERM. */
  stop(): void;
}

/** The supervisor, as one of its workers sees it. */
export interface HostSupervisor {
  readonly seat: HostSeat;
  /** Says that this worker is ready. Saying it again does nothing. */
  ready(): void;
  /**
   * Calls back once, when the worker is to stop: told by the supervisor, or
   * because that is gone; at once where it was.
   */
  onStop(callback: () => void): void;
}

/** Worker processes, as the host gives them. */
export interface HostWorkerProcesses {
  /** Processors that this program may use. */
  readonly processors: number;
  /** The script that a URL names, for a command line. */
  scriptOf(url: URL): string;
  /** Starts a worker, in the async context of the caller. */
  start(command: HostWorkerCommand): Promise<HostWorkerProcess>;
  /** Gives up the sockets that workers of this process share. */
  closeSharedSockets(): void;
}
