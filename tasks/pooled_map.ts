import { checkFunction, checkInteger } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { RingBuffer } from "../_internal/ring_buffer.ts";
import { show } from "../_internal/show.ts";
import { CancelledError } from "../errors.ts";
import { callBySignal, cancelEach } from "../loop/cancel_each.ts";
import type { Context } from "../loop/context.ts";
import { asCancellation } from "../loop/cancel_request.ts";
import { currentScope, inheritedContext } from "../loop/current.ts";
import { toCancelledError } from "../loop/cancel_request.ts";
import { loopOf } from "../loop/event_loop.ts";
import { Completion, futureInternals } from "../loop/future.ts";
import type { Kernel } from "../loop/kernel.ts";
import { interruption, type Scope } from "../loop/scope.ts";
import { scopeOf, type Task } from "../loop/task.ts";
import { WaitQueue } from "../loop/wait_queue.ts";
import { capturePlace } from "../platform/async_storage.ts";
import type { AsyncPlace } from "../platform/types/async_storage.ts";
import { belongsTo, isLimited } from "./_deadlines.ts";
import { IdleWorkers } from "./_idle_workers.ts";

/** Options of {@linkcode pooledMap}. */
export interface PooledMapOptions {
  /**
   * How many items are in work at a time, counting those whose results wait for
   * the consumer; `Infinity` for all at once.
   */
  limit: number;
  /**
   * Whether the results come in the order of the items, and not as they are
   * there.
   *
   * @default {true}
   */
  ordered?: boolean | undefined;
  /**
   * Ends it when it is aborted: what runs is cancelled and waited for, and then
   * the signal's reason is thrown where the consumer is.
   */
  signal?: AbortSignal | undefined;
}

const POOLED_MAP_OPTIONS = new OptionNames<PooledMapOptions>({
  limit: true,
  ordered: "boolean",
  signal: "signal",
}, { number: "limit" });

const ACTION = "map in a pool";

/**
 * Calls `fn` for each item, some at a time, and gives the results as they are
 * asked for. Equivalent of `pooledMap` of `@std/async`, and of `map` of
 * Python's `aiostream`; asyncio has nothing like it.
 *
 * The items are taken one by one, when there is room: an endless source is no
 * problem, nor is a slow consumer. The first result is worked on when it is first
 * asked for.
 *
 * Nothing outlives the iteration. When it is left early, when its consumer is
 * cancelled, or when `fn` or the source throws, what still runs is cancelled and
 * waited for, and the source is closed; then the first error is thrown where the
 * consumer is. Errors that come after it, or beside a cancellation, go to the
 * loop's exception handler.
 *
 * The items are worked on in tasks, each of which takes one item after the other.
 *
 * @typeParam T The items.
 * @typeParam R The results.
 *
 * @example Three at a time, in order
 * ```ts
 * import { pooledMap, sleep } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const results: string[] = [];
 * const pages = pooledMap(["a", "b", "c", "d"], async (name, index) => {
 *   await sleep(4 - index);
 *   return name.toUpperCase();
 * }, { limit: 3 });
 * for await (const page of pages) results.push(page);
 * assertEquals(results, ["A", "B", "C", "D"]);
 * ```
 *
 * @example Enough is enough
 * ```ts
 * import { pooledMap, sleep } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * function* naturals() {
 *   for (let n = 0;; n++) yield n;
 * }
 *
 * const squares: number[] = [];
 * const all = pooledMap(naturals(), (n) => sleep(1, n * n), { limit: 10 });
 * for await (const square of all) {
 *   if (square > 50) break; // the others are cancelled, the generator closed
 *   squares.push(square);
 * }
 * assertEquals(squares, [0, 1, 4, 9, 16, 25, 36, 49]);
 * ```
 *
 * @param items What is worked on. Of an async iterable, one item is asked for at
 * a time.
 * @param fn What is done with an item; it is given its number as well, from 0.
 * @param options How many at a time, and in which order.
 * @returns The results, to be iterated over once. Its `next()` throws what `fn`
 * or the source throws, and a {@linkcode CancelledError} when the task is
 * cancelled; after that it is over.
 * @throws {TypeError} When `items` is not iterable, `fn` not a function, or an
 * option of the wrong kind.
 * @throws {RangeError} When `limit` is not an integer of at least 1.
 */
