import { InvalidStateError } from "../errors.ts";
import { isExitRequest } from "../loop/exit_request.ts";
import { Future, futureInternals } from "../loop/future.ts";
import type { Task } from "../loop/task.ts";

/**
 * What a task that is being started comes to: what it says that it has started
 * with, or its end before that. Cancelling it is a request to the task, as with
 * any task that is awaited, and the task's answer counts.
 */
export class Starting<T> extends Future<T> {
  /** Not there yet while an eager task runs up to its first wait. */
  task: Task<unknown> | null = null;

  override cancel(reason?: unknown): boolean {
    if (this.done()) return false;
    // One that has ended in this very step is past asking, and its error then is
    // one of the group.
    return this.task?.cancel(reason) === true || super.cancel(reason);
  }

  /** Called by the task. */
  say(value: T): void {
    if (this.done()) {
      const state = futureInternals.state(this);
      // Who waited is gone, and has cancelled the task.
      if (state === "cancelled" && this.task?.done() === false) return;
      const how = state === "finished"
        ? "started() was called before"
        : "the task has ended";
      throw new InvalidStateError(
        `Cannot say that a task has started as ${how}: received a call for ${
          this.task ?? "it"
        }`,
      );
    }
    this.setResult(value);
  }

  /**
   * The task has ended.
   *
   * @returns Whether its error, if it failed, goes to who wanted it to start.
   */
  ended(task: Task<unknown>): boolean {
    if (this.done()) return false;
    const state = futureInternals.state(task);
    if (state === "finished") {
      this.setException(
        new InvalidStateError(
          `Cannot start a task as it ended before it called started(): received ${task}`,
        ),
      );
      return true;
    }
    const value = futureInternals.value(task);
    futureInternals.settle(this, state, value);
    // It has ended the program already.
    if (isExitRequest(value)) futureInternals.retrieve(this);
    return true;
  }

  /**
   * Who waited has got `error`, and is gone.
   *
   * @returns Whether the task failed with another one, which they have not heard
   * of: they were cancelled in the very step.
   */
  left(error: unknown): boolean {
    if (!this.done()) super.cancel();
    const { task } = this;
    return task !== null && futureInternals.state(this) === "failed" &&
      futureInternals.state(task) === "failed" &&
      futureInternals.value(this) !== error;
  }
}
