/**
 * Context variables. A {@linkcode Context} points to an immutable tree, so that
 * copying one, which every new task does, is copying a pointer.
 */
import { refusedNew } from "../_internal/made_by.ts";
import { checkFunction, checkString } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { InvalidStateError } from "../errors.ts";
import { bind, type Binding, bindings, find, unbind } from "./bindings.ts";
import { currentContext, homeOfChanges, runInContext } from "./entered.ts";

type Values = Binding<ContextVar<unknown>> | null;

/** How many variables there are. */
let variableCount = 0;

/** Values of another thread, whose variables are known by name. */
type NamedValues = ReadonlyMap<string, unknown>;

// Set by the classes below: what this file may do with their private parts.
let valuesOf: (context: Context) => Values;
let setValues: (context: Context, values: Values) => void;
let namedValuesOf: (context: Context) => NamedValues | null;
let setNamedValues: (context: Context, named: NamedValues) => void;
let makeToken: <T>(variable: ContextVar<T>, context: Context) => Token<T>;
let isContext: (value: unknown) => value is Context;
let useToken: (token: Token<unknown>, context: Context) => boolean;

/**
 * The values of all context variables, as one task sees them. Equivalent of
 * `contextvars.Context`.
 *
 * @example Running a function in a copy
 * ```ts
 * import { ContextVar, copyContext } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const user = new ContextVar<string>("user", { defaultValue: "nobody" });
 * const context = copyContext();
 * context.run(() => user.set("ada"));
 * assertEquals(context.run(() => user.get()), "ada");
 * assertEquals(user.get(), "nobody");
 * ```
 */
export class Context {
  #values: Values = null;
  #named: NamedValues | null = null;

