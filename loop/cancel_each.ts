import { type Future, futureInternals } from "./future.ts";
import { requests } from "./requests.ts";

/**
 * Asks each of several futures to cancel. One that throws is reported, and the
 * others are asked all the same.
 *
 * @param reason See `Future.cancel`.
 * @returns Whether one of them has taken the request.
 */
export function cancelEach(
  futures: Iterable<Future<unknown>>,
  reason: unknown,
): boolean {
  let isTaken = false;
  requests.asOne(() => {
    for (const future of futures) {
      if (cancelSafely(future, reason)) isTaken = true;
    }
  });
  return isTaken;
}

/** Asks one that must not throw, as its caller has others to see to. */
export function cancelSafely(
  future: Future<unknown>,
  reason: unknown,
): boolean {
  try {
    return requests.ask(future, reason);
  } catch (error) {
    futureInternals.kernel(future).report({
      message: "A future threw when it was asked to cancel",
      error,
      future,
    });
    return false;
  }
}

/** How many listeners of signals are nested, of some twenty frames each. */
const DEEPEST = 32;

let depth = 0;
/** What the listeners below have left to the first one. */
const postponed: (() => void)[] = [];

/**
 * The same for a listener of `signal`. The cancelled task may abort a signal in
 * turn, to which the next one listens: such a chain may be longer than the stack
 * is deep.
 */
export function cancelBySignal(
  future: Future<unknown>,
  signal: AbortSignal,
): void {
  callBySignal(() => cancelSafely(future, signal.reason));
}

/** The same for whatever a listener cancels; `cancel` does not throw. */
export function callBySignal(cancel: () => void): void {
  if (depth === DEEPEST) {
    postponed.push(cancel);
    return;
  }
  depth++;
  try {
    cancel();
    if (depth > 1) return;
    for (let next = postponed.pop(); next; next = postponed.pop()) {
      callBySignal(next);
    }
  } finally {
    depth--;
  }
}
