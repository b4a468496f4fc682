import { isThenable } from "../_internal/check.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { show } from "../_internal/show.ts";
import {
  CancelledError,
  InvalidStateError,
  isCancelledError,
} from "../errors.ts";
import type { Context } from "./context.ts";
import { currentScope, enteredScope } from "./current.ts";
import type { EventLoop } from "./event_loop.ts";
import { ReadyCallback } from "./handle.ts";
import type { Kernel } from "./kernel.ts";
import { type Scope, takeCancellation } from "./scope.ts";
import type { Runnable } from "./types.ts";
import { Unretrieved } from "./unretrieved.ts";
import { Wait, type WaitSource } from "./wait.ts";

type State = "pending" | "finished" | "failed" | "cancelled";

/** A callback that was added by a user, and the step that will call it. */
interface AddedCallback {
  readonly callback: (future: never) => unknown;
  readonly handle: ReadyCallback;
}

const BRAND = Symbol.for("@asyncio/asyncio/Future");

/** What the library itself may do with any future. */
export interface FutureInternals {
  kernel(future: Future<unknown>): Kernel;
  state(future: Future<unknown>): State;
  stateText(future: Future<unknown>): string;
  /** The result or the error, without asking for it to be retrieved. */
  value(future: Future<unknown>): unknown;
  settle(future: Future<unknown>, state: State, value: unknown): void;
  /** Runs `step` from the ready queue once the future is done. */
  subscribe(future: Future<unknown>, step: Runnable): void;
  unsubscribe(future: Future<unknown>, step: Runnable): void;
  /** Someone has taken the error: it need not be reported. */
  retrieve(future: Future<unknown>): void;
}

let internals: FutureInternals;
export { internals as futureInternals };

/**
 * A value that is not there yet. Unlike a promise it has a state to look at, it
 * can be cancelled, and whoever holds it can settle it. Awaiting one is a
 * point where the awaiting task can be cancelled; the cancellation then goes on
 * to the future, as asyncio does it (see `shield`).
 *
 * Made by `loop.createFuture()`. Answers to `asyncio.Future`.
 *
 * @typeParam T What it comes to.
 *
 * @example Settling it from a callback
 * ```ts
 * import { getEventLoop } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const loop = getEventLoop();
 * const future = loop.createFuture<string>();
 * loop.callSoon(() => future.setResult("done"));
 * assertEquals(await future, "done");
 * ```
 */
export class Future<T = unknown> implements PromiseLike<T> {
  readonly #kernel: Kernel;
  #state: State = "pending";
  /** The result, the error, or the CancelledError, by state. */
  #value: unknown = undefined;
  /** Steps that run once it is done: none, one, or a list. */
  #steps: Runnable | Runnable[] | null = null;
  #callbacks: AddedCallback[] | null = null;
  #unretrieved: Unretrieved | null = null;

  /**
   * Made by `loop.createFuture()`.
   *
   * @internal
   */
  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /**
   * Whether it has a result, an error, or was cancelled.
   *
   * @returns True once it is settled.
   */
  done(): boolean {
    return this.#state !== "pending";
  }

  /**
   * Whether it was cancelled.
   *
   * @returns True once the cancellation has taken effect.
   */
  cancelled(): boolean {
    return this.#state === "cancelled";
  }