  /** How many variables are set in it. */
  get size(): number {
    return this.#named === null
      ? [...bindings(this.#values)].length
      : variablesOf(this).length;
  }

  /**
   * Whether a variable is set in it.
   *
   * @internal
   * @ignore
   */
  get isEmpty(): boolean {
    return this.#values === null && this.#named === null;
  }

  /**
   * Runs `fn` in this context. What it sets stays in this context; if it is
   * an `async` function that also holds behind its `await`s.
   *
   * It may be entered again, inside of itself and while an `async` function runs in
   * it, which Python refuses: all see the same values.
   *
   * A promise of another library that `fn` returns is waited for in this context,
   * and given out as a promise of the host; a future or a task as it is.
   *
   * @param fn The function.
   * @param args Its arguments.
   * @returns What `fn` returns.
   * @throws {TypeError} When `fn` is not a function.
   * @throws Whatever `fn` throws.
   */
  run<A extends unknown[], R>(fn: (...args: A) => R, ...args: A): R {
    checkFunction("run in a context", "fn", fn);
    return runInContext(this, () => fn(...args));
  }

  /**
   * A context of its own with the same values. Costs the same however many
   * there are.
   *
   * @returns The copy.
   */
  copy(): Context {
    const copy = new Context();
    copy.#values = this.#values;
    copy.#named = this.#named;
    return copy;
  }

  /**
   * Whether `variable` was set in this context.
   *
   * @typeParam T What the variable holds.
   * @param variable The variable.
   * @returns True if it has a value of its own here.
   * @throws {TypeError} When `variable` is not a `ContextVar`.
   */
  has<T>(variable: ContextVar<T>): boolean {
    // By its class, each bundle that needs a context would need that as well.
    if (typeof variable?.number !== "number") {
      throw new TypeError(
        `Cannot look into a context as 'variable' must be a ContextVar: received ${
          show(variable)
        }`,
      );
    }
    return find(this.#values, variable as ContextVar<unknown>) !== null ||
      (this.#named !== null && this.#named.has(variable.name));
  }

  static {
    isContext = (value): value is Context =>
      typeof value === "object" && value !== null && #values in value;
    valuesOf = (context) => context.#values;
    setValues = (context, values) => {
      context.#values = values;
    };
    namedValuesOf = (context) => context.#named;
    setNamedValues = (context, named) => {
      context.#named = named;
    };
  }
}

/**
 * The context that an option asks for, of which `null` is none, as `undefined`
 * is.
 *
 * @throws {TypeError} When it is none of this copy of the library.
 */
export function givenContext(
  action: string,
  context: unknown,
): Context | undefined {
  if (context === undefined || context === null) return undefined;
  if (isContext(context)) return context;
  throw new TypeError(
    `Cannot ${action} as 'context' must be a Context: received ${
      show(context)
    }`,
  );
}

/** The values of a context for another thread, whose variables are others. */
export function variablesOf(
  context: Context,
): [name: string, value: unknown][] {
  const variables = new Map(namedValuesOf(context));
  for (const { key, value } of bindings(valuesOf(context))) {
    variables.set(key.name, value);
  }
  return [...variables];
}

/** A context with the values that another thread's context had. */
export function contextOf(named: NamedValues): Context {
  const context = new Context();
  if (named.size > 0) setNamedValues(context, named);
  return context;
}

/** That of code that runs in no loop and has set nothing. */
const outside = new Context();

/** Options of {@linkcode ContextVar}. */
export interface ContextVarOptions<T> {
  /** What `get` gives if nothing was set; `undefined` counts, if given. */
  defaultValue?: T | undefined;
}

const CONTEXT_VAR_OPTIONS = new OptionNames<ContextVarOptions<unknown>>(
  { defaultValue: true },
  {
    bigint: "defaultValue",
    boolean: "defaultValue",
    number: "defaultValue",
    string: "defaultValue",
  },
);

/**
 * What {@linkcode ContextVar.set} gives, for putting the old value back.
 * Equivalent of `contextvars.Token`.
 *
 * @typeParam T What the variable holds.
 *
 * @example Putting the old value back
 * ```ts
 * import { ContextVar } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const level = new ContextVar("level", { defaultValue: 0 });
 * const token = level.set(1);
 * level.reset(token);
 * assertEquals(level.get(), 0);
 * ```
 */
export class Token<T> {
  /** The variable that was set. */
  readonly variable: ContextVar<T>;
  /** What it was before; `undefined` also if it had no value. */
  readonly oldValue: T | undefined;
  readonly #context: Context;
  readonly #had: boolean;
  #used = false;

  /**
   * Made by {@linkcode ContextVar.set}.
   *
   * @internal
   * @ignore
   */
  private constructor(variable: ContextVar<T>, context: Context) {
    if (!(context instanceof Context)) {
      throw refusedNew(
        "a Token",
        "it belongs to what was set",
        "set() of a ContextVar",
      );
    }
    const old = find(valuesOf(context), variable as ContextVar<unknown>);
    this.variable = variable;
    this.#context = context;
    this.#had = old !== null;
    this.oldValue =
      (old !== null
        ? old.value
        : namedValuesOf(context)?.get(variable.name)) as T;
  }

  static {
    makeToken = (variable, context) => new Token(variable, context);
    useToken = (token, context) => {
      if (token.#used) {
        throw new InvalidStateError(
          "Cannot reset a context variable as the token was already used",
        );
      }
      if (token.#context !== context) {
        throw new InvalidStateError(
          "Cannot reset a context variable as the token was made in another context",
        );
      }
      token.#used = true;
      return token.#had;
    };
  }
}

/**
 * A variable whose value belongs to the running task: what a task sets is seen
 * by what it calls and by the tasks it starts afterwards, and by no one else.
 * Equivalent of `contextvars.ContextVar`.
 *
 * @example A request's id, known wherever the request's code runs
 * ```ts
 * import { ContextVar, createTask } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const requestId = new ContextVar<number>("requestId");
 * const handle = (id: number) => async () => {
 *   requestId.set(id);
 *   await Promise.resolve();
 *   return requestId.get();
 * };
 * const first = createTask(handle(1));
 * const second = createTask(handle(2));
 * assertEquals([await first, await second], [1, 2]);
 * ```
 */
export class ContextVar<T> {
  /** The variable's name, for messages. */
  readonly name: string;
  /**
   * Tells it from other variables.
   *
   * @internal
   * @ignore
   */
  readonly number: number = variableCount++;
  readonly #default: T | undefined;
  readonly #hasDefault: boolean;

  /**
   * Makes a variable. Make it once, at the top of a module.
   *
   * @param name Its name, for messages.
   * @param options Its default.
   * @throws {TypeError} When `name` is not a string, or `options` not an object,
   * as in `new ContextVar("level", 0)`, or of an unknown name.
   */
  constructor(name: string, options: ContextVarOptions<T> = {}) {
    const action = "create a context variable";
    checkString(action, "name", name);
    checkOptions(action, options, CONTEXT_VAR_OPTIONS);
    this.name = name;
    this.#hasDefault = "defaultValue" in options;
    this.#default = options.defaultValue;
  }

  /**
   * The value in the current context, otherwise `fallback`, otherwise the
   * default.
   *
   * @param fallback What to give if nothing was set.
   * @returns The value.
   * @throws {ReferenceError} When there is neither a value nor a fallback nor
   * a default.
   */
  get(...fallback: [fallback?: T]): T {
    const context = currentContext() ?? outside;
    const own = find(valuesOf(context), this as ContextVar<unknown>);
    if (own !== null) return own.value as T;
    const named = namedValuesOf(context);
    if (named !== null && named.has(this.name)) {
      return named.get(this.name) as T;
    }
    if (fallback.length > 0) return fallback[0] as T;
    if (this.#hasDefault) return this.#default as T;
    throw new ReferenceError(
      `Cannot get the context variable "${this.name}" as it has neither a value nor a default`,
    );
  }

  /**
   * Sets the value in the current context.
   *
   * @param value The new value.
   * @returns A token for {@linkcode ContextVar.reset}.
   */
  set(value: T): Token<T> {
    const context = homeOfChanges(outside);
    const token = makeToken<T>(this, context);
    const key = this as ContextVar<unknown>;
    setValues(context, bind(valuesOf(context), key, value));
    return token;
  }

  /**
   * Puts back the value from before a {@linkcode ContextVar.set}.
   *
   * @param token What that `set` returned.
   * @throws {TypeError} When the token belongs to another variable.
   * @throws {InvalidStateError} When it was used before or made in another
   * context.
   */
  reset(token: Token<T>): void {
    if (!(token instanceof Token) || token.variable !== this) {
      throw new TypeError(
        `Cannot reset the context variable "${this.name}" as 'token' must be one of its own tokens: received ${
          show(token)
        }`,
      );
    }
    const context = currentContext() ?? outside;
    const had = useToken(token as Token<unknown>, context);
    const values = valuesOf(context);
    const key = this as ContextVar<unknown>;
    setValues(
      context,
      had ? bind(values, key, token.oldValue) : unbind(values, key),
    );
  }
}

/**
 * A copy of the current context. Equivalent of `contextvars.copy_context`.
 *
 * @example Calling back with the values of now
 * ```ts
 * import { ContextVar, copyContext } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const depth = new ContextVar("depth", { defaultValue: 0 });
 * const context = copyContext();
 * assertEquals(context.run(() => depth.get()), 0);
 * ```
 *
 * @returns The copy.
 */
export function copyContext(): Context {
  return (currentContext() ?? outside).copy();
}
