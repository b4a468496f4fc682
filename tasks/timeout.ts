import { checkDelay, checkFunction } from "../_internal/check.ts";
import { isError } from "../_internal/error_text.ts";
import { read, tryToDefine } from "../_internal/show.ts";
import { CancelledError, InvalidStateError, TimeoutError } from "../errors.ts";
import { asCancellation } from "../loop/cancel_request.ts";
import { currentScope } from "../loop/current.ts";
import type { Kernel } from "../loop/kernel.ts";
import type { Timer } from "../loop/timer_heap.ts";
import { afterTurns, type Scope, Surroundings } from "../loop/scope.ts";
import type { Runnable } from "../loop/types.ts";
import { runBlock } from "./_block.ts";
import { LimitedScope, timeoutsAround } from "./_deadlines.ts";
import { timeIsOver } from "./_late.ts";

// Set by the class below: what this file may do with its private parts.
let start: (deadline: Timeout, now: number) => void;
let strike: (deadline: Timeout) => void;
/** Ends the block as if its time were over, if it has not ended. */
export let strikeNow: (deadline: Timeout) => void;
let isWaiting: (deadline: Timeout) => boolean;
let finish: (deadline: Timeout) => void;
let cancellationOf: (deadline: Timeout) => CancelledError | null;
let whenActive: (deadline: Timeout) => number | null;
let scopeOf: (deadline: Timeout) => Scope;

type TimeoutState = "created" | "active" | "expired" | "finished";

/**
 * The deadline of a running `timeout` block: to look at and to move. Equivalent
 * of `asyncio.Timeout`.
 *
 * @example More time, while there is progress
 * ```ts
 * import { getEventLoop, sleep, timeout } from "@asyncio/asyncio";
 * import { assertFalse } from "@std/assert";
 *
 * await timeout(1000, async (deadline) => {
 *   deadline.reschedule(getEventLoop().time() + 2000);
 *   await sleep(1);
 *   assertFalse(deadline.expired());
 * });
 * ```
 */
export class Timeout {
  readonly #scope: Scope;
  #when: number | null;
  /** When its time began; null while it has no end. */
  #since: number | null = null;
  #state: TimeoutState = "created";
  #alarm: Deadline | null = null;
  #error: CancelledError | null = null;

  /**
   * Made by `timeout`.
   *
   * @internal
   * @ignore
   */
  constructor(scope: Scope, when: number | null) {
    this.#scope = scope;
    this.#when = when;
  }

  /**
   * When the block's time is over.
   *
   * @returns Milliseconds on the scale of `loop.time()`; `null` for never.
   */
  when(): number | null {
    return this.#when;
  }

  /**
   * Moves the deadline. One that has passed takes effect in the loop's next
   * iteration.
   *
   * @param when The new one, in milliseconds on the scale of `loop.time()`;
   * `null` for none.
   * @throws {RangeError} When `when` is NaN.
   * @throws {InvalidStateError} When the block has ended or its time is over.
   */
  reschedule(when: number | null): void {
    if (when !== null) checkDelay("reschedule a timeout", "when", when);
    if (this.#state !== "active") {
      throw new InvalidStateError(
        `Cannot reschedule a timeout as it is not active: received a call on ${this}`,
      );
    }
    this.#disarm();
    this.#when = when;
    const now = this.#scope.kernel.now();
    this.#since ??= now;
    this.#arm(now);
  }

  /**
   * Whether the time was over before the block ended.
   *
   * @returns True from that moment on.
   */
  expired(): boolean {
    return this.#error !== null;
  }

  /**
   * The timeout and its state.
   *
   * @returns For example `<Timeout active when=1234.5>`.
   */
  toString(): string {
    const when = this.#state === "active" ? ` when=${this.#when}` : "";
    return `<Timeout ${this.#state}${when}>`;
  }

  #arm(now: number): void {
    if (this.#when === null) return;
    this.#alarm = new Deadline(this.#scope.kernel, this.#when, now, this);
  }

  #disarm(): void {
    this.#alarm?.disarm();
    this.#alarm = null;
  }

  #expire(): CancelledError {
    this.#alarm = null;
    this.#state = "expired";
    this.#error = new CancelledError(this.#timeIsOver(), {
      by: this.#scope.task?.name,
    });
    return this.#error;
  }

  #timeIsOver(): string {
    return timeIsOver(this.#when! - this.#since!);
  }

  #start(now: number): void {
    this.#state = "active";
    if (this.#when !== null) this.#since = now;
    this.#arm(now);
  }

  #finish(): void {
    this.#disarm();
    if (this.#state === "active") this.#state = "finished";
  }

  static {
    start = (deadline, now) => deadline.#start(now);
    strike = (deadline) => deadline.#scope.cancel(deadline.#expire(), "timer");
    strikeNow = (deadline) => {
      if (deadline.#state !== "active") return;
      deadline.#disarm();
      strike(deadline);
    };
    isWaiting = (deadline) => deadline.#scope.isWaiting();
    finish = (deadline) => deadline.#finish();
    cancellationOf = (deadline) => deadline.#error;
    whenActive = (deadline) =>
      deadline.#state === "active" ? deadline.#when : null;
    scopeOf = (deadline) => deadline.#scope;
  }
}