export function pooledMap<T, R>(
  items: Iterable<T> | AsyncIterable<T>,
  fn: (item: T, index: number) => PromiseLike<R> | R,
  options: PooledMapOptions,
): AsyncIterableIterator<R> & AsyncDisposable {
  checkItems(items);
  checkFunction(ACTION, "fn", fn);
  checkOptions(ACTION, options, POOLED_MAP_OPTIONS);
  const { limit, ordered = true, signal } = options;
  if (limit !== Infinity) checkInteger(ACTION, "limit", limit, 1);
  return new PooledMap(items, fn, limit, ordered, signal);
}

type Source<T> =
  | { readonly isAsync: false; readonly iterator: Iterator<T> }
  | { readonly isAsync: true; readonly iterator: AsyncIterator<T> };

/** What an item comes to; the very object that the consumer is given. */
interface Slot<R> {
  readonly done: false;
  value: R;
}

type Result<R> = IteratorResult<R, undefined>;

/** In the place of a result that is not there yet. */
const PENDING: unknown = Symbol("pending");

const END = { done: true, value: undefined } as const;

/**
 * A consumer, and the tasks that work for it. Whoever has an item has a place
 * among `limit` until the consumer takes the result.
 *
 * ```text
 *   source --item--> worker: fn --result--> slots --next()--> consumer
 *                      ^                                         |
 *                      +------------ there is room -------------+
 * ```
 */