  /**
   * Its result.
   *
   * @returns What it was settled with.
   * @throws {InvalidStateError} When it is still pending.
   * @throws {CancelledError} When it was cancelled.
   * @throws Its error, where it failed.
   */
  result(): T {
    const error = this.#settledError("result");
    if (this.#state === "finished") return this.#value as T;
    throw error;
  }

  /**
   * Its error.
   *
   * @returns The error; `undefined` where it has a result.
   * @throws {InvalidStateError} When it is still pending.
   * @throws {CancelledError} When it was cancelled.
   */
  exception(): unknown {
    const error = this.#settledError("exception");
    if (this.#state === "cancelled") throw error;
    return error;
  }

  /**
   * Settles it with a result.
   *
   * @param value The result.
   * @throws {InvalidStateError} When it is already settled.
   */
  setResult(value: T): void {
    this.#checkPending("set the result of");
    this.#settle("finished", value);
  }

  /**
   * Settles it with an error.
   *
   * @param error The error.
   * @throws {InvalidStateError} When it is already settled.
   */
  setException(error: unknown): void {
    this.#checkPending("set the exception of");
    this.#settle("failed", error);
  }

  /**
   * Cancels it.
   *
   * @param reason What to tell the waiting code: a message, any value (found as
   * `reason` on the error), or a {@linkcode CancelledError} to be thrown as it
   * is.
   * @returns False where it was already settled; then nothing happens.
   */
  cancel(reason?: unknown): boolean {
    if (this.#state !== "pending") return false;
    this.#settle("cancelled", toCancelledError(reason));
    return true;
  }

  /**
   * Calls back once it is settled: with the future, from the loop, never
   * synchronously, in the order in which the callbacks were added.
   *
   * @param callback What to call.
   * @param options The context to call it in; a copy of the current one else.
   */
  addDoneCallback(
    callback: (future: this) => unknown,
    options: { context?: Context } = {},
  ): void {
    if (typeof callback !== "function") {
      throw new TypeError(
        `Cannot add a done callback as 'callback' must be a function: received ${
          show(callback)
        }`,
      );
    }
    const handle = new ReadyCallback(
      this.#kernel,
      callback,
      [this],
      options.context,
    );
    (this.#callbacks ??= []).push({ callback, handle });
    this.#subscribe(handle);
  }

  /**
   * Takes a callback back.
   *
   * @param callback What was given to {@linkcode Future.addDoneCallback}.
   * @returns How often it had been added.
   */
  removeDoneCallback(callback: (future: this) => unknown): number {
    const kept: AddedCallback[] = [];
    let removed = 0;
    for (const added of this.#callbacks ?? []) {
      if (added.callback !== callback) {
        kept.push(added);
        continue;
      }
      removed++;
      added.handle.cancel();
      this.#unsubscribe(added.handle);
    }
    this.#callbacks = kept.length > 0 ? kept : null;
    return removed;
  }

  /**
   * The loop it belongs to.
   *
   * @returns The loop.
   */
  getLoop(): EventLoop {
    return this.#kernel.loop;
  }

  /**
   * Waits for it; what `await` calls. Waiting is a point where the current task
   * can be cancelled.
   *
   * @param onFulfilled Called with the result.
   * @param onRejected Called with the error.
   * @returns A promise of what the called function returns.
   */
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    const scope = enteredScope() ?? this.#kernel.root;
    if (
      this.#state === "pending" && isFromAwait(onFulfilled, onRejected) &&
      isAllowed(this, this.#kernel, scope)
    ) {
      // `await` brings the functions of a promise of its own and does not look
      // at what it gets back; a caller who does finds a promise made then.
      this.#wait(scope, onFulfilled, onRejected as (error: unknown) => void);
      return new Chain(this) as unknown as Promise<never>;
    }
    return this.#promise(scope).then(onFulfilled, onRejected);
  }

  /**
   * Waits for it and handles its error.
   *
   * @param onRejected Called with the error.
   * @returns A promise of the result, or of what `onRejected` returns.
   */
  catch<B = never>(
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<T | B> {
    return this.then(undefined, onRejected);
  }

  /**
   * Waits for it and calls back in any case.
   *
   * @param onFinally Called without arguments.
   * @returns A promise of the result.
   */
  finally(onFinally?: (() => void) | null): Promise<T> {
    return this.#promise(enteredScope() ?? this.#kernel.root).finally(
      onFinally,
    );
  }

  /**
   * The future and its state.
   *
   * @returns For example `<Future finished 42>`.
   */
  toString(): string {
    return `<Future ${this.#stateText()}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "Future";
  }

  /** A native promise of it, waiting in `scope`. */
  #promise(scope: Scope): Promise<T> {
    if (!isAllowed(this, this.#kernel, scope)) {
      return Promise.reject(refusal(this, scope));
    }
    if (this.#state === "pending") return this.#wait(scope).promise;
    const cancelled = takeCancellation(scope);
    if (cancelled !== null) return Promise.reject(cancelled);
    this.#retrieve();
    return this.#state === "finished"
      ? this.#kernel.succeed(this.#value as T, scope)
      : Promise.reject(this.#value);
  }

  #wait(
    scope: Scope,
    resolve?: (value: T) => void,
    reject?: (error: unknown) => void,
  ): Wait<T> {
    const wait = new FutureWait<T>(scope, this, resolve, reject);
    this.#subscribe(wait);
    const cancelled = takeCancellation(scope);
    if (cancelled !== null) wait.cancel(cancelled);
    return wait;
  }

  #settle(state: State, value: unknown): void {
    this.#state = state;
    this.#value = value;
    const steps = this.#steps;
    const retrieved = steps !== null && hasRetriever(steps);
    this.#steps = null;
    // A gathering fails with a child's CancelledError, which is no news.
    if (state === "failed" && !retrieved && !isCancelledError(value)) {
      this.#unretrieved = new Unretrieved(
        this.#kernel,
        this,
        value,
      );
    }
    if (steps === null || this.#kernel.closed) return;
    if (Array.isArray(steps)) {
      for (const step of steps) this.#kernel.push(step);
    } else this.#kernel.push(steps);
  }

  #subscribe(step: Runnable): void {
    if (this.#state !== "pending") this.#kernel.push(step);
    else if (this.#steps === null) this.#steps = step;
    else if (Array.isArray(this.#steps)) this.#steps.push(step);
    else this.#steps = [this.#steps, step];
  }

  #unsubscribe(step: Runnable): void {
    const steps = this.#steps;
    if (steps === step) this.#steps = null;
    else if (Array.isArray(steps)) {
      const index = steps.indexOf(step);
      if (index >= 0) steps.splice(index, 1);
    }
  }

  #retrieve(): void {
    this.#unretrieved?.dismiss();
    this.#unretrieved = null;
  }

  #settledError(what: string): unknown {
    if (this.#state === "pending") {
      throw new InvalidStateError(
        `Cannot get the ${what} as the future is not done: received a call on ${this}`,
      );
    }
    this.#retrieve();
    return this.#state === "finished" ? undefined : this.#value;
  }

  #checkPending(action: string): void {
    if (this.#state === "pending") return;
    throw new InvalidStateError(
      `Cannot ${action} the future as it is already done: received a call on ${this}`,
    );
  }

  #stateText(): string {
    switch (this.#state) {
      case "finished":
        return `finished ${show(this.#value)}`;
      case "failed":
        return `failed ${showError(this.#value)}`;
      default:
        return this.#state;
    }
  }

  /** Marks the class across copies of this package. */
  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
    inspectByToString(this.prototype);
    internals = {
      kernel: (future) => future.#kernel,
      state: (future) => future.#state,
      stateText: (future) => future.#stateText(),
      value: (future) => future.#value,
      settle: (future, state, value) => future.#settle(state, value),
      subscribe: (future, step) => future.#subscribe(step),
      unsubscribe: (future, step) => future.#unsubscribe(step),
      retrieve: (future) => future.#retrieve(),
    };
  }
}

/** A step that may take a future's error with it: then it is retrieved. */
interface Retriever extends Runnable {
  readonly retrieves: boolean;
}

/** A step that calls a function of the library with a future that is done. */
export class Completion<T> implements Retriever {
  readonly runsCode = false;
  readonly retrieves: boolean;
  readonly #future: Future<T>;
  readonly #callback: (future: Future<T>) => void;

  /** @param retrieves Whether the callback takes care of the future's error. */
  constructor(
    future: Future<T>,
    callback: (future: Future<T>) => void,
    retrieves: boolean,
  ) {
    this.#future = future;
    this.#callback = callback;
    this.retrieves = retrieves;
    internals.subscribe(future, this);
  }

  /** Calls it off. */
  unsubscribe(): void {
    internals.unsubscribe(this.#future, this);
  }

  run(): void {
    if (this.retrieves) internals.retrieve(this.#future);
    this.#callback(this.#future);
  }

  describe(): string {
    return `the end of ${this.#future}`;
  }
}

function hasRetriever(steps: Runnable | Runnable[]): boolean {
  return Array.isArray(steps) ? steps.some(retrieves) : retrieves(steps);
}

function retrieves(step: Runnable): boolean {
  return (step as Partial<Retriever>).retrieves === true;
}

/**
 * Waiting for a future. Its cancellation is a request to the future, whose own
 * outcome then settles the wait: so a task that declines to be cancelled gives
 * its value.
 */
class FutureWait<T> extends Wait<T> implements Retriever {
  readonly future: Future<T>;

  constructor(
    scope: Scope,
    future: Future<T>,
    resolve?: (value: T) => void,
    reject?: (error: unknown) => void,
  ) {
    super(scope, futureSource, resolve, reject);
    this.future = future;
  }

  get retrieves(): boolean {
    return true;
  }

  override cancel(error: CancelledError): void {
    if (!this.future.cancel(error)) super.cancel(error);
  }

  override run(): void {
    if (!this.isPending()) return;
    const future = this.future;
    internals.retrieve(future);
    const value = internals.value(future);
    if (internals.state(future) === "finished") this.finish(value as T);
    else this.fail(value);
  }
}

const futureSource: WaitSource = {
  abandon(wait) {
    const { future } = wait as unknown as FutureWait<unknown>;
    internals.unsubscribe(future, wait);
  },
  describe: (wait) => String((wait as unknown as FutureWait<unknown>).future),
};

const sourceOf = Function.prototype.toString;
let resolverSource = "";
new Promise((resolve) => {
  resolverSource = sourceOf.call(resolve);
});

/**
 * Whether these are the functions that `await` gives to `then`: those of a
 * promise, which need no async context and no promise of their own.
 */
function isFromAwait(
  onFulfilled: unknown,
  onRejected: unknown,
): onFulfilled is (value: unknown) => never {
  return typeof onFulfilled === "function" &&
    typeof onRejected === "function" && onRejected.name === "" &&
    sourceOf.call(onFulfilled) === resolverSource;
}

/** What `then(resolve, reject)` gives: a promise, once someone looks at it. */
class Chain {
  readonly #future: Future<unknown>;

  constructor(future: Future<unknown>) {
    this.#future = future;
  }

  then<A, B>(
    onFulfilled?: ((value: undefined) => A) | null,
    onRejected?: ((error: unknown) => B) | null,
  ): Promise<A | B> {
    return this.#promise().then(onFulfilled, onRejected) as Promise<A | B>;
  }

  catch<B>(
    onRejected?: ((error: unknown) => B) | null,
  ): Promise<B | undefined> {
    return this.#promise().catch(onRejected) as Promise<B | undefined>;
  }

  finally(onFinally?: (() => void) | null): Promise<undefined> {
    return this.#promise().finally(onFinally);
  }

  #promise(): Promise<undefined> {
    const ignore = () => undefined;
    return this.#future.then(ignore, ignore);
  }
}

function isAllowed(
  future: Future<unknown>,
  kernel: Kernel,
  scope: Scope,
): boolean {
  return scope.kernel === kernel &&
    (scope.task as unknown) !== (future as unknown);
}

function refusal(future: Future<unknown>, scope: Scope): InvalidStateError {
  return (scope.task as unknown) === (future as unknown)
    ? new InvalidStateError(
      `Cannot await a task in itself: received ${future}`,
    )
    : new InvalidStateError(
      `Cannot await a future that belongs to another event loop: received ${future}`,
    );
}

/** The error to cancel with: given as it is, or made of a message or a reason. */
export function toCancelledError(reason: unknown): CancelledError {
  if (isCancelledError(reason)) return reason;
  const by = enteredScope()?.task?.name;
  return new CancelledError(
    typeof reason === "string" ? reason : undefined,
    { reason, by },
  );
}

function showError(error: unknown): string {
  return error instanceof Error
    ? `${error.name}: ${error.message}`
    : show(error);
}

/**
 * Whether `value` is a future or a task, of this or of another copy of this
 * package. Answers to `asyncio.isfuture`.
 *
 * @example Telling a future from a promise
 * ```ts
 * import { getEventLoop, isFuture } from "@asyncio/asyncio";
 * import { assert, assertFalse } from "@std/assert";
 *
 * assert(isFuture(getEventLoop().createFuture()));
 * assertFalse(isFuture(Promise.resolve()));
 * ```
 *
 * @param value Anything.
 * @returns True for a future.
 */
export function isFuture(value: unknown): value is Future<unknown> {
  return typeof value === "object" && value !== null && BRAND in value;
}

/** A future of a promise: the promise goes on, but waiting for it can end. */
export function futureOf<T>(promise: PromiseLike<T>): Future<T> {
  if (!isThenable(promise)) {
    throw new TypeError(
      `Cannot wait for a value as it must be a promise, a future or a function: received ${
        show(promise)
      }`,
    );
  }
  const future = new Future<T>(currentScope().kernel);
  promise.then(
    (value) => {
      if (!future.done()) future.setResult(value);
    },
    (error) => {
      if (future.done()) return;
      if (isCancelledError(error)) future.cancel(error);
      else future.setException(error);
    },
  );
  return future;
}
