/**
 * Futures of promises. A promise keeps its reactions until it is settled, and
 * none can be taken back; so it gets one from us, however often it is waited
 * for, and what waits no longer is let go of.
 */
import { isThenable, react } from "../_internal/check.ts";
import { show } from "../_internal/show.ts";
import { isCancelledError } from "../errors.ts";
import { Future, futureInternals, type Origin } from "./future.ts";
import type { LoopKernel } from "./kernel.ts";

/** A future of a promise: the promise goes on, but waiting for it can end. */
export function futureOf<T>(
  promise: PromiseLike<T>,
  kernel: LoopKernel,
): Future<T> {
  if (!isThenable(promise)) {
    throw new TypeError(
      `Cannot wait for a value as it must be a promise, a future or a function: received ${
        show(promise)
      }`,
    );
  }
  const followers = left.get(promise) ?? new Followers(promise);
  return followers.add(kernel) as Future<T>;
}

/**
 * Promises that someone has ceased to wait for: their reaction is still there.
 * Most are waited for once, to their end, and never come in here.
 */
const left = new WeakMap<PromiseLike<unknown>, Followers>();

/** Lists of dead references no longer than this are not looked through. */
const FEW = 16;

/** The futures that one reaction to a promise settles. */
class Followers implements Origin {
  readonly #promise: PromiseLike<unknown>;
  /** Mostly there is one. It is held, so that an error finds a future. */
  #first: Future<unknown> | null = null;
  /** The others, in their order. */
  #others: WeakRef<Future<unknown>>[] | null = null;
  #sweepAt = FEW;
  /** Those of the others that someone waits for, who is not to wait in vain. */
  #awaited: Set<Future<unknown>> | null = null;
  #isSettled = false;
  #isListed = false;

  constructor(promise: PromiseLike<unknown>) {
    this.#promise = promise;
    react(
      promise,
      (value) => this.#settle("finished", value),
      (error) => this.#settle("failed", error),
    );
  }

  add(kernel: LoopKernel): Future<unknown> {
    const future = new Future<unknown>(kernel);
    futureInternals.setOrigin(future, this);
    if (this.#first === null && this.#others === null) this.#first = future;
    else this.#addOther(future);
    return future;
  }

  awaited(future: Future<unknown>): void {
    if (future !== this.#first) (this.#awaited ??= new Set()).add(future);
  }

  left(future: Future<unknown>): void {
    this.#awaited?.delete(future);
    if (future === this.#first && future.done()) this.#first = null;
    if (!this.#isSettled && !left.has(this.#promise)) {
      left.set(this.#promise, this);
      this.#isListed = true;
    }
  }

  #addOther(future: Future<unknown>): void {
    let others = this.#others ?? [];
    if (others.length >= this.#sweepAt) {
      others = others.filter((each) => each.deref()?.done() === false);
      this.#sweepAt = Math.max(FEW, others.length * 2);
    }
    others.push(new WeakRef(future));
    this.#others = others;
  }

  #settle(state: "finished" | "failed", value: unknown): void {
    this.#isSettled = true;
    if (this.#isListed) left.delete(this.#promise);
    if (this.#others === null) {
      if (this.#first !== null) end(this.#first, state, value);
      return;
    }
    const futures = this.#pending(this.#others);
    for (const future of futures) end(future, state, value);
    // They have one error: it is taken by one of them, or reported for one.
    const spared = futures.some(futureInternals.isRetrieved) ? 0 : 1;
    for (const future of futures.slice(spared)) {
      futureInternals.retrieve(future);
    }
  }

  #pending(others: WeakRef<Future<unknown>>[]): Future<unknown>[] {
    const futures = [this.#first, ...others.map((each) => each.deref())];
    return futures.filter((each) => each?.done() === false) as Future<
      unknown
    >[];
  }
}

function end(
  future: Future<unknown>,
  state: "finished" | "failed",
  value: unknown,
): void {
  if (state === "failed" && isCancelledError(value)) future.cancel(value);
  else futureInternals.settle(future, state, value);
}
