import { refusedNew } from "../_internal/made_by.ts";
import { atCaller, rejectedAtCaller } from "../_internal/caller_frame.ts";
import { checkFunction, checkNotAsync } from "../_internal/check.ts";
import { errorLine } from "../_internal/error_text.ts";
import { brandFutures, hasFutureBrand } from "./brand.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import {
  type CancelledError,
  InvalidStateError,
  isCancelledError,
} from "../errors.ts";
import { type Context, givenContext } from "./context.ts";
import {
  CancelRequest,
  toCancelledError,
  UnmadeError,
} from "./cancel_request.ts";
import { callFromLoop } from "./entered.ts";
import type { EventLoop } from "./event_loop.ts";
import { Gate } from "./gate.ts";
import { scopeIn } from "./guest_scope.ts";
import { ReadyCallback } from "./handle.ts";
import type { LoopKernel } from "./kernel.ts";
import { type Forwarder, requests } from "./requests.ts";
import {
  forgetCancellation,
  interruption,
  reportThrown,
  type Scope,
} from "./scope.ts";
import {
  addStep,
  eachStep,
  isOneStep,
  removeStep,
  type Steps,
} from "./steps.ts";
import type { Runnable } from "./types.ts";
import { Unretrieved } from "./unretrieved.ts";
import { type Blockers, blockers, Wait, type WaitSource } from "./wait.ts";

type State = "pending" | "finished" | "failed" | "cancelled";

/** What settles a future, where it wants to know whether anyone waits for it. */
export interface Origin {
  /** Someone waits for it, where no one did. */
  awaited(future: Future<unknown>): void;
  /** No one waits for it any more, or it is done. */
  left(future: Future<unknown>): void;
}

/** Options of {@linkcode Future.addDoneCallback}. */
export interface DoneCallbackOptions {
  /** The context to call it in; by default a copy of the current one. */
  context?: Context | undefined;
}

const DONE_CALLBACK_OPTIONS = new OptionNames<DoneCallbackOptions>({
  context: true,
});

const NO_OPTIONS: DoneCallbackOptions = Object.freeze({});

/** What the library itself may do with any future. */
export interface FutureInternals {
  kernel(future: Future<unknown>): LoopKernel;
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
  /** Tells what will settle a pending future. */
  setOrigin(future: Future<unknown>, origin: Origin): void;
  /** Runs `step` from the ready queue once the future is done. */
  subscribe(future: Future<unknown>, step: Runnable): void;
  unsubscribe(future: Future<unknown>, step: Runnable): void;
  /**
   * For the call graph: who awaits it.
   *
   * @param shortcuts For who asks about many: one map for all.
   */
  awaiters(
    future: Future<unknown>,
    shortcuts?: Map<Future<unknown>, Future<unknown>>,
  ): Set<Future<unknown>>;
  /** Someone has taken the error: it need not be reported. */
  retrieve(future: Future<unknown>): void;
  /** Whether it has no error that is still to be reported. */
  isRetrieved(future: Future<unknown>): boolean;
}

let internals: FutureInternals;
export { internals as futureInternals };

