/**
 * The places of a group with a limit: as many of its tasks run, and the others
 * wait in line for one, first come, first served.
 *
 * ```text
 *   ask() --room--> held ---------------- its task ends --> free: the next has it
 *     `---none----> in line --has it----> held
 *                      `-- its task is cancelled --> gone
 * ```
 *
 * Invariant: while a place is in line, none is free. A place that is held is
 * given back at the end of its task, and nowhere else, so none can get lost.
 */
import { currentScope } from "../loop/current.ts";
import { interruption } from "../loop/scope.ts";
import type { TaskFunction } from "../loop/task.ts";
import { Wait, type WaitSource } from "../loop/wait.ts";

export class Places {
  readonly limit: number;
  readonly #what: string;
  #held = 0;
  #inLine = 0;
  #first: Place | null = null;
  #last: Place | null = null;

  /** @param what Of what they are places, for messages. */
  constructor(limit: number, what: string) {
    this.limit = limit;
    this.#what = what;
  }

  /** How many are in line. */
  get inLine(): number {
    return this.#inLine;
  }

  /** Gives a place, or one in the line. */
  ask(): Place {
    const place = new Place(this);
    if (this.#held < this.limit) {
      this.#held++;
      place.state = "held";
    } else {
      place.isFromLine = true;
      this.#push(place);
    }
    return place;
  }

  /** Its task has ended, or could not be made. */
  leave(place: Place): void {
    if (place.state === "in line") this.leaveLine(place);
    else if (place.state === "held") {
      place.state = "gone";
      this.#held--;
      this.#fill();
    }
  }

  /** Its task was cancelled before it had a place. */
  leaveLine(place: Place): void {
    this.#remove(place);
    place.state = "gone";
  }

  toString(): string {
    return `${this.#what} (limit ${this.limit})`;
  }

  #fill(): void {
    const first = this.#first;
    if (first === null || this.#held >= this.limit) return;
    this.#remove(first);
    this.#held++;
    first.take();
  }

  #push(place: Place): void {
    if (this.#last === null) this.#first = place;
    else {
      this.#last.behind = place;
      place.ahead = this.#last;
    }
    this.#last = place;
    this.#inLine++;
  }

  #remove(place: Place): void {
    const { ahead, behind } = place;
    if (ahead === null) this.#first = behind;
    else ahead.behind = behind;
    if (behind === null) this.#last = ahead;
    else behind.ahead = ahead;
    place.ahead = place.behind = null;
    this.#inLine--;
  }
}

/** The place of one task, or its place in the line. */
export class Place implements WaitSource {
  state: "in line" | "held" | "gone" = "in line";
  /** Whether there was a line when it was asked for. */
  isFromLine = false;
  /** Neighbours in the line. */
  ahead: Place | null = null;
  behind: Place | null = null;
  readonly #places: Places;
  /** Of its task, once that has begun. */
  #wait: Wait<void> | null = null;

  constructor(places: Places) {
    this.#places = places;
  }

  /** Called in the task that has it: runs `fn` when it is held. */
  run<T>(fn: TaskFunction<T>): PromiseLike<T> | T {
    if (!this.isFromLine) return fn();
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    const wait = this.#wait = new Wait<void>(scope, this);
    // It has come to the front before its task has begun; so may another have
    // that was ahead, and waits for its turn.
    if (this.state === "held") wait.settle();
    return wait.promise.then(() => fn());
  }

  /** It has come to the front of the line, and a place is free. */
  take(): void {
    this.state = "held";
    this.#wait?.settle();
  }

  abandon(): void {
    this.#places.leaveLine(this);
  }

  describe(): string {
    return `a place in ${this.#places}`;
  }
}
