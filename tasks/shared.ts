import { checkFunction } from "../_internal/check.ts";
import type { CancelledError } from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import { loopOf } from "../loop/event_loop.ts";
import { Completion, type Future, futureInternals } from "../loop/future.ts";
import type { Kernel } from "../loop/kernel.ts";
import { type Forwarder, requests } from "../loop/requests.ts";
import { interruption, reportThrown, type Scope } from "../loop/scope.ts";
import type { Task } from "../loop/task.ts";
import { Wait, type WaitSource } from "../loop/wait.ts";

/**
 * Makes of `fn` a function that runs once for all who call it with the same key
 * at the same time, and gives each of them the result: a single flight. asyncio
 * has nothing like it.
 *
 * A run is a task of its own. A caller that is cancelled leaves it to the others;
 * with the last one the run is cancelled, and that one waits until it has ended,
 * as it would with a task that it awaits itself. Who calls meanwhile begins
 * another run, and does not join one that is being cancelled.
 *
 * Nothing is kept: when a run has ended, the next call begins another. An error
 * reaches all that wait, and is one object for them all.
 *
 * Keys are compared as those of a `Map`. Each loop has runs of its own.
 *
 * @typeParam K What tells runs apart; nothing if there is one.
 * @typeParam T What `fn` gives.
 *
 * @example One request for three who want the same
 * ```ts
 * import { gather, shared, sleep } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * let requests = 0;
 * const load = shared(async (id: number) => {
 *   requests++;
 *   await sleep(1);
 *   return `user ${id}`;
 * });
 * const users = await gather([() => load(1), () => load(1), () => load(2)]);
 * assertEquals(users, ["user 1", "user 1", "user 2"]);
 * assertEquals(requests, 2);
 * ```
 *
 * @param fn What to run for a key. It runs with the context variables of the
 * first caller.
 * @returns The function that shares the runs. It rejects with what `fn` throws,
 * and with a {@linkcode CancelledError} when its caller is cancelled.
 * @throws {TypeError} When `fn` is not a function.
 */
export function shared<K = void, T = unknown>(
  fn: (key: K) => PromiseLike<T> | T,
): (key: K) => Promise<T> {
  checkFunction("share runs", "fn", fn);
  const runs = new WeakMap<Kernel, Map<K, Run<T>>>();
  return (key) => {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    const { kernel } = scope;
    let ofLoop = runs.get(kernel);
    if (ofLoop === undefined) runs.set(kernel, ofLoop = new Map());
    const running = ofLoop;
    let run = running.get(key);
    if (run === undefined || run.task.done()) {
      const task = loopOf(kernel).createTask(() => fn(key));
      const begun: Run<T> = run = new Run(task, () => {
        if (running.get(key) === begun) running.delete(key);
      });
      running.set(key, run);
    }
    return run.wait(scope);
  };
}

/** One run, and those who wait for it. */
class Run<T> implements WaitSource {
  readonly task: Task<T>;
  readonly #forget: () => void;
  /** Those that have not been told how it ended. */
  readonly #waits = new Set<RunWait<T>>();
  #isErrorTold = false;

  /** @param forget Nobody is to join it any more. */
  constructor(task: Task<T>, forget: () => void) {
    this.task = task;
    this.#forget = forget;
    new Completion(task, () => this.#ended(), true, () => this.#waiters());
  }

  wait(scope: Scope): Promise<T> {
    const wait = new RunWait(scope, this);
    this.#waits.add(wait);
    return wait.promise;
  }

  /** Whether `wait` is all that keeps it; then it is over for newcomers. */
  isLast(wait: RunWait<T>): boolean {
    if (this.#waits.size > 1 || !this.#waits.has(wait)) return false;
    this.#forget();
    return true;
  }

  abandon(wait: Wait<unknown>): void {
    this.#waits.delete(wait as RunWait<T>);
  }

  /** `wait` has its turn with this error. */
  throwing(wait: RunWait<T>, error: unknown): void {
    this.#waits.delete(wait);
    if (error === futureInternals.value(this.task)) this.#isErrorTold = true;
  }

  /** Cancelled after the run's end, `wait` does not hear of that. */
  missedEnd(wait: RunWait<T>): void {
    const isLast = this.#waits.delete(wait) && this.#waits.size === 0;
    if (!isLast || this.#isErrorTold) return;
    if (futureInternals.state(this.task) !== "failed") return;
    futureInternals.kernel(this.task).report({
      message: "Exception in a shared run that nobody waits for any more",
      error: futureInternals.value(this.task),
      task: this.task,
    });
  }

  describe(): string {
    return `shared(), for ${this.task.name}`;
  }

  #ended(): void {
    this.#forget();
    const state = futureInternals.state(this.task);
    const value = futureInternals.value(this.task);
    for (const wait of this.#waits) {
      if (state === "finished") wait.settle(value as T);
      else wait.fail(value);
    }
    if (state === "finished") this.#waits.clear();
  }

  *#waiters(): Iterable<Task<unknown>> {
    for (const { task } of this.#waits) if (task !== null) yield task;
  }
}

/** Waiting for a run: cancelled, the last one hands that on, and waits. */
class RunWait<T> extends Wait<T> implements Forwarder {
  declare readonly shared: Run<T>;

  constructor(scope: Scope, run: Run<T>) {
    super(scope, run);
    this.shared = run;
    this.started();
  }

  get future(): Future<unknown> {
    return this.shared.task;
  }

  override cancel(error: CancelledError): boolean {
    if (!this.isPending()) {
      const isCancelled = super.cancel(error);
      if (isCancelled) this.shared.missedEnd(this);
      return isCancelled;
    }
    return this.shared.isLast(this)
      ? requests.forward(this, error)
      : super.cancel(error);
  }

  giveUp(error: CancelledError): boolean {
    return super.cancel(error);
  }

  report(thrown: unknown): void {
    reportThrown(this, thrown);
  }

  protected override throwIn(error: unknown): void {
    this.shared.throwing(this, error);
    super.throwIn(error);
  }
}
