/** A source of what a reader gets, without a connection. */
import type { ReadingSide } from "../../streams/web.ts";

/** Feeds a reader, and notes when it is told to pause and to resume. */
export class MemorySource implements ReadingSide {
  readonly log: string[] = [];
  #isReading = true;

  isReading(): boolean {
    return this.#isReading;
  }

  pauseReading(): void {
    this.#isReading = false;
    this.log.push("pause");
  }

  resumeReading(): void {
    this.#isReading = true;
    this.log.push("resume");
  }
}
