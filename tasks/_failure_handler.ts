import { callbackScope, runIn } from "../loop/current.ts";
import type { Kernel } from "../loop/kernel.ts";
import type { Task } from "../loop/task.ts";
import { capturePlace } from "../platform/async_storage.ts";

/** Is told of each task of a group that fails. */
export type FailureHandler = (error: unknown, task: Task<unknown>) => void;

/**
 * A handler for the loop to call: like any callback it runs in no task, and in
 * the async context in which it was given.
 */
export function bindHandler(
  kernel: Kernel,
  handler: FailureHandler,
): FailureHandler {
  const scope = callbackScope(kernel);
  const place = runIn(scope, capturePlace);
  const call: FailureHandler = (error, task) => place.run(handler, error, task);
  return (error, task) => runIn(scope, call, error, task);
}