/**
 * A value that is not there yet. Unlike a promise it has a state to look at, it
 * can be cancelled, and whoever holds it can settle it. Awaiting one is a
 * point where the awaiting task can be cancelled; the cancellation then goes on
 * to the future, as asyncio does it (see `shield`).
 *
 * Made by `loop.createFuture()`. Equivalent of `asyncio.Future`.
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
  readonly #kernel: LoopKernel;
  #state: State = "pending";
  /**
   * The result, the error, or the CancelledError (or its request), by state;
   * while it is pending, its origin, if it has one.
   */
  #value: unknown = undefined;
  /** They run once it is done. */
  #steps: Steps = null;
  #unretrieved: Unretrieved | null = null;

  /**
   * Made by `loop.createFuture()`.
   *
   * @internal
   * @ignore
   */
  constructor(kernel: LoopKernel) {
    if (kernel?.pushCode === undefined) {
      throw refusedNew(
        "a future or a task",
        "it belongs to a loop",
        "loop.createFuture() or createTask()",
      );
    }
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
   * @throws Its error, if it failed.
   */
  result(): T {
    const error = Future.#settledError(this, "result");
    if (this.#state === "finished") return this.#value as T;
    throw atCaller(error);
  }

  /**
   * Its error.
   *
   * @returns The error; `undefined` if it has a result.
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
   * Cancels it. The error's stack shows this call where something waits; if
   * nothing does, the error is made once it is asked for.
   *
   * @param reason What to tell the waiting code: a message, any value (found as
   * `reason` on the error), or a {@linkcode CancelledError} to be thrown as it
   * is.
   * @returns False if it was already settled; then its error, if it has one,
   * is no longer reported as never retrieved.
   */
  cancel(reason?: unknown): boolean {
    if (this.#state !== "pending") {
      Future.#retrieve(this);
      return false;
    }
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
   * synchronously, in the order in which the callbacks were added. What the
   * callback throws goes to the exception handler; what an `async` one throws does
   * not, as nobody looks at its promise: start a task in the callback instead.
   *
   * @param callback What to call.
   * @param options The context to call it in.
   * @throws {TypeError} When `callback` is not a function, or, in debug mode, is
   * an `async` one; when `options` is not an object or of an unknown name.
   */
  addDoneCallback(
    callback: (future: this) => unknown,
    options: DoneCallbackOptions = NO_OPTIONS,
  ): void {
    const action = "add a done callback";
    checkFunction(action, "callback", callback);
    // In debug mode, as callSoon does.
    if (this.#kernel.stacks !== null) {
      checkNotAsync(action, "callback", callback);
    }
    if (options !== NO_OPTIONS) {
      checkOptions(action, options, DONE_CALLBACK_OPTIONS);
    }
    const context = givenContext(action, options.context);
    Future.#subscribe(
      this,
      new DoneCallback(this.#kernel, callback, this, context),
    );
  }

  /**
   * Takes a callback back, as long as the future is pending. Once it is settled
   * its callbacks are on their way.
   *
   * @param callback What was given to {@linkcode Future.addDoneCallback}.
   * @returns How often it was taken back.
   */
  removeDoneCallback(callback: (future: this) => unknown): number {
    let removed = 0;
    for (const step of [...eachStep(this.#steps)]) {
      if (!(step instanceof DoneCallback) || step.callback !== callback) {
        continue;
      }
      removed++;
      step.cancel();
      Future.#unsubscribe(this, step);
    }
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
   * can be cancelled. It fails with an `InvalidStateError` in a task of another
   * loop, and if the future is pending and its loop is closed.
   *
   * @param onFulfilled Called with the result.
   * @param onRejected Called with the error.
   * @returns A promise of what the called function returns.
   */
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((error: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    const scope = scopeIn(this.#kernel);
    return Future.#promise(this, scope).then(onFulfilled, onRejected);
  }

  /**
   * Waits for it and handles its error. The current task can be cancelled there,
   * as in {@linkcode Future.then}.
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
   * Waits for it and calls back in any case. The current task can be cancelled
   * there, as in {@linkcode Future.then}.
   *
   * @param onFinally Called without arguments.
   * @returns A promise of the result.
   */
  finally(onFinally?: (() => void) | null): Promise<T> {
    return Future.#promise(this, scopeIn(this.#kernel)).finally(onFinally);
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
    if (future.#state === "pending") {
      const kernel = future.#kernel;
      // Its loop has no turns any more in which anyone would hear of the end.
      return kernel.closed
        ? Promise.reject(kernel.closedError("await a future"))
        : Future.#wait(future, scope);
    }
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    Future.#retrieve(future);
    return future.#state === "finished"
      ? future.#kernel.succeed(scope, future.#value as T)
      : rejectedAtCaller(Future.#outcome(future));
  }

  static #wait<T>(future: Future<T>, scope: Scope): Promise<T> {
    const wait = new FutureWait<T>(scope, future);
    Future.#subscribe(future, wait);
    const cancelled = forgetCancellation(scope);
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
    const origin = future.#value as Origin | undefined;
    future.#state = state;
    future.#value = value;
    if (origin !== undefined) origin.left(future);
    const steps = future.#steps;
    future.#steps = null;
    // A gathering fails with a child's CancelledError, which is no news.
    if (
      state === "failed" && !isCancelledError(value) &&
      (steps === null || !hasRetriever(steps))
    ) {
      future.#unretrieved = new Unretrieved(
        future.#kernel,
        future,
        value,
      );
    }
    if (steps === null || future.#kernel.closed) return;
    const { hooks } = future.#kernel;
    if (hooks !== null) hooks.futureDone(future, eachStep(steps));
    if (!isOneStep(steps)) {
      for (const step of steps) future.#kernel.push(step);
    } else if (!isLast || !future.#kernel.tryRun(steps)) {
      future.#kernel.push(steps);
    }
  }

  static #subscribe(future: Future<unknown>, step: Runnable): void {
    if (future.#state !== "pending") return future.#kernel.push(step);
    const isFirst = future.#steps === null;
    future.#steps = addStep(future.#steps, step);
    // The origin; see #value.
    if (isFirst && future.#value !== undefined) {
      (future.#value as Origin).awaited(future);
    }
  }

  static #unsubscribe(future: Future<unknown>, step: Runnable): void {
    if (future.#steps === null) return;
    future.#steps = removeStep(future.#steps, step);
    if (future.#steps === null && future.#value !== undefined) {
      (future.#value as Origin).left(future);
    }
  }

  static #awaiters(
    future: Future<unknown>,
    shortcuts: Map<Future<unknown>, Future<unknown>> = new Map(),
  ): Set<Future<unknown>> {
    const awaiters = new Set<Future<unknown>>();
    const settled = new Set([Future.#lastSettled(future, shortcuts)]);
    // What is added to the set on the way is looked at as well.
    for (const each of settled) {
      for (const step of eachStep(each.#steps)) {
        if (step.settles) {
          settled.add(Future.#lastSettled(step.settles, shortcuts));
        } else for (const one of step.awaiters?.() ?? []) awaiters.add(one);
      }
    }
    return awaiters;
  }

  /** Where there is but one step at the end of each: the last that is settled. */
  static #lastSettled(
    future: Future<unknown>,
    shortcuts: Map<Future<unknown>, Future<unknown>>,
  ): Future<unknown> {
    const way: Future<unknown>[] = [];
    let last = future;
    while (true) {
      const steps = last.#steps;
      const next = shortcuts.get(last) ??
        (isOneStep(steps) ? steps.settles : null);
      if (!next) break;
      way.push(last);
      last = next;
    }
    for (const each of way) shortcuts.set(each, last);
    return last;
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

  /** The result or the error, which is made here if nobody waited for it. */
  static #outcome(future: Future<unknown>): unknown {
    const value = future.#value;
    return future.#state === "cancelled" && value instanceof UnmadeError
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
        return `failed ${errorLine(future.#value)}`;
      default:
        return future.#state;
    }
  }

  /** Marks the class across copies of this package. */
  static {
    brandFutures(this.prototype);
    inspectByToString(this.prototype);
    internals = {
      kernel: (future) => future.#kernel,
      state: (future) => future.#state,
      stateText: Future.#stateText,
      value: Future.#outcome,
      settle: Future.#settle,
      setOrigin: (future, origin) => {
        future.#value = origin;
      },
      subscribe: Future.#subscribe,
      unsubscribe: Future.#unsubscribe,
      awaiters: Future.#awaiters,
      retrieve: Future.#retrieve,
      isRetrieved: (future) => future.#unretrieved === null,
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
  readonly settles: Future<unknown> | null;

  /**
   * @param retrieves Whether the callback takes care of the future's error.
   * @param findAwaiters For the call graph: who awaits the future by this; a
   * future that it settles, whose awaiters these are.
   */
  constructor(
    future: Future<T>,
    callback: (future: Future<T>) => void,
    retrieves: boolean,
    findAwaiters:
      | (() => Iterable<Future<unknown>>)
      | Future<unknown>
      | null = null,
  ) {
    this.#future = future;
    this.#callback = callback;
    const isFound = typeof findAwaiters === "function";
    this.#findAwaiters = isFound ? findAwaiters : null;
    this.settles = isFound ? null : findAwaiters;
    this.retrieves = retrieves;
    internals.subscribe(future, this);
  }

  /** Calls it off. */
  unsubscribe(): void {
    internals.unsubscribe(this.#future, this);
  }

  run(): void {
    const future = this.#future;
    if (this.retrieves) internals.retrieve(future);
    const kernel = internals.kernel(future);
    const { hooks } = kernel;
    if (hooks === null) callFromLoop(kernel, this.#callback, future);
    else {
      hooks.atEndOf(
        future,
        () => callFromLoop(kernel, this.#callback, future),
      );
    }
  }

  awaiters(): Iterable<Future<unknown>> {
    return this.#findAwaiters?.() ?? [];
  }

  describe(): string {
    return `the end of ${this.#future}`;
  }
}

/** A callback of the user. */
class DoneCallback extends ReadyCallback {
  declare readonly callback: (future: never) => unknown;

  constructor(
    kernel: LoopKernel,
    callback: (future: never) => unknown,
    future: Future<unknown>,
    context: Context | undefined,
  ) {
    super(kernel, callback, [future], context);
    this.callback = callback;
    new Gate(kernel).add(this);
  }
}

function hasRetriever(steps: Steps): boolean {
  if (isOneStep(steps)) return retrieves(steps);
  for (const step of eachStep(steps)) if (retrieves(step)) return true;
  return false;
}

function retrieves(step: Runnable): boolean {
  return (step as Partial<Retriever>).retrieves === true;
}

/**
 * Waiting for a future. Its cancellation is a request to the future, whose own
 * outcome then settles the wait: so a task that declines to be cancelled gives
 * its value.
 */
class FutureWait<T> extends Wait<T> implements Retriever, Forwarder {
  declare readonly future: Future<T>;

  constructor(scope: Scope, future: Future<T>) {
    super(scope, futureSource);
    this.future = future;
    this.started();
  }

  get retrieves(): boolean {
    return true;
  }

  override isReady(): boolean {
    return super.isReady() || this.future.done();
  }

  override cancel(error: CancelledError): boolean {
    return requests.forward(this, error);
  }

  giveUp(error: CancelledError): boolean {
    return super.cancel(error);
  }

  report(thrown: unknown): void {
    reportThrown(this, thrown);
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

/** What a wait waits for, if that is a future. */
export function awaitedFuture(wait: Wait<unknown>): Future<unknown> | null {
  return wait instanceof FutureWait ? wait.future : null;
}

const futureSource: WaitSource = {
  abandon(wait) {
    const { future } = wait as unknown as FutureWait<unknown>;
    internals.unsubscribe(future, wait);
  },
  describe: (wait) => String((wait as unknown as FutureWait<unknown>).future),
  blockers(wait) {
    const { future } = wait as unknown as FutureWait<unknown>;
    const knowing = future as { [blockers]?(): Blockers };
    return knowing[blockers]?.() ?? null;
  },
};

function isAllowed(
  future: Future<unknown>,
  kernel: LoopKernel,
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
 * Whether `value` is a future or a task, of this or of another copy of this
 * package. Equivalent of `asyncio.isfuture`.
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
  return hasFutureBrand(value);
}

/** Whether it is one of this copy; what another copy made is a thenable here. */
export function isOwnFuture(value: unknown): value is Future<unknown> {
  return hasFutureBrand(value) && value instanceof Future;
}
