/**
 * The way of a request to cancel: from a task to the one it awaits, to the one
 * which that one awaits, and so on.
 *
 * A chain may be longer than the stack is deep, and one task may be reached in
 * ever so many ways. So the first steps of a request are plain calls; further
 * down it works through a list; and after many steps it asks each future once.
 */
import type { CancelledError } from "../errors.ts";
import type { Future } from "./future.ts";

/** How many calls are nested, of some five frames each. */
const DEEPEST = 64;

/**
 * Steps after which a request leaves out whom it has asked. Until then each is
 * asked, and counts it, as often as it is reached: that is asyncio's way.
 */
const MANY = 1000;

/** A wait for a future, which hands a request on to it. */
export interface Forwarder {
  readonly future: Future<unknown>;
  /**
   * The future did not take the request: the wait itself is cancelled.
   *
   * @returns See `Wait.cancel`.
   */
  giveUp(error: CancelledError): boolean;
  /** The future threw when it was asked. */
  report(thrown: unknown): void;
}

/** A step down that is still to be made, or the way back from one. */
interface Step {
  readonly wait: Forwarder;
  readonly error: CancelledError;
  readonly isBack: boolean;
}

class Requests {
  /** The waits between the first that was asked and the present one. */
  readonly #way = new Set<Forwarder>();
  /** Below {@linkcode DEEPEST}: the steps down from the present one. */
  #stepsDown: Step[] | null = null;
  #count = 0;
  #asked: Set<Future<unknown>> | null = null;
  #isOne = false;

  /**
   * Hands a request that came to `wait` on to the future it waits for.
   *
   * @returns See `Wait.cancel`.
   */
  forward(wait: Forwarder, error: CancelledError): boolean {
    // Tasks that await each other: the request has come round, and ends here.
    if (this.#way.has(wait)) return wait.giveUp(error);
    if (this.#way.size < DEEPEST) return this.#call(wait, error);
    if (this.#stepsDown === null) this.#workThrough(wait, error);
    else this.#stepsDown.push({ wait, error, isBack: false });
    return true;
  }

  /** Asks `future`, unless it was; tells whether it takes the request. */
  ask(future: Future<unknown>, reason: unknown): boolean {
    if (this.hasAsked(future)) return true;
    try {
      const isTaken = future.cancel(reason);
      if (isTaken) this.took(future);
      return isTaken;
    } finally {
      this.#endIfDone();
    }
  }

  /** A step to `future`: whether it is one too many. */
  hasAsked(future: Future<unknown>): boolean {
    if (++this.#count <= MANY) return false;
    this.#asked ??= new Set();
    return this.#asked.has(future) && !future.done();
  }

  /** `future` has taken the request. */
  took(future: Future<unknown>): void {
    this.#asked?.add(future);
  }

  /** What `fn` asks for is one request. */
  asOne(fn: () => void): void {
    const isPart = this.#isOne;
    this.#isOne = true;
    try {
      fn();
    } finally {
      this.#isOne = isPart;
      this.#endIfDone();
    }
  }

  #call(wait: Forwarder, error: CancelledError): boolean {
    this.#way.add(wait);
    try {
      return this.#handOn(wait, error);
    } finally {
      this.#way.delete(wait);
      this.#endIfDone();
    }
  }

  #workThrough(first: Forwarder, error: CancelledError): void {
    const steps: Step[] = [{ wait: first, error, isBack: false }];
    try {
      for (let step = steps.pop(); step !== undefined; step = steps.pop()) {
        if (step.isBack) this.#way.delete(step.wait);
        else this.#stepDown(step, steps);
      }
    } finally {
      this.#stepsDown = null;
      for (const { wait, isBack } of steps) if (isBack) this.#way.delete(wait);
    }
  }

  #stepDown(step: Step, steps: Step[]): void {
    const { wait, error } = step;
    if (this.#way.has(wait)) {
      wait.giveUp(error);
      return;
    }
    this.#way.add(wait);
    steps.push({ ...step, isBack: true });
    const down: Step[] = this.#stepsDown = [];
    this.#handOn(wait, error);
    for (let i = down.length - 1; i >= 0; i--) steps.push(down[i]!);
  }

  #handOn(wait: Forwarder, error: CancelledError): boolean {
    let isTaken = false;
    try {
      isTaken = this.ask(wait.future, error);
    } catch (thrown) {
      wait.report(thrown);
    }
    return isTaken || wait.giveUp(error);
  }

  #endIfDone(): void {
    if (this.#isOne || this.#way.size > 0) return;
    this.#count = 0;
    this.#asked = null;
  }
}

/** The request that is on its way. */
export const requests: Requests = new Requests();