/**
 * The timer of a timeout: a step of the loop.
 *
 * A deadline that has passed when it is set strikes at the first wait of the
 * block that has to wait: what is there already is given, and a block that never
 * waits ends as if it had no deadline. So it looks for such a wait in each
 * iteration for a while. After a turn of the host, code without one awaits a
 * promise that is not the library's.
 */
class Deadline implements Runnable, Timer {
  readonly runsCode = true;
  readonly deadline: number;
  readonly order: number;
  heapIndex = -1;
  readonly #kernel: Kernel;
  #timeout: Timeout | null;
  #looks: number;

  constructor(kernel: Kernel, deadline: number, now: number, timeout: Timeout) {
    this.#kernel = kernel;
    this.deadline = deadline;
    this.order = kernel.nextTimerOrder();
    this.#timeout = timeout;
    const isPast = deadline <= now;
    this.#looks = isPast ? LOOKS : 0;
    if (isPast) kernel.push(this);
    else kernel.addTimer(this);
  }

  get scope(): Scope | null {
    return this.#timeout === null ? null : scopeOf(this.#timeout);
  }

  disarm(): void {
    this.#timeout = null;
    this.#kernel.removeTimer(this);
  }

  due(): void {
    this.#kernel.push(this);
  }

  get mayComeLater(): boolean {
    return this.#timeout !== null && this.#looks === 0;
  }

