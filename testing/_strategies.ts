/** How the orders of a test are searched. */
import { makeRandom } from "../_internal/random.ts";
import type { Runnable } from "../loop/types.ts";
import { Places } from "./_history.ts";
import {
  type Candidates,
  type Chooser,
  naturally,
  type Tape,
} from "./_tape.ts";

/** How {@linkcode exploreSchedules} searches. */
export type ScheduleStrategy = "random" | "pct" | "exhaustive";

/** What a run begins with. */
export interface Plan {
  readonly given: readonly number[];
  readonly chooser: Chooser;
}

/** How often the priorities of one run change. */
const CHANGES = 3;
/** Changes come among the first 2 ** 1 to 2 ** 8 choices. */
const HORIZONS = 8;

/** Makes each choice at random. */
export function randomly(seed: number): Chooser {
  return { asksWho: false, choose: makeRandom(seed) };
}

/**
 * Each task has a priority, and the highest goes first; a few times in a run
 * the one that would go first falls behind all others. This finds faults that need
 * a task to be late all the time. The paper is "A Randomized Scheduler with
 * Probabilistic Guarantees of Finding Bugs".
 */
export function byPriority(seed: number): Chooser {
  const random = makeRandom(seed);
  const horizon = 2 ** (1 + random(HORIZONS));
  const changes = new Set<number>();
  for (let each = 0; each < CHANGES; each++) changes.add(random(horizon));
  const priorities = new Map<object, number>();
  let count = 0;
  let lowest = 0;
  const priorityOf = (step: Runnable) => {
    const owner = step.task ?? step;
    let priority = priorities.get(owner);
    if (priority === undefined) {
      priorities.set(owner, priority = 1 + random(2 ** 30));
    }
    return priority;
  };
  const highest = (steps: Candidates) => {
    let [best, most] = [0, -Infinity];
    for (let index = 0; index < steps.length; index++) {
      const priority = priorityOf(steps[index]!);
      if (priority > most) [best, most] = [index, priority];
    }
    return best;
  };
  const choose = (below: number, steps: Candidates) => {
    if (steps.length === 0) return random(below);
    if (changes.has(count++)) {
      const first = steps[highest(steps)]!;
      priorities.set(first.task ?? first, --lowest);
    }
    return highest(steps);
  };
  return { asksWho: true, choose };
}

/**
 * All orders, one after the other: the last choice changes first. One that comes
 * to a place where another was before is gone through to its end, and what it
 * would have to choose from there on is not: it was, or will be, chosen there.
 */
export class EveryOrder {
  /** The part of all orders that was seen, from 0 to 1. */
  coverage = 0;
  /** Where they have been. */
  readonly places: Places = new Places();
  #given: readonly number[] | null = [];

  /** The next; null when all were had. */
  next(): Plan | null {
    return this.#given === null
      ? null
      : { given: this.#given, chooser: naturally };
  }

  /** A run has ended, which had something new up to the choice `end`. */
  seen({ taken, among }: Tape, end: number = taken.length): void {
    this.coverage += among.slice(0, end).reduce(
      (part, below) => part / below,
      1,
    );
    let last = end - 1;
    while (last >= 0 && taken[last]! + 1 >= among[last]!) last--;
    this.#given = last < 0 ? null : [...taken.slice(0, last), taken[last]! + 1];
    if (this.#given === null) this.coverage = 1;
  }
}
