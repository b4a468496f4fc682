import { inspectByToString } from "../_internal/inspect.ts";
import { currentScope } from "../loop/current.ts";
import { nameByOptions, type NamedOptions, titleOf } from "../loop/named.ts";
import { interruption } from "../loop/scope.ts";
import { WaitQueue } from "../loop/wait_queue.ts";

/** What {@linkcode Event.statistics} gives. */
export interface EventStatistics {
  /** Whether it is set. */
  readonly isSet: boolean;
  /** How many wait for it. */
  readonly waiters: number;
}

/**
 * A flag that tasks wait for: set, it lets all of them go on, and those that
 * come later, until it is cleared. Equivalent of `asyncio.Event`.
 *
 * It hides the `Event` of the web where it is imported by that name; import it
 * `as` another one if you need both.
 *
 * | operation   | cost                        |
 * | ----------- | --------------------------- |
 * | wait, clear | O(1)                        |
 * | set         | O(n) for n tasks that wait  |
 *
 * @example A starting signal
 * ```ts
 * import { createTask, Event } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const start = new Event();
 * const log: string[] = [];
 * const runner = createTask(async () => {
 *   await start.wait();
 *   log.push("run");
 * });
 * log.push("set");
 * start.set();
 * await runner;
 * assertEquals(log, ["set", "run"]);
 * ```
 */
export class Event {
  #isSet = false;
  readonly #waiters: WaitQueue<true> = new WaitQueue("Event.wait", {
    owner: this,
  });

  /**
   * Makes an event that is not set.
   *
   * @param options Its name.
   * @throws {TypeError} When `options` is not an object, or has an unknown name.
   */
  constructor(options?: NamedOptions) {
    if (options !== undefined) nameByOptions("create an event", this, options);
  }

  /**
   * Waits until the event is set. If it is, the other tasks get a turn only now
   * and then, as after any wait that need not wait.
   *
   * @returns True, always.
   * @throws {CancelledError} When the task is cancelled.
   * @throws {InvalidStateError} When it has to wait, and the event has been
   * waited for in another loop.
   */
  wait(): Promise<true> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    if (this.#isSet) return scope.kernel.succeed(scope, true);
    return this.#waiters.wait(scope);
  }

  /**
   * Sets it: all that wait go on, in the order in which they came, even if
   * it is cleared at once.
   */
  set(): void {
    this.#isSet = true;
    this.#waiters.settleAll(true);
  }

  /** Clears it: who waits from now on waits for the next {@linkcode Event.set}. */
  clear(): void {
    this.#isSet = false;
  }

  /**
   * Whether it is set.
   *
   * @returns True from {@linkcode Event.set} to {@linkcode Event.clear}.
   */
  isSet(): boolean {
    return this.#isSet;
  }

  /**
   * Its state, for logs and tests.
   *
   * @returns A frozen object; not a live view.
   */
  statistics(): EventStatistics {
    return Object.freeze({ isSet: this.#isSet, waiters: this.#waiters.size });
  }

  /**
   * The event and its state.
   *
   * @returns For example `<Event unset waiters=2>`.
   */
  toString(): string {
    const { isSet, waiters } = this.statistics();
    const waiting = waiters > 0 ? ` waiters=${waiters}` : "";
    return `<${titleOf(this, "Event")} ${isSet ? "set" : "unset"}${waiting}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "Event";
  }

  static {
    inspectByToString(this.prototype);
  }
}
