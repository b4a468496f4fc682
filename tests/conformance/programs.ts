/**
 * Random programs that both this library and CPython's asyncio can run: a few
 * tasks that wait, wake and cancel each other. `interpreter.ts` runs one here,
 * `reference.py` there, and each gives a trace of what happened.
 */
import { makeRandom } from "../../_internal/random.ts";

type Random = (below: number) => number;

/** One operation of a task. */
export interface Operation {
  readonly name: Name;
  /** How many `async` functions stand between the task and the operation. */
  readonly helpers: number;
  /** Which task, event, queue, ... it is about. */
  readonly which: number;
  /** Milliseconds there, seconds in Python. */
  readonly delay: number;
  /** What runs inside of it: a task each, but for the last one of a group. */
  readonly blocks: readonly Block[];
}

/** Operations, one after the other. */
export type Block = readonly Operation[];
/** A block a task. */
export type Program = readonly Block[];

/** How often each operation is chosen. */
const SIMPLE = {
  sleepZero: 4,
  sleep: 4,
  waitForEvent: 3,
  setEvent: 3,
  clearEvent: 1,
  get: 3,
  put: 3,
  cancel: 5,
  awaitFuture: 2,
  setFuture: 2,
  awaitTask: 2,
  cancelSoon: 2,
  setEventSoon: 1,
  cancelLater: 1,
  fail: 1,
  addDoneCallback: 1,
  notify: 1,
};

const WITH_BLOCKS = {
  timeout: 3,
  timeoutZero: 1,
  reschedule: 1,
  group: 3,
  gather: 2,
  gatherAll: 1,
  waitForFirst: 1,
  swallow: 3,
  uncancel: 2,
  finally: 3,
  lock: 3,
  semaphore: 2,
  shield: 1,
  spawn: 2,
  waitForCondition: 1,
};

export type Name = keyof typeof SIMPLE | keyof typeof WITH_BLOCKS;

const DEEPEST = 2;
const TIMEOUTS: readonly Name[] = ["timeout", "timeoutZero", "reschedule"];
const MANY_BLOCKS: readonly Name[] = ["group", "gather", "gatherAll"];

/** The program of a seed: always the same. */
export function makeProgram(seed: number): Program {
  const random = makeRandom(seed);
  // Whole delays make timers that are due in one instant.
  const maker = new Maker(random, random(4) === 0, random(2) === 0);
  return Array.from(
    { length: 2 + random(4) },
    () => maker.block(0, false, 1 + random(4)),
  );
}

class Maker {
  readonly #random: Random;
  readonly #wholeDelays: boolean;
  readonly #hasQueues: boolean;

  constructor(random: Random, wholeDelays: boolean, hasQueues: boolean) {
    this.#random = random;
    this.#wholeDelays = wholeDelays;
    this.#hasQueues = hasQueues;
  }

  block(depth: number, isTimed: boolean, length: number): Block {
    return Array.from({ length }, () => this.#operation(depth, isTimed));
  }

  #operation(depth: number, isTimed: boolean): Operation {
    const random = this.#random;
    const name = this.#name(depth, isTimed);
    const timed = isTimed || TIMEOUTS.includes(name);
    const count = MANY_BLOCKS.includes(name) || name === "waitForFirst"
      ? 2 + random(2)
      : name === "finally"
      ? 2
      : name in WITH_BLOCKS
      ? 1
      : 0;
    return {
      name,
      helpers: [0, 0, 1, 2][random(4)]!,
      which: random(6),
      delay: [1, 1, 2, 3, 5][random(5)]! +
        (this.#wholeDelays ? 0 : (1 + random(900)) / 1000),
      blocks: Array.from(
        { length: count },
        () => this.block(depth + 1, timed, 1 + random(2)),
      ),
    };
  }

  #name(depth: number, isTimed: boolean): Name {
    const weights = Object.entries({
      ...SIMPLE,
      ...(depth < DEEPEST ? WITH_BLOCKS : undefined),
    }) as [Name, number][];
    const allowed = weights.filter(([name]) =>
      this.#hasQueues || (name !== "get" && name !== "put")
    ).filter(([name]) =>
      // See "A timeout that `uncancel()` met" in docs/from-python.md.
      !isTimed || name !== "uncancel"
    );
    const sum = allowed.reduce((sum, [, weight]) => sum + weight, 0);
    let left = this.#random(sum);
    for (const [name, weight] of allowed) {
      left -= weight;
      if (left < 0) return name;
    }
    throw new Error("unreachable");
  }
}
