/**
 * The scope that the running code was started in, and through it its task, its
 * context and its loop. It is set once, where a task or a scope begins, and the
 * host carries it through every `await`.
 */
import { isPlainPromise, isThenable } from "../_internal/check.ts";
import { createAsyncStorage } from "../platform/async_storage.ts";
import { hasFutureBrand } from "./brand.ts";
import type { Context } from "./context.ts";
import type { CodeStep } from "./gate.ts";
import type { Kernel } from "./kernel.ts";
import {
  type ForeignScope,
  hasOtherCopies,
  joinCopies,
  shared,
} from "./other_copies.ts";
import { Scope } from "./scope.ts";
import { numberOf, scopeNumbered } from "./scope_numbers.ts";
import { noteEntry, showScope } from "./shown_scope.ts";

/**
 * What the host carries. In a task it is mostly the scope's number: on Deno a
 * stored object is kept by a weak map, which costs the garbage collector about as
 * much as all the rest of a task's life. A scope of no task is carried itself,
 * and so is one with context variables, so that code which outlives its task
 * still has them. If code that runs in no loop has set some, it is their context.
 */
type Store = Scope | number | Context;

const storage = createAsyncStorage<Store>();

/** Whether entering a scope has to be kept in; see `platform/cell_storage.ts`. */
const entersApart = storage.apart !== undefined;

/**
 * The scope of the callback that is running, while it has not been entered. On
 * Deno that costs more than all the rest of a callback, and most callbacks only
 * settle something: so it waits until somebody asks where the code is.
 */
let unentered: Scope | null = null;

/** What the running code carries. */
function currentStore(): Store | undefined {
  if (unentered !== null) {
    const scope = unentered;
    unentered = null;
    enterScope(scope);
  }
  return storage.getStore();
}

/** The scope the running code was started in; undefined outside of any loop. */
export function enteredScope(): Scope | undefined {
  return scopeOf(currentStore());
}

/** The same for a comparison: a callback that was not entered yet is not. */
export function peekScope(): Scope | undefined {
  return unentered ?? scopeOf(storage.getStore());
}

function scopeOf(store: Store | undefined): Scope | undefined {
  if (typeof store === "number") return scopeNumbered(store);
  return store instanceof Scope ? store : undefined;
}

/** This copy of the package, for the others. */
const self = joinCopies(() => {
  const scope = enteredScope();
  // In a loop's root stands what has outlived its scope, or is no one's.
  return scope === undefined || scope.closed || scope === scope.kernel.root
    ? null
    : showScope(scope);
});

/**
 * The scope of another copy, if the running code is in one that was entered
 * later than any of this copy; otherwise null.
 */
export function foreignScope(): ForeignScope | null {
  if (!hasOtherCopies()) return null;
  const own = self.current();
  let last = own;
  for (const copy of shared.copies) {
    const scope = copy === self ? null : copy.current();
    if (scope !== null && (last === null || scope.order > last.order)) {
      last = scope;
    }
  }
  return last === own ? null : last;
}

/** The context variables of the running code; null if it has none. */
function currentVariables(): Context | null {
  const store = currentStore();
  const scope = scopeOf(store);
  if (scope !== undefined) return scope.hasVariables ? scope.context : null;
  // A number that is left belongs to a loop that is closed.
  return typeof store === "object" ? store as Context : null;
}

/** The context of the running code; null outside of any loop, if none was set. */
export function currentContext(): Context | null {
  return currentVariables() ?? enteredScope()?.context ?? null;
}

function storeOf(scope: Scope): Store {
  if (hasOtherCopies()) noteEntry(scope);
  const isCarried = scope.task === null || scope.hasVariables;
  return isCarried ? scope : numberOf(scope);
}

/** Runs `fn`, and all that it starts, in `scope`. */
export function runIn<R>(scope: Scope, fn: () => R): R;
export function runIn<A, R>(
  scope: Scope,
  fn: (argument: A) => R,
  argument: A,
): R;
export function runIn<A, B, R>(
  scope: Scope,
  fn: (first: A, second: B) => R,
  first: A,
  second: B,
): R;
export function runIn<R>(
  scope: Scope,
  fn: (first?: unknown, second?: unknown) => R,
  first?: unknown,
  second?: unknown,
): R {
  // A callback that was not entered yet would be, in here.
  if (unentered !== null) currentStore();
  return storage.run(storeOf(scope), fn, first, second);
}

