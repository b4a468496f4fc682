import {
  checkBoolean,
  checkDelay,
  checkDuration,
  checkFunction,
} from "../_internal/check.ts";
import { Heap, type HeapItem } from "../_internal/heap.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import type { Alarm, AlarmTarget, Clock } from "../loop/clock.ts";
import { currentScope } from "../loop/current.ts";
import { hostTimers } from "../platform/timers.ts";

/** Options of {@linkcode VirtualClock}. */
export interface VirtualClockOptions {
  /**
   * The time it starts at, in milliseconds.
   *
   * @default {0}
   */
  start?: number | undefined;
  /**
   * Whether time jumps to the next timer whenever nothing is ready to run.
   *
   * @default {true}
   */
  autoJump?: boolean | undefined;
}

const VIRTUAL_CLOCK_OPTIONS = new OptionNames<VirtualClockOptions>({
  start: true,
  autoJump: "boolean",
}, { boolean: "autoJump", number: "start" });

/**
 * A clock whose time is a variable: an hour of `sleep` takes no time, and every
 * run is the same. Equivalent of trio's `MockClock`.
 *
 * Only the library's own time is virtual. Work outside of it, such as a socket
 * or a child process, takes as long as it takes, and a clock that jumps does
 * not wait for it.
 *
 * @example Ten minutes, at once
 * ```ts
 * import { getRunningLoop, newEventLoop, run, sleep } from "@asyncio/asyncio";
 * import { VirtualClock } from "@asyncio/asyncio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const loop = newEventLoop({ clock: new VirtualClock() });
 * await run(async () => {
 *   await sleep(600_000);
 *   assertEquals(getRunningLoop().time(), 600_000);
 * }, { loop });
 * ```
 */
export class VirtualClock implements Clock {
  readonly #alarms = new Heap<VirtualAlarm>(isEarlier);
  #now: number;
  #autoJump: boolean;
  #order = 0;
  #jumping = false;
  /** How many wait until everything waits: meanwhile time does not jump. */
  #settling = 0;

  /**
   * Makes a clock.
   *
   * @param options Its start, and whether time jumps.
   * @throws {TypeError} When an option is of another kind or of an unknown name.
   * @throws {RangeError} When `start` is negative, NaN or `Infinity`.
   */
  constructor(options: VirtualClockOptions = {}) {
    const action = "create a virtual clock";
    checkOptions(action, options, VIRTUAL_CLOCK_OPTIONS);
    const { start = 0, autoJump = true } = options;
    checkFinite(action, "start", start);
    this.#now = start;
    this.#autoJump = autoJump;
  }

  /**
   * Whether time jumps to the next timer whenever nothing is ready to run. Can
   * be set.
   *
   * @throws {TypeError} When it is set to what is not a boolean.
   */
  get autoJump(): boolean {
    return this.#autoJump;
  }

  set autoJump(on: boolean) {
    checkBoolean("set whether time jumps", "autoJump", on);
    this.#autoJump = on;
    if (on) this.#jumpLater();
  }

  /**
   * The time.
   *
   * @returns Milliseconds.
   */
  now(): number {
    return this.#now;
  }

  /**
   * Moves time on, through every timer on the way: each has its effects before
   * the next one is due. So a task that never waits, but polls with `sleep(0)` for
   * what a later timer brings, holds it up for ever. A cancellation does not
   * interrupt it.
   *
   * @param ms How far, in milliseconds; not negative.
   * @returns When all that was due has run.
   * @throws {TypeError} When `ms` is not a number.
   * @throws {RangeError} When `ms` is negative, NaN or `Infinity`.
   */
  async advance(ms: number): Promise<void> {
    checkFinite("advance a virtual clock", "ms", ms);
    const end = this.#now + ms;
    await nextTurn();
    for (
      let alarm = this.#alarms.peek();
      alarm !== undefined && alarm.when <= end;
      alarm = this.#alarms.peek()
    ) {
      this.#ring(alarm);
      await idle(alarm.target);
    }
    this.#now = Math.max(this.#now, end);
  }

