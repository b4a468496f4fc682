/**
 * Errors on their way between threads. A clone of the host loses their class,
 * most of their name and what they carry, so they are taken apart and put
 * together again.
 */
import { show } from "../_internal/show.ts";
import * as ours from "../errors.ts";
import { canClone } from "./_cloning.ts";

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

/** Takes an error apart. */
export function describeError(
  error: unknown,
  above: readonly unknown[] = [],
): DescribedError {
  if (!(error instanceof Error)) {
    return { thrown: canClone(error) ? error : show(error) };
  }
  const path = [...above, error];
  const inner = (each: unknown): DescribedError =>
    path.includes(each) ? { thrown: "[Circular]" } : describeError(each, path);
  const base = baseOf(error);
  return {
    base,
    name: nameOf(error, base),
    message: String(error.message),
    stack: error.stack,
    ...("cause" in error && { cause: inner(error.cause) }),
    ...(error instanceof AggregateError && { errors: error.errors.map(inner) }),
    properties: Object.fromEntries(
      Object.entries(error).filter(([key, value]) =>
        !NO_PROPERTIES.has(key) && canClone(value)
      ),
    ),
  };
}

function baseOf(error: Error): string {
  for (
    let each: object | null = Object.getPrototypeOf(error);
    each !== null;
    each = Object.getPrototypeOf(each)
  ) {
    const name = String(each.constructor?.name);
    if (classes().get(name)?.prototype === each) return name;
  }
  return "Error";
}

/** A class that sets no name of its own gives that of its constructor. */
function nameOf(error: Error, base: string): string {
  const own = String(error.name);
  if (base === "DOMException") return own;
  const inherited = classes().get(base)?.prototype.name;
  return own === inherited ? error.constructor?.name || own : own;
}

/** Puts an error together again. */
export function reviveError(description: DescribedError): unknown {
  if ("thrown" in description) return description.thrown;
  const { base, name, message, stack, cause, errors, properties } = description;
  const error = makeError(base, name, message, errors?.map(reviveError) ?? []);
  // Here they are as the constructors make them: not among the keys.
  if (error.name !== name) define(error, "name", name);
  define(error, "stack", stack);
  if (cause !== undefined) define(error, "cause", reviveError(cause));
  return Object.assign(error, properties);
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
      // Its constructor says again how many there are.
      return new ours.ExceptionGroup(
        errors,
        message.replace(/ \([^(]*\)$/, ""),
      );
  }
  // The constructors of the others differ in what they take, and set nothing
  // that is not among the properties.
  const error = new Error(message);
  const { prototype } = classes().get(base) ?? Error;
  return Object.setPrototypeOf(error, prototype) as Error;
}

function define(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, {
    value,
    writable: true,
    configurable: true,
    enumerable: false,
  });
}
