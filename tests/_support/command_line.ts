/** The command line of the package, run as a program. */
import { type ProgramResult, runProgram } from "./programs.ts";
import type { Needed } from "./runtimes.ts";

const LACK = "Bun" in globalThis
  ? "Bun has no inspector that a signal opens"
  : typeof WebSocket === "undefined"
  ? "Node 20 has no WebSocket"
  : null;

/** Leaves a test out, and says why, where no program can be looked into. */
export const DEBUGGER: Needed = LACK === null
  ? { ignore: false }
  : { ignore: true, reason: LACK };

/** Runs `asyncio` with these arguments. */
export function asyncio(...args: readonly string[]): Promise<ProgramResult> {
  return runProgram("command_line", { args: ["--", ...args] });
}
