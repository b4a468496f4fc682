/** What is waited for together, in the one wording. */
import { isThenable } from "../_internal/check.ts";
import { checkOptions, type OptionNames } from "../_internal/options.ts";
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
export interface ListCall {
  readonly action: string;
  readonly name: string;
  readonly kind: "an array" | "an iterable of awaitables";
  readonly options: OptionNames;
}

/** Refuses one awaitable where there must be a list, or one for the options. */
export function checkList(
  { action, name, kind, options: names }: ListCall,
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
  checkOptions(action, options, names);
}

function isAwaitable(value: unknown): boolean {
  return typeof value === "function" || isThenable(value);
}

function isIterable(value: unknown): boolean {
  return typeof value === "object" && value !== null &&
    Symbol.iterator in value;
}
