/**
 * Errors on their way between threads. A clone of the host loses their class,
 * most of their name and what they carry, so they are taken apart and put
 * together again.
 */
import { errorLine, errorsOf, isError } from "../_internal/error_text.ts";
import { read, readText, show, tryToDefine } from "../_internal/show.ts";
import * as ours from "../errors.ts";
import { cloneOf } from "./_cloning.ts";

/** An error, as it can be cloned; or what was thrown in place of one. */
export type DescribedError =
  | { readonly thrown: unknown }
  | {
    /** The class it comes back as: the nearest that both threads have. */
    readonly base: string;
    readonly name: string;
    readonly message: string;
    readonly stack: string | undefined;
    readonly cause?: DescribedError;
    readonly errors?: readonly DescribedError[];
    readonly properties: Readonly<Record<string, unknown>>;
  };

type ErrorClass = (abstract new (...args: never) => Error) & {
  readonly prototype: Error;
};

let classesByName: ReadonlyMap<string, ErrorClass> | null = null;

/**
 * The classes both threads have, by name. Found when first needed: on Deno the
 * first look at DOMException loads it, which every start would pay.
 */
function classes(): ReadonlyMap<string, ErrorClass> {
  if (classesByName !== null) return classesByName;
  const builtIn: readonly ErrorClass[] = [
    Error,
    AggregateError,
    EvalError,
    RangeError,
    ReferenceError,
    SyntaxError,
    TypeError,
    URIError,
    DOMException,
  ];
  return classesByName = new Map(
    [...builtIn, ...Object.values(ours)]
      .filter((each): each is ErrorClass =>
        each === Error || each.prototype instanceof Error
      )
      .map((each) => [each.name, each]),
  );
}

/** What is described elsewhere, or belongs to the object and not its data. */
const NO_PROPERTIES = new Set(["cause", "errors", "message", "name", "stack"]);

/** Causes of causes, and groups in groups, beyond which an error is a line. */
const DEEPEST = 100;
/** How many errors go along with one. */
const MOST_ERRORS = 1000;

/** Takes an error apart. What cannot be read or cloned of it stays behind. */
export function describeError(error: unknown): DescribedError {
  return new Description().of(error);
}

/** Describes each error once: all that refer to it get the same object. */
class Description {
  readonly #described = new Map<Error, DescribedError>();
  /** The errors above the present one, from the outermost. */
  readonly #path = new Set<Error>();

  of(error: unknown): DescribedError {
    if (!isError(error)) return { thrown: cloneOrText(error) };
    if (this.#path.has(error)) return { thrown: "[Circular]" };
    const known = this.#described.get(error);
    if (known !== undefined) return known;
    const { size } = this.#path;
    if (size >= DEEPEST || size + this.#described.size >= MOST_ERRORS) {
      return { thrown: errorLine(error) };
    }
    this.#path.add(error);
    const description = this.#describe(error);
    this.#path.delete(error);
    this.#described.set(error, description);
    return description;
  }

  #describe(error: Error): DescribedError {
    const base = baseOf(error);
    const stack = read(error, "stack");
    const cause = read(error, "cause");
    const errors = errorsOf(error);
    return {
      base,
      name: nameOf(error, base),
      message: readText(error, "message"),
      stack: typeof stack === "string" ? stack : undefined,
      ...(cause !== undefined && { cause: this.of(cause) }),
      ...(errors !== null && { errors: errors.map((each) => this.of(each)) }),
      properties: propertiesOf(error),
    };
  }
}

function cloneOrText(value: unknown): unknown {
  const clone = cloneOf(value);
  return clone === null ? show(value) : clone.value;
}

function propertiesOf(error: Error): Record<string, unknown> {
  const properties: Record<string, unknown> = {};
  for (const key of keysOf(error)) {
    if (NO_PROPERTIES.has(key)) continue;
    const clone = cloneOf(read(error, key));
    if (clone !== null) properties[key] = clone.value;
  }
  return properties;
}

function keysOf(error: Error): readonly string[] {
  try {
    return Object.keys(error);
  } catch {
    // A proxy that does not say what it has.
    return [];
  }
}

function baseOf(error: Error): string {
  try {
    for (
      let each: object | null = Object.getPrototypeOf(error);
      each !== null;
      each = Object.getPrototypeOf(each)
    ) {
      const name = readText(read(each, "constructor"), "name");
      if (classes().get(name)?.prototype === each) return name;
    }
  } catch {
    // A proxy that does not say what it is.
  }
  return "Error";
}

/** A class that sets no name of its own gives that of its constructor. */
function nameOf(error: Error, base: string): string {
  const own = readText(error, "name");
  if (base === "DOMException") return own;
  const inherited = classes().get(base)?.prototype.name;
  if (own !== inherited) return own;
  return readText(read(error, "constructor"), "name") || own;
}

/** Puts an error together again; what was one error is one again. */
export function reviveError(description: DescribedError): unknown {
  return revive(description, new Map());
}

function revive(
  description: DescribedError,
  revived: Map<DescribedError, unknown>,
): unknown {
  if ("thrown" in description) return description.thrown;
  const known = revived.get(description);
  if (known !== undefined) return known;
  const inner = (each: DescribedError) => revive(each, revived);
  const { base, name, message, stack, cause, errors, properties } = description;
  const error = makeError(base, name, message, errors?.map(inner) ?? []);
  // Here they are as the constructors make them: not among the keys.
  if (error.name !== name) tryToDefine(error, "name", name);
  tryToDefine(error, "stack", stack);
  if (cause !== undefined) tryToDefine(error, "cause", inner(cause));
  for (const [key, value] of Object.entries(properties)) {
    Object.defineProperty(error, key, {
      value,
      writable: true,
      configurable: true,
      enumerable: true,
    });
  }
  revived.set(description, error);
  return error;
}

function makeError(
  base: string,
  name: string,
  message: string,
  errors: unknown[],
): Error {
  switch (base) {
    case "DOMException":
      return new DOMException(message, name);
    case "AggregateError":
      return new AggregateError(errors, message);
    case "ExceptionGroup":
      if (errors.length === 0) break;
      // Its constructor says again how many there are, and which.
      return new ours.ExceptionGroup(
        errors,
        message.replace(/ \(\d+ errors?(?:: .*)?\)$/s, ""),
      );
  }
  // The constructors of the others differ in what they take, and set nothing
  // that is not among the properties.
  const error = new Error(message);
  const { prototype } = classes().get(base) ?? Error;
  return Object.setPrototypeOf(error, prototype) as Error;
}
