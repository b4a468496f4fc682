import { startChild } from "./_child.ts";
import { checkFactory, checkProgram, planCommand, shellFor } from "./_check.ts";
import { SPAWN_OPTIONS, type SpawnOptions } from "./options.ts";
import { checkProtocol } from "../streams/protocol.ts";
import type { SubprocessProtocol } from "./protocol.ts";
import { SubprocessTransport } from "./transport.ts";

/**
 * Starts a program of which a protocol is told. Nothing goes through a shell.
 * Equivalent of `loop.subprocess_exec`.
 *
 * @typeParam P The protocol.
 *
 * @example Waiting for the end
 * ```ts
 * import {
 *   getEventLoop,
 *   subprocessExec,
 *   SubprocessProtocol,
 * } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * class Watch extends SubprocessProtocol {
 *   readonly ended = getEventLoop().createFuture<void>();
 *   override processExited() {
 *     this.ended.setResult();
 *   }
 * }
 *
 * const [transport, watch] = await subprocessExec(() => new Watch(), "true");
 * await watch.ended;
 * assertEquals(transport.getReturnCode(), 0);
 * ```
 *
 * @param protocolFactory Makes the protocol.
 * @param program Its name, which is looked up in the child's `PATH`, or its path.
 * @param args Its arguments.
 * @param options Its streams, directory and environment.
 * @returns The transport, and the protocol.
 * @throws {FileNotFoundError} When there is no such program, or no such `cwd`.
 * @throws {PermissionError} When the program may not be run.
 * @throws {OSError} When the system cannot start it.
 * @throws {TypeError} When an argument is of the wrong kind.
 * @throws {RangeError} When the program is empty, or an argument has a NUL byte.
 * @throws {CancelledError} When the task is cancelled; nothing is left running.
 */
export async function subprocessExec<P extends SubprocessProtocol>(
  protocolFactory: () => P,
  program: string,
  args: readonly string[] = [],
  options: SpawnOptions = {},
): Promise<[SubprocessTransport, P]> {
  checkProgram(program, args);
  return await start(
    "subprocessExec",
    protocolFactory,
    [program, ...args],
    options,
  );
}

/**
 * Starts a command of the system's shell, of which a protocol is told. Put no
 * text into it that comes from outside. Equivalent of `loop.subprocess_shell`.
 *
 * @typeParam P The protocol.
 *
 * @example What it prints
 * ```ts
 * import {
 *   getEventLoop,
 *   PIPE,
 *   subprocessShell,
 *   SubprocessProtocol,
 * } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * class First extends SubprocessProtocol {
 *   readonly data = getEventLoop().createFuture<Uint8Array>();
 *   override pipeDataReceived(_number: number, data: Uint8Array) {
 *     this.data.setResult(data);
 *   }
 * }
 *
 * const [transport, first] = await subprocessShell(
 *   () => new First(),
 *   "echo $((20 + 3))",
 *   { stdout: PIPE },
 * );
 * assertEquals(new TextDecoder().decode(await first.data), "23\n");
 * transport.close();
 * ```
 *
 * @param protocolFactory Makes the protocol.
 * @param command What the shell is to run.
 * @param options Its streams, directory and environment.
 * @returns The transport, and the protocol.
 * @throws {FileNotFoundError} When there is no such `cwd`.
 * @throws {OSError} When the system cannot start it.
 * @throws {TypeError} When an argument is of the wrong kind.
 * @throws {RangeError} When the command is empty or has a NUL byte.
 * @throws {CancelledError} When the task is cancelled; nothing is left running.
 */
export async function subprocessShell<P extends SubprocessProtocol>(
  protocolFactory: () => P,
  command: string,
  options: SpawnOptions = {},
): Promise<[SubprocessTransport, P]> {
  return await start(
    "subprocessShell",
    protocolFactory,
    shellFor(command),
    options,
  );
}

async function start<P extends SubprocessProtocol>(
  action: string,
  protocolFactory: () => P,
  [program, ...args]: readonly [string, ...string[]],
  options: SpawnOptions,
): Promise<[SubprocessTransport, P]> {
  checkFactory(protocolFactory);
  const command = planCommand(program, args, options, SPAWN_OPTIONS);
  // Made first: one that cannot be made leaves no child behind.
  const protocol = protocolFactory();
  checkProtocol(action, protocol);
  const child = await startChild(action, command, options.signal);
  return [new SubprocessTransport(child, protocol), protocol];
}
