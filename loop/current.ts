/**
 * Where the running code is: its scope, and through it its task, its context
 * and its loop. The scope is set once, where a task or a scope begins, and the
 * host carries it through every `await`.
 */
import { platform } from "../platform/mod.ts";
import type { Context } from "./context.ts";
import type { Kernel } from "./kernel.ts";
import { Scope } from "./scope.ts";
import { numberOf, scopeNumbered } from "./scope_numbers.ts";

/**
 * What the host carries. Mostly it is a scope's number: on Deno a stored object
 * is kept by a weak map, which costs the garbage collector about as much as all
 * the rest of a task's life. A scope with context variables is carried itself,
 * so that code which outlives its task still has them.
 */
const storage = platform.createAsyncStorage<Scope | number>();

/** Gives the loop of code that runs in none. */
let defaultKernel: () => Kernel;

/** Tells this file how to find the default loop, which stands further up. */
export function provideDefaultKernel(provide: () => Kernel): void {
  defaultKernel = provide;
}

/** The scope the running code was started in; undefined outside of any loop. */
export function enteredScope(): Scope | undefined {
  return scopeOf(storage.getStore());
}

function scopeOf(store: Scope | number | undefined): Scope | undefined {
  return typeof store === "number" ? scopeNumbered(store) : store;
}

/** The scope of the running code; outside of any loop, the default loop's root. */
export function currentScope(): Scope {
  return enteredScope() ?? defaultKernel().root;
}

/** Runs `fn`, and all that it starts, in `scope`. */
export function runIn<A, B, R>(
  scope: Scope,
  fn: (first: A, second: B) => R,
  first: A,
  second: B,
): R {
  const isCarried = scope === scope.kernel.root || scope.hasVariables;
  return storage.run(isCarried ? scope : numberOf(scope), fn, first, second);
}

/**
 * Runs a callback in `scope`. Where it sets a context variable, the scope that
 * it gets for this (see {@linkcode homeOfChanges}) ends with it.
 */
export function runCallback(
  scope: Scope,
  callback: (...args: never[]) => unknown,
  args: never[],
): void {
  const store = storage.getStore();
  if (store === undefined || scopeOf(store) !== scope) {
    return runIn(scope, call, callback, args);
  }
  try {
    callback(...args);
  } finally {
    if (storage.getStore() !== store) storage.enterWith(store);
  }
}

function call(callback: (...args: never[]) => unknown, args: never[]): void {
  callback(...args);
}

/** Runs `fn` in the current scope but with another context. */
export function runInContext<R>(context: Context, fn: () => R): R {
  const around = currentScope();
  const { kernel, task } = around;
  const scope = new Scope(kernel, around, task, context, false);
  const close = () => scope.close();
  let result: R;
  try {
    result = runIn(scope, fn, undefined, undefined);
  } catch (error) {
    close();
    throw error;
  }
  // The scope lasts as long as the call does. What is given out is the promise
  // that follows, so that an error nobody handles is still seen by the host.
  if (result instanceof Promise) return result.finally(close) as R;
  close();
  return result;
}

/**
 * The context that a change of a variable goes to. A callback shares the loop's
 * root scope with all others, so its first change gives it one of its own. From
 * the first change on, the scope itself is carried; see the storage above.
 */
export function homeOfChanges(): Context {
  const store = storage.getStore();
  let scope = scopeOf(store);
  if (scope === undefined) return currentScope().context;
  const { kernel } = scope;
  if (scope === kernel.root) {
    scope = new Scope(kernel, null, null, scope.context.copy(), false);
  }
  if (store !== scope) storage.enterWith(scope);
  return scope.context;
}

/** The scope in which a callback given by the running code is to run. */
export function callbackScope(kernel: Kernel): Scope {
  const scope = currentScope();
  if (scope.task === null && scope.kernel === kernel) return scope;
  return scope.hasVariables
    ? new Scope(kernel, null, null, scope.context.copy(), false)
    : kernel.root;
}

/** The context of a task or a callback that the running code makes. */
export function inheritedContext(): Context | null {
  const scope = currentScope();
  return scope.hasVariables ? scope.context.copy() : null;
}
