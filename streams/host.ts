/**
 * The border between the host and the loop. The host calls back whenever it
 * likes, and in whatever async context; the code it reaches runs in the scope
 * that its connection belongs to, and only while the loop runs.
 */
import { forCaller } from "../_internal/caller_frame.ts";
import {
  currentScope,
  enteredScope,
  inheritedContext,
  runIn,
} from "../loop/current.ts";
import { isExitRequest } from "../loop/exit_request.ts";
import type { Kernel } from "../loop/kernel.ts";
import { interruption, Scope } from "../loop/scope.ts";
import { capturePlace } from "../platform/async_storage.ts";
import type { AsyncPlace } from "../platform/types/async_storage.ts";
import { Wait } from "../loop/wait.ts";

/**
 * The scope of a connection, of which it has one of its own: so the code that
 * runs in it is known to have the async context in which it was made.
 */
class ConnectionScope extends Scope {
  readonly #place: AsyncPlace;

  /** In the present async context, with a copy of the context variables. */
  constructor(kernel: Kernel) {
    super(kernel, null, null, inheritedContext(), false);
    this.#place = runIn(this, capturePlace);
  }

  /** Runs `fn` in the scope, wherever the host has called back. */
  run<A, B>(
    fn: (first: A, second: B) => void,
    first: A,
    second: B,
  ): void {
    this.#place.run(fn, first, second);
  }
}

/** Runs `fn` in `scope`, at no cost where the host has kept it. */
export function enter(scope: Scope, fn: () => void): void;
export function enter<A, B>(
  scope: Scope,
  fn: (first: A, second: B) => void,
  first: A,
  second: B,
): void;
export function enter(
  scope: Scope,
  fn: (first?: unknown, second?: unknown) => void,
  first?: unknown,
  second?: unknown,
): void {
  if (enteredScope() === scope) fn(first, second);
  else if (scope instanceof ConnectionScope) scope.run(fn, first, second);
  else runIn(scope, fn, first, second);
}

/** Whether code may run right now, in the host's callback. */
export function mayRun(kernel: Kernel): boolean {
  return kernel.isRunning && !kernel.stepwise;
}

/** Runs `fn` in its turn of the ready queue; false if the loop is closed. */
export function runAsStep(
  scope: Scope,
  what: string,
  fn: () => void,
): boolean {
  const { kernel } = scope;
  if (kernel.closed) return false;
  kernel.push({
    runsCode: true,
    scope,
    run: () => enter(scope, fn),
    describe: () => what,
  });
  return true;
}

/**
 * What a user's callback threw is reported, and all goes on; a request to exit
 * ends the run.
 */
export function reportThrown(
  kernel: Kernel,
  message: string,
  error: unknown,
): void {
  if (isExitRequest(error)) kernel.abort(error);
  else kernel.report({ message, error });
}

/** The scope for the callbacks of a connection that the running code makes. */
export function connectionScope(): Scope {
  return new ConnectionScope(currentScope().kernel);
}

/** One like it for another connection. */
export function copyScope(scope: Scope): Scope {
  let copy = scope;
  const make = () => {
    copy = connectionScope();
  };
  enter(scope, make);
  return copy;
}

/**
 * Waits for something that only the host does. It runs outside of the task, and
 * is told by its signal when the task no longer wants it; what it makes all the
 * same is given to `discard`.
 *
 * @param what For debug mode: `openConnection`.
 * @param userSignal Gives it up as well, with its reason.
 */
export function waitForHost<T>(
  what: string,
  begin: (signal: AbortSignal) => Promise<T>,
  discard: (value: T) => void,
  userSignal?: AbortSignal,
): Promise<T> {
  const scope = currentScope();
  const interrupted = interruption(scope);
  if (interrupted !== null) return interrupted;
  if (userSignal?.aborted) return Promise.reject(userSignal.reason);
  const { kernel } = scope;
  const controller = new AbortController();
  const onAbort = () => {
    wait.fail(userSignal?.reason);
    controller.abort();
  };
  let drop = () => {
    userSignal?.removeEventListener("abort", onAbort);
    controller.abort();
  };
  const wait = new Wait<T>(scope, {
    abandon: () => drop(),
    describe: () => what,
  });
  userSignal?.addEventListener("abort", onAbort, { once: true });
  const hasEnded = () => {
    userSignal?.removeEventListener("abort", onAbort);
    return wait.isPending() && !kernel.closed;
  };
  runIn(
    kernel.root,
    () => {
      begin(controller.signal).then(
        (value) => {
          drop = () => discard(value);
          if (hasEnded()) wait.offer(value);
          else drop();
        },
        (error) => {
          if (hasEnded()) wait.fail(forCaller(error));
        },
      );
    },
    undefined,
    undefined,
  );
  return wait.promise;
}
