/**
 * Who goes first of several whose turns come together. A wait that is due takes
 * what it waits for in its turn; the first of those in one contest gives its turn
 * to the one that is to have it, and waits for another.
 */
import type { Scope } from "../loop/scope.ts";
import { waitsBelow } from "../loop/hooks.ts";
import type { Wait } from "../loop/wait.ts";

/** Picks a number from 0 to below `count`. */
export type Choice = (count: number) => number;

/** A wait of a contender, whose turns go through here. */
interface Watched {
  readonly index: number;
  readonly wait: Wait<unknown>;
}

export class Turns {
  readonly #choose: Choice;
  #watched: Set<Watched> | null = null;

  constructor(choose: Choice) {
    this.#choose = choose;
  }

  /** Watches what a contender waits for. */
  watch(index: number, scope: Scope): void {
    for (const wait of waitsBelow(scope)) {
      const watched = { index, wait };
      (this.#watched ??= new Set()).add(watched);
      // Of this one object: the turns of all others cost nothing by it.
      const { run } = wait;
      wait.run = () => {
        if (this.#mayGo(watched)) run.call(wait);
      };
    }
  }

  /** It is decided: from now on, each turn is its own. */
  end(): void {
    this.#watched = null;
  }

  /** Whether this turn is its own; otherwise it was another's. */
  #mayGo(watched: Watched): boolean {
    // A timer that is due has a step of its own, before its turn.
    if (!watched.wait.isReady() || !this.#watched?.has(watched)) return true;
    const chosen = this.#chosen(this.#watched);
    this.#watched.delete(chosen);
    if (chosen.index === watched.index) return true;
    // Its own turn, which comes as well, finds it done.
    chosen.wait.run();
    watched.wait.isQueued = false;
    watched.wait.enqueue();
    return false;
  }

  /** One of those whose turns come now; at least one does. */
  #chosen(all: Iterable<Watched>): Watched {
    const ready = new Map<number, Watched>();
    for (const each of all) {
      if (each.wait.isReady()) ready.set(each.index, each);
    }
    const indices = [...ready.keys()].sort((a, b) => a - b);
    const place = indices.length === 1 ? 0 : this.#choose(indices.length);
    return ready.get(indices[place]!)!;
  }
}