  run(): void {
    const timeout = this.#timeout;
    if (timeout === null) return;
    if (this.#looks === 0 || isWaiting(timeout)) return strike(timeout);
    if (--this.#looks > 0) this.#kernel.push(this);
    else afterTurns(this.#kernel, 1, () => this.run());
  }

  describe(): string {
    return "the end of a timeout";
  }
}

/** How many iterations code needs at most for what it can have without waiting. */
const LOOKS = 64;

/**
 * Runs `fn` with a deadline. When it passes, what `fn` is waiting for is
 * cancelled, its `finally` blocks run, and then a {@linkcode TimeoutError} is
 * thrown. Equivalent of `async with asyncio.timeout()`.
 *
 * The block runs in the current task (`currentTask()` is the same), and several
 * may run in one task side by side: each cancels only what is inside of it.
 *
 * Only library operations, and what was given `cancelSignal()`, can be
 * interrupted. A promise of something else is waited for to its end.
 *
 * @typeParam T What `fn` returns.
 *
 * @example Giving up on slow work
 * ```ts
 * import { sleep, timeout, TimeoutError } from "@asyncio/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(() => timeout(5, () => sleep(60_000)), TimeoutError);
 * ```
 *
 * @param ms How long `fn` may take, in milliseconds; `null` for as long as it
 * wants. At 0 or less, its first wait is its last.
 * @param fn The block. It is given the deadline, to look at and to move.
 * @returns What `fn` returns.
 * @throws {TimeoutError} When the time is over; its `cause` is the
 * {@linkcode CancelledError} that `fn` saw.
 * @throws {CancelledError} When the task is cancelled, even if the time is
 * over as well.
 * @throws {TypeError} When `ms` is no number or `fn` no function.
 * @throws {RangeError} When `ms` is NaN.
 */
export function timeout<T>(
  ms: number | null,
  fn: (deadline: Timeout) => PromiseLike<T> | T,
): Promise<T> {
  return runLimited(TIMEOUT, ms, fn) as Promise<T>;
}

/**
 * Runs `fn` with a deadline given as a time; otherwise the same as
 * {@linkcode timeout}. Equivalent of `asyncio.timeout_at`.
 *
 * @typeParam T What `fn` returns.
 *
 * @example One deadline for two steps
 * ```ts
 * import { getEventLoop, sleep, timeoutAt } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const deadline = getEventLoop().time() + 1000;
 * await timeoutAt(deadline, () => sleep(1));
 * assertEquals(await timeoutAt(deadline, () => sleep(1, "both")), "both");
 * ```
 *
 * @param when The deadline, in milliseconds on the scale of `loop.time()`;
 * `null` for none.
 * @param fn The block.
 * @returns What `fn` returns.
 * @throws {TimeoutError} When the time is over.
 * @throws {CancelledError} When the task is cancelled.
 * @throws {TypeError} When `when` is no number or `fn` no function.
 * @throws {RangeError} When `when` is NaN.
 */
export function timeoutAt<T>(
  when: number | null,
  fn: (deadline: Timeout) => PromiseLike<T> | T,
): Promise<T> {
  return runLimited(TIMEOUT_AT, when, fn) as Promise<T>;
}

/**
 * Runs `fn` with a deadline that ends it quietly. Equivalent of trio's
 * `move_on_after`.
 *
 * @typeParam T What `fn` returns.
 *
 * @example What is there within the time
 * ```ts
 * import { moveOnAfter, sleep } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await moveOnAfter(5, () => sleep(60_000, "late")), undefined);
 * assertEquals(await moveOnAfter(1000, () => sleep(1, "here")), "here");
 * ```
 *
 * @param ms How long `fn` may take, in milliseconds; `null` for as long as it
 * wants.
 * @param fn The block.
 * @returns What `fn` returns, also if it caught its cancellation and went on;
 * `undefined` if the time was over before.
 * @throws {CancelledError} When the task is cancelled.
 * @throws {TypeError} When `ms` is no number or `fn` no function.
 * @throws {RangeError} When `ms` is NaN.
 */
export function moveOnAfter<T>(
  ms: number | null,
  fn: (deadline: Timeout) => PromiseLike<T> | T,
): Promise<T | undefined> {
  return runLimited(MOVE_ON, ms, fn);
}

/**
 * The nearest deadline that the running code is under: the earliest of the
 * `timeout`, `timeoutAt` and `moveOnAfter` blocks around it, to be passed on to
 * whoever does the work. Equivalent of trio's `current_effective_deadline`.
 *
 * Tasks of a `taskGroup`, functions given to `gather`, and what `pooledMap` works
 * on are under the deadlines of where these were called. A task of `createTask`
 * goes on when a block around it ends, and has but its own; a shielded region as
 * well.
 *
 * @example Telling the other side how long the answer is waited for
 * ```ts
 * import { currentDeadline, getRunningLoop, timeout } from "@asyncio/asyncio";
 * import { runVirtual } from "@asyncio/asyncio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * function headers(): Record<string, string> {
 *   const deadline = currentDeadline();
 *   if (deadline === null) return {};
 *   return { "x-timeout-ms": `${deadline - getRunningLoop().time()}` };
 * }
 *
 * await runVirtual(async () => {
 *   assertEquals(headers(), {});
 *   const inside = await timeout(500, () => timeout(2000, headers));
 *   assertEquals(inside, { "x-timeout-ms": "500" });
 * });
 * ```
 *
 * @returns The deadline, in milliseconds on the scale of `loop.time()`; `null`
 * if there is none.
 */
export function currentDeadline(): number | null {
  let nearest: number | null = null;
  for (const timeout of timeoutsAround(currentScope())) {
    const when = whenActive(timeout);
    if (when !== null && (nearest === null || when < nearest)) nearest = when;
  }
  return nearest;
}

/** A way to limit a block, of which there are three. */
interface Limit {
  readonly action: string;
  /** The argument: a span from now on, or a time. */
  readonly argument: "ms" | "when";
  /** Whether the block comes to nothing when its time is over, or throws. */
  readonly quiet: boolean;
}

const TIMEOUT: Limit = {
  action: "set a timeout",
  argument: "ms",
  quiet: false,
};
const TIMEOUT_AT: Limit = { ...TIMEOUT, argument: "when" };
const MOVE_ON: Limit = { action: "move on", argument: "ms", quiet: true };

/**
 * Tells the block's own timeout from everything else: a cancellation that came
 * out of it is its timeout only if its deadline passed, and nothing around it
 * was cancelled since it began.
 *
 * One `async` function for all three, and one look at the clock: each costs
 * about as much as all that a timeout does besides.
 */
async function runLimited<T>(
  { action, argument, quiet }: Limit,
  limit: number | null,
  fn: (deadline: Timeout) => PromiseLike<T> | T,
): Promise<T | undefined> {
  if (limit !== null) checkDelay(action, argument, limit);
  checkFunction(action, "fn", fn);
  const around = currentScope();
  const now = limit === null ? 0 : around.kernel.now();
  const when = limit === null || argument === "when" ? limit : now + limit;
  const scope = new LimitedScope(around);
  const deadline = scope.timeout = new Timeout(scope, when);
  const surroundings = new Surroundings(around);
  start(deadline, now);
  try {
    const value = await runBlock(scope, fn, deadline);
    const pending = scope.undelivered;
    if (pending !== null) throw pending;
    return value;
  } catch (error) {
    const own = cancellationOf(deadline);
    if (own === null) throw error;
    const cancellation = asCancellation(error, scope);
    if (cancellation === null) throw withContext(error, own);
    if (surroundings.cancelled()) throw error;
    if (quiet) return undefined;
    throw timeoutError(own, cancellation);
  } finally {
    finish(deadline);
    scope.close();
  }
}

function timeoutError(own: CancelledError, cause = own): TimeoutError {
  return new TimeoutError(own.message, { cause });
}

/**
 * An error thrown while the block was being timed out keeps its class and gets
 * the timeout as its cause, if it does not name another.
 */
function withContext(error: unknown, own: CancelledError): unknown {
  if (!isError(error)) return error;
  const cause = read(error, "cause");
  if (cause === undefined || cause === own) {
    tryToDefine(error, "cause", timeoutError(own));
  }
  return error;
}

/**
 * The innermost block that code of a task is in, in that task, and that has a
 * deadline which would interrupt it.
 */
export function ownTimeout(scope: Scope): Timeout | null {
  const { task } = scope;
  for (
    let each: Scope | null = scope;
    each !== null && each.task === task && !each.shielded;
    each = each.parent
  ) {
    if (each.hasDeadline()) return (each as LimitedScope).timeout;
  }
  return null;
}
