import { run } from "@asyncio/asyncio";
import { assertEquals, assertRejects } from "@std/assert";
import { PROGRAMS, SIGNALS } from "../../platform/limits.ts";
import { runProgram } from "../_support/programs.ts";
import { needs } from "../_support/runtimes.ts";

Deno.test({
  name:
    "run() writes the tree of its tasks at the signal of 'dump', and goes on",
  ...needs(PROGRAMS),
  fn: async () => {
    const { code, stdout, stderr } = await runProgram("dump", {
      onLine: (line, send) => {
        if (line === "ready") send("SIGQUIT");
      },
    });
    assertEquals({ code, stdout }, { code: 0, stdout: "ready\nended\n" });
    assertEquals(stderr.trimEnd().split("\n"), [
      "The tasks of <EventLoop running> at SIGQUIT:",
      "Task-1: waiting for SIGQUIT",
      "service: waiting for the tasks of TaskGroup",
      "\u2514\u2500 worker: waiting for Event.wait on done",
      "Kant: waiting for Lock.acquire on right (held by Plato)",
      "Plato: waiting for Lock.acquire on left (held by Kant)",
      "Deadlock: tasks wait for each other, while others go on",
      "  Kant: waiting for Lock.acquire on right (held by Plato)",
      "  Plato: waiting for Lock.acquire on left (held by Kant)",
    ]);
  },
});

Deno.test({
  name: "run() refuses to dump at what is no signal that a program hears",
  ...needs(SIGNALS),
  fn: async () => {
    for (const dump of ["SIGQIUT", "SIGKILL", 3, null]) {
      await assertRejects(
        () => run(() => {}, { dump: dump as never }),
        TypeError,
        "Cannot run as 'dump' must be the name of a signal",
      );
    }
  },
});
