import type { SubprocessTransport } from "./transport.ts";

/**
 * Is told of what a child process does, without the cost and the comfort of a
 * `Process`. Override what you need. Equivalent of
 * `asyncio.SubprocessProtocol`.
 *
 * ```text
 *   connectionMade  pipeDataReceived*  pipeConnectionLost*  connectionLost
 *                          processExited, somewhere in between
 * ```
 *
 * @example Counting what a program prints
 * ```ts
 * import {
 *   createTask,
 *   getEventLoop,
 *   PIPE,
 *   subprocessExec,
 *   SubprocessProtocol,
 * } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * class Count extends SubprocessProtocol {
 *   readonly done = getEventLoop().createFuture<number>();
 *   #size = 0;
 *   override pipeDataReceived(_number: number, data: Uint8Array) {
 *     this.#size += data.length;
 *   }
 *   override connectionLost() {
 *     this.done.setResult(this.#size);
 *   }
 * }
 *
 * const [, count] = await subprocessExec(() => new Count(), "echo", ["hello"], {
 *   stdout: PIPE,
 * });
 * assertEquals(await count.done, 6);
 * ```
 */
export class SubprocessProtocol {
  /**
   * The child runs.
   *
   * @param _transport What to write to it with, and to signal it.
   */
  connectionMade(_transport: SubprocessTransport): void {}

  /**
   * The child wrote bytes.
   *
   * @param _number To which stream: 1 for stdout, 2 for stderr.
   * @param _data The bytes, which are the protocol's to keep.
   */
  pipeDataReceived(_number: number, _data: Uint8Array): void {}

  /**
   * A pipe was closed, by either side. That of stdin is closed when the child has
   * closed it or has ended. Deno cannot look at a pipe that nothing is written to:
   * there, a child that goes on without its stdin is noticed with the next write.
   *
   * @param _number Which: 0 for stdin, 1 for stdout, 2 for stderr.
   * @param _error Why; `null` if it was closed.
   */
  pipeConnectionLost(_number: number, _error: unknown): void {}

  /** The child has ended; there may still be output to come. */
  processExited(): void {}

  /**
   * The child has ended and all pipes are closed. Called once, at the end.
   *
   * @param _error Always `null`.
   */
  connectionLost(_error: unknown): void {}

  /** The buffer of what is to be sent went over its high-water mark. */
  pauseWriting(): void {}

  /** The buffer went down to its low-water mark. */
  resumeWriting(): void {}
}
