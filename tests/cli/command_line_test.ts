import { type AddressInfo, createServer } from "node:net";
import process from "node:process";
import {
  assertEquals,
  assertGreater,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { asyncio, besides, DEBUGGER } from "../_support/command_line.ts";

const isDeno = "Deno" in globalThis;

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

Deno.test({
  name:
    "the command line shows the tasks of a program by its process id, and cancels one",
  ...DEBUGGER,
  async fn() {
    const { stdout } = await besides(async (pid) => {
      const ps = await asyncio("ps", pid);
      assertEquals(ps.stderr, "");
      assertMatch(ps.stdout, /^id +task +awaited by +for +state\n/);
      assertMatch(
        ps.stdout,
        /^#\d+ +second +- +- +waiting for Lock\.acquire \(held by holder\)$/m,
      );
      const pstree = await asyncio("pstree", pid);
      assertMatch(
        pstree.stdout,
        /^\u2514\u2500 napper: waiting for sleep/m,
      );
      const where = await asyncio("where", pid, "napper");
      assertMatch(
        where.stdout,
        /^napper: waiting for sleep\(600000\).*\n {2}awaited by /,
      );
      const json = await asyncio("ps", pid, "--json", "--limit", "1");
      const [{ loops: [loop] }] = JSON.parse(json.stdout);
      assertEquals([loop.total, loop.tasks.length], [5, 1]);
      // It was seen before, and nobody has noted when its wait began.
      assertEquals(loop.tasks[0].isAtLeast, true);
      assertGreater(loop.tasks[0].waitingMs, 0);
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
  name: "three commands find what a program hangs in: file, function and task",
  ...DEBUGGER,
  async fn() {
    // Deno opens its inspector in a turn of the loop: here before it is held.
    const flags = isDeno ? [`--inspect=127.0.0.1:${await freePort()}`] : [];
    await besides(
      async (pid) => {
        const ps = await asyncio("ps", pid);
        assertMatch(
          ps.stdout,
          /^#\d+ +Task-1 .* in an await that the library does not see$/m,
          ps.stderr,
        );
        const blocked = await asyncio("blocked", pid);
        assertMatch(
          blocked.stdout,
          /^The loop is held by grind \(file:.*looked_into\.\w+:\d+:\d+\)\n {2}called by /,
          blocked.stderr,
        );
        const where = await asyncio("where", pid, "Task-1");
        assertMatch(where.stdout, /^Task-1: in an await /, where.stderr);
      },
      "grind",
      flags,
    );
  },
});

Deno.test({
  name: "the command line shows worker threads, and finds tasks by their ids",
  ...DEBUGGER,
  async fn() {
    await besides(async (pid) => {
      let ps = await asyncio("ps", pid);
      for (let tries = 0; !ps.stdout.includes("thread") && tries < 9; tries++) {
        // Deno tells of its threads when it comes to it.
        // deno-lint-ignore no-await-in-loop -- one process after the other
        ps = await asyncio("ps", pid);
      }
      const { stdout, stderr } = ps;
      assertMatch(stdout, /^<EventLoop running> in the main thread: /, stderr);
      assertMatch(stdout, /^<EventLoop running> in worker thread \d+ \(/m);
      const [, id] = /^(#w\d+\.\d+) +in a thread /m.exec(stdout) ?? [];
      const where = await asyncio("where", pid, id!);
      assertMatch(
        where.stdout,
        /^in a thread in worker thread .*: waiting for sleep\(600000\)/,
        where.stderr,
      );
      const cancel = await asyncio("cancel", pid, id!);
      assertEquals(cancel.stdout, "asked in a thread to cancel\n");
      const gone = await asyncio("where", pid, id!);
      assertEquals(gone.stderr, `There is no task ${id}: \`ps\` lists them\n`);
      await asyncio("cancel", pid, "napper");
    }, "with a thread");
  },
});

Deno.test({
  name: "the command line asks an inspector of the program's own by its URL",
  ...DEBUGGER,
  async fn() {
    const { stdout } = await besides(async (_pid, url) => {
      const ps = await asyncio("ps", url);
      assertMatch(ps.stdout, /^#\d+ +second +- +\d+ m?s +waiting for Lock/m);
      const [, id] = /^(#\d+) +napper /m.exec(ps.stdout) ?? [];
      const where = await asyncio("where", url, id!);
      assertMatch(where.stdout, /^napper: .*\n {2}awaited by waiter: /);
      const json = await asyncio("pstree", url, "--json", "--limit=1");
      const [{ loops: [loop] }] = JSON.parse(json.stdout);
      assertEquals(loop.tasks.length, 1);
      const free = await asyncio("blocked", url);
      assertEquals(free.stdout, "Nothing holds the loop: it answers\n");
      const wrong = await asyncio("ps", url.replace(/token=.*/, "token=x"));
      assertEquals(wrong.code, 1);
      assertStringIncludes(wrong.stderr, "The inspector says: The token is");
      const none = await asyncio("cancel", url, "nobody");
      assertEquals(none.code, 1);
      const cancel = await asyncio("cancel", url, "napper");
      assertEquals(cancel.stdout, "asked napper to cancel\n", cancel.stderr);
    }, "with a door");
    assertStringIncludes(stdout, "napper has ended\n");
  },
});

Deno.test({
  name:
    "the command line says in a sentence that a program is stopped, ends, or has another version",
  ...DEBUGGER,
  async fn() {
    const sentence = async (pid: string, part: string) => {
      const { code, stderr, stdout } = await asyncio("ps", pid);
      assertEquals([code, stdout], [1, ""], stderr);
      assertStringIncludes(stderr, part);
      assertEquals(stderr.split("\n").length, 2, "one line");
    };
    await besides(async (pid) => {
      process.kill(Number(pid), "SIGSTOP");
      try {
        if (process.platform === "linux") {
          await sentence(pid, `Process ${pid} was stopped, as by SIGSTOP`);
        }
      } finally {
        process.kill(Number(pid), "SIGCONT");
      }
      await asyncio("cancel", pid, "napper");
    });
    await besides(
      (pid) => sentence(pid, "The program has another version of @asyncio"),
      "another version",
    );
    await besides(
      (pid) => sentence(pid, "The program has ended meanwhile"),
      "ends meanwhile",
    );
  },
});

Deno.test({
  name: "the command line says in a sentence what it needs",
  ...DEBUGGER,
  async fn() {
    const here = String(process.pid);
    for (
      const [args, code, sentence] of [
        [["ps"], 2, "The command ps needs a process id, or HOST:PORT"],
        [["ls", here], 2, "There is no command ls: there are ps, pstree"],
        [
          ["ps", "x"],
          2,
          "A process is a number from 1 to 2147483647, HOST:PORT or a URL: received x",
        ],
        [["ps", "0"], 2, "HOST:PORT or a URL: received 0"],
        [["ps", "2147483648"], 2, "HOST:PORT or a URL: received 2147483648"],
        [["where", here], 2, "The command where needs a task"],
        [["ps", here, "more"], 2, "The command ps takes no more"],
        [["ps", here, "--limit", "-1"], 2, "--limit"],
        [["ps", here, "--colour"], 2, "--colour"],
        [["trace", here, "--seconds", "0"], 2, "--seconds must be a number"],
        [["ps", "4194305"], 1, "There is no process 4194305"],
        [["ps", "1"], 1, "rocess 1 "],
        [["ps", "127.0.0.1:1"], 1, "There is no inspector at 127.0.0.1:1"],
        [["ps", "http://127.0.0.1:1/"], 1, "has a token"],
        [
          ["ps", "http://127.0.0.1:1/?token=t"],
          1,
          "There is no inspector at 127.0.0.1:1",
        ],
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
