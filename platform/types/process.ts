/** The program as a whole. */
export interface HostProcess {
  /** An environment variable; `undefined` also if reading is not allowed. */
  env(name: string): string | undefined;
  exit(status: number): never;
  /** A line on stdout. */
  writeOutput(line: string): void;
  /** A line on stderr. */
  writeError(line: string): void;
  /** Called when nothing is left to do but the program has not ended. */
  onIdle(callback: () => void): void;
  /** Called when the program ends. */
  onExit(callback: () => void): void;
  /**
   * Asks `isHandled` about each rejection nobody handled before the host ends
   * the program for it; those it answers true for are let pass.
   */
  filterUnhandledRejections(isHandled: (reason: unknown) => boolean): void;
}
