/** Options of {@linkcode DurableQueue.put}. */
export interface DurablePutOptions {
  /**
   * Its name, at most one job of which is in the queue: putting another does
   * nothing. It is free again once the job is done or thrown away.
   */
  id?: string | undefined;
  /**
   * How long to keep it back, in milliseconds by the clock of the wall.
   *
   * @default {0}
   */
  delay?: number | undefined;
  /**
   * Those with the least come first; a safe integer.
   *
   * @default {0}
   */
  priority?: number | undefined;
  /**
   * Ends the wait when it is aborted, and throws its reason; the item is then not
   * in the queue.
   */
  signal?: AbortSignal | undefined;
}

/** Options of {@linkcode DurableQueue.giveBack}. */
export interface GiveBackOptions {
  /**
   * How long to keep it back, in milliseconds by the clock of the wall.
   *
   * @default {0}
   */
  delay?: number | undefined;
}

/** What {@linkcode DurableQueue.statistics} resolves to. */
export interface DurableStatistics {
  /** How many jobs can be taken. */
  readonly ready: number;
  /** How many are being worked on, in any process. */
  readonly leased: number;
  /** How many are kept back for now. */
  readonly delayed: number;
  /** How many are dead letters. */
  readonly dead: number;
  /** How long ago the oldest that is not dead was put, in milliseconds; 0 if there is none. */
  readonly oldestAge: number;
}

/**
 * A job that was delivered too often, or that could not be read.
 *
 * @typeParam T What the queue holds.
 */
export interface DeadLetter<T> {
  /** Its number in the queue. */
  readonly number: number;
  /** The item; `undefined` if the codec cannot read it. */
  readonly item: T | undefined;
  /** Its `id`; `null` if it was put without. */
  readonly id: string | null;
  /** How often it was delivered. */
  readonly deliveries: number;
}

/**
 * The dead letters of a queue.
 *
 * @typeParam T What the queue holds.
 */
export interface DeadLetters<T> {
  /**
   * Lists them, the oldest first. It does not wait, so a cancellation does not
   * interrupt it.
   *
   * @returns All of them.
   */
  list(): Promise<DeadLetter<T>[]>;
  /**
   * Puts them back into the queue, as if they had never been delivered. It does
   * not wait, so a cancellation does not interrupt it.
   *
   * @returns How many there were.
   */
  requeue(): Promise<number>;
  /**
   * Throws them away. It does not wait, so a cancellation does not interrupt
   * it.
   *
   * @returns How many there were.
   */
  empty(): Promise<number>;
}

/**
 * A queue that outlives the process. What is written for a `Queue` with `put`,
 * `get`, `taskDone`, `join`, `shutdown` and `for await` runs on it.
 *
 * An item is *leased* to the task that got it. `taskDone()` ends that, and the
 * item is gone; a task that ends without gives it back, and so does a process
 * that dies, when its lease runs out. If it is a task that `select`, `race` or
 * `gather` has made of a function, and it returns the item, that is leased to
 * their caller. Every item is delivered at least once. asyncio has no equivalent.
 *
 * @typeParam T What it passes on.
 */
export interface DurableQueue<T> extends AsyncIterable<T> {
  /**
   * Puts an item in, waiting for room if there is none. Calls that wait together
   * are stored together: `gather` of many is quicker than one after the other.
   *
   * @param item The item.
   * @param options Its `id`, `delay` and `priority`.
   * @returns When the item is stored.
   * @throws {TypeError} When the codec cannot take the item, or makes no bytes of it.
   * @throws {QueueShutDown} When the queue is shut down, also while it waits.
   * @throws {OSError} When it cannot be stored, as on a full disk; it is then
   * not in the queue.
   * @throws {CancelledError} When the task is cancelled; the item is then not
   * in the queue.
   * @throws The reason of `signal`, when it is aborted; the item is then not in the
   * queue.
   */
  put(item: T, options?: DurablePutOptions): Promise<void>;
  /**
   * Leases the next item to the current task, waiting for one if there is
   * none. In `select({ job: () => queue.get() })`, and in `race` and `gather`, it
   * goes on to the task that called them.
   *
   * @returns The item.
   * @throws {QueueShutDown} When the queue is shut down and nothing can be
   * taken, also while it waits.
   * @throws {CancelledError} When the task is cancelled; no item is then
   * leased.
   */
  get(): Promise<T>;
  /**
   * Ends the lease that the current task has had the longest: the item is done.
   * If the task is cancelled meanwhile, the item is done all the same, and the
   * next wait throws the {@linkcode CancelledError}.
   *
   * @returns When that is stored.
   * @throws {InvalidStateError} When the task has no lease, or it ran out and
   * another may have the item.
   */
  taskDone(): Promise<void>;
  /**
   * Gives back the item that the current task has had the longest. It does not
   * wait, so a task that was cancelled can still call it.
   *
   * @param options How long to keep it back.
   * @returns When that is stored.
   * @throws {InvalidStateError} When the task has no lease, or it ran out.
   */
  giveBack(options?: GiveBackOptions): Promise<void>;
  /**
   * Waits until nothing but dead letters is left.
   *
   * @returns When every item is done, in all processes.
   * @throws {QueueShutDown} When the queue is closed meanwhile.
   * @throws {CancelledError} When the task is cancelled.
   */
  join(): Promise<void>;
  /**
   * Takes no more items from this process: every `put` fails, and every `get`
   * once nothing can be taken. Other processes go on.
   */
  shutdown(): void;
  /**
   * Counts what is in the queue. It does not wait, so a cancellation does not
   * interrupt it.
   *
   * @returns A frozen object; not a live view.
   */
  statistics(): Promise<DurableStatistics>;
  /** What was delivered too often. */
  readonly deadLetters: DeadLetters<T>;
  /**
   * Gives back what this process has leased, fails what waits with
   * {@linkcode QueueShutDown}, and lets the engine go. Until then the queue
   * keeps the program alive. A cancellation does not interrupt it.
   *
   * @returns When that is done.
   */
  close(): Promise<void>;
  /**
   * The items, until the queue is shut down and nothing can be taken. One is
   * done when the body goes on to the next, and given back if the body throws, as
   * it does when its task is cancelled, or leaves the loop.
   *
   * @returns An iterator.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined>;
  /**
   * Closes it. A cancellation does not interrupt it.
   *
   * @returns When that is done.
   */
  [Symbol.asyncDispose](): Promise<void>;
}
