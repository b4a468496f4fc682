/** The pages that look at the same, and are told of it again and again. */
import { hostTimers } from "../platform/timers.ts";
import type { HostHandle } from "../platform/types/timers.ts";
import type { HttpBody } from "../platform/types/http.ts";

/** How often they are told, in milliseconds of the host. */
const UPDATE_MS = 500;
/** However much there is to look at, that takes at most 1/20 of the time. */
const SHARE = 20;
/** More pages than this are sent away. */
const MOST_PAGES = 8;

/**
 * Tells pages something.
 *
 * @param lateMs By how much the loop is behind, in milliseconds.
 */
type Tell<P> = (pages: Iterable<P>, lateMs: number) => void;

export class Audience<P> {
  readonly #pages = new Set<P>();
  readonly #tell: Tell<P>;
  readonly #onEmpty: () => void;
  #timer: HostHandle = null;

  /** @param onEmpty Called when the last page has gone, or all are left. */
  constructor(tell: Tell<P>, onEmpty: () => void = () => {}) {
    this.#tell = tell;
    this.#onEmpty = onEmpty;
  }

  get isFull(): boolean {
    return this.#pages.size >= MOST_PAGES;
  }

  /** Tells a page now, and from now on until it has gone. */
  add(page: P): HttpBody {
    this.#pages.add(page);
    this.#tell([page], 0);
    if (this.#timer === null) this.#wait(UPDATE_MS);
    return {
      ended: () => {
        this.#pages.delete(page);
        if (this.#pages.size === 0) this.stop();
      },
    };
  }

  /** Tells nobody any more. */
  stop(): void {
    if (this.#timer !== null) hostTimers.clearTimer(this.#timer);
    this.#timer = null;
    this.#onEmpty();
  }

  #wait(ms: number): void {
    const due = hostTimers.now() + ms;
    this.#timer = hostTimers.setBackgroundTimer(() => {
      const start = hostTimers.now();
      this.#tell(this.#pages, Math.max(0, start - due));
      const took = hostTimers.now() - start;
      this.#wait(Math.max(UPDATE_MS, took * SHARE));
    }, ms);
  }
}
