/**
 * The loops in debug mode, and what is said of them when the program has
 * nothing left to do, when it ends, and when they are collected.
 */
import { hostProcess } from "../platform/process.ts";
import { describeDeadlock } from "./deadlock.ts";
import { toContext, writeException } from "./exceptions.ts";
import type { Kernel, LoopKernel } from "./kernel.ts";
import type { Task } from "./task.ts";
import type { ExceptionContext } from "./types.ts";

/** What is said of a loop that is collected; must not refer to it. */
interface Loss {
  readonly context: ExceptionContext;
  readonly entry: WeakRef<LoopKernel>;
}

const watched = new Set<WeakRef<LoopKernel>>();
const losses = new FinalizationRegistry<Loss>(({ context, entry }) => {
  watched.delete(entry);
  // The loop's exception handler is gone with it.
  writeException(context);
});
let listening = false;

/** Watches a loop; the function it returns ends that. */
export function watchLoop(kernel: LoopKernel): () => void {
  listen();
  const entry = new WeakRef(kernel);
  watched.add(entry);
  if (!kernel.ambient) {
    const context = unclosed(kernel);
    losses.register(kernel.loop, { context, entry }, entry);
  }
  return () => {
    watched.delete(entry);
    losses.unregister(entry);
  };
}

/** Reports the tasks that can never end, as their loop will not run again. */
export function reportPendingTasks(kernel: Kernel): void {
  for (let scope = kernel.tasks; scope !== null; scope = scope.after) {
    const task = scope.task as Task<unknown>;
    const createdAt = kernel.creationStack(task);
    kernel.report({
      message: "Task was destroyed but it is pending!",
      task,
      createdAt,
    });
  }
}

function listen(): void {
  if (listening) return;
  listening = true;
  hostProcess.onIdle(() => {
    for (const kernel of watchedKernels()) {
      if (kernel.tasks === null || !kernel.isRunning) continue;
      kernel.report({ message: describeDeadlock(kernel) });
    }
  });
  hostProcess.onExit(() => {
    for (const kernel of watchedKernels()) {
      // One that runs was interrupted by the exit, not forgotten.
      if (kernel.ambient || kernel.isRunning) continue;
      kernel.report(unclosed(kernel));
      reportPendingTasks(kernel);
    }
  });
}

function watchedKernels(): LoopKernel[] {
  const kernels: LoopKernel[] = [];
  for (const entry of watched) {
    const kernel = entry.deref();
    if (kernel !== undefined) kernels.push(kernel);
  }
  return kernels;
}

function unclosed(kernel: LoopKernel): ExceptionContext {
  const createdAt = kernel.creationStack(kernel.loop);
  return toContext({
    message: `ResourceWarning: unclosed event loop ${kernel.loop}`,
    createdAt,
  });
}
