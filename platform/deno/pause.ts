/**
 * Whether a pump reads on. Nothing but closing ends a read of Deno's that waits,
 * so what comes of it while reading is paused is held until it goes on.
 */
export class Pause {
  isPaused = false;
  isClosed = false;
  #goOn: (() => void) | null = null;

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.#goOn?.();
  }

  /** Ends the pause for good; gives false if it had ended so before. */
  close(): boolean {
    if (this.isClosed) return false;
    this.isClosed = true;
    this.#goOn?.();
    return true;
  }

  /** For the pump, which is one: resolves when it is to look again. */
  over(): Promise<void> {
    return new Promise(this.#await);
  }

  readonly #await = (resolve: () => void): void => {
    if (!this.isPaused || this.isClosed) return resolve();
    this.#goOn = () => {
      this.#goOn = null;
      resolve();
    };
  };
}
