import { checkDelay } from "../_internal/check.ts";
import { currentScope } from "../loop/current.ts";
import type { Timer } from "../loop/timer_heap.ts";
import { interruption, type Scope } from "../loop/scope.ts";
import { Wait, type WaitSource } from "../loop/wait.ts";

/**
 * Waits for a while. Equivalent of `asyncio.sleep`, in milliseconds.
 *
 * A span of 0 or less lets the other tasks have a turn: one iteration of the
 * loop.
 *
 * @typeParam T The type of `result`.
 *
 * @example A pause, and a value with it
 * ```ts
 * import { sleep } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await sleep(1);
 * assertEquals(await sleep(1, "rested"), "rested");
 * ```
 *
 * @param ms How long, in milliseconds.
 * @param result What to resolve to.
 * @returns `result`, when the time has passed.
 * @throws {TypeError} When `ms` is not a number.
 * @throws {RangeError} When `ms` is NaN.
 * @throws {CancelledError} When the task is cancelled meanwhile.
 */
export function sleep(ms: number): Promise<void>;
/**
 * Waits for a while, and gives a value.
 *
 * @typeParam T The type of `result`.
 * @param ms How long, in milliseconds.
 * @param result What to resolve to.
 * @returns `result`, when the time has passed.
 */
export function sleep<T>(ms: number, result: T): Promise<T>;
export function sleep<T>(ms: number, result?: T): Promise<T | undefined> {
  if (typeof ms !== "number" || Number.isNaN(ms)) {
    try {
      checkDelay("sleep", "ms", ms);
    } catch (error) {
      return Promise.reject(error);
    }
  }
  const scope = currentScope();
  const interrupted = interruption(scope);
  if (interrupted !== null) return interrupted;
  if (ms > 0) return new Sleep(scope, ms, result).promise;
  // A plain wait: nothing but its turn ends it.
  const turn = new Wait(scope, turnSource, result);
  turn.enqueue();
  return turn.promise;
}

/**
 * Lets the other tasks have a turn, and is a point where the task can be
 * cancelled: `sleep(0)` by its name. Equivalent of trio's `checkpoint`.
 *
 * @example In a long computation
 * ```ts
 * import { checkpoint } from "@asyncio/asyncio";
 *
 * for (let row = 0; row < 3; row++) {
 *   // ... compute a row ...
 *   await checkpoint();
 * }
 * ```
 *
 * @returns When the loop's next iteration comes.
 * @throws {CancelledError} When the task is cancelled.
 */
export function checkpoint(): Promise<void> {
  return sleep(0);
}

const turnSource: WaitSource = {
  title: "sleep(0)",
  isTurn: true,
  mayMove: true,
  // It stays in the ready queue, where a wait that is done does nothing.
  abandon() {},
  describe: () => "sleep(0)",
};

const sleepSource: WaitSource = {
  mayMove: true,
  abandon(wait) {
    wait.scope.kernel.removeTimer(wait as Sleep<unknown>);
  },
  describe: (wait) => `sleep(${(wait as Sleep<unknown>).ms})`,
};

/**
 * A wait that is its own timer. When its time has come it wakes in the iteration
 * after, as the callbacks of the same instant come first.
 */
class Sleep<T> extends Wait<T | undefined> implements Timer {
  declare readonly ms: number;
  declare readonly deadline: number;
  declare readonly order: number;
  declare heapIndex: number;
  /** Its time has come, and it is in the ready queue for that. */
  declare private isDue: boolean;

  constructor(scope: Scope, ms: number, result: T | undefined) {
    super(scope, sleepSource, result);
    const { kernel } = scope;
    this.ms = ms;
    this.deadline = kernel.now() + ms;
    this.order = kernel.nextTimerOrder();
    this.heapIndex = -1;
    this.isDue = false;
    kernel.addTimer(this);
    this.started();
  }

  due(): void {
    this.isDue = true;
    this.scope.kernel.push(this);
  }

  /** Who is due has its turn in the next iteration, which is to be chosen. */
  override get mayMove(): boolean {
    return !this.isDue;
  }

  get mayComeLater(): boolean {
    return this.isDue;
  }

  override run(): void {
    if (!this.isDue) return super.run();
    this.isDue = false;
    // One that was cancelled meanwhile has a turn for that.
    if (this.isPending()) this.enqueue();
  }
}
