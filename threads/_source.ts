/**
 * A function as text. In a worker it is compiled again, without what was around
 * it; so it must be one that uses nothing from there.
 */

import { META_REGEXP, restore } from "./_rewritten.ts";

/** The right way for all that cannot go by its source. */
export const RIGHT_WAY =
  'export it from a module, and call it by executor.module<typeof import("./work.ts")>(new URL("./work.ts", import.meta.url))';

/** What a function may use in a worker though it is outside of it. */
export const PROVIDED = [
  "cancelSignal",
  "checkCancelled",
  "runCoroutineThreadsafe",
  "transfer",
] as const;

/**
 * What only a worker has among its globals, or has another of. They are hidden, as
 * they would be taken for variables of those names that a function closes over.
 */
export const WORKERS_OWN: readonly string[] = [
  "close",
  "onmessage",
  "postMessage",
];

/** What a function is called in messages. */
export function describeFunction(name: string): string {
  return name === "" ? "an anonymous function" : `the function ${name}`;
}

/** How many sources are remembered, here and in each worker. */
const REMEMBERED = 256;

/** A few values by text; what comes in beyond that drives out the oldest. */
export class Remembered<T> {
  readonly #values = new Map<string, T>();

  get(text: string): T | undefined {
    return this.#values.get(text);
  }

  set(text: string, value: T): void {
    if (this.#values.size >= REMEMBERED) {
      const [oldest] = this.#values.keys();
      this.#values.delete(oldest as string);
    }
    this.#values.set(text, value);
  }
}

type AnyFunction = (...args: never) => unknown;

const sources = new WeakMap<AnyFunction, string>();
/** What was checked, as it is sent, by what the host gives. */
const checked = new Remembered<string>();

/**
 * The source of a function.
 *
 * @throws {TypeError} When it is of a kind that has none, or none that means
 * anything elsewhere.
 */
export function sourceOf(fn: AnyFunction): string {
  const known = sources.get(fn);
  if (known !== undefined) return known;
  const written = Function.prototype.toString.call(fn);
  let source = checked.get(written);
  if (source === undefined) {
    source = restore(written);
    checkSource(fn, source);
    checked.set(written, source);
  }
  sources.set(fn, source);
  return source;
}

/**
 * Compiles a function in strict mode, as modules are. An arrow function is put
 * in a constructor that has not called `super`, so that V8 refuses each use of
 * `this`.
 *
 * @param names What is there besides PROVIDED.
 */
export function compile(
  source: string,
  provided: readonly unknown[],
  names: Readonly<Record<string, unknown>>,
): AnyFunction {
  const factory = new Function(
    ...PROVIDED,
    ...Object.keys(names),
    `"use strict"; return new (class extends Object { constructor() { return (${source}\n); let ${
      WORKERS_OWN.join(", ")
    }; } })();`,
  );
  return factory(...provided, ...Object.values(names)) as AnyFunction;
}

function checkSource(fn: AnyFunction, source: string): void {
  if (/\{\s*\[native code\]\s*\}\s*$/.test(source)) {
    throw refusal(
      fn,
      fn.name.startsWith("bound ")
        ? "a bound function, which has no source"
        : "a function of the host, which has no source",
      "write a function around it, or ",
    );
  }
  if (/^class\b/.test(source)) {
    throw refusal(fn, "a class, which is called with new", "");
  }
  const tag = Object.prototype.toString.call(fn);
  if (/Generator/.test(tag)) {
    throw refusal(fn, "a generator, which cannot be cloned", "");
  }
  if (META_REGEXP.test(source)) {
    throw refusal(fn, "what only works where it stands (import.meta)", "");
  }
  const failure = failureToCompile(source);
  if (failure === null) {
    if (!usesOuterArguments(source)) return;
    throw refusal(
      fn,
      "an arrow function with the 'arguments' of what is around it",
      "",
    );
  }
  throw refusal(
    fn,
    failureToCompile(`{${source}}`) === null
      ? "a method, which belongs to its object"
      : `what only works where it stands (${failure.message})`,
    "",
  );
}

/** In a field of a class, V8 takes no `arguments` but those of a function in it. */
function usesOuterArguments(source: string): boolean {
  return failureToCompile(`class { static field = (${source}\n) }`) !== null;
}

function failureToCompile(source: string): SyntaxError | null {
  try {
    new Function(`"use strict"; return (${source}\n);`);
    return null;
  } catch (error) {
    if (error instanceof SyntaxError) return error;
    throw error;
  }
}

function refusal(fn: AnyFunction, kind: string, hint: string): TypeError {
  return new TypeError(
    `Cannot run ${
      describeFunction(fn.name)
    } in a worker as 'fn' must be a function that uses nothing from there: received ${kind}; ${hint}${RIGHT_WAY}`,
  );
}
