import { KeyboardInterrupt, SystemExit } from "../errors.ts";
import { isError } from "../_internal/error_text.ts";

/** Errors that end the program rather than a task: they leave groups bare. */
export function isExitRequest(
  error: unknown,
): error is SystemExit | KeyboardInterrupt {
  return isError(error) &&
    (error instanceof SystemExit || error instanceof KeyboardInterrupt);
}
