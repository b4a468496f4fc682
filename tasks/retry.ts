import {
  checkDuration,
  checkFunction,
  checkInteger,
} from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { isCancelledError } from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import { isExitRequest } from "../loop/exit_request.ts";
import { requestsOn } from "../loop/scope.ts";
import { cancelOn } from "./cancel_on.ts";
import { sleep } from "./sleep.ts";

/** Options of {@linkcode retry}. */
export interface RetryOptions {
  /**
   * How often `fn` is called at most; `Infinity` for as often as it takes.
   *
   * @default {5}
   */
  attempts?: number | undefined;
  /**
   * How long to wait after the first failure, in milliseconds.
   *
   * @default {1000}
   */
  delay?: number | undefined;
  /**
   * By how much each delay is longer than the one before; 1 for all alike.
   *
   * @default {2}
   */
  factor?: number | undefined;
  /**
   * How long a delay becomes at most, in milliseconds.
   *
   * @default {60000}
   */
  maxDelay?: number | undefined;
  /**
   * How much of each delay is left to chance, from 0 for nothing to 1, or
   * `true`, for all of it: so that clients which failed together do not come
   * back together. A delay is never made longer by it: with 0.5, one of 1000 ms
   * takes from 500 to 1000 ms. (`randomize` of p-retry, which is off by default as
   * this is, makes it up to twice as long instead.)
   *
   * @default {0}
   */
  jitter?: number | boolean | undefined;
  /**
   * Whether to try again. It is not asked after the last attempt.
   *
   * @default {() => true}
   */
  when?:
    | ((error: unknown, attempt: number) => PromiseLike<boolean> | boolean)
    | undefined;
  /** Ends it when it is aborted, as {@linkcode cancelOn} around it would. */
  signal?: AbortSignal | undefined;
}

const RETRY_OPTIONS = new OptionNames<RetryOptions>({
  attempts: true,
  delay: true,
  factor: true,
  maxDelay: true,
  jitter: true,
  when: true,
  signal: "signal",
}, { number: "attempts" });

/** The default, one for all calls. */
const NO_OPTIONS: RetryOptions = Object.freeze({});

/**
 * Calls `fn` until it succeeds, with growing delays in between.
 *
 * A cancellation is no failure: it is thrown at once, and so is whatever `fn`
 * makes of one, once the task, or a block around the call, was cancelled. A
 * {@linkcode TimeoutError} of a `timeout` inside of `fn` is a failure like any
 * other. So `timeout` inside limits each attempt, and around `retry` all of them.
 *
 * When the attempts are used up, the last error is thrown as it is, its `cause`
 * untouched; {@linkcode earlierErrors} gives those before it. asyncio has nothing
 * like it.
 *
 * @typeParam T What `fn` returns.
 *
 * @example A service that needs a moment
 * ```ts
 * import { retry } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const answer = await retry((attempt) => {
 *   if (attempt < 3) throw new Error("not yet");
 *   return `at attempt ${attempt}`;
 * }, { delay: 1 });
 * assertEquals(answer, "at attempt 3");
 * ```
 *
 * @example A limit for each attempt, and only for what may pass
 * ```ts
 * import { retry, sleep, timeout, TimeoutError } from "@asyncio/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * await assertRejects(
 *   () =>
 *     retry(() => timeout(1, () => sleep(60_000)), {
 *       attempts: 2,
 *       delay: 1,
 *       jitter: 0.5,
 *       when: (error) => error instanceof TimeoutError,
 *     }),
 *   TimeoutError,
 * );
 * ```
 *
 * @param fn What to call. It is given the number of the attempt, from 1 on.
 * @param options How often, how far apart, and after which errors.
 * @returns What `fn` returns.
 * @throws The error of the last attempt, or of the first that `when` declines.
 * @throws The signal's reason, when it is aborted.
 * @throws {CancelledError} When the task is cancelled, also between attempts.
 * @throws {TypeError} When `fn` is not a function, or an option of the wrong kind.
 * @throws {RangeError} When `attempts` is not an integer of at least 1, `factor`
 * less than 1, `jitter` not from 0 to 1, or a delay negative.
 */
export function retry<T>(
  fn: (attempt: number) => PromiseLike<T> | T,
  options: RetryOptions = NO_OPTIONS,
): Promise<T> {
  let plan: Plan;
  try {
    plan = options === NO_OPTIONS ? DEFAULT_PLAN : planOf(options);
    checkFunction(ACTION, "fn", fn);
    options.signal?.throwIfAborted();
  } catch (error) {
    return Promise.reject(error);
  }
  const { signal } = options;
  return signal === undefined
    ? tryAgain(fn, plan)
    : cancelOn(signal, () => tryAgain(fn, plan));
}

