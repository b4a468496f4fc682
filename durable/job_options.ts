/** Checks of the options that all durable queues have. */
import { checkInteger, checkSpan } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import type { DurablePutOptions, GiveBackOptions } from "./durable_queue.ts";

const PUT_OPTIONS = new OptionNames<DurablePutOptions>(
  { id: "string", delay: true, priority: true, signal: "signal" },
  { string: "id", number: "delay" },
);

const GIVE_BACK_OPTIONS = new OptionNames<GiveBackOptions>(
  { delay: true },
  { number: "delay" },
);

/** Options of `put` that are whole. */
export interface CheckedPut {
  readonly id: string | null;
  readonly delay: number;
  readonly priority: number;
}

export function checkPut(options: DurablePutOptions): CheckedPut {
  const action = "put an item into the queue";
  checkOptions(action, options, PUT_OPTIONS);
  const { id, delay = 0, priority = 0 } = options;
  checkInteger(action, "priority", priority, Number.MIN_SAFE_INTEGER);
  // SQLite would store it, and could not give it back.
  if (priority > Number.MAX_SAFE_INTEGER) {
    throw new RangeError(
      `Cannot ${action} as 'priority' must be at most ${Number.MAX_SAFE_INTEGER}: received ${priority}`,
    );
  }
  return { id: id ?? null, delay: checkSpan(action, "delay", delay), priority };
}

/** The delay of an item that is given back. */
export function checkGiveBack(options: GiveBackOptions): number {
  const action = "give back an item";
  checkOptions(action, options, GIVE_BACK_OPTIONS);
  return checkSpan(action, "delay", options.delay ?? 0);
}
