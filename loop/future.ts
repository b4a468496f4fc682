import { atCaller, rejectedAtCaller } from "../_internal/caller_frame.ts";
import { checkFunction, isThenable } from "../_internal/check.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import {
  CancelledError,
  InvalidStateError,
  isCancelledError,
} from "../errors.ts";
import type { Context } from "./context.ts";
import { currentScope, enteredScope } from "./current.ts";
import type { EventLoop } from "./event_loop.ts";
import { Gate } from "./gate.ts";
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

/** Options of {@linkcode Future.addDoneCallback}. */
export interface DoneCallbackOptions {
  /** The context to call it in; a copy of the current one else. */
  context?: Context | undefined;
}

const DONE_CALLBACK_OPTIONS = new OptionNames<DoneCallbackOptions>({
  context: true,
});

const NO_OPTIONS: DoneCallbackOptions = Object.freeze({});

const BRAND = Symbol.for("@asyncio/asyncio/Future");

/** What the library itself may do with any future. */
export interface FutureInternals {
  kernel(future: Future<unknown>): Kernel;
  state(future: Future<unknown>): State;
  stateText(future: Future<unknown>): string;
  /** The result or the error, without asking for it to be retrieved. */
  value(future: Future<unknown>): unknown;
  settle(
    future: Future<unknown>,
    state: State,
    value: unknown,
    isLast?: boolean,
  ): void;
  /** Runs `step` from the ready queue once the future is done. */
  subscribe(future: Future<unknown>, step: Runnable): void;
  unsubscribe(future: Future<unknown>, step: Runnable): void;
  /** For the call graph: who awaits it. */
  awaiters(future: Future<unknown>): Set<Future<unknown>>;
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
  /** The result, the error, or the CancelledError (or its request), by state. */
  #value: unknown = undefined;
  /** Steps that run once it is done: none, one, or a list. */
  #steps: Runnable | Runnable[] | null = null;
  #callbacks: AddedCallback[] | null = null;
  #unretrieved: Unretrieved | null = null;

  /**
   * Made by `loop.createFuture()`.
   *
   * @internal
   * @ignore
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
    const error = Future.#settledError(this, "result");
    if (this.#state === "finished") return this.#value as T;
    throw atCaller(error);
  }

  /**
   * Its error.
   *
   * @returns The error; `undefined` where it has a result.
   * @throws {InvalidStateError} When it is still pending.
   * @throws {CancelledError} When it was cancelled.
   */
  exception(): unknown {
    const error = Future.#settledError(this, "exception");
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
    Future.#checkPending(this, "set the result of");
    Future.#settle(this, "finished", value);
  }

  /**
   * Settles it with an error.
   *
   * @param error The error.
   * @throws {InvalidStateError} When it is already settled.
   */
  setException(error: unknown): void {
    Future.#checkPending(this, "set the exception of");
    Future.#settle(this, "failed", error);
  }

  /**
   * Cancels it. The error's stack shows this call where something waits; where
   * nothing does, the error is made once it is asked for.
   *
   * @param reason What to tell the waiting code: a message, any value (found as
   * `reason` on the error), or a {@linkcode CancelledError} to be thrown as it
   * is.
   * @returns False where it was already settled; then nothing happens.
   */
  cancel(reason?: unknown): boolean {
    if (this.#state !== "pending") return false;
    // Debug mode has a stack that shows who cancelled it in any case.
    const unseen = this.#steps === null && this.#kernel.stacks === null &&
      !isCancelledError(reason);
    Future.#settle(
      this,
      "cancelled",
      unseen ? new CancelRequest(reason) : toCancelledError(reason),
    );
    return true;
  }