async function tryAgain<T>(
  fn: (attempt: number) => PromiseLike<T> | T,
  plan: Plan,
): Promise<T> {
  const scope = currentScope();
  const requests = requestsOn(scope);
  let errors: unknown[] | null = null;
  for (let attempt = 1;; attempt++) {
    try {
      // deno-lint-ignore no-await-in-loop -- one attempt after the other
      return await fn(attempt);
    } catch (error) {
      const isLast = attempt >= plan.attempts || isCancelledError(error) ||
        isExitRequest(error) || requestsOn(scope) > requests ||
        // deno-lint-ignore no-await-in-loop -- one attempt after the other
        !await plan.when(error, attempt);
      if (isLast) {
        if (errors !== null) keepEarlier(error, errors);
        throw error;
      }
      (errors ??= []).push(error);
      if (errors.length > MOST_ERRORS) errors.shift();
    }
    // deno-lint-ignore no-await-in-loop -- one attempt after the other
    await sleep(delayAfter(plan, attempt, scope.kernel.random));
  }
}

/**
 * The errors of the attempts before the one whose error a {@linkcode retry} has
 * thrown.
 *
 * @example All that went wrong
 * ```ts
 * import { earlierErrors, retry } from "@asyncio/asyncio";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const error = await assertRejects(
 *   () =>
 *     retry((attempt) => {
 *       throw new Error(`failure ${attempt}`);
 *     }, { attempts: 3, delay: 0 }),
 *   Error,
 *   "failure 3",
 * );
 * assertEquals(
 *   earlierErrors(error).map((each) => (each as Error).message),
 *   ["failure 1", "failure 2"],
 * );
 * ```
 *
 * @param error What `retry` has thrown.
 * @returns The earlier errors in their order, at most the last 100; none if
 * `error` was that of a first attempt, or is no object.
 */
export function earlierErrors(error: unknown): readonly unknown[] {
  return isObject(error) ? earlier.get(error) ?? [] : [];
}

/** By the error that was thrown, which so stays as it is. */
const earlier = new WeakMap<object, readonly unknown[]>();

/** Of endless attempts not all errors can be kept. */
const MOST_ERRORS = 100;

function keepEarlier(error: unknown, errors: unknown[]): void {
  // The same error may be thrown by each attempt, and is not before itself.
  const others = errors.filter((each) => each !== error);
  if (others.length > 0 && isObject(error)) {
    earlier.set(error, Object.freeze(others));
  }
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) ||
    typeof value === "function";
}

/** The options with their defaults. */
interface Plan {
  readonly attempts: number;
  readonly delay: number;
  readonly factor: number;
  readonly maxDelay: number;
  readonly jitter: number;
  readonly when: NonNullable<RetryOptions["when"]>;
}

const ACTION = "retry";

function planOf(options: RetryOptions): Plan {
  checkOptions(ACTION, options, RETRY_OPTIONS);
  const {
    attempts = 5,
    delay = 1000,
    factor = 2,
    maxDelay = 60_000,
    jitter = 0,
    when = () => true,
  } = options;
  if (attempts !== Infinity) checkInteger(ACTION, "attempts", attempts, 1);
  checkDuration(ACTION, "delay", delay);
  checkDuration(ACTION, "maxDelay", maxDelay);
  checkNumber("factor", factor, 1, Infinity);
  const share = typeof jitter === "boolean" ? Number(jitter) : jitter;
  checkNumber("jitter", share, 0, 1);
  checkFunction(ACTION, "when", when);
  return { attempts, delay, factor, maxDelay, jitter: share, when };
}

const DEFAULT_PLAN = planOf({});

function checkNumber(
  name: string,
  value: unknown,
  least: number,
  most: number,
): void {
  if (typeof value !== "number") {
    throw new TypeError(
      `Cannot ${ACTION} as '${name}' must be a number: received ${show(value)}`,
    );
  }
  if (!(value >= least && value <= most)) {
    const range = most === Infinity
      ? `at least ${least}`
      : `from ${least} to ${most}`;
    throw new RangeError(
      `Cannot ${ACTION} as '${name}' must be ${range}: received ${value}`,
    );
  }
}

function delayAfter(
  { delay, factor, maxDelay, jitter }: Plan,
  attempt: number,
  random: () => number,
): number {
  // A delay of 0 stays one, however often 0 is multiplied by what is infinite.
  const grown = delay === 0 ? 0 : delay * factor ** (attempt - 1);
  const ms = Math.min(grown, maxDelay);
  return jitter === 0 ? ms : ms * (1 - jitter * random());
}
