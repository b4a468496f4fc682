/** What becomes of a child's stdin when the child no longer reads it. */
import nodeProcess from "node:process";
import {
  BrokenPipeError,
  ConnectionError,
  createTask,
  getEventLoop,
  InvalidStateError,
  sleep,
} from "@asyncio/asyncio";
import {
  createSubprocessExec,
  createSubprocessShell,
  PIPE,
  type SpawnOptions,
  subprocessExec,
  SubprocessProtocol,
} from "@asyncio/asyncio/subprocess";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { until } from "../_support/net.ts";
import { bytesOf, textOf } from "../_support/subprocess.ts";
import { needs } from "../_support/runtimes.ts";
import { CLOSED_STDIN } from "../../platform/limits.ts";

const ALL: SpawnOptions = { stdin: PIPE, stdout: PIPE, stderr: PIPE };

class Log extends SubprocessProtocol {
  readonly events: string[] = [];
  readonly stdinLost = getEventLoop().createFuture<void>();
  readonly end = getEventLoop().createFuture<void>();

  override pipeConnectionLost(number: number, error: unknown): void {
    this.events.push(`${number} lost ${error}`);
    if (number === 0) this.stdinLost.setResult();
  }

  override processExited(): void {
    this.events.push("exited");
  }

  override connectionLost(error: unknown): void {
    this.events.push(`lost ${error}`);
    this.end.setResult();
  }
}

/** Open files of this program. */
function openFiles(): number {
  const { readdirSync } = nodeProcess.getBuiltinModule("node:fs");
  return readdirSync("/proc/self/fd").length;
}

Deno.test("SubprocessProtocol.connectionLost() comes however a child with a stdin ends", async () => {
  for (
    const [program, args, isKilled] of [
      ["sleep", ["60"], true],
      ["true", [], false],
      ["sh", ["-c", "exec 0<&-; exit 3"], false],
    ] as const
  ) {
    const [transport, log] = await subprocessExec(
      () => new Log(),
      program,
      args,
      ALL,
    );
    if (isKilled) transport.kill();
    await log.end;
    assertEquals(log.events.slice(0, -1).sort(), [
      "0 lost null",
      "1 lost null",
      "2 lost null",
      "exited",
    ]);
    assertEquals(log.events.at(-1), "lost null");
    assert(transport.getPipeTransport(0)!.isClosing());
  }
});

Deno.test({
  name: "pipeConnectionLost() comes when the child closes its stdin",
  ...needs(CLOSED_STDIN),
  async fn() {
    const [transport, log] = await subprocessExec(
      () => new Log(),
      "sh",
      ["-c", "exec 0<&-; exec sleep 60"],
      ALL,
    );
    await log.stdinLost;
    assertEquals(log.events, ["0 lost null"]);
    assertEquals(transport.getReturnCode(), null);
    transport.kill();
    await log.end;
  },
});

Deno.test("pipeConnectionLost() tells what could not be written", async () => {
  const [transport, log] = await subprocessExec(
    () => new Log(),
    "sh",
    ["-c", "exec 0<&-; echo closed; exec sleep 60"],
    ALL,
  );
  transport.getPipeTransport(0)!.write(bytesOf(1_000_000));
  await log.stdinLost;
  assert(log.events[0]!.startsWith("0 lost BrokenPipeError: "), log.events[0]);
  transport.kill();
  await log.end;
  assertEquals(log.events.at(-1), "lost null");
});

Deno.test("Process.stdin of a child that has ended is closed", async () => {
  const child = await createSubprocessExec("true", [], ALL);
  await child.wait();
  const { stdin } = child;
  assert(stdin!.isClosing());
  await stdin!.waitClosed();
  // Its loss is no mistake of the program: it is silent, and drain() tells.
  stdin!.write("too late");
  stdin!.writeLines(["too", "late"]);
  stdin!.writeEof();
  await assertRejects(() => stdin!.drain(), ConnectionError);
  stdin!.close();
  await stdin!.waitClosed();
});

Deno.test("Process.stdin of a child that is killed while it is written to is closed", async () => {
  const child = await createSubprocessExec("sleep", ["60"], { stdin: PIPE });
  const { stdin } = child;
  stdin!.write(bytesOf(1_000_000));
  const draining = createTask(() => stdin!.drain());
  await sleep(0);
  child.kill();
  await assertRejects(async () => await draining, BrokenPipeError);
  await child.wait();
  await assertRejects(() => stdin!.waitClosed(), BrokenPipeError);
  assert(stdin!.isClosing());
});

Deno.test("P2 communicate() with input for a child that has ended", async () => {
  const child = await createSubprocessShell("echo done", ALL);
  await child.wait();
  const [output, errors] = await child.communicate("too late");
  assertEquals([textOf(output), textOf(errors)], ["done\n", ""]);
});

Deno.test("children that have ended keep no file open, whoever holds them", async () => {
  const held = [];
  const open = async () => {
    const child = await createSubprocessShell("exit 0", ALL);
    await child.wait();
    await child.stdout!.read();
    await child.stderr!.read();
    await child.stdin!.waitClosed();
    held.push(child);
  };
  await open();
  await sleep(10);
  const before = openFiles();
  for (let i = 0; i < 20; i++) await open();
  await until(() => openFiles() <= before, "the end of all files");
});

Deno.test("all of the input of a child that reads it and ends arrives", async () => {
  for (let round = 0; round < 20; round++) {
    const child = await createSubprocessShell("head -c 200000 | wc -c", ALL);
    child.stdin!.write(bytesOf(200_000));
    const output = await child.stdout!.read();
    assertEquals(textOf(output).trim(), "200000");
    await child.wait();
    await child.stdin!.waitClosed();
  }
});

Deno.test("startTls() refuses a pipe at the call, which goes on", async () => {
  await using cat = await createSubprocessExec("cat", [], {
    stdin: PIPE,
    stdout: PIPE,
  });
  await assertRejects(
    () => cat.stdin.startTls({ serverHostname: "localhost" }),
    InvalidStateError,
    "Cannot start TLS as the connection is in memory or a pipe",
  );
  assertEquals(textOf((await cat.communicate("hello"))[0]), "hello");
});
