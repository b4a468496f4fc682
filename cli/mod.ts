/**
 * The command line that looks into a running program by its process id.
 * Equivalent of `python -m asyncio ps` and `pstree`.
 *
 * ```sh
 * deno run -A jsr:@asyncio/asyncio/cli ps 4711
 * npx @asyncio/asyncio pstree 4711
 * ```
 *
 * ```ts
 * import { main } from "@asyncio/asyncio/cli";
 *
 * await main(["--help"]);
 * ```
 *
 * @module
 */
import process from "node:process";
import { runCommand } from "./_run.ts";

/**
 * Runs the command line, as the program of this module does. Cancelling the
 * task that awaits it does not interrupt it.
 *
 * @example Its help
 * ```ts
 * import { main } from "@asyncio/asyncio/cli";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(await main(["--help"]), 0);
 * ```
 *
 * @param args The arguments: a command, a process, and options.
 * @returns The status to exit with: 0 if it was answered, 1 if that was not
 * possible, 2 if the command line is wrong, and 130 if Ctrl-C ended it.
 */
export function main(args: readonly string[]): Promise<number> {
  return runCommand(args);
}

if (import.meta.main) {
  main(process.argv.slice(2)).then((status) => process.exit(status));
}
