/**
 * The order of the steps in one run of a test. Before each step of the loop it
 * is chosen which comes next; and, if timers are due or bytes arrive, whether
 * they come together, or one of them first and the others once everything else
 * waits.
 *
 * ```text
 *   ready queue --what may come later--> held --everything waits--> ready queue
 *        |
 *        +--one of those that may move--> the next step
 * ```
 */
import type { RingBuffer } from "../_internal/ring_buffer.ts";
import type { Kernel } from "../loop/kernel.ts";
import type { Runnable } from "../loop/types.ts";
import type { History } from "./_history.ts";
import { passInLine } from "./_pass_in_line.ts";
import type { Candidates, Kind, Tape } from "./_tape.ts";

/** Code that never waits for long must not hold them up for ever. */
const MOST_ITERATIONS = 100;
const NONE: Candidates = [];

export class Schedule {
  readonly #tape: Tape;
  readonly #history: History | null;
  /** Those that come once everything else waits. */
  readonly #held: Runnable[] = [];
  readonly #release: Release;
  /** How many were left of the iteration when the last step was chosen. */
  #left = 0;

  /**
   * @param kernel Whose steps they are.
   * @param tape Has the choices.
   * @param history Hears of what is run; null if nobody asks.
   */
  constructor(kernel: Kernel, tape: Tape, history: History | null = null) {
    this.#tape = tape;
    this.#history = history;
    this.#release = new Release(kernel, this.#held);
    history?.ignore(this.#release);
    kernel.beforeStep = (ready, left) => this.#next(ready, left);
    kernel.choose = (below) => this.#pick(below);
  }

  /** From now on, who comes to a line may pass those that wait in it. */
  mixLines(kernel: Kernel): void {
    kernel.passInLine = (line, last) =>
      passInLine(line, last, (most) => this.#pass(most));
  }

  /** What comes next stands first; gives how many are left of the iteration. */
  #next(ready: RingBuffer<Runnable>, left: number): number {
    this.#history?.look(ready, left, this.#held);
    // Within an iteration they get ever fewer.
    if (left >= this.#left) {
      left = this.#begin(ready);
      // Some are held now, or no more.
      this.#history?.look(ready, left, this.#held);
    }
    const first = ready.peek()!;
    if (this.#held.length > 0) left += this.#overtake(ready, first);
    if (first.mayMove === true && left > 1) this.#order(ready, left);
    this.#left = left;
    this.#history?.add(ready.peek()!);
    return left;
  }

  /** A sleep that is held was cancelled: its time comes before its turn. */
  #overtake(ready: RingBuffer<Runnable>, step: Runnable): number {
    const place = this.#held.indexOf(step);
    if (place < 0) return 0;
    this.#held.splice(place, 1);
    ready.unshift(step);
    return 1;
  }

  #order(ready: RingBuffer<Runnable>, left: number): void {
    let count = 0;
    for (let place = 0; place < left; place++) {
      if (ready.at(place)!.mayMove === true) count++;
    }
    if (count < 2) return;
    const candidates = this.#tape.asksWho ? movable(ready, left) : NONE;
    let choice = this.#choose(ORDER, count, candidates);
    if (choice === 0) return;
    let place = 0;
    while (ready.at(place)!.mayMove !== true || choice-- > 0) place++;
    ready.unshift(ready.removeAt(place)!);
  }

