import { runIn } from "../loop/current.ts";
import type { Scope } from "../loop/scope.ts";
import type { Runnable } from "../loop/types.ts";

/**
 * Something that comes by itself, in an iteration of its own. Of several that
 * come in the same one, it is by chance which is the first.
 */
export class Arrival implements Runnable {
  readonly runsCode = true;
  readonly #scope: Scope;
  readonly #what: string;
  readonly #arrive: () => void;
  readonly #hasNews: () => boolean;
  #isQueued = false;

  /**
   * @param what For debug mode: what this is.
   * @param hasNews Whether there is something to tell: otherwise it is no matter
   * when it comes.
   */
  constructor(
    scope: Scope,
    what: string,
    arrive: () => void,
    hasNews: () => boolean = () => true,
  ) {
    this.#scope = scope;
    this.#what = what;
    this.#arrive = arrive;
    this.#hasNews = hasNews;
  }

  get mayMove(): boolean {
    return this.#hasNews();
  }

  get mayComeLater(): boolean {
    return this.#hasNews();
  }

  get scope(): Scope {
    return this.#scope;
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
