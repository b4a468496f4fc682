import { run, signals, sleep } from "@asyncio/asyncio";
import { assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import {
  type ProgramResult,
  runProgram,
  type Signal,
} from "../_support/programs.ts";

/** Runs a case of `signals.ts`, with a signal whenever it says "ready". */
function signalled(signal: Signal, name: string): Promise<ProgramResult> {
  return runProgram("signals", {
    args: [name],
    onLine: (line, send) => line === "ready" && send(signal),
  });
}

Deno.test("signals() gives a signal to a loop that waits, which alone keeps the program going", async () => {
  for (const name of ["waits", "ambient"]) {
    const { code, stdout, stderr } = await signalled("SIGHUP", name);
    assertEquals(stdout, "ready\nSIGHUP\n");
    assertEquals([code, stderr], [0, ""]);
  }
});

Deno.test("signals() remembers what comes before its loop and while the body runs, equal ones as one", async () => {
  const { stdout, stderr } = await signalled("SIGHUP", "remembers");
  assertEquals(stdout, "SIGUSR2 SIGHUP SIGUSR2 SIGHUP\n", stderr);
});

Deno.test("signals() takes a signal from run(), which has it back after the loop", async () => {
  const { signal, stdout } = await signalled("SIGTERM", "takesSigterm");
  assertEquals(
    stdout,
    "ready\nheard SIGTERM\nready\nrun() heard the other\n",
  );
  assertEquals(signal, "SIGTERM");
});

Deno.test.each(["broken", "thrown", "cancelled", "disposed"])(
  "signals() gives the signal back when its loop is %s",
  async (way) => {
    const { signal, stdout } = await signalled("SIGHUP", way);
    assertEquals([stdout, signal], ["ready\n", "SIGHUP"]);
  },
);

Deno.test("signals() gives a signal to each of several loops", async () => {
  const { code, stdout } = await signalled("SIGHUP", "several");
  assertEquals(stdout.split("\n").toSorted(), [
    "",
    "one SIGHUP",
    "ready",
    "two SIGHUP",
  ]);
  assertEquals(code, 0);
});

Deno.test("signals() is over when a step of its loop was cancelled", async () => {
  const { code, stdout } = await signalled("SIGHUP", "givesUp");
  assertEquals(code, 0);
  assertEquals(stdout, "undefined\ntrue\n");
});

Deno.test("signals() listens no more when its event loop is closed", async () => {
  const { code, stdout, stderr } = await signalled("SIGHUP", "leftOpen");
  assertEquals([code, stdout, stderr], [0, "closed\n", ""]);
});

Deno.test("signals() that nobody waits for does not keep the program going", async () => {
  const { code, stdout } = await signalled("SIGHUP", "listensOnly");
  assertEquals([code, stdout], [0, "ended\n"]);
});

Deno.test("signals() refuses no names and those of signals that no program hears", () => {
  assertThrows(
    () => signals(),
    TypeError,
    "Cannot listen to signals as at least one name is needed: received none",
  );
  for (const name of ["SIGTREM", "SIGKILL", "hup", 1]) {
    assertThrows(
      () => signals("SIGHUP", name as never),
      TypeError,
      "Cannot listen to signals as 'names[1]' must be the name of a signal that a program can listen to",
    );
  }
});

Deno.test("signals() that is disposed of ends a loop that waits, and is over", async () => {
  await run(async () => {
    const received = signals("SIGUSR2", "SIGUSR2");
    assertStrictEquals(received[Symbol.asyncIterator](), received);
    const waiting = received.next();
    await sleep(0);
    received[Symbol.dispose]();
    received[Symbol.dispose]();
    assertEquals(await waiting, { done: true, value: undefined });
    for await (const _ of received) throw new Error("it was over");
    assertEquals(await received.return!(), { done: true, value: undefined });
  });
});
