import { KeyboardInterrupt, SystemExit } from "../errors.ts";

/** Errors that end the program rather than a task: they leave groups bare. */
export function isExitRequest(
  error: unknown,
): error is SystemExit | KeyboardInterrupt {
  return error instanceof SystemExit || error instanceof KeyboardInterrupt;
}
