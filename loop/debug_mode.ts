/**
 * Debug mode: the instrument that remembers where things were made and reports
 * what goes wrong quietly. It is off the loop altogether while debug mode is.
 */
import { STUCK_AFTER_CANCEL_MS } from "../_internal/constants.ts";
import { messageOf } from "../_internal/error_text.ts";
import type { CancelledError } from "../errors.ts";
import { hostTimers } from "../platform/timers.ts";
import { type Future, futureInternals } from "./future.ts";
import type { Handle } from "./handle.ts";
import {
  type Instrument,
  type StepInfo,
  type WaitInfo,
  waitsBelow,
} from "./hooks.ts";
import type { LoopKernel } from "./kernel.ts";
import { watchLoop } from "./loose_ends.ts";
import { scopeOf, type Task } from "./task.ts";

export class DebugMode implements Instrument {
  readonly #kernel: LoopKernel;
  readonly #slowMs: () => number;
  readonly #unwatchLoop: () => void;
  /** Watches over tasks that were cancelled and have not reached a wait. */
  readonly #stuck = new Map<Task<unknown>, () => void>();

  constructor(kernel: LoopKernel, slowMs: () => number) {
    this.#kernel = kernel;
    this.#slowMs = slowMs;
    this.#remember(kernel.loop);
    this.#unwatchLoop = watchLoop(kernel);
  }

  taskCreated(task: Task<unknown>): void {
    this.#remember(task);
  }

  futureCreated(future: Future<unknown>): void {
    this.#remember(future);
  }

  handleCreated(handle: Handle): void {
    this.#remember(handle);
  }

  waitStarted(wait: WaitInfo): void {
    this.#remember(wait);
    if (wait.task !== null) this.#unwatch(wait.task);
  }

  stepEnded({ what, task, createdAt }: StepInfo, ms: number): void {
    if (ms < this.#slowMs()) return;
    this.#kernel.report({
      message: `Executing ${what} took ${ms.toFixed(0)} ms`,
      task,
      createdAt,
    });
  }

  taskCancelRequested(task: Task<unknown>, error: CancelledError): void {
    const scope = scopeOf(task);
    if (waitsBelow(scope).length > 0 || this.#stuck.has(task)) return;
    const timer = hostTimers.setBackgroundTimer(() => {
      this.#unwatch(task);
      this.#report(
        task,
        `The task was cancelled ${STUCK_AFTER_CANCEL_MS} ms ago (${
          messageOf(error)
        }) ` +
          "and is still in an await that the library cannot interrupt: " +
          "wrap the promise in ensureFuture(), or hand cancelSignal() to the operation",
      );
    }, STUCK_AFTER_CANCEL_MS);
    this.#stuck.set(task, () => hostTimers.clearTimer(timer));
  }

  taskEnded(task: Task<unknown>): void {
    this.#unwatch(task);
    if (
      futureInternals.state(task) === "finished" && scopeOf(task).requests > 0
    ) {
      this.#report(
        task,
        "The task was cancelled but ended as if it were not: a catch kept its " +
          "CancelledError; throw it again, or call uncancel()",
      );
    }
    // What a cancelled task has started was cancelled with it, and is ending.
    if (task.cancelled()) return;
    const left = waitsBelow(scopeOf(task));
    for (const wait of left) {
      this.#report(
        task,
        `The task ended while work that it started goes on, waiting for ${wait.what}: ` +
          "await it, or give it a task of its own",
        this.#kernel.creationStack(wait),
      );
    }
  }

  /** Stops watching; nothing of it stays behind. */
  stop(): void {
    this.#unwatchLoop();
    for (const stop of this.#stuck.values()) stop();
    this.#stuck.clear();
  }

  #unwatch(task: Task<unknown>): void {
    this.#stuck.get(task)?.();
    this.#stuck.delete(task);
  }

  #report(
    task: Task<unknown>,
    message: string,
    createdAt: string | undefined = this.#kernel.creationStack(task),
  ): void {
    this.#kernel.report({
      message,
      task,
      createdAt,
    });
  }

  #remember(object: object): void {
    this.#kernel.stacks?.remember(object);
  }
}
