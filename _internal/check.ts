/**
 * The one wording for bad arguments: what cannot be done, which value is
 * wrong, what it must be, and what it is.
 */
import { show } from "./show.ts";

export function checkFunction(
  action: string,
  name: string,
  value: unknown,
): void {
  if (typeof value === "function") return;
  const hint = isThenable(value)
    ? ": a promise has already started; give the function that makes it, as in () => work()"
    : "";
  throw new TypeError(
    `Cannot ${action} as '${name}' must be a function: received ${
      show(value)
    }${hint}`,
  );
}

/** A callback whose errors have somewhere to go: those of a promise have not. */
export function checkNotAsync(
  action: string,
  name: string,
  value: unknown,
): void {
  if (
    (value as { constructor?: { name: string } }).constructor?.name !==
      "AsyncFunction"
  ) return;
  throw new TypeError(
    `Cannot ${action} as '${name}' must not be an async function, whose errors no one would see: received ${
      show(value)
    }; use createTask()`,
  );
}

export function checkString(
  action: string,
  name: string,
  value: unknown,
): void {
  if (typeof value === "string") return;
  throw new TypeError(
    `Cannot ${action} as '${name}' must be a string: received ${show(value)}`,
  );
}

export function checkBoolean(
  action: string,
  name: string,
  value: unknown,
): void {
  if (typeof value === "boolean") return;
  throw new TypeError(
    `Cannot ${action} as '${name}' must be a boolean: received ${show(value)}`,
  );
}

/** One of another realm, or of a polyfill, is a signal, too. */
export function checkAbortSignal(
  action: string,
  name: string,
  value: unknown,
): void {
  if (
    typeof value === "object" && value !== null && "aborted" in value &&
    typeof (value as AbortSignal).addEventListener === "function"
  ) return;
  throw new TypeError(
    `Cannot ${action} as '${name}' must be an AbortSignal: received ${
      show(value)
    }`,
  );
}

/** One of a few strings or numbers. */
export function checkOneOf(
  action: string,
  name: string,
  value: unknown,
  choices: readonly unknown[],
): void {
  if (choices.includes(value)) return;
  throw new RangeError(
    `Cannot ${action} as '${name}' must be one of ${
      choices.join(", ")
    }: received ${show(value)}`,
  );
}

/** Anything with properties, be it a function. */
export function checkObject(
  action: string,
  name: string,
  value: unknown,
): void {
  if (Object(value) === value) return;
  throw new TypeError(
    `Cannot ${action} as '${name}' must be an object: received ${show(value)}`,
  );
}

/** A span of time in milliseconds: any number but NaN. */
export function checkDelay(action: string, name: string, value: unknown): void {
  if (typeof value !== "number") {
    throw new TypeError(
      `Cannot ${action} as '${name}' must be a number of milliseconds: received ${
        show(value)
      }`,
    );
  }
  if (Number.isNaN(value)) {
    throw new RangeError(
      `Cannot ${action} as '${name}' must not be NaN: received NaN`,
    );
  }
}

/**
 * The same, given back: what is left until a deadline is less than nothing as
 * soon as somebody is late, so a span below zero is 0.
 */
export function checkSpan(
  action: string,
  name: string,
  value: unknown,
): number {
  checkDelay(action, name, value);
  return Math.max(0, value as number);
}

/** A span of time in milliseconds that may not be negative. */
export function checkDuration(
  action: string,
  name: string,
  value: unknown,
): void {
  checkDelay(action, name, value);
  if ((value as number) < 0) {
    throw new RangeError(
      `Cannot ${action} as '${name}' must not be negative: received ${
        show(value)
      }`,
    );
  }
}

/** The same for a limit, of which nothing at all could keep within 0. */
export function checkLimit(action: string, name: string, value: unknown): void {
  checkDelay(action, name, value);
  if ((value as number) <= 0) {
    throw new RangeError(
      `Cannot ${action} as '${name}' must be above 0: received ${show(value)}`,
    );
  }
}

/** A whole number of at least `least`. */
export function checkInteger(
  action: string,
  name: string,
  value: unknown,
  least: number,
): void {
  if (typeof value !== "number") {
    throw new TypeError(
      `Cannot ${action} as '${name}' must be an integer: received ${
        show(value)
      }`,
    );
  }
  if (!Number.isInteger(value) || value < least) {
    throw new RangeError(
      `Cannot ${action} as '${name}' must be an integer of at least ${least}: received ${
        show(value)
      }`,
    );
  }
}

/** The same for a number that may be without limit. */
export function checkCount(
  action: string,
  name: string,
  value: unknown,
  least: number,
): void {
  if (typeof value !== "number") {
    throw new TypeError(
      `Cannot ${action} as '${name}' must be a number: received ${show(value)}`,
    );
  }
  if ((!Number.isInteger(value) && value !== Infinity) || value < least) {
    throw new RangeError(
      `Cannot ${action} as '${name}' must be an integer of at least ${least}, or Infinity: received ${value}`,
    );
  }
}

/**
 * A promise of this realm whose `then` is the host's: whatever it stands for has
 * begun, and no one's code runs when it is waited for.
 */
export function isPlainPromise<T>(
  value: T | PromiseLike<T>,
): value is Promise<T> {
  return value instanceof Promise && value.then === promiseThen;
}

/**
 * A promise, a future or anything else with a `then` method. One that throws
 * when it is asked for its `then` is none.
 */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  try {
    return thenOf(value) !== null;
  } catch {
    return false;
  }
}

/**
 * The `then` method of a value that has one; otherwise `null`.
 *
 * @throws What the value throws when it is asked: a promise that is resolved
 * with it is rejected with that.
 */
export function thenOf(value: unknown): PromiseLike<unknown>["then"] | null {
  if (
    value === null ||
    (typeof value !== "object" && typeof value !== "function")
  ) return null;
  const { then } = value as { then?: unknown };
  return typeof then === "function"
    ? then as PromiseLike<unknown>["then"]
    : null;
}

const { then: promiseThen } = Promise.prototype;

/**
 * Calls back once with what a promise comes to, as `await` would: another's
 * `then` may throw, or call back twice, or with a promise.
 */
export function react<T>(
  promise: PromiseLike<T>,
  onFulfilled: (value: T) => void,
  onRejected: (error: unknown) => void,
): void {
  try {
    if (promise.then === promiseThen) {
      promiseThen.call(promise as Promise<T>, onFulfilled, onRejected);
      return;
    }
  } catch {
    // The promise below is rejected with the same.
  }
  new Promise<T>((resolve) => resolve(promise)).then(onFulfilled, onRejected);
}
