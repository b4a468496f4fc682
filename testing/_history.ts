/**
 * What has run in a test so far, to find that another order has come to the same
 * place: the same steps have run one after the other, it is the same time, and
 * the same steps are ready. Then all that follows is the same as well.
 *
 * A step is known by its number: that of its timer, or the how many-th to become
 * ready it is. As only steps make others ready, two orders that have run the same
 * steps have given them the same numbers.
 */
import type { RingBuffer } from "../_internal/ring_buffer.ts";
import type { Kernel } from "../loop/kernel.ts";
import type { Timer } from "../loop/timer_heap.ts";
import type { Runnable } from "../loop/types.ts";
import type { Kind, Tape } from "./_tape.ts";

/** At most this many places are remembered, of a few dozen bytes each. */
const MOST_PLACES = 1_000_000;

/** The places to which the orders of a test have come. */
export class Places {
  readonly #seen = new Set<string>();

  /** Whether it is the first time. */
  isNew(place: string): boolean {
    if (this.#seen.has(place)) return false;
    if (this.#seen.size < MOST_PLACES) this.#seen.add(place);
    return true;
  }
}

export class History {
  /** The first choice of a tape that leads to nothing new; null if all do. */
  end: number | null = null;
  readonly #kernel: Kernel;
  readonly #places: Places;
  readonly #ran = new Digest();
  readonly #names = new WeakMap<Runnable, string>();
  /** A step that is no part of the test. */
  #foreign: Runnable | null = null;
  #named = 0;
  #ready: readonly string[] = [];

  constructor(kernel: Kernel, places: Places) {
    this.#kernel = kernel;
    this.#places = places;
  }

  /** This one is no part of the test. */
  ignore(step: Runnable): void {
    this.#foreign = step;
  }

  /** Called before each step: what is ready, and what is held back. */
  look(
    ready: RingBuffer<Runnable>,
    left: number,
    held: readonly Runnable[],
  ): void {
    const names: string[] = [];
    for (const step of ready) {
      names.push(step === this.#foreign ? "" : this.#nameOf(step));
    }
    names.splice(left, 0, "next");
    for (const step of held) names.push("held", this.#nameOf(step));
    this.#ready = names;
  }

  /** A choice that no step is about. */
  chose(choice: number): void {
    this.#ran.add(`choice ${choice}`);
  }

  /** It is about to run. */
  add(step: Runnable): void {
    // Its time has come, which changes nothing but that it is ready.
    if (isOnlyDue(step) || step === this.#foreign) return;
    this.#ran.add(this.#nameOf(step));
  }

  /** Called before each choice. */
  meet(kind: Kind, tape: Tape): void {
    if (this.end !== null || !tape.isNew) return;
    const place = new Digest();
    place.add(kind.name);
    place.add(String(this.#kernel.now()));
    for (const name of this.#ready) place.add(name);
    if (!this.#places.isNew(`${this.#ran} ${place}`)) {
      this.end = tape.taken.length;
    }
  }

  #nameOf(step: Runnable): string {
    let name = this.#names.get(step);
    if (name === undefined) {
      const { order } = step as Partial<Timer>;
      name = order === undefined ? `step ${this.#named++}` : `timer ${order}`;
      this.#names.set(step, name);
    }
    return isOnlyDue(step) ? `${name} due` : name;
  }
}

/** A sleep whose time has come, and whose turn has not. */
function isOnlyDue({ mayMove, mayComeLater }: Runnable): boolean {
  return mayMove === false && mayComeLater === true;
}

/** Texts as two numbers, of which no others are to be expected to have the same. */
class Digest {
  #first = 0x811C9DC5;
  #second = 0x2545F491;

  add(text: string): void {
    for (let place = 0; place <= text.length; place++) {
      // What lies behind the last one ends the text.
      const code = place < text.length ? text.charCodeAt(place) : 0xFFFF;
      this.#first = Math.imul(this.#first ^ code, 0x01000193);
      this.#second = Math.imul(this.#second ^ code, 0x5BD1E995);
      this.#second ^= this.#second >>> 15;
    }
  }

  toString(): string {
    return `${this.#first},${this.#second}`;
  }
}
