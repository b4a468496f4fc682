import process from "node:process";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { merge, record } from "../../cli/_trace.ts";
import { asyncio, besides, DEBUGGER } from "../_support/command_line.ts";
import { checkTraceEvents } from "../_support/trace_events.ts";

Deno.test({
  name: "the command line records a program, and leaves nothing in it",
  ...DEBUGGER,
  async fn() {
    const file = join(tmpdir(), `asyncio-trace-${process.pid}.json`);
    const look = async (pid: string) => {
      const short = ["trace", pid, "--seconds", "0.2"];
      const { stdout, stderr } = await asyncio(...short);
      assertEquals(stderr, "");
      const { traceEvents, otherData } = JSON.parse(stdout);
      checkTraceEvents(traceEvents);
      const names = traceEvents.map(({ name }: { name: string }) => name);
      for (const name of ["napper", "Lock.acquire (held by holder)"]) {
        assert(names.includes(name), names.join());
      }
      assertEquals(otherData, { dropped: 0, loops: 1 });
      const written = await asyncio(...short, "-o", file);
      assertMatch(written.stdout, /^wrote \d+ events to .*perfetto/);
      checkTraceEvents(JSON.parse(await readFile(file, "utf8")).traceEvents);
      const json = await asyncio(...short, "-o", file, "--json");
      assertEquals(JSON.parse(json.stdout).file, file);
      const nowhere = await asyncio(...short, "-o", join(file, "x"));
      assertEquals(nowhere.code, 1);
      assertMatch(nowhere.stderr, /^Cannot write /);
      await asyncio("cancel", pid, "napper");
    };
    const result = await besides(look, "instruments");
    assertMatch(result.stdout, /instruments left: none\n/);
    await rm(file, { force: true });
  },
});

Deno.test("a recording that is interrupted is ended in the program", async () => {
  const asked: string[] = [];
  const session = {
    evaluate(expression: string) {
      asked.push(/startTrace|stopTrace/.exec(expression)![0]);
      return Promise.resolve([7]);
    },
  };
  const error = await record(
    session as never,
    60,
    Promise.reject(new Error("Ctrl-C")),
  ).catch((error) => error);
  assertEquals(error.message, "Ctrl-C");
  assertEquals(asked, ["startTrace", "stopTrace"]);
});

Deno.test("the loops of a program are processes of one trace", () => {
  const events = (id: number) => [
    { ph: "M", pid: 1, name: "process_name" },
    { ph: "s", pid: 1, id },
    { ph: "f", pid: 1, id },
  ];
  const trace = merge([
    { traceEvents: events(4), otherData: { dropped: 1 } },
    { traceEvents: events(1), otherData: { dropped: 2 } },
  ]);
  assertEquals(trace.otherData, { dropped: 3, loops: 2 });
  assertEquals(trace.traceEvents.map(({ pid, id }) => [pid, id]), [
    [1, undefined],
    [1, 4],
    [1, 4],
    [2, undefined],
    [2, 5],
    [2, 5],
  ]);
});
