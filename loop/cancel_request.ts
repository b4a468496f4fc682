/** What code asks to be cancelled with, and by whom. */
import { CancelledError, isCancelledError } from "../errors.ts";
import { enteredScope } from "./entered.ts";

/**
 * What a future was cancelled with. Its error is made only once somebody asks:
 * most that are cancelled while nobody waits are never looked at again, and an
 * error is dear for its stack.
 */
export class CancelRequest {
  readonly #reason: unknown;
  readonly #by: string | undefined;

  constructor(reason: unknown) {
    this.#reason = reason;
    this.#by = nameOfRunning();
  }

  toError(): CancelledError {
    const reason = this.#reason;
    return new CancelledError(messageOf(reason), { reason, by: this.#by });
  }
}

/** The error to cancel with: given as it is, or made of a message or a reason. */
export function toCancelledError(reason: unknown): CancelledError {
  if (isCancelledError(reason)) return reason;
  const by = nameOfRunning();
  return new CancelledError(messageOf(reason), { reason, by });
}

function messageOf(reason: unknown): string | undefined {
  return typeof reason === "string" ? reason : undefined;
}

function nameOfRunning(): string | undefined {
  return enteredScope()?.task?.name;
}
