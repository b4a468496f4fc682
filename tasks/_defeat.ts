/** What the contenders that lose are told. */
import { withStackLimit } from "../_internal/stack_limit.ts";
import { CancelledError } from "../errors.ts";
import { UnmadeError } from "../loop/cancel_request.ts";
import type { Kernel } from "../loop/kernel.ts";

/**
 * What a contest has to say to all of them. An error is dear, with a stack or
 * without, and where a contender is no more than a wait nobody ever looks at it.
 */
export class Defeat extends UnmadeError {
  readonly #message: string;
  readonly #by: string | undefined;

  /** @param by The task that has won. */
  constructor(name: string, by: string | undefined) {
    super();
    this.#message = messageOf(name);
    this.#by = by;
  }

  toError(): CancelledError {
    return new CancelledError(this.#message, { by: this.#by });
  }

  /** For code that may look at it. */
  errorFor(kernel: Kernel): CancelledError {
    if (kernel.stacks !== null) return this.toError();
    // It would show nothing but the library, and be what a race costs most for.
    return withStackLimit(undefined, () => this.toError());
  }
}

const unseen = new Map<string, CancelledError>();

/**
 * The same for the promise of a wait that was dropped: it has nobody behind it
 * who could tell one of these from another.
 */
export function unseenDefeat(name: string): CancelledError {
  let error = unseen.get(name);
  if (error === undefined) {
    error = withStackLimit(
      undefined,
      () => new CancelledError(messageOf(name)),
    );
    unseen.set(name, error);
  }
  return error;
}

function messageOf(name: string): string {
  return `Another contender of ${name} has ended first`;
}
