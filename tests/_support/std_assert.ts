/**
 * What the suite uses of `@std/assert`, over `node:assert`.
 *
 * `deno.json` maps `@std/assert` to JSR. The tasks that must run where JSR is
 * out of reach map the same name to this file (`import_map.offline.json`), and
 * so do the tests on Node. The signatures are those of `@std/assert`, so a test
 * cannot tell which of the two it got.
 *
 * @module
 */

import { AssertionError as NodeAssertionError } from "node:assert";
import { inspect, isDeepStrictEqual } from "node:util";

/** A class, abstract or not, as the second argument of `assertThrows`. */
// deno-lint-ignore no-explicit-any
type AnyClass<T> = abstract new (...args: any[]) => T;

/** What {@linkcode assertFalse} accepts. */
export type Falsy = false | 0 | 0n | "" | null | undefined;

/** What every function of this module throws. */
export class AssertionError extends Error {
  /**
   * Makes the error.
   *
   * @param message What was expected, and what came.
   * @param options The usual options of an error.
   */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "AssertionError";
  }
}

function suffix(msg: string | undefined): string {
  return msg ? `: ${msg}` : ".";
}

function format(value: unknown): string {
  return inspect(value, { depth: 8, sorted: true });
}

/** `node:assert` draws the better difference, so the text is taken from it. */
function difference(
  actual: unknown,
  expected: unknown,
  operator: string,
): string {
  const { message } = new NodeAssertionError({ actual, expected, operator });
  return message;
}

/**
 * Makes sure that `expr` is truthy.
 *
 * @param expr What is checked.
 * @param msg What the error says.
 */
export function assert(expr: unknown, msg = ""): asserts expr {
  if (!expr) throw new AssertionError(msg);
}

/**
 * Makes sure that `expr` is falsy.
 *
 * @param expr What is checked.
 * @param msg What the error says.
 */
export function assertFalse(expr: unknown, msg = ""): asserts expr is Falsy {
  if (expr) throw new AssertionError(msg);
}

/**
 * Makes sure that two values are deeply equal.
 *
 * @param actual What came.
 * @param expected What should have come.
 * @param msg What the error says besides.
 */
export function assertEquals<T>(actual: T, expected: T, msg?: string): void {
  // `0` equals `-0` here, as in `@std/assert`.
  if (actual === expected || isDeepStrictEqual(actual, expected)) return;
  throw new AssertionError(
    `Values are not equal${suffix(msg)}\n${
      difference(actual, expected, "deepStrictEqual")
    }`,
  );
}

/**
 * Makes sure that two values are not deeply equal.
 *
 * @param actual What came.
 * @param expected What should not have come.
 * @param msg What the error says besides.
 */
export function assertNotEquals<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (actual !== expected && !isDeepStrictEqual(actual, expected)) return;
  throw new AssertionError(
    `Expected actual: ${format(actual)} not to be: ${format(expected)}${
      suffix(msg)
    }`,
  );
}

/**
 * Makes sure that two values are the same by `Object.is`.
 *
 * @param actual What came.
 * @param expected What should have come.
 * @param msg What the error says besides.
 */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  msg?: string,
): asserts actual is T {
  if (Object.is(actual, expected)) return;
  throw new AssertionError(
    `Values are not strictly equal${suffix(msg)}\n${
      difference(actual, expected, "strictEqual")
    }`,
  );
}

/**
 * Makes sure that two values are not the same by `Object.is`.
 *
 * @param actual What came.
 * @param expected What should not have come.
 * @param msg What the error says besides.
 */
export function assertNotStrictEquals<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (!Object.is(actual, expected)) return;
  throw new AssertionError(
    `Expected "actual" to not be strictly equal to: ${format(actual)}${
      suffix(msg)
    }`,
  );
}

