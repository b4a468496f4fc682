/**
 * The kernel of code that runs in no task and no callback: of the loop that was
 * set, and otherwise of the default one. That one gets its public face,
 * `EventLoop`, when someone asks for it, so that a program that only waits does
 * not need the class.
 */
import { systemClock } from "./clock.ts";
import { Context } from "./context.ts";
import { enteredScope } from "./entered.ts";
import { Kernel } from "./kernel.ts";

let defaultKernel: Kernel | null = null;
let chosen: Kernel | null = null;

/** The kernel of the running code if it is in a loop, otherwise the default one. */
export function currentKernel(): Kernel {
  return enteredScope()?.kernel ?? chosen ??
    (defaultKernel ??= new Kernel(systemClock, true, new Context()));
}

/** Sets the kernel of code that runs in no loop; null for the default one. */
export function chooseKernel(kernel: Kernel | null): void {
  chosen = kernel;
}
