/** The interfaces the kernel's files share, and nothing that runs. */
import type { Future } from "./future.ts";
import type { Handle } from "./handle.ts";
import type { Task } from "./task.ts";

/**
 * What may be waited for: a promise or a future, which has already started and
 * can only be waited for, or a function, which is started as a task of its own
 * and so can be cancelled.
 */
export type Awaitable<T> = PromiseLike<T> | (() => PromiseLike<T> | T);

/** The value an {@linkcode Awaitable} comes to. */
export type AwaitedResult<A> = A extends () => infer R ? Awaited<R>
  : Awaited<A>;

/** What is in the ready queue: one step of the loop. */
export interface Runnable {
  run(): void;
  /** Whether it calls code of the user, rather than settle promises. */
  readonly runsCode: boolean;
  /** For debug mode: what this step is. */
  describe(): string;
  /** For debug mode: it has run and was described, and can let go of all. */
  ended?(): void;
  /** For debug mode: whose step it is; absent if it is no task's. */
  readonly task?: Task<unknown> | null;
  /** The `Scope` of the code that it runs or wakes; see vanish.ts. */
  readonly scope?: object | null;
  /**
   * A task starts, or wakes by itself, or bytes arrive: it is by chance that it
   * comes before or after another of this iteration, and so it may be tried
   * otherwise.
   */
  readonly mayMove?: boolean;
  /**
   * A timer whose time has come, or bytes that arrive: it is by chance that it
   * does not come a little later, when everything else waits.
   */
  readonly mayComeLater?: boolean;
  /** For the call graph: who awaits the future at whose end this step runs. */
  awaiters?(): Iterable<Future<unknown>>;
  /** The same where it is those who await the future that this step settles. */
  readonly settles?: Future<unknown> | null;
}

/** One who waits in a line. */
export interface InLine {
  /** What it came with. */
  readonly brought: unknown;
  ahead: InLine | null;
  behind: InLine | null;
}

/** Those who wait for the same thing, in their order. */
export interface Line {
  first: InLine | null;
  size: number;
  remove(wait: InLine): void;
}

/** What went wrong, as the exception handler is told. */
export interface ExceptionContext {
  /** What happened. */
  message: string;
  /** The error, if there is one. */
  error?: unknown;
  /** The task it happened in. */
  task?: Task<unknown>;
  /** The future it belongs to. */
  future?: Future<unknown>;
  /** The callback that threw. */
  handle?: Handle;
  /** Where the object was made, in debug mode. */
  createdAt?: string;
}

/** Runs functions elsewhere: the kernel knows no more of worker pools. */
export interface Executor {
  /** Runs `fn` with `args`; the future is its result. */
  submit<A extends unknown[], R>(
    fn: (...args: A) => R,
    ...args: A
  ): Future<Awaited<R>>;
  /**
   * Ends the workers; waits for running jobs unless told otherwise. A
   * cancellation ends that wait, and the executor is shut down all the same.
   */
  shutdown(
    options?: {
      wait?: boolean | undefined;
      cancelFutures?: boolean | undefined;
    },
  ): Promise<void>;
}
