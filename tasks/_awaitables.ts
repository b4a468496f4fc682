/** What is waited for together, in the one wording. */
import { checkOptions, isThenable } from "../_internal/check.ts";
import { show } from "../_internal/show.ts";

/** Refuses what cannot be waited for. */
export function checkAwaitable(value: unknown): void {
  if (isAwaitable(value)) return;
  throw new TypeError(
    `Cannot wait for a value as it must be a promise, a future or a function: received ${
      show(value)
    }`,
  );
}

/** A call that takes several awaitables, as Python has it with a star. */
interface Call {
  readonly action: string;
  readonly name: string;
  readonly kind: "an array" | "an iterable of awaitables";
}

/** Refuses one awaitable where there must be a list, or one for the options. */
export function checkList(
  { action, name, kind }: Call,
  aws: unknown,
  options: unknown,
): void {
  const isList = kind === "an array" ? Array.isArray(aws) : isIterable(aws);
  if (!isList) {
    const hint = isAwaitable(aws)
      ? `; put all into one, as in ${name}([one, two])`
      : isIterable(aws)
      ? `; make one of it, as in ${name}([...aws])`
      : "";
    throw new TypeError(
      `Cannot ${action} as 'aws' must be ${kind}: received ${show(aws)}${hint}`,
    );
  }
  if (isAwaitable(options)) {
    throw new TypeError(
      `Cannot ${action} as 'options' must be an object: received ${
        show(options)
      }; put all that is waited for into the list, as in ${name}([one, two])`,
    );
  }
  checkOptions(action, options);
}

function isAwaitable(value: unknown): boolean {
  return typeof value === "function" || isThenable(value);
}

function isIterable(value: unknown): boolean {
  return typeof value === "object" && value !== null &&
    Symbol.iterator in value;
}
