/**
 * Debug mode: the instrument that remembers where things were made and reports
 * what goes wrong quietly. It is off the loop altogether while debug mode is.
 */
import {
  LIVE_DEADLOCK_MS,
  STUCK_AFTER_CANCEL_MS,
} from "../_internal/constants.ts";
import { messageOf } from "../_internal/error_text.ts";
import type { CancelledError } from "../errors.ts";
import { hostTimers } from "../platform/timers.ts";
import { findStuck, needsSomebody } from "./cycles.ts";
import { describeCycle } from "./deadlock.ts";
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
import type { Wait } from "./wait.ts";
import { noteWaitAges } from "./wait_ages.ts";

export class DebugMode implements Instrument {
  readonly #kernel: LoopKernel;
  readonly #slowMs: () => number;
  readonly #unwatchLoop: () => void;
  readonly #stopAges: () => void;
  /** For the next look for deadlocks; null while none is to come. */
  #look: unknown = null;
  /** Seen in a deadlock at the last look. */
  #suspects = new Set<Wait<unknown>>();
  /** A deadlock that they are in was reported. */
  readonly #convicts = new WeakSet<Wait<unknown>>();
  /** Watches over tasks that were cancelled and have not reached a wait. */
  readonly #stuck = new Map<Task<unknown>, () => void>();

  constructor(kernel: LoopKernel, slowMs: () => number) {
    this.#kernel = kernel;
    this.#slowMs = slowMs;
    this.#remember(kernel.loop);
    this.#unwatchLoop = watchLoop(kernel);
    this.#stopAges = noteWaitAges(kernel);
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
    if (wait.task === null) return;
    this.#unwatch(wait.task);
    // The last wait of a deadlock needs somebody, as all the others do.
    if (needsSomebody(wait as Wait<unknown>)) {
      this.#lookLater();
    }
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
      futureInternals.state(task) === "finished" &&
      scopeOf(task).requestsHeard > 0
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
    this.#stopAges();
    if (this.#look !== null) hostTimers.clearTimer(this.#look as never);
    for (const stop of this.#stuck.values()) stop();
    this.#stuck.clear();
  }

  #lookLater(): void {
    this.#look ??= hostTimers.setBackgroundTimer(() => {
      this.#look = null;
      this.#lookForDeadlocks();
    }, LIVE_DEADLOCK_MS);
  }

  /**
   * Tasks may need each other for a moment, until a callback helps them out. What
   * is there at two looks on end, with the same waits, is reported, once.
   */
  #lookForDeadlocks(): void {
    const { cycles } = findStuck(this.#kernel);
    const suspects = new Set<Wait<unknown>>();
    for (const cycle of cycles) {
      const waits = cycle.flatMap((task) => waitsBelow(scopeOf(task)));
      if (waits.every((wait) => this.#convicts.has(wait))) continue;
      if (waits.every((wait) => this.#suspects.has(wait))) {
        for (const wait of waits) this.#convicts.add(wait);
        this.#kernel.report({ message: describeCycle(cycle) });
      } else for (const wait of waits) suspects.add(wait);
    }
    this.#suspects = suspects;
    if (suspects.size > 0) this.#lookLater();
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
