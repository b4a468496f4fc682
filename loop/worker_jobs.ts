/**
 * In a thread of the worker pool: jobs that load this library run as tasks. So
 * a cancellation reaches their waits, and they see the context variables of
 * whoever submitted them.
 */
import { workerContext } from "../platform/worker_context.ts";
import { contextOf } from "./context.ts";
import type { EventLoop } from "./event_loop.ts";

/** Tells the worker, if this thread is one, how to run its jobs. */
export function provideJobRunner(currentLoop: () => EventLoop): void {
  const worker = workerContext();
  if (worker === undefined) return;
  worker.runJob = (job, variables, signal) =>
    currentLoop().createTask(job, {
      name: "Job",
      context: contextOf(variables),
      signal,
      eagerStart: true,
    });
}
