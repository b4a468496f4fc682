/**
 * Which loop code is in: that of its task or callback, and otherwise the default
 * one, which always runs.
 */
import { InvalidStateError } from "../errors.ts";
import { enteredScope } from "./entered.ts";
import { chooseKernel, currentKernel } from "./default_kernel.ts";
import { EventLoop, type EventLoopOptions, loopOf } from "./event_loop.ts";
import { kernelOf } from "./kernel.ts";

/**
 * Makes a loop that runs only when told to. Equivalent of
 * `asyncio.new_event_loop`.
 *
 * @example Running one function
 * ```ts
 * import { newEventLoop, sleep } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const loop = newEventLoop();
 * assertEquals(await loop.runUntilComplete(() => sleep(1, "done")), "done");
 * loop.close();
 * ```
 *
 * @param options Its clock and whether it starts in debug mode.
 * @returns The loop, stopped.
 * @throws {TypeError} When `options` is not an object or of an unknown name.
 */
export function newEventLoop(options: EventLoopOptions = {}): EventLoop {
  return new EventLoop(options);
}

/**
 * The running loop if there is one, otherwise the default one. Equivalent of
 * `asyncio.get_event_loop`.
 *
 * @example The default loop
 * ```ts
 * import { getEventLoop } from "@asyncio/asyncio";
 * import { assert } from "@std/assert";
 *
 * assert(getEventLoop().isRunning());
 * ```
 *
 * @returns The loop.
 */
export function getEventLoop(): EventLoop {
  return loopOf(currentKernel());
}

/**
 * The running loop. Equivalent of `asyncio.get_running_loop`.
 *
 * @example Inside of a task
 * ```ts
 * import { getRunningLoop, run } from "@asyncio/asyncio";
 * import { assert } from "@std/assert";
 *
 * assert(await run(() => getRunningLoop().isRunning()));
 * ```
 *
 * @returns The loop whose task or callback this is.
 * @throws {InvalidStateError} When this code runs in no task and no callback:
 * `getEventLoop()` gives the default loop there.
 */
export function getRunningLoop(): EventLoop {
  const kernel = enteredScope()?.kernel;
  if (kernel === undefined || !kernel.isRunning) {
    throw new InvalidStateError(
      "Cannot get the running event loop as this code runs in no task and no callback of one; getEventLoop() gives the default loop there",
    );
  }
  return loopOf(kernel);
}

/**
 * Sets the loop of code that runs in none. Equivalent of
 * `asyncio.set_event_loop`.
 *
 * @example Back to the default
 * ```ts
 * import { setEventLoop } from "@asyncio/asyncio";
 *
 * setEventLoop(null);
 * ```
 *
 * @param loop The loop; `null` for the default one, which always runs.
 */
export function setEventLoop(loop: EventLoop | null): void {
  chooseKernel(loop === null ? null : kernelOf(loop));
}
