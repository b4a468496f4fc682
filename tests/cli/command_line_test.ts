import process from "node:process";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { type ProgramResult, runProgram } from "../_support/programs.ts";

const isBun = "Bun" in globalThis;
const isDeno = "Deno" in globalThis;

const LACK = isBun
  ? "Bun has no inspector that a signal opens"
  : typeof WebSocket === "undefined"
  ? "Node 20 has no WebSocket"
  : null;

const NEEDED = LACK === null
  ? { ignore: false }
  : { ignore: true, reason: LACK };

function asyncio(...args: readonly string[]): Promise<ProgramResult> {
  return runProgram("command_line", { args: ["--", ...args] });
}

/** Runs `look` beside a program that has begun, and gives what that printed. */
async function besides(
  look: (pid: string) => Promise<void>,
  way = "",
): Promise<ProgramResult> {
  let looked: Promise<void> | null = null;
  const result = await runProgram("looked_into", {
    args: way === "" ? [] : [way],
    // Only Node has the flag; Deno takes its default.
    flags: isDeno ? [] : ["--inspect-port=0"],
    onLine: (line, send) => {
      const [, pid] = /^ready (\d+)$/.exec(line) ?? [];
      if (pid === undefined) return;
      // Whoever cancels the nap ends the program; nothing else does.
      looked = look(pid).then(
        () => way === "grind" ? send("SIGKILL") : undefined,
        (error) => {
          send("SIGKILL");
          throw error;
        },
      );
      // It is told below, when the program has ended.
      looked.catch(() => {});
    },
  });
  assert(looked !== null, result.stderr);
  await looked;
  return result;
}

Deno.test({
  name:
    "the command line shows the tasks of a program by its process id, and cancels one",
  ...NEEDED,
  async fn() {
    const { stdout } = await besides(async (pid) => {
      const ps = await asyncio("ps", pid);
      assertEquals(ps.stderr, "");
      assertMatch(ps.stdout, /^id +task +awaited by +state\n/);
      assertMatch(
        ps.stdout,
        /^#\d+ +second +- +waiting for Lock\.acquire \(held by holder\)$/m,
      );
      const pstree = await asyncio("pstree", pid);
      assertMatch(
        pstree.stdout,
        /^\u2514\u2500 napper: waiting for sleep/m,
      );
      const where = await asyncio("where", pid, "napper");
      assertMatch(
        where.stdout,
        /^napper: waiting for sleep\(600000\)\n {2}awaited by /,
      );
      const json = await asyncio("ps", pid, "--json", "--limit", "1");
      const [{ loops: [loop] }] = JSON.parse(json.stdout);
      assertEquals([loop.total, loop.tasks.length], [5, 1]);
      // The session has let go of it: it opens anew.
      const free = await asyncio("blocked", pid);
      assertEquals(free.stdout, "Nothing holds the loop: it answers\n");
      const cancel = await asyncio("cancel", pid, "napper");
      assertEquals(cancel.stdout, "asked napper to cancel\n");
    });
    assertStringIncludes(stdout, "napper has ended\n");
  },
});

Deno.test({
  name: "the command line names the function that holds the loop",
  ...(isDeno
    ? {
      ignore: true,
      reason: "Deno opens its inspector in a turn of the loop",
    }
    : NEEDED),
  async fn() {
    await besides(async (pid) => {
      const ps = await asyncio("ps", pid);
      assertMatch(ps.stdout, /^#\d+ +napper /m, ps.stderr);
      const { stdout, stderr } = await asyncio("blocked", pid);
      assertMatch(
        stdout,
        /^The loop is held by grind \(file:.*looked_into\.\w+:\d+:\d+\)\n {2}called by /,
        stderr,
      );
    }, "grind");
  },
});

Deno.test({
  name: "the command line says in a sentence what it needs",
  ...NEEDED,
  async fn() {
    const here = String(process.pid);
    for (
      const [args, code, sentence] of [
        [["ps"], 2, "The command ps needs a process id, or HOST:PORT"],
        [["ls", here], 2, "There is no command ls: there are ps, pstree"],
        [["ps", "x"], 2, "A process is a number or HOST:PORT: received x"],
        [["where", here], 2, "The command where needs a task"],
        [["ps", here, "more"], 2, "The command ps takes no more"],
        [["ps", here, "--limit", "-1"], 2, "--limit"],
        [["ps", here, "--colour"], 2, "--colour"],
        [["trace", here, "--seconds", "0"], 2, "--seconds must be a number"],
        [["ps", "4194305"], 1, "There is no process 4194305"],
        [["ps", "1"], 1, "rocess 1 "],
        [["ps", "127.0.0.1:1"], 1, "There is no inspector at 127.0.0.1:1"],
      ] as const
    ) {
      // deno-lint-ignore no-await-in-loop -- one process after the other
      const result = await asyncio(...args);
      assertEquals(result.code, code, result.stderr);
      assertStringIncludes(result.stderr, sentence);
      assertEquals(result.stdout, "");
      assertEquals(result.stderr.split("\n").length, 2, "one line");
    }
    const help = await asyncio("--help");
    assertEquals(help.code, 0);
    assertStringIncludes(help.stdout, "Usage: asyncio COMMAND PROCESS [TASK]");
  },
});
