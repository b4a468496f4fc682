/**
 * Child processes: their streams to await, their end to wait for, and none of
 * them left behind.
 *
 * ```ts
 * import { createSubprocessExec, PIPE } from "@asyncio/asyncio/subprocess";
 * import { assertEquals } from "@std/assert";
 *
 * await using sort = await createSubprocessExec("sort", [], {
 *   stdin: PIPE,
 *   stdout: PIPE,
 * });
 * const [sorted] = await sort.communicate("b\na\n");
 * assertEquals(new TextDecoder().decode(sorted!), "a\nb\n");
 * assertEquals(sort.returnCode, 0);
 * ```
 *
 * @module
 */

export { DEVNULL, PIPE, STDOUT } from "./constants.ts";
export { createSubprocessExec, createSubprocessShell } from "./create.ts";
export type { SpawnOptions, Stdio, SubprocessOptions } from "./options.ts";
export { Process, type StopOptions } from "./process.ts";
export { SubprocessProtocol } from "./protocol.ts";
export { subprocessExec, subprocessShell } from "./subprocess_exec.ts";
export { SubprocessTransport } from "./transport.ts";