/** Goes on in `scope`, to the end of the present reaction to a promise. */
export function enterScope(scope: Scope): void {
  const store = storeOf(scope);
  if (storage.getStore() !== store) storage.enterWith(store);
}

/** Begins a step, which may go on in a scope to the end of the reaction. */
export function enterStep(step: CodeStep): void {
  if (entersApart) storage.apart!(enter, step);
  else step.enter();
}

function enter(step: CodeStep): void {
  step.enter();
}

/**
 * The same for a callback, as late as possible. What an `async` function does
 * behind its first `await` must be in the scope in any case.
 */
export function enterForCallback(scope: Scope, callback: unknown): void {
  if (callback instanceof AsyncFunction) enterScope(scope);
  else unentered = scope;
}

/** The callback has returned. */
export function leaveCallback(): void {
  unentered = null;
}

/**
 * Calls a function of the library from the loop. No task's code runs it, though
 * the microtask of the loop may have come from one.
 */
export function callFromLoop<A>(
  { root }: Kernel,
  fn: (argument: A) => void,
  argument: A,
): void {
  if (entersApart) return void runIn(root, fn, argument);
  const around = unentered;
  unentered = root;
  try {
    fn(argument);
  } finally {
    unentered = around;
  }
}

const AsyncFunction = (async () => {}).constructor as typeof Function;

/** Runs `fn` in the current scope but with another context. */
export function runInContext<R>(context: Context, fn: () => R): R {
  const around = enteredScope();
  if (around === undefined) return runOutside(context, fn);
  const scope = around.open(context);
  const close = () => scope.close();
  let result: R;
  let isPromise: boolean;
  try {
    result = runIn(scope, fn);
    // A future has a scope of its own, if it needs one.
    isPromise = isThenable(result) && !hasFutureBrand(result);
  } catch (error) {
    close();
    throw error;
  }
  if (!isPromise) {
    close();
    return result;
  }
  // The scope lasts as long as the call does. What is given out is the promise
  // that follows, so that an error nobody handles is still seen by the host.
  // Another library's code that runs when it is waited for runs in the scope.
  const promise = isPlainPromise(result)
    ? result
    : runIn(scope, toPromise, result as PromiseLike<unknown>);
  return promise.finally(close) as R;
}

/** The same for code that runs in no loop, which needs no scope for that. */
function runOutside<R>(context: Context, fn: () => R): R {
  return storage.run(context, callInPlace<R>, fn);
}

/** What another library's code does when it is waited for belongs here, too. */
function callInPlace<R>(fn: () => R): R {
  const result = fn();
  return isThenable(result) && !hasFutureBrand(result) &&
      !isPlainPromise(result)
    ? toPromise(result as PromiseLike<unknown>) as R
    : result;
}

function toPromise(thenable: PromiseLike<unknown>): Promise<unknown> {
  return Promise.resolve(thenable);
}

/**
 * The context that a change of a variable goes to. Callbacks share the loop's
 * root scope, so the first change of one gives it a scope of its own, for the
 * rest of its reaction; and code that runs in no loop gets a copy of `outside`.
 * From the first change on, these are carried themselves; see the storage above.
 */
export function homeOfChanges(outside: Context): Context {
  const store = currentStore();
  let scope = scopeOf(store);
  if (scope === undefined) {
    if (typeof store === "object") return store as Context;
    const context = outside.copy();
    storage.enterWith(context);
    return context;
  }
  const { kernel } = scope;
  if (scope === kernel.root) {
    scope = Scope.detached(kernel, scope.context.copy());
  }
  if (store !== scope) storage.enterWith(scope);
  return scope.context;
}

/** The scope of a callback of the running code: with a copy of its context. */
export function callbackScope(kernel: Kernel): Scope {
  const context = inheritedContext();
  return context === null ? kernel.root : Scope.detached(kernel, context);
}

/** The context of a task or a callback that the running code makes. */
export function inheritedContext(): Context | null {
  return currentVariables()?.copy() ?? null;
}