  /**
   * Calls back once it is settled: with the future, from the loop, never
   * synchronously, in the order in which the callbacks were added.
   *
   * @param callback What to call.
   * @param options The context to call it in.
   * @throws {TypeError} When `callback` is not a function, or `options` not an
   * object or of an unknown name.
   */
  addDoneCallback(
    callback: (future: this) => unknown,
    options: DoneCallbackOptions = NO_OPTIONS,
  ): void {
    checkFunction("add a done callback", "callback", callback);
    if (options !== NO_OPTIONS) {
      checkOptions("add a done callback", options, DONE_CALLBACK_OPTIONS);
    }
    const handle = new ReadyCallback(
      this.#kernel,
      callback,
      [this],
      options.context,
    );
    new Gate(this.#kernel).add(handle);
    (this.#callbacks ??= []).push({ callback, handle });
    Future.#subscribe(this, handle);
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
      Future.#unsubscribe(this, added.handle);
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
    return Future.#promise(this, scope).then(onFulfilled, onRejected);
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
    return Future.#promise(this, enteredScope() ?? this.#kernel.root).finally(
      onFinally,
    );
  }

  /**
   * The future and its state.
   *
   * @returns For example `<Future finished 42>`.
   */
  toString(): string {
    return `<Future ${Future.#stateText(this)}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "Future";
  }

  // Static, because private methods of instances would cost each instance a
  // field, and of these there can be millions.

  /** A native promise of it, waiting in `scope`. */
  static #promise<T>(future: Future<T>, scope: Scope): Promise<T> {
    if (!isAllowed(future, future.#kernel, scope)) {
      return Promise.reject(refusal(future, scope));
    }
    if (future.#state === "pending") return Future.#wait(future, scope);
    const cancelled = takeCancellation(scope);
    if (cancelled !== null) return Promise.reject(cancelled);
    Future.#retrieve(future);
    return future.#state === "finished"
      ? future.#kernel.succeed(scope, future.#value as T)
      : rejectedAtCaller(Future.#outcome(future));
  }

  static #wait<T>(future: Future<T>, scope: Scope): Promise<T> {
    const wait = new FutureWait<T>(scope, future);
    Future.#subscribe(future, wait);
    const cancelled = takeCancellation(scope);
    if (cancelled !== null) wait.cancel(cancelled);
    return wait.promise;
  }

  /** @param isLast Whether the microtask ends with it; see `tryRun`. */
  static #settle(
    future: Future<unknown>,
    state: State,
    value: unknown,
    isLast: boolean = false,
  ): void {
    future.#state = state;
    future.#value = value;
    const steps = future.#steps;
    const retrieved = steps !== null && hasRetriever(steps);
    future.#steps = null;
    // A gathering fails with a child's CancelledError, which is no news.
    if (state === "failed" && !retrieved && !isCancelledError(value)) {
      future.#unretrieved = new Unretrieved(
        future.#kernel,
        future,
        value,
      );
    }
    if (steps === null || future.#kernel.closed) return;
    if (Array.isArray(steps)) {
      for (const step of steps) future.#kernel.push(step);
    } else if (!isLast || !future.#kernel.tryRun(steps)) {
      future.#kernel.push(steps);
    }
  }

  static #subscribe(future: Future<unknown>, step: Runnable): void {
    if (future.#state !== "pending") future.#kernel.push(step);
    else if (future.#steps === null) future.#steps = step;
    else if (Array.isArray(future.#steps)) future.#steps.push(step);
    else future.#steps = [future.#steps, step];
  }

  static #unsubscribe(future: Future<unknown>, step: Runnable): void {
    const steps = future.#steps;
    if (steps === step) future.#steps = null;
    else if (Array.isArray(steps)) {
      const index = steps.indexOf(step);
      if (index >= 0) steps.splice(index, 1);
    }
  }

  static #awaiters(future: Future<unknown>): Set<Future<unknown>> {
    const awaiters = new Set<Future<unknown>>();
    for (const step of [future.#steps ?? []].flat()) {
      for (const each of step.awaiters?.() ?? []) awaiters.add(each);
    }
    return awaiters;
  }

  static #retrieve(future: Future<unknown>): void {
    future.#unretrieved?.dismiss();
    future.#unretrieved = null;
  }

  static #settledError(future: Future<unknown>, what: string): unknown {
    if (future.#state === "pending") {
      throw new InvalidStateError(
        `Cannot get the ${what} as the future is not done: received a call on ${future}`,
      );
    }
    Future.#retrieve(future);
    return future.#state === "finished" ? undefined : Future.#outcome(future);
  }

  /** The result or the error, which is made here where nobody waited for it. */
  static #outcome(future: Future<unknown>): unknown {
    const value = future.#value;
    return future.#state === "cancelled" && value instanceof CancelRequest
      ? future.#value = value.toError()
      : value;
  }

  static #checkPending(future: Future<unknown>, action: string): void {
    if (future.#state === "pending") return;
    throw new InvalidStateError(
      `Cannot ${action} the future as it is already done: received a call on ${future}`,
    );
  }

  static #stateText(future: Future<unknown>): string {
    switch (future.#state) {
      case "finished":
        return `finished ${show(future.#value)}`;
      case "failed":
        return `failed ${showError(future.#value)}`;
      default:
        return future.#state;
    }
  }

  /** Marks the class across copies of this package. */
  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
    inspectByToString(this.prototype);
    internals = {
      kernel: (future) => future.#kernel,
      state: (future) => future.#state,
      stateText: Future.#stateText,
      value: Future.#outcome,
      settle: Future.#settle,
      subscribe: Future.#subscribe,
      unsubscribe: Future.#unsubscribe,
      awaiters: Future.#awaiters,
      retrieve: Future.#retrieve,
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
  readonly #findAwaiters: (() => Iterable<Future<unknown>>) | null;

  /**
   * @param retrieves Whether the callback takes care of the future's error.
   * @param findAwaiters For the call graph: who awaits the future by this.
   */
  constructor(
    future: Future<T>,
    callback: (future: Future<T>) => void,
    retrieves: boolean,
    findAwaiters: (() => Iterable<Future<unknown>>) | null = null,
  ) {
    this.#future = future;
    this.#callback = callback;
    this.#findAwaiters = findAwaiters;
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

  awaiters(): Iterable<Future<unknown>> {
    return this.#findAwaiters?.() ?? [];
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

/** Waits whose future is just being asked to cancel. */
const requesting = new Set<unknown>();

/**
 * Waiting for a future. Its cancellation is a request to the future, whose own
 * outcome then settles the wait: so a task that declines to be cancelled gives
 * its value.
 */
class FutureWait<T> extends Wait<T> implements Retriever {
  declare readonly future: Future<T>;

  constructor(scope: Scope, future: Future<T>) {
    super(scope, futureSource);
    this.future = future;
    this.started();
  }

  get retrieves(): boolean {
    return true;
  }

  override cancel(error: CancelledError): boolean {
    // Tasks that await each other: the request has come round, and ends here.
    if (requesting.has(this)) return super.cancel(error);
    requesting.add(this);
    const isTaken = this.future.cancel(error);
    requesting.delete(this);
    return isTaken || super.cancel(error);
  }

  awaiters(): Iterable<Future<unknown>> {
    return this.task === null ? [] : [this.task];
  }

  protected override take(): void {
    const future = this.future;
    internals.retrieve(future);
    const value = internals.value(future);
    if (internals.state(future) === "finished") this.finish(value as T);
    else this.throwIn(value);
  }
}

const futureSource: WaitSource = {
  abandon(wait) {
    const { future } = wait as unknown as FutureWait<unknown>;
    internals.unsubscribe(future, wait);
  },
  describe: (wait) => String((wait as unknown as FutureWait<unknown>).future),
};

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

/**
 * What a future was cancelled with. Its error is made only once somebody asks:
 * most that are cancelled while nobody waits are never looked at again, and an
 * error is dear for its stack.
 */
class CancelRequest {
  readonly #reason: unknown;
  readonly #by: string | undefined;

  constructor(reason: unknown) {
    this.#reason = reason;
    this.#by = nameOfRunning();
  }

  toError(): CancelledError {
    const reason = this.#reason;
    return new CancelledError(messageOf(reason), { reason, by: this.#by });
  }
}

/** The error to cancel with: given as it is, or made of a message or a reason. */
export function toCancelledError(reason: unknown): CancelledError {
  if (isCancelledError(reason)) return reason;
  const by = nameOfRunning();
  return new CancelledError(messageOf(reason), { reason, by });
}

function messageOf(reason: unknown): string | undefined {
  return typeof reason === "string" ? reason : undefined;
}

function nameOfRunning(): string | undefined {
  return enteredScope()?.task?.name;
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