  /**
   * Lets everything go on that can, until all tasks wait; time stands still
   * meanwhile, even if it jumps otherwise. Equivalent of trio's
   * `wait_all_tasks_blocked`.
   *
   * Cancelled, the wait goes on to its end, and the next one throws.
   *
   * @example Until a worker waits for work
   * ```ts
   * import { createTask, Queue } from "@asyncio/asyncio";
   * import { runVirtual, VirtualClock } from "@asyncio/asyncio/testing";
   * import { assertEquals } from "@std/assert";
   *
   * const clock = new VirtualClock();
   * await runVirtual(async () => {
   *   const queue = new Queue<string>();
   *   const seen: string[] = [];
   *   createTask(async () => {
   *     for (;;) seen.push(await queue.get());
   *   });
   *   queue.putNowait("one");
   *   queue.putNowait("two");
   *   await clock.settled();
   *   assertEquals(seen, ["one", "two"]);
   * }, { clock });
   * ```
   *
   * @returns When all that was ready has run.
   */
  async settled(): Promise<void> {
    const { kernel } = currentScope();
    this.#settling++;
    try {
      // deno-lint-ignore no-await-in-loop -- looks after each turn
      do await nextTurn(); while (
        !kernel.isIdle() || !this.#targetsAreIdle()
      );
    } finally {
      this.#settling--;
    }
  }

  /**
   * Called by an event loop: rings `target` when `when` has come.
   *
   * @param when The time, in milliseconds.
   * @param target The event loop.
   * @returns The alarm, for calling it off.
   * @throws {TypeError} When `when` is not a number, or `target` has not the
   * methods of an {@linkcode AlarmTarget}.
   * @throws {RangeError} When `when` is NaN.
   */
  setAlarm(when: number, target: AlarmTarget): Alarm {
    checkDelay("set an alarm", "when", when);
    checkFunction("set an alarm", "target.ring", target?.ring);
    checkFunction("set an alarm", "target.isIdle", target?.isIdle);
    const alarm = new VirtualAlarm(this.#alarms, when, this.#order++, target);
    this.#alarms.push(alarm);
    if (this.#autoJump) this.#jumpLater();
    return alarm;
  }

  /**
   * A turn of the host later all microtasks have run, so that whoever could go
   * on has done so.
   */
  #jumpLater(): void {
    if (this.#jumping) return;
    this.#jumping = true;
    hostTimers.setImmediate(() => {
      this.#jumping = false;
      const alarm = this.#alarms.peek();
      if (alarm === undefined || !this.#autoJump) return;
      // What is due needs no jump, and must not wait until a busy loop rests.
      const mayJump = this.#settling === 0 && this.#targetsAreIdle();
      if (mayJump || alarm.when <= this.#now) this.#ring(alarm);
      if (this.#alarms.size > 0) this.#jumpLater();
    });
  }

  #targetsAreIdle(): boolean {
    return this.#alarms.items().every((alarm) => alarm.target.isIdle());
  }

  #ring(alarm: VirtualAlarm): void {
    this.#alarms.remove(alarm);
    this.#now = Math.max(this.#now, alarm.when);
    alarm.target.ring();
  }
}

class VirtualAlarm implements Alarm, HeapItem {
  readonly when: number;
  readonly order: number;
  readonly target: AlarmTarget;
  heapIndex = -1;
  readonly #alarms: Heap<VirtualAlarm>;

  constructor(
    alarms: Heap<VirtualAlarm>,
    when: number,
    order: number,
    target: AlarmTarget,
  ) {
    this.#alarms = alarms;
    this.when = when;
    this.order = order;
    this.target = target;
  }

  cancel(): void {
    this.#alarms.remove(this);
  }
}

function isEarlier(a: VirtualAlarm, b: VirtualAlarm): boolean {
  return a.when < b.when || (a.when === b.when && a.order < b.order);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => hostTimers.setImmediate(resolve));
}

async function idle(target: AlarmTarget): Promise<void> {
  do await nextTurn(); while (!target.isIdle());
}

/** Nothing comes after `Infinity`: a sleep that begins then never ends. */
function checkFinite(action: string, name: string, ms: number): void {
  checkDuration(action, name, ms);
  if (ms < Infinity) return;
  throw new RangeError(
    `Cannot ${action} as '${name}' must be finite: received Infinity`,
  );
}
