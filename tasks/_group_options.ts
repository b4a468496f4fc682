import { checkInteger, checkNotAsync } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import type { Task } from "../loop/task.ts";

/** Options of {@linkcode taskGroup}. */
export interface TaskGroupOptions {
  /**
   * The group's name, for messages.
   *
   * @default {"TaskGroup"}
   */
  name?: string | undefined;
  /**
   * How many of its tasks may run at a time. Others are made at once, and each
   * starts, in the order of the calls, as soon as another one has ended. A task
   * that waits for one behind it in the line waits in vain.
   *
   * @default {Infinity}
   */
  limit?: number | undefined;
  /**
   * What the failure of a task does. `"cancel"`: the others and the block are
   * cancelled. `"collect"`: they go on, and all errors come out at the end. A
   * function: they go on, it is called with the error and the task, and the
   * group keeps neither; if it throws, the group fails with that, as with an
   * error of the block.
   *
   * An error of the block, a {@linkcode SystemExit} and a
   * {@linkcode KeyboardInterrupt} cancel the tasks in any case.
   *
   * @default {"cancel"}
   */
  onError?:
    | "cancel"
    | "collect"
    | ((error: unknown, task: Task<unknown>) => void)
    | undefined;
  /**
   * Ends the block and the tasks when it is aborted, as {@linkcode cancelOn}
   * around the group would, and throws its reason. If it is aborted already, the
   * block is not called.
   */
  signal?: AbortSignal | undefined;
}

const TASK_GROUP_OPTIONS = new OptionNames<TaskGroupOptions>(
  { name: "string", limit: true, onError: true, signal: "signal" },
  { string: "name", number: "limit" },
);

/** Checks the options of a call of `taskGroup`. */
export function checkGroupOptions(options: TaskGroupOptions): void {
  const action = "open a task group";
  checkOptions(action, options, TASK_GROUP_OPTIONS);
  const { limit, onError } = options;
  if (limit !== undefined && limit !== Infinity) {
    checkInteger(action, "limit", limit, 1);
  }
  if (typeof onError === "function") {
    return checkNotAsync(action, "onError", onError);
  }
  if (onError === undefined || onError === "cancel" || onError === "collect") {
    return;
  }
  throw new TypeError(
    `Cannot ${action} as 'onError' must be "cancel", "collect" or a function: received ${
      show(onError)
    }`,
  );
}
