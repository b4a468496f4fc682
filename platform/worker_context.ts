/**
 * What a worker's thread shares between the code that runs its jobs and the
 * library, which the jobs may load for themselves, and in another copy (JSR and
 * npm, or two versions). It is therefore found by a global symbol.
 */

/** What to send to the other thread instead of a copy of it. */
export type Transfers = WeakMap<object, readonly object[]>;

/** How a call to the main thread ends. */
export interface CallListener {
  succeeded(value: unknown): void;
  failed(error: unknown): void;
}

/** The thread of a worker. */
export interface WorkerContext {
  /**
   * Runs jobs; set by the loop, once a job loads it, so that they are tasks.
   *
   * @param variables Context variables by name.
   * @param signal Aborted when the job is cancelled.
   */
  runJob:
    | ((
      job: () => unknown,
      variables: ReadonlyMap<string, unknown>,
      signal: AbortSignal,
    ) => PromiseLike<unknown>)
    | null;
  /**
   * Looks whether the job was cancelled, which code that never waits would not
   * hear of. Throws, once, in a job that is no task; a task is cancelled.
   */
  checkCancelled(): void;
  /** The same, without throwing. */
  poll(): void;
  /** Calls what the main thread has exposed; gives what cancels the call. */
  call(
    name: string,
    args: readonly unknown[],
    listener: CallListener,
  ): (reason: unknown) => void;
}

interface Shared {
  context?: WorkerContext;
  readonly transfers: Transfers;
}

const KEY = Symbol.for("@asyncio/asyncio/threads");
const globals = globalThis as unknown as Record<symbol, Shared | undefined>;
const shared: Shared = globals[KEY] ??= { transfers: new WeakMap() };

/** What was marked for being transferred. */
export const transfers: Transfers = shared.transfers;

/** The thread of a worker; undefined if this is none of this library's. */
export function workerContext(): WorkerContext | undefined {
  return shared.context;
}

/** Called by a worker as it starts. */
export function provideWorkerContext(context: WorkerContext): void {
  shared.context = context;
}
