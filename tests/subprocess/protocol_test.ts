import { type ExceptionContext, getEventLoop, sleep } from "@asyncio/asyncio";
import {
  PIPE,
  STDOUT,
  subprocessExec,
  SubprocessProtocol,
  subprocessShell,
  SubprocessTransport,
} from "@asyncio/asyncio/subprocess";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { bytesOf, IN_AND_OUT, textOf } from "../_support/subprocess.ts";

/** Notes what it is told. */
class Log extends SubprocessProtocol {
  readonly events: string[] = [];
  readonly end = getEventLoop().createFuture<void>();
  transport: SubprocessTransport | null = null;
  size = 0;

  override connectionMade(transport: SubprocessTransport): void {
    this.transport = transport;
    this.events.push("made");
  }

  override pipeDataReceived(number: number, data: Uint8Array): void {
    this.size += data.length;
    if (this.size < 100) this.events.push(`${number} ${textOf(data).trim()}`);
  }

  override pipeConnectionLost(number: number, error: unknown): void {
    this.events.push(`${number} lost ${error}`);
  }

  override processExited(): void {
    this.events.push("exited");
  }

  override connectionLost(error: unknown): void {
    this.events.push(`lost ${error}`);
    this.end.setResult();
  }

  override pauseWriting(): void {
    this.events.push("pause");
  }

  override resumeWriting(): void {
    this.events.push("resume");
  }
}

Deno.test("subprocessShell() tells the protocol of all that happens", async () => {
  const [transport, log] = await subprocessShell(
    () => new Log(),
    "echo out; sleep 0.05; echo err >&2; exit 3",
    { stdout: PIPE, stderr: PIPE },
  );
  assert(transport instanceof SubprocessTransport);
  assertEquals(log.transport, transport);
  assertEquals(transport.getProtocol(), log);
  assertEquals(transport.getReturnCode(), null);
  await log.end;
  assertEquals(log.events[0], "made");
  assertEquals(log.events.at(-1), "lost null");
  // Each pipe tells in order; between them and the exit there is none.
  assertEquals(log.events.slice(1, -1).sort(), [
    "1 lost null",
    "1 out",
    "2 err",
    "2 lost null",
    "exited",
  ]);
  for (
    const [text, end] of [["1 out", "1 lost null"], ["2 err", "2 lost null"]]
  ) {
    assert(log.events.indexOf(text!) < log.events.indexOf(end!), text);
  }
  assertEquals(transport.getReturnCode(), 3);
});

Deno.test("a pipe that is paused in connectionMade() brings nothing before it is resumed", async () => {
  class Paused extends Log {
    override connectionMade(transport: SubprocessTransport): void {
      transport.getPipeTransport(1)!.pauseReading();
      super.connectionMade(transport);
    }
    override processExited(): void {
      super.processExited();
      sleep(20).then(() => {
        this.events.push("resumed");
        this.transport!.getPipeTransport(1)!.resumeReading();
      });
    }
  }
  const [, log] = await subprocessShell(() => new Paused(), "echo out", {
    stdout: PIPE,
  });
  await log.end;
  assertEquals(log.events, [
    "made",
    "exited",
    "resumed",
    "1 out",
    "1 lost null",
    "lost null",
  ]);
});

Deno.test("subprocessExec() writes to the child, and is told to pause", async () => {
  const [transport, log] = await subprocessExec(
    () => new Log(),
    "cat",
    [],
    IN_AND_OUT,
  );
  const stdin = transport.getPipeTransport(0)!;
  assertEquals(transport.getPipeTransport(2), null);
  stdin.write(bytesOf(5_000_000));
  stdin.writeEof();
  await log.end;
  assertEquals(log.size, 5_000_000);
  assert(log.events.includes("pause"));
  assert(log.events.includes("0 lost null"));
  assertEquals(transport.getReturnCode(), 0);
});

Deno.test("P14 subprocessExec() merges stderr into stdout", async () => {
  const [, log] = await subprocessExec(
    () => new Log(),
    "sh",
    ["-c", "echo a; echo b >&2"],
    { stdout: PIPE, stderr: STDOUT },
  );
  await log.end;
  assertEquals(log.size, 4);
});

Deno.test("SubprocessTransport.close() ends the child", async () => {
  const [transport, log] = await subprocessExec(
    () => new Log(),
    "sleep",
    ["60"],
    IN_AND_OUT,
  );
  assertEquals(
    `${transport}`,
    `<SubprocessTransport ${transport.getPid()} sleep running>`,
  );
  transport.close();
  transport.close();
  assert(transport.isClosing());
  await log.end;
  assertEquals(transport.getReturnCode(), -9);
  assertThrows(() => transport.kill(), Error, "it has ended");
});

Deno.test("SubprocessTransport.terminate() and sendSignal() signal the child", async () => {
  for (const [send, code] of [["terminate", -15], ["SIGHUP", -1]] as const) {
    const [transport, log] = await subprocessExec(
      () => new Log(),
      "sleep",
      ["60"],
    );
    if (send === "terminate") transport.terminate();
    else transport.sendSignal(send);
    await log.end;
    assertEquals(transport.getReturnCode(), code);
    assertEquals(log.events, ["made", "exited", "lost null"]);
  }
});

Deno.test("what a SubprocessProtocol throws is reported", async () => {
  const loop = getEventLoop();
  const handler = loop.getExceptionHandler();
  const found: ExceptionContext[] = [];
  loop.setExceptionHandler((context) => void found.push(context));
  try {
    class Bad extends Log {
      override processExited(): void {
        throw new Error("oh");
      }
    }
    const [, log] = await subprocessExec(() => new Bad(), "true");
    await log.end;
    await sleep(0);
  } finally {
    loop.setExceptionHandler(handler);
  }
  assertEquals(found.map(({ message }) => message), [
    "The protocol's processExited() threw",
  ]);
});
