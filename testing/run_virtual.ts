import { checkFunction } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { newEventLoop } from "../loop/ambient.ts";
import type { TaskFunction } from "../loop/task.ts";
import { run } from "../tasks/runner.ts";
import { type Leftovers, watched } from "./_leftovers.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** Options of {@linkcode runVirtual}. */
export interface RunVirtualOptions {
  /**
   * The clock.
   *
   * @default {a new one that jumps}
   */
  clock?: VirtualClock | undefined;
  /**
   * Whether the loop runs in debug mode.
   *
   * @default {whether the environment has ASYNCIO_DEBUG=1}
   */
  debug?: boolean | undefined;
  /**
   * What becomes of tasks that have not ended when the test has: they are
   * cancelled and awaited, or, with `"refuse"`, the test fails as well, with an
   * {@linkcode InvalidStateError} that names them and what they wait for.
   *
   * @default {"cancel"}
   */
  leftovers?: Leftovers | undefined;
  /** Cancels the main task when it is aborted; the reason is kept. */
  signal?: AbortSignal | undefined;
}

const RUN_VIRTUAL_OPTIONS = new OptionNames<RunVirtualOptions>({
  clock: true,
  debug: "boolean",
  leftovers: true,
  signal: "signal",
}, { boolean: "debug" });

/**
 * `run` in virtual time: whatever only waits takes no time, and every run is
 * the same. An aborted `signal` cancels `main`.
 *
 * @typeParam T What the function returns.
 *
 * @example A day of waiting
 * ```ts
 * import { sleep } from "@asyncio/asyncio";
 * import { runVirtual } from "@asyncio/asyncio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const result = await runVirtual(() => sleep(86_400_000, "morning"));
 * assertEquals(result, "morning");
 * ```
 *
 * @param main The function.
 * @param options The clock, debug mode, a signal, and what becomes of tasks that
 * are left.
 * @returns What `main` returns.
 * @throws {RangeError} When `leftovers` is something else.
 * @throws {InvalidStateError} When `leftovers` is `"refuse"` and a task has not
 * ended when `main` has.
 * @throws Whatever `run` throws.
 */
export async function runVirtual<T>(
  main: TaskFunction<T>,
  options: RunVirtualOptions = {},
): Promise<T> {
  checkOptions("run", options, RUN_VIRTUAL_OPTIONS);
  checkFunction("run", "main", main);
  const { clock = new VirtualClock(), leftovers, ...rest } = options;
  return await run(watched("run", main, leftovers), {
    ...rest,
    loop: newEventLoop({ clock }),
  });
}
