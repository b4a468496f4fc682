/** What has to know of it when its loop is closed. */
import type { Kernel } from "./kernel.ts";

const listeners = new WeakMap<Kernel, Set<() => void>>();

/** Calls back when the loop is closed; the function it returns ends that. */
export function onClose(kernel: Kernel, listener: () => void): () => void {
  let all = listeners.get(kernel);
  if (all === undefined) listeners.set(kernel, all = new Set());
  all.add(listener);
  return () => {
    all.delete(listener);
  };
}

/** Called by the loop when it was closed. */
export function tellClosed(kernel: Kernel): void {
  for (const listener of [...listeners.get(kernel) ?? []]) listener();
  listeners.delete(kernel);
}
