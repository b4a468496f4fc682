/**
 * A standard stream of the child goes through a pipe to this program.
 * Equivalent of `asyncio.subprocess.PIPE`.
 *
 * @example Reading what a program prints
 * ```ts
 * import { createSubprocessExec, PIPE } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const echo = await createSubprocessExec("echo", ["hi"], { stdout: PIPE });
 * const [printed] = await echo.communicate();
 * assertEquals(new TextDecoder().decode(printed), "hi\n");
 * ```
 */
export const PIPE = "pipe";

/**
 * A standard stream of the child goes nowhere, and nothing comes from it.
 * Equivalent of `asyncio.subprocess.DEVNULL`.
 *
 * @example A program that is to be quiet
 * ```ts
 * import { createSubprocessExec, DEVNULL } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const echo = await createSubprocessExec("echo", ["hi"], { stdout: DEVNULL });
 * assertEquals(await echo.wait(), 0);
 * ```
 */
export const DEVNULL = "null";

/**
 * The child's stderr goes where its stdout goes, in the order written.
 * Equivalent of `asyncio.subprocess.STDOUT`.
 *
 * @example Both in one
 * ```ts
 * import { createSubprocessShell, PIPE, STDOUT } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const process = await createSubprocessShell("echo a; echo b >&2; echo c", {
 *   stdout: PIPE,
 *   stderr: STDOUT,
 * });
 * const [printed] = await process.communicate();
 * assertEquals(new TextDecoder().decode(printed), "a\nb\nc\n");
 * ```
 */
export const STDOUT = "stdout";

/** How long a child may take to end after SIGTERM before it gets SIGKILL. */
export const STOP_GRACE_MS = 5000;
