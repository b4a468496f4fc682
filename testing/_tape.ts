/**
 * A tape of choices: all that a run left to chance, so that it can be had again.
 *
 * A choice is a number from 0 up to, and without, how many there were to choose
 * from; 0 is the natural order. What is written on the tape comes first, and
 * then a chooser decides. A tape that is at its end goes on with zeros, so
 * that ever shorter tapes are ever more natural orders.
 */
import type { Runnable } from "../loop/types.ts";

/** What can go first, in the order in which it would come. */
export type Candidates = readonly Runnable[];

/** Decides what the tape leaves open. */
export interface Chooser {
  /** Whether it wants to know who the candidates are. */
  readonly asksWho: boolean;
  /** Without candidates it is no one's turn that is chosen, or it did not ask. */
  choose(below: number, candidates: Candidates): number;
}

/** Every step keeps its place. */
export const naturally: Chooser = { asksWho: false, choose: () => 0 };

/** A kind of choice. */
export interface Kind {
  readonly name: string;
  /** Whether one of the candidates is chosen, and not how they come. */
  readonly picks: boolean;
  /** In words, if the choice is not the natural one. */
  tell(
    choice: number,
    candidates: Candidates,
    where: (step: Runnable) => string,
  ): string;
}

const NONE: Candidates = [];

export class Tape {
  /** What was chosen. */
  readonly taken: number[] = [];
  /** From how many. */
  readonly among: number[] = [];
  /** In words, if the choice was not the natural one; null for no words. */
  readonly story: string[] | null;
  /** A step in words, for the story. */
  nameOf: (step: Runnable) => string = (step) => step.describe();
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

  /** Whether nothing is written for the choice that comes next. */
  get isNew(): boolean {
    return this.taken.length >= this.#given.length;
  }

  /** Whether choices are to be made with their candidates. */
  get asksWho(): boolean {
    return this.#chooser.asksWho || this.story !== null;
  }

  /** One choice. */
  choose(kind: Kind, below: number, candidates: Candidates): number {
    const place = this.taken.length;
    let choice = place < this.#given.length
      ? this.#given[place]!
      : this.#chooser.choose(below, kind.picks ? candidates : NONE);
    // The tape of another test: if it makes no sense, the order is natural.
    if (choice >= below) choice = 0;
    this.taken.push(choice);
    this.among.push(below);
    if (choice !== 0) {
      this.story?.push(kind.tell(choice, candidates, this.nameOf));
    }
    return choice;
  }
}
