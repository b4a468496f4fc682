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
 * assertEquals(new TextDecoder().decode(sorted), "a\nb\n");
 * assertEquals(sort.returnCode, 0);
 * ```
 *
 * `communicate` sends, reads and waits at once. To talk to a program while it
 * runs, use its streams: they are the `StreamWriter` and `StreamReader` that a
 * connection has, with limits, `drain` and lines.
 *
 * ```ts
 * import { createSubprocessExec, PIPE } from "@asyncio/asyncio/subprocess";
 * import { assertEquals } from "@std/assert";
 *
 * await using count = await createSubprocessExec("seq", ["3"], { stdout: PIPE });
 * let sum = 0;
 * for await (const line of count.stdout) {
 *   sum += Number(new TextDecoder().decode(line));
 * }
 * assertEquals(sum, 6);
 * assertEquals(await count.wait(), 0);
 * ```
 *
 * **Cancelling** a task that waits for a child leaves the child alone, as in
 * asyncio; with `killOnCancel` it is ended first. `stop` asks a child to end and
 * makes it after a while, `killTree` reaches all that a detached child started,
 * and `await using` leaves none behind. One that is dropped, or left when its
 * loop is closed, is reported.
 *
 * ```ts
 * import { timeout, TimeoutError } from "@asyncio/asyncio";
 * import { createSubprocessExec } from "@asyncio/asyncio/subprocess";
 * import { assertEquals, assertRejects } from "@std/assert";
 *
 * const sleeper = await createSubprocessExec("sleep", ["60"], {
 *   killOnCancel: true,
 * });
 * await assertRejects(() => timeout(50, () => sleeper.wait()), TimeoutError);
 * assertEquals(sleeper.returnCode, -15);
 * ```
 *
 * | asyncio                           | here                               |
 * | --------------------------------- | ---------------------------------- |
 * | `create_subprocess_exec(p, *args)` | `createSubprocessExec(p, args)`   |
 * | `create_subprocess_shell(cmd)`    | `createSubprocessShell(cmd)`       |
 * | `process.returncode`              | `process.returnCode`               |
 * | `loop.subprocess_exec`            | `subprocessExec`, with a protocol  |
 *
 * Nothing goes through a shell but the command of `createSubprocessShell`.
 *
 * @module
 */

export { DEVNULL, PIPE, STDOUT } from "./constants.ts";
export { createSubprocessExec, createSubprocessShell } from "./create.ts";
export type { SpawnOptions, Stdio, SubprocessOptions } from "./options.ts";
export {
  type PipedStream,
  Process,
  type ProcessOf,
  type StopOptions,
} from "./process.ts";
export { SubprocessProtocol } from "./protocol.ts";
export { subprocessExec, subprocessShell } from "./subprocess_exec.ts";
export { SubprocessTransport } from "./transport.ts";