  /** Which case `select` takes. */
  #pick(below: number): number {
    const choice = this.#choose(CASE, below, NONE);
    this.#history?.chose(choice);
    return choice;
  }

  /** How many that wait are passed by one who comes. */
  #pass(most: number): number {
    const choice = this.#choose(LINE, most + 1, NONE);
    this.#history?.chose(choice);
    return choice;
  }

  #choose(kind: Kind, below: number, candidates: Candidates): number {
    this.#history?.meet(kind, this.#tape);
    return this.#tape.choose(kind, below, candidates);
  }

  /** An iteration begins: all that is ready belongs to it. */
  #begin(ready: RingBuffer<Runnable>): number {
    const held = this.#held;
    if (held.length > 0 && this.#release.isDue(ready)) {
      withdraw(ready, (step) => step === this.#release);
      for (const step of held.splice(0)) ready.push(step);
    }
    let due: Runnable[] | null = null;
    for (let place = 0; place < ready.size; place++) {
      const step = ready.at(place)!;
      if (step.mayComeLater === true) (due ??= []).push(step);
    }
    const isBegun = due !== null && this.#hold(ready, due);
    // The step that lets them go is pushed then, and belongs to the next.
    return isBegun ? ready.size - 1 : ready.size;
  }

  /**
   * Chooses who of those that are due comes later.
   *
   * @returns Whether they are the first to be held.
   */
  #hold(ready: RingBuffer<Runnable>, due: readonly Runnable[]): boolean {
    const held = this.#held;
    const others = ready.size - due.length;
    let isLater: (step: Runnable) => boolean;
    if (due.length === 1) {
      // A timer that is due alone has nothing ready beside it.
      const [only] = due;
      if (others === 0 || only!.mayMove !== true) return false;
      if (this.#choose(LATE, 2, due) === 0) return false;
      isLater = (step) => step === only;
    } else {
      if (this.#choose(APART, 2, due) === 0) return false;
      const first = due[this.#choose(FIRST, due.length, due)];
      isLater = (step) => step.mayComeLater === true && step !== first;
    }
    const wasEmpty = held.length === 0;
    for (const step of withdraw(ready, isLater)) held.push(step);
    if (wasEmpty) this.#release.begin();
    return wasEmpty;
  }
}

/** The step that looks whether everything else waits. */
class Release implements Runnable {
  readonly runsCode = false;
  readonly #kernel: Kernel;
  readonly #held: readonly Runnable[];
  #iterations = 0;

  constructor(kernel: Kernel, held: readonly Runnable[]) {
    this.#kernel = kernel;
    this.#held = held;
  }

  begin(): void {
    this.#iterations = 0;
    this.#kernel.push(this);
  }

  isDue(ready: RingBuffer<Runnable>): boolean {
    return ready.size === 1 || ++this.#iterations > MOST_ITERATIONS;
  }

  run(): void {
    if (this.#held.length > 0) this.#kernel.push(this);
  }

  describe(): string {
    return "a look at who waits";
  }
}

/** Those of an iteration that may move. */
function movable(ready: RingBuffer<Runnable>, left: number): Candidates {
  const steps: Runnable[] = [];
  for (let place = 0; place < left; place++) {
    const step = ready.at(place)!;
    if (step.mayMove === true) steps.push(step);
  }
  return steps;
}

/** Takes out those that match. */
function withdraw(
  ready: RingBuffer<Runnable>,
  matches: (step: Runnable) => boolean,
): Runnable[] {
  const taken: Runnable[] = [];
  for (let left = ready.size; left > 0; left--) {
    const step = ready.shift()!;
    if (matches(step)) taken.push(step);
    else ready.push(step);
  }
  return taken;
}

const ORDER: Kind = {
  name: "order",
  picks: true,
  tell: (choice, steps, where) =>
    `${where(steps[choice]!)} goes before ${overtaken(choice, steps)}`,
};

const APART: Kind = {
  name: "apart",
  picks: false,
  tell: (_, steps) =>
    `${steps[0]!.describe()} and ${
      steps.length - 1
    } more, due at once, come one after the other`,
};

const FIRST: Kind = {
  name: "first",
  picks: true,
  tell: (choice, steps, where) =>
    `${where(steps[choice]!)} has its effect before ${
      overtaken(choice, steps)
    }`,
};

const LATE: Kind = {
  name: "late",
  picks: false,
  tell: (_, steps) =>
    `${steps[0]!.describe()} comes when everything else waits`,
};

const CASE: Kind = {
  name: "case",
  picks: false,
  tell: () => "select() takes its cases in another order",
};

const LINE: Kind = {
  name: "line",
  picks: false,
  tell: (choice) =>
    `one who comes passes ${choice} of those that wait in a line`,
};

function overtaken(choice: number, steps: Candidates): string {
  const more = choice === 1 ? "" : ` and ${choice - 1} more`;
  return `${steps[0]!.describe()}${more}`;
}
