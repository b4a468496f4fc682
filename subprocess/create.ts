import { startChild } from "./_child.ts";
import {
  checkProcessOptions,
  checkProgram,
  planCommand,
  shellFor,
} from "./_check.ts";
import { SUBPROCESS_OPTIONS, type SubprocessOptions } from "./options.ts";
import { Process, type ProcessOf } from "./process.ts";

/**
 * Starts a program. Nothing goes through a shell: the arguments reach the
 * program as they are. Equivalent of `asyncio.create_subprocess_exec`.
 *
 * @typeParam O The options, which decide what streams the process has.
 *
 * @example What a program prints
 * ```ts
 * import { createSubprocessExec, PIPE } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await using echo = await createSubprocessExec("echo", ["$HOME"], {
 *   stdout: PIPE,
 * });
 * const [printed] = await echo.communicate();
 * assertEquals(new TextDecoder().decode(printed), "$HOME\n");
 * ```
 *
 * @param program Its name, which is looked up in the child's `PATH`, or its path.
 * @param args Its arguments.
 * @param options Its streams, directory and environment.
 * @returns The process, which runs.
 * @throws {FileNotFoundError} When there is no such program, or no such `cwd`.
 * @throws {PermissionError} When the program may not be run.
 * @throws {OSError} When the system cannot start it.
 * @throws {TypeError} When an argument is of the wrong kind.
 * @throws {RangeError} When the program is empty, or an argument has a NUL byte.
 * @throws {CancelledError} When the task is cancelled; nothing is left running.
 */
export function createSubprocessExec<const O extends SubprocessOptions>(
  program: string,
  args?: readonly string[],
  options?: O & Record<Exclude<keyof O, keyof SubprocessOptions>, never>,
): Promise<ProcessOf<O>>;
export async function createSubprocessExec(
  program: string,
  args: readonly string[] = [],
  options: SubprocessOptions = {},
): Promise<Process> {
  checkProgram(program, args);
  const plan = planCommand(program, args, options, SUBPROCESS_OPTIONS);
  checkProcessOptions(options);
  const child = await startChild("createSubprocessExec", plan, options.signal);
  return new Process(child, options);
}

/**
 * Starts a command of the system's shell: `/bin/sh`, or `cmd.exe` on Windows.
 * Put no text into it that comes from outside: the shell would run what is in
 * there. Equivalent of `asyncio.create_subprocess_shell`.
 *
 * @typeParam O The options, which decide what streams the process has.
 *
 * @example A pipe of the shell
 * ```ts
 * import { createSubprocessShell, PIPE } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const shell = await createSubprocessShell("echo hello | tr a-z A-Z", {
 *   stdout: PIPE,
 * });
 * const [printed] = await shell.communicate();
 * assertEquals(new TextDecoder().decode(printed), "HELLO\n");
 * ```
 *
 * @param command What the shell is to run.
 * @param options Its streams, directory and environment.
 * @returns The process of the shell, which runs.
 * @throws {FileNotFoundError} When there is no such `cwd`.
 * @throws {OSError} When the system cannot start it.
 * @throws {TypeError} When an argument is of the wrong kind.
 * @throws {RangeError} When the command is empty or has a NUL byte.
 * @throws {CancelledError} When the task is cancelled; nothing is left running.
 */
export function createSubprocessShell<const O extends SubprocessOptions>(
  command: string,
  options?: O & Record<Exclude<keyof O, keyof SubprocessOptions>, never>,
): Promise<ProcessOf<O>>;
export async function createSubprocessShell(
  command: string,
  options: SubprocessOptions = {},
): Promise<Process> {
  const [program, ...args] = shellFor(command);
  const plan = planCommand(program, args, options, SUBPROCESS_OPTIONS);
  checkProcessOptions(options);
  const child = await startChild("createSubprocessShell", plan, options.signal);
  return new Process(child, options);
}
