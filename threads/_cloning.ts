/** What can go to another thread, and what to say of the rest. */
import { messageOf } from "../_internal/error_text.ts";
import { show } from "../_internal/show.ts";
import { transfers } from "../platform/worker_context.ts";

export function canClone(value: unknown): boolean {
  return cloneOf(value) !== null;
}

/** A clone, of which no getter is left; `null` if it cannot be cloned. */
export function cloneOf(value: unknown): { readonly value: unknown } | null {
  switch (typeof value) {
    case "function":
    case "symbol":
      return null;
    case "object":
      try {
        return { value: structuredClone(value) };
      } catch {
        return null;
      }
    default:
      return { value };
  }
}

const NOTHING: readonly object[] = [];

/** What was marked for being transferred, of a value. */
export function transfersOf(value: unknown): readonly object[] {
  return typeof value === "object" && value !== null
    ? transfers.get(value) ?? NOTHING
    : NOTHING;
}

/** The same of several. */
export function transfersOfAll(values: readonly unknown[]): readonly object[] {
  let all = NOTHING;
  for (const value of values) {
    const own = transfersOf(value);
    if (own.length > 0) all = [...all, ...own];
  }
  return all;
}

/**
 * The error for arguments that could not be sent, naming the one at fault.
 *
 * @param action What cannot be done: `run the function work in a worker`.
 * @param cause What the host said.
 */
export function notCloneable(
  action: string,
  args: readonly unknown[],
  cause: unknown,
): TypeError {
  // What holds something that can only be transferred cannot be tried.
  const index = args.findIndex((arg) =>
    transfersOf(arg).length === 0 && !canClone(arg)
  );
  const [which, what] = index < 0
    ? ["the arguments", `${args.length} of them`]
    : [`argument ${index + 1}`, show(args[index])];
  return new TypeError(
    `Cannot ${action} as ${which} must be what can be cloned, and not functions or the like: received ${what} (${
      messageOf(cause)
    })`,
    { cause },
  );
}
