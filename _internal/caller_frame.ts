/**
 * Errors that show who was waiting. An error is made where something failed: in
 * a callback of the host, or in the code that closed a queue. Whoever reads its
 * stack wants the line that awaited.
 *
 * The engine knows that line only inside of a reaction whose promise is being
 * awaited: from there it follows the promises to the `async` functions behind
 * them. So an error is marked where the library makes it for somebody who waits,
 * and the first to get it has the stack made again in such a reaction. Nothing of
 * this happens if nothing fails, and what was not marked is not touched:
 * errors of users, and those of futures and tasks, which keep the stack of where
 * they were thrown.
 */
import { isCancelledError } from "../errors.ts";

type Mark = "replace" | "append" | "done";

const marks = new WeakMap<object, Mark>();

/**
 * Marks an error that was made for whoever waits. Its stack will be theirs, as
 * where it was made tells nothing.
 */
export function forCaller<E>(error: E): E {
  return mark(error, "replace");
}

/**
 * The same for one that comes from another thread, with a stack of there, behind
 * which that of who waits is put.
 */
export function alsoForCaller<E>(error: E): E {
  return mark(error, "append");
}

/** Leaves an error as it is, though it comes by a way on which others are ours. */
export function notForCaller<E>(error: E): E {
  return mark(error, "done");
}

/** An error that is about to be thrown in a call, or in an `async` function. */
export function atCaller<E>(error: E): E {
  take(error, atCaller);
  return error;
}

/**
 * Rejects a promise that somebody awaits; one microtask later than `reject`
 * alone where the stack is to be made.
 *
 * @param resolve The promise's own, by which the engine finds it.
 */
export function rejectAtCaller(
  error: unknown,
  resolve: (value: never) => void,
  reject: (error: unknown) => void,
): void {
  if (!isMarked(error)) return reject(error);
  const react = () => {
    try {
      take(error, react);
    } finally {
      reject(error);
    }
  };
  const reaction = microtask.then(react);
  // Comes when the promise is settled, and so does nothing. It is there for the
  // engine, which follows it.
  reaction.then(resolve as () => void, reject);
}

/** A promise that is rejected, for somebody who is about to await it. */
export function rejectedAtCaller(error: unknown): Promise<never> {
  if (!isMarked(error)) return Promise.reject(error);
  return new Promise((resolve, reject) =>
    rejectAtCaller(error, resolve, reject)
  );
}

const microtask = Promise.resolve();

function mark<E>(error: E, how: Mark): E {
  // A cancellation is the same for all it reaches, and must not come later. One
  // that is kept and thrown again was marked before, and keeps its stack.
  if (
    error instanceof Error && !isCancelledError(error) && !marks.has(error)
  ) marks.set(error, how);
  return error;
}

function isMarked(error: unknown): error is Error {
  const found = marks.get(error as object);
  return found !== undefined && found !== "done";
}

/**
 * Takes the stack, unless another who waits for the same error has come first.
 *
 * @param above The first function that is not to be seen.
 */
function take(error: unknown, above: unknown): void {
  if (!isMarked(error)) return;
  const how = marks.get(error);
  marks.set(error, "done");
  // An engine may not have it, and a user may have frozen the error.
  const { captureStackTrace } = Error as Partial<Capturing>;
  if (captureStackTrace === undefined || !Object.isExtensible(error)) return;
  if (how === "replace") return captureStackTrace(error, above);
  const here = new Error();
  captureStackTrace(here, above);
  const { stack = `${error}` } = error;
  Object.defineProperty(error, "stack", {
    value: stack + framesOf(here),
    writable: true,
    configurable: true,
    enumerable: false,
  });
}

interface Capturing {
  captureStackTrace(error: object, above: unknown): void;
}

/** The lines of a stack without the first, which has the message. */
function framesOf({ stack = "" }: Error): string {
  const start = stack.indexOf("\n");
  return start < 0 ? "" : stack.slice(start);
}
