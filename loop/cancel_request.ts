/** What code asks to be cancelled with, and by whom. */
import { isError } from "../_internal/error_text.ts";
import { read } from "../_internal/show.ts";
import { CancelledError, isCancelledError } from "../errors.ts";
import { enteredScope } from "./entered.ts";
import type { Scope } from "./scope.ts";

/**
 * What a future was cancelled with. Its error is made only once somebody asks:
 * most that are cancelled while nobody waits are never looked at again, and an
 * error is dear for its stack.
 */
export abstract class UnmadeError {
  abstract toError(): CancelledError;
}

/** That somebody has called `cancel()`. */
export class CancelRequest extends UnmadeError {
  readonly #reason: unknown;
  readonly #by: string | undefined;

  constructor(reason: unknown) {
    super();
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

/**
 * The cancellation that `error` stands for, if it does: either our own error or
 * the AbortError that a host operation made of our signal.
 */
export function asCancellation(
  error: unknown,
  scope: Scope,
): CancelledError | null {
  if (isCancelledError(error)) return error;
  if (scope.requests === 0 || !isError(error)) return null;
  const cause = read(error, "cause");
  return read(error, "name") === "AbortError" && isCancelledError(cause)
    ? cause
    : null;
}

function messageOf(reason: unknown): string | undefined {
  return typeof reason === "string" ? reason : undefined;
}

function nameOfRunning(): string | undefined {
  return enteredScope()?.task?.name;
}
