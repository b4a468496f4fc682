/** The orders of a test: each is run from its choices, and its failure told. */
import { makeFractions } from "../_internal/random.ts";
import { ScheduleError } from "../errors.ts";
import { kernelOf } from "../loop/kernel.ts";
import type { TaskFunction } from "../loop/task.ts";
import { History, type Places } from "./_history.ts";
import { Lines } from "./_lines.ts";
import { writeReplay } from "./_replay.ts";
import { Schedule } from "./_schedule.ts";
import { oddOnes, shrink } from "./_shrink.ts";
import { naturally, Tape } from "./_tape.ts";
import { type Failure, isAlike, tryOnce, wordsOf } from "./_trial.ts";

/** Where a failure came up. */
export interface Found {
  readonly place: string;
  readonly seed: number;
  readonly failure: Failure;
}

/** What one order came to. */
interface Seen {
  readonly tape: Tape;
  readonly failure: Failure | null;
  /** The choice from which on it was nothing new; null if all was. */
  readonly end: number | null;
}

/** An order that is to be told. */
interface Told {
  readonly tape: Tape;
  readonly failure: Failure;
}

export class Orders {
  readonly #fn: TaskFunction<unknown>;
  readonly #handovers: boolean;

  /** @param handovers Whether those who wait in a line may be passed. */
  constructor(fn: TaskFunction<unknown>, handovers: boolean) {
    this.#fn = fn;
    this.#handovers = handovers;
  }

  /** Runs the test in one order. */
  async run(
    tape: Tape,
    seed: number,
    places: Places | null = null,
    lines: Lines | null = null,
  ): Promise<Seen> {
    let history: History | null = null;
    const failure = await tryOnce(this.#fn, (loop) => {
      const kernel = kernelOf(loop);
      history = places && new History(kernel, places);
      const schedule = new Schedule(kernel, tape, history);
      if (this.#handovers) schedule.mixLines(kernel);
      // Another sequence: the order does not hang on how often it is asked.
      kernel.random = makeFractions(~seed);
      if (lines === null) return;
      loop.addInstrument(lines);
      tape.nameOf = (step) => lines.nameOf(step);
    });
    const end = (history as History | null)?.end ?? null;
    return { tape, failure, end };
  }

  /** The error of a failure, in the fewest choices that fail alike. */
  async errorOf(
    found: Found,
    choices: readonly number[],
  ): Promise<ScheduleError> {
    const { seed } = found;
    const handovers = this.#handovers;
    if (oddOnes(choices).length === 0) {
      const replay = writeReplay({ seed, handovers, choices });
      return makeError(found, [], replay);
    }
    const fewest = await shrink(
      choices,
      async (given) => await this.#again(found, given, null) !== null,
    );
    const told = await this.#tell(found, fewest);
    const taken = told?.tape.taken ?? choices;
    const replay = writeReplay({ seed, handovers, choices: taken });
    return makeError({ ...found, ...told }, storyOf(told), replay);
  }

  /** The same in the order in which it failed. */
  async errorAsIs(
    found: Found,
    choices: readonly number[],
    replay: string,
  ): Promise<ScheduleError> {
    const told = await this.#tell(found, choices);
    return makeError({ ...found, ...told }, storyOf(told), replay);
  }

  /** Runs it for its story: with the lines of its waits if it goes as before. */
  async #tell(found: Found, choices: readonly number[]): Promise<Told | null> {
    const told = await this.#again(found, choices, null);
    const withLines = await this.#again(found, choices, new Lines());
    // Where an instrument looks on, the library takes some steps more.
    const isSame = told !== null && withLines !== null &&
      told.tape.taken.join() === withLines.tape.taken.join() &&
      told.tape.among.join() === withLines.tape.among.join();
    return isSame ? withLines : told;
  }

  /** Runs it from its choices; null if it does not fail as it did. */
  async #again(
    { seed, failure: before }: Found,
    given: readonly number[],
    lines: Lines | null,
  ): Promise<Told | null> {
    const tape = new Tape(given, naturally, []);
    const { failure } = await this.run(tape, seed, null, lines);
    return failure !== null && isAlike(failure, before)
      ? { tape, failure }
      : null;
  }
}

function storyOf(told: Told | null): readonly string[] {
  return told?.tape.story ??
    ["It did not fail in this order again: it depends on more than the order"];
}

function makeError(
  { place, seed, failure }: Found,
  story: readonly string[],
  replay: string,
): ScheduleError {
  const lines = [
    `${place}: ${wordsOf(failure)}`,
    ...story,
    `To repeat: { replay: "${replay}" }`,
  ];
  const cause = failure.error;
  return new ScheduleError(lines.join("\n  "), { cause, seed, replay });
}