class PooledMap<T, R> implements AsyncIterableIterator<R, undefined> {
  readonly #items: Iterable<T> | AsyncIterable<T>;
  readonly #fn: (item: T, index: number) => PromiseLike<R> | R;
  readonly #limit: number;
  readonly #ordered: boolean;
  readonly #signal: AbortSignal | undefined;
  #state: "new" | "open" | "closing" | "closed" = "new";
  #source: Source<T> | null = null;
  /** Nothing more comes from the source, nor has it to be closed. */
  #isExhausted = false;
  /** An async source has been asked, and has not answered. */
  #isPulling = false;
  #pulled = 0;
  /** Items whose results the consumer has not got. */
  #open = 0;
  /** Results; if they are in order, also the places of those to come. */
  readonly #slots = new RingBuffer<Slot<R>>();
  readonly #workers = new Set<Task<void>>();
  /** Where the iteration began: there the workers begin. */
  #place: AsyncPlace | null = null;
  /** The scope of there, if it is under a deadline. */
  #limited: Scope | null = null;
  /** The context variables of there; null if there were none. */
  #context: Context | null = null;
  #kernel: Kernel | null = null;
  #failure: { readonly error: unknown } | null = null;
  /** Workers without an item. */
  readonly #idle = new IdleWorkers("pooledMap(), for an item");
  /** They are given a result, or null: then they see what has become of it. */
  readonly #consumers: WaitQueue<Slot<R> | null> = new WaitQueue(
    "pooledMap(), for a result",
  );
  readonly #ends: WaitQueue<void> = new WaitQueue(
    "pooledMap(), for the end of what it runs",
  );

  constructor(
    items: Iterable<T> | AsyncIterable<T>,
    fn: (item: T, index: number) => PromiseLike<R> | R,
    limit: number,
    ordered: boolean,
    signal: AbortSignal | undefined,
  ) {
    this.#items = items;
    this.#fn = fn;
    this.#limit = limit;
    this.#ordered = ordered;
    this.#signal = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Result<R>> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    const isOpen = interrupted === null && this.#state === "open";
    if (isOpen && this.#consumers.first === null) {
      const slot = this.#takeResult();
      if (slot !== null) return scope.kernel.succeed<Result<R>>(scope, slot);
    }
    return this.#next(scope, interrupted);
  }

  async return(): Promise<Result<R>> {
    if (this.#state === "new") this.#state = "closed";
    if (this.#state !== "closed") {
      await this.#end(currentScope(), "The iteration was left");
    }
    return END;
  }

  async throw(error: unknown): Promise<Result<R>> {
    await this.return();
    throw error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  // -- the consumer ---------------------------------------------------------

  async #next(
    scope: Scope,
    interrupted: Promise<never> | null,
  ): Promise<Result<R>> {
    if (interrupted === null) this.#begin(scope);
    try {
      if (interrupted !== null) await interrupted;
      if (this.#state === "open" && !this.#isDone) {
        const slot = await this.#consumers.wait(scope);
        if (slot !== null) return slot;
      }
    } catch (error) {
      // It is the consumer that is cancelled, and with it what it waits for.
      await this.#closeFor(scope, error as CancelledError);
      throw error;
    }
    if (this.#state !== "closed") await this.#end(scope, "All items are done");
    return END;
  }

  #begin(scope: Scope): void {
    const { kernel } = scope;
    // Another loop than before is refused, and changes nothing.
    const refusal = this.#consumers.bind(kernel);
    if (refusal !== null) throw refusal;
    if (this.#state !== "new") return;
    this.#state = "closed";
    this.#signal?.throwIfAborted();
    const source = open(this.#items);
    this.#state = "open";
    this.#source = source;
    this.#kernel = kernel;
    this.#place = capturePlace();
    this.#limited = isLimited(scope) ? scope : null;
    this.#context = inheritedContext();
    this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#startWorker();
  }

  readonly #onAbort = (): void =>
    callBySignal(() => {
      if (this.#state !== "open") return;
      const { reason } = this.#signal!;
      this.#failure = { error: reason };
      this.#abort(toCancelledError(reason));
    });

  get #isDone(): boolean {
    return this.#isExhausted && this.#workers.size === 0 &&
      this.#slots.size === 0;
  }

  /** The next result, if it is there. */
  #takeResult(): Slot<R> | null {
    const slot = this.#slots.peek();
    if (slot === undefined || slot.value === PENDING) return null;
    this.#slots.shift();
    this.#open--;
    this.#employ();
    return slot;
  }

  /** Ends all for a consumer that hears of what went wrong. */
  async #end(scope: Scope, reason: string): Promise<void> {
    let interrupted: CancelledError | null;
    try {
      interrupted = await this.#close(scope, new CancelledError(reason));
    } catch (error) {
      // Closing the source has failed.
      if (this.#failure === null) throw error;
      this.#report(error);
      interrupted = null;
    }
    if (interrupted !== null) {
      this.#reportFailure();
      throw interrupted;
    }
    const failure = this.#failure;
    this.#failure = null;
    if (failure !== null) throw failure.error;
  }

  /** The same for one that hears of its cancellation. */
  async #closeFor(scope: Scope, cancelled: CancelledError): Promise<void> {
    if (this.#state === "new") this.#state = "closed";
    try {
      await this.#close(scope, cancelled);
    } catch (error) {
      this.#report(error);
    }
    this.#reportFailure();
  }

  /**
   * Cancels what runs and waits for it, whatever happens, and closes the source;
   * gives the cancellation that came meanwhile.
   */
  async #close(
    scope: Scope,
    reason: CancelledError,
  ): Promise<CancelledError | null> {
    if (this.#state === "open") this.#abort(reason);
    // A source in the middle of its `next()` may wait for nothing of ours, and
    // be back only if it is told to end.
    const closing = this.#isPulling ? this.#closeSource() : null;
    closing?.catch(() => {});
    let interrupted: CancelledError | null = null;
    while (this.#workers.size > 0) {
      try {
        const remembered = interruption(scope);
        // deno-lint-ignore no-await-in-loop -- until all have ended
        if (remembered !== null) await remembered;
        // deno-lint-ignore no-await-in-loop -- until all have ended
        await this.#ends.wait(scope);
      } catch (error) {
        interrupted = error as CancelledError;
      }
    }
    this.#state = "closed";
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#slots.clear();
    await (closing ?? this.#closeSource());
    return interrupted;
  }

  async #closeSource(): Promise<void> {
    if (this.#isExhausted) return;
    this.#isExhausted = true;
    await this.#source?.iterator.return?.();
  }

  #abort(reason: CancelledError): void {
    this.#state = "closing";
    this.#idle.forgetAll();
    cancelEach([...this.#workers], reason);
    this.#consumers.settleAll(null);
  }

  #reportFailure(): void {
    if (this.#failure !== null) this.#report(this.#failure.error);
    this.#failure = null;
  }

  #report(error: unknown): void {
    this.#kernel?.report({
      message: "An error in pooledMap() that its consumer is not told",
      error,
    });
  }

  // -- the workers ----------------------------------------------------------

  /** If there is room for an item, someone is to take one. */
  #employ(): void {
    const isRunning = this.#state === "open" && !this.#isExhausted;
    const hasRoom = this.#open < this.#limit && !this.#isPulling;
    if (!isRunning || !hasRoom) return;
    if (this.#idle.wake()) return;
    if (this.#workers.size < this.#limit) this.#startWorker();
  }

  #startWorker(): void {
    const loop = loopOf(this.#kernel!);
    const start = () => {
      const context = this.#context?.copy();
      const task = loop.createTask(() => this.#work(), { context });
      this.#workers.add(task);
      if (this.#limited !== null) belongsTo(task, this.#limited);
      new Completion(
        task,
        () => this.#ended(task),
        true,
        () => this.#consumers.tasks(),
      );
    };
    this.#place!.run(start);
  }

  async #work(): Promise<void> {
    const scope = currentScope();
    const fn = this.#fn;
    while (this.#state === "open" && !this.#isExhausted) {
      if (this.#open >= this.#limit || this.#isPulling) {
        // deno-lint-ignore no-await-in-loop -- one item after the other
        await (interruption(scope) ?? this.#idle.wait(scope));
        continue;
      }
      this.#open++;
      const { isAsync, iterator } = this.#source!;
      let result: IteratorResult<T>;
      try {
        result = isAsync
          // deno-lint-ignore no-await-in-loop -- one item after the other
          ? await this.#pull(iterator)
          : iterator.next();
      } catch (error) {
        // It has closed itself.
        this.#isExhausted = true;
        throw error;
      }
      if (result.done === true) {
        this.#open--;
        this.#isExhausted = true;
        break;
      }
      const slot: Slot<R> = { done: false, value: PENDING as R };
      if (this.#ordered) this.#slots.push(slot);
      this.#employ();
      // deno-lint-ignore no-await-in-loop -- one item after the other
      slot.value = await fn(result.value, this.#pulled++);
      if (!this.#ordered) this.#slots.push(slot);
      if (this.#consumers.first !== null) this.#handOut();
      // What an item has set the next one is not to see.
      if (scope.hasVariables) break;
    }
    if (this.#isExhausted) this.#idle.wakeAll();
  }

  async #pull(iterator: AsyncIterator<T>): Promise<IteratorResult<T>> {
    this.#isPulling = true;
    try {
      return await iterator.next();
    } finally {
      this.#isPulling = false;
    }
  }

  /** Gives those that wait what is there; the room it makes is the worker's. */
  #handOut(): void {
    for (
      let slot = this.#slots.peek();
      slot !== undefined && slot.value !== PENDING &&
      this.#consumers.first !== null;
      slot = this.#slots.peek()
    ) {
      this.#slots.shift();
      this.#open--;
      this.#consumers.settleFirst(slot);
    }
  }

  #ended(worker: Task<void>): void {
    this.#workers.delete(worker);
    if (futureInternals.state(worker) === "finished") this.#employ();
    else this.#failed(worker, futureInternals.value(worker));
    if (this.#workers.size > 0) return;
    this.#ends.settleAll();
    if (this.#isDone) this.#consumers.settleAll(null);
  }

  #failed(worker: Task<void>, error: unknown): void {
    if (this.#state === "open") {
      this.#failure = { error };
      this.#abort(
        new CancelledError("An item of the pool failed", { by: worker.name }),
      );
    } else if (asCancellation(error, scopeOf(worker)) === null) {
      if (this.#failure === null) this.#failure = { error };
      else this.#report(error);
    }
  }
}

function open<T>(items: Iterable<T> | AsyncIterable<T>): Source<T> {
  return Symbol.asyncIterator in Object(items)
    ? {
      isAsync: true,
      iterator: (items as AsyncIterable<T>)[Symbol.asyncIterator](),
    }
    : { isAsync: false, iterator: (items as Iterable<T>)[Symbol.iterator]() };
}

function checkItems(items: unknown): void {
  const isIterable = items !== null && items !== undefined &&
    (Symbol.asyncIterator in Object(items) || Symbol.iterator in Object(items));
  if (isIterable) return;
  throw new TypeError(
    `Cannot ${ACTION} as 'items' must be iterable: received ${show(items)}`,
  );
}
