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

/** A promise, a future or anything else with a `then` method. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return value !== null &&
    (typeof value === "object" || typeof value === "function") &&
    typeof (value as { then?: unknown }).then === "function";
}
