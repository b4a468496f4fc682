/**
 * A tape of choices: all that a run left to chance, so that it can be had again.
 *
 * A choice is a number from 0 up to, and without, how many there were to choose
 * from; 0 is the natural order. What is written on the tape comes first, and
 * then a chooser decides. A tape that is at its end goes on with zeros, so
 * that ever shorter tapes are ever more natural orders.
 */
import type { Runnable } from "../loop/types.ts";

/** Decides what the tape leaves open; `steps` are those that may go first. */
export type Chooser = (below: number, steps: readonly Runnable[]) => number;

/** The first: every step keeps its place. */
export const naturally: Chooser = (): number => 0;

const NO_STEPS: readonly Runnable[] = [];

export class Tape {
  /** What was chosen. */
  readonly taken: number[] = [];
  /** From how many. */
  readonly among: number[] = [];
  /** In words, where the choice was not the natural one; null for no words. */
  readonly story: string[] | null;
  readonly #given: readonly number[];
  readonly #chooser: Chooser;

  constructor(
    given: readonly number[],
    chooser: Chooser,
    story: string[] | null = null,
  ) {
    this.#given = given;
    this.#chooser = chooser;
    this.story = story;
  }

  /** One choice. */
  choose(below: number, steps: readonly Runnable[] = NO_STEPS): number {
    const place = this.taken.length;
    let choice = place < this.#given.length
      ? this.#given[place]!
      : this.#chooser(below, steps);
    // The tape of another test: where it makes no sense the order is natural.
    if (choice >= below) choice = 0;
    this.taken.push(choice);
    this.among.push(below);
    if (choice !== 0) this.story?.push(told(choice, steps));
    return choice;
  }

  /** Puts the steps that may move in the order chosen; the others stay in place. */
  reorder(steps: Runnable[]): void {
    const places: number[] = [];
    for (let place = 0; place < steps.length; place++) {
      if (steps[place]!.mayMove === true) places.push(place);
    }
    if (places.length < 2) return;
    const left = places.map((place) => steps[place]!);
    for (const place of places) {
      const choice = left.length > 1 ? this.choose(left.length, left) : 0;
      steps[place] = left[choice]!;
      left.splice(choice, 1);
    }
  }
}

function told(choice: number, steps: readonly Runnable[]): string {
  if (steps.length === 0) return "select() takes its cases in another order";
  const others = choice === 1 ? "" : ` and ${choice - 1} more`;
  return `${steps[choice]!.describe()} goes before ${
    steps[0]!.describe()
  }${others}`;
}
