import { runIn } from "../loop/current.ts";
import type { Scope } from "../loop/scope.ts";
import type { Runnable } from "../loop/types.ts";

/**
 * Something that comes by itself, in an iteration of its own. Of several that
 * come in the same one, it is by chance which is the first.
 */
export class Arrival implements Runnable {
  readonly runsCode = true;
  readonly mayMove = true;
  readonly mayComeLater = true;
  readonly #scope: Scope;
  readonly #what: string;
  readonly #arrive: () => void;
  #isQueued = false;

  /** @param what For debug mode: what this is. */
  constructor(scope: Scope, what: string, arrive: () => void) {
    this.#scope = scope;
    this.#what = what;
    this.#arrive = arrive;
  }

  /** Comes in the next iteration; in a loop that is closed, never. */
  schedule(): void {
    const { kernel } = this.#scope;
    if (this.#isQueued || kernel.closed) return;
    this.#isQueued = true;
    kernel.push(this);
  }

  run(): void {
    this.#isQueued = false;
    runIn(this.#scope, this.#arrive);
  }

  describe(): string {
    return this.#what;
  }
}