/**
 * Makes sure that a number is near another.
 *
 * @param actual What came.
 * @param expected What should have come.
 * @param tolerance How far apart they may be, by default a ten-millionth.
 * @param msg What the error says besides.
 */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  msg?: string,
): void {
  if (Object.is(actual, expected)) return;
  const delta = Math.abs(expected - actual);
  const allowed = tolerance ??
    (isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  if (delta <= allowed) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to be close to "${expected}": delta "${delta}" is greater than "${allowed}"${
      suffix(msg)
    }`,
  );
}

/**
 * Makes sure that `actual > expected`.
 *
 * @param actual What came.
 * @param expected The bound.
 * @param msg What the error says instead.
 */
export function assertGreater<T>(actual: T, expected: T, msg?: string): void {
  if (actual > expected) return;
  throw new AssertionError(
    msg ?? `Expect ${format(actual)} > ${format(expected)}`,
  );
}

/**
 * Makes sure that `actual >= expected`.
 *
 * @param actual What came.
 * @param expected The bound.
 * @param msg What the error says instead.
 */
export function assertGreaterOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (actual >= expected) return;
  throw new AssertionError(
    msg ?? `Expect ${format(actual)} >= ${format(expected)}`,
  );
}

/**
 * Makes sure that `actual < expected`.
 *
 * @param actual What came.
 * @param expected The bound.
 * @param msg What the error says instead.
 */
export function assertLess<T>(actual: T, expected: T, msg?: string): void {
  if (actual < expected) return;
  throw new AssertionError(
    msg ?? `Expect ${format(actual)} < ${format(expected)}`,
  );
}

/**
 * Makes sure that `actual <= expected`.
 *
 * @param actual What came.
 * @param expected The bound.
 * @param msg What the error says instead.
 */
export function assertLessOrEqual<T>(
  actual: T,
  expected: T,
  msg?: string,
): void {
  if (actual <= expected) return;
  throw new AssertionError(
    msg ?? `Expect ${format(actual)} <= ${format(expected)}`,
  );
}

/**
 * Makes sure that a value is neither `null` nor `undefined`.
 *
 * @param actual What is checked.
 * @param msg What the error says besides.
 */
export function assertExists<T>(
  actual: T,
  msg?: string,
): asserts actual is NonNullable<T> {
  if (actual !== undefined && actual !== null) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to not be null or undefined${suffix(msg)}`,
  );
}

/**
 * Makes sure that a value is an instance of a class.
 *
 * @param actual What is checked.
 * @param expectedType The class.
 * @param msg What the error says besides.
 */
export function assertInstanceOf<
  // deno-lint-ignore no-explicit-any
  T extends abstract new (...args: any[]) => any,
>(
  actual: unknown,
  expectedType: T,
  msg = "",
): asserts actual is InstanceType<T> {
  if (actual instanceof expectedType) return;
  throw new AssertionError(
    `Expected object to be an instance of "${expectedType.name}" but was ${
      format(actual)
    }${suffix(msg)}`,
  );
}

/**
 * Makes sure that a value is no instance of a class.
 *
 * @param actual What is checked.
 * @param unexpectedType The class.
 * @param msg What the error says besides.
 */
export function assertNotInstanceOf<A, T>(
  actual: A,
  unexpectedType: AnyClass<T>,
  msg?: string,
): asserts actual is Exclude<A, T> {
  if (!(actual instanceof unexpectedType)) return;
  throw new AssertionError(
    `Expected object to not be an instance of "${unexpectedType.name}"${
      suffix(msg)
    }`,
  );
}

/**
 * Makes sure that a text contains another.
 *
 * @param actual The text.
 * @param expected What must be in it.
 * @param msg What the error says besides.
 */
export function assertStringIncludes(
  actual: string,
  expected: string,
  msg?: string,
): void {
  if (actual.includes(expected)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to contain: "${expected}"${suffix(msg)}`,
  );
}

/**
 * Makes sure that a text matches a pattern.
 *
 * @param actual The text.
 * @param expected The pattern.
 * @param msg What the error says besides.
 */
export function assertMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (expected.test(actual)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to match: "${expected}"${suffix(msg)}`,
  );
}

/**
 * Makes sure that a text does not match a pattern.
 *
 * @param actual The text.
 * @param expected The pattern.
 * @param msg What the error says besides.
 */
export function assertNotMatch(
  actual: string,
  expected: RegExp,
  msg?: string,
): void {
  if (!expected.test(actual)) return;
  throw new AssertionError(
    `Expected actual: "${actual}" to not match: "${expected}"${suffix(msg)}`,
  );
}

/**
 * Makes sure that a list has all the values of another.
 *
 * @param actual The list.
 * @param expected What must be in it, in any order.
 * @param msg What the error says besides.
 */
export function assertArrayIncludes<T>(
  actual: ArrayLike<T> & object,
  expected: ArrayLike<T> & object,
  msg?: string,
): void {
  const present = Array.from(actual);
  const missing = Array.from(expected).filter((wanted) =>
    !present.some((item) => item === wanted || isDeepStrictEqual(item, wanted))
  );
  if (missing.length === 0) return;
  throw new AssertionError(
    `Expected actual: "${format(actual)}" to include: "${format(expected)}"${
      suffix(msg)
    }\nmissing: ${format(missing)}`,
  );
}

/**
 * Makes sure that a value is an error, of a class and with a text if given.
 *
 * @param error What is checked.
 * @param ErrorClass The class it must be of.
 * @param msgMatches What its message must contain or match.
 * @param msg What the error says besides.
 */
export function assertIsError<E extends Error = Error>(
  error: unknown,
  ErrorClass?: AnyClass<E>,
  msgMatches?: string | RegExp,
  msg?: string,
): asserts error is E {
  if (!(error instanceof Error)) {
    throw new AssertionError(
      `Expected "error" to be an Error object${suffix(msg)}`,
    );
  }
  if (ErrorClass && !(error instanceof ErrorClass)) {
    throw new AssertionError(
      `Expected error to be instance of "${ErrorClass.name}", but was "${error.constructor.name}"${
        suffix(msg)
      }`,
      { cause: error },
    );
  }
  const matches = typeof msgMatches === "string"
    ? error.message.includes(msgMatches)
    : msgMatches?.test(error.message) ?? true;
  if (matches) return;
  throw new AssertionError(
    `Expected error message to include ${
      typeof msgMatches === "string" ? JSON.stringify(msgMatches) : msgMatches
    }, but got ${JSON.stringify(error.message)}${suffix(msg)}`,
    { cause: error },
  );
}

/** The arguments after the function, which have two shapes, as one. */
function expectation<E extends Error>(
  classOrMsg: AnyClass<E> | string | undefined,
  includesOrMsg: string | undefined,
  msg: string | undefined,
): { check: (error: unknown, verb: string) => void; msg: string | undefined } {
  if (typeof classOrMsg === "string") {
    return { check: () => {}, msg: classOrMsg };
  }
  return {
    msg,
    check(error, verb) {
      if (!classOrMsg) return;
      if (!(error instanceof Error)) {
        throw new AssertionError(
          `A non-Error object was ${verb}${suffix(msg)}`,
        );
      }
      assertIsError(error, classOrMsg, includesOrMsg, msg);
    },
  };
}

/**
 * Makes sure that a function throws.
 *
 * @param fn What is called.
 * @param msg What the error says besides.
 * @returns What was thrown.
 */
export function assertThrows(fn: () => unknown, msg?: string): unknown;
/**
 * Makes sure that a function throws an error of a class.
 *
 * @param fn What is called.
 * @param ErrorClass The class of the error.
 * @param msgIncludes What its message must contain.
 * @param msg What the error says besides.
 * @returns What was thrown.
 */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  ErrorClass: AnyClass<E>,
  msgIncludes?: string,
  msg?: string,
): E;
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  classOrMsg?: AnyClass<E> | string,
  includesOrMsg?: string,
  msg?: string,
): unknown {
  const expected = expectation(classOrMsg, includesOrMsg, msg);
  try {
    fn();
  } catch (error) {
    expected.check(error, "thrown");
    return error;
  }
  throw new AssertionError(
    `Expected function to throw${suffix(expected.msg)}`,
  );
}

/**
 * Makes sure that an async function rejects.
 *
 * @param fn What is called; it must give a promise, and not throw by itself.
 * @param msg What the error says besides.
 * @returns What it was rejected with.
 */
export function assertRejects(
  fn: () => PromiseLike<unknown>,
  msg?: string,
): Promise<unknown>;
/**
 * Makes sure that an async function rejects with an error of a class.
 *
 * @param fn What is called; it must give a promise, and not throw by itself.
 * @param ErrorClass The class of the error.
 * @param msgIncludes What its message must contain.
 * @param msg What the error says besides.
 * @returns What it was rejected with.
 */
export function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  ErrorClass: AnyClass<E>,
  msgIncludes?: string,
  msg?: string,
): Promise<E>;
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  classOrMsg?: AnyClass<E> | string,
  includesOrMsg?: string,
  msg?: string,
): Promise<unknown> {
  const expected = expectation(classOrMsg, includesOrMsg, msg);
  let promise: PromiseLike<unknown> | undefined;
  try {
    promise = fn();
  } catch (cause) {
    throw new AssertionError(
      `Function throws when expected to reject${suffix(expected.msg)}`,
      { cause },
    );
  }
  if (typeof promise?.then !== "function") {
    throw new AssertionError(
      `Function throws when expected to reject${suffix(expected.msg)}`,
    );
  }
  try {
    await promise;
  } catch (error) {
    expected.check(error, "rejected");
    return error;
  }
  throw new AssertionError(
    `Expected function to reject${suffix(expected.msg)}`,
  );
}

/**
 * Fails.
 *
 * @param msg What the error says besides.
 */
export function fail(msg?: string): never {
  throw new AssertionError(`Failed assertion${suffix(msg)}`);
}

/**
 * Fails, for code that must not be reached.
 *
 * @param msg What the error says besides.
 */
export function unreachable(msg?: string): never {
  throw new AssertionError(`Unreachable${suffix(msg)}`);
}
