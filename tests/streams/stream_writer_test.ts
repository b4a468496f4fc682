import {
  CancelledError,
  ConnectionResetError,
  createTask,
  InvalidStateError,
  sleep,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { StreamProtocol } from "../../streams/stream_protocol.ts";
import { StreamReader } from "@asyncio/asyncio";
import { StreamWriter } from "@asyncio/asyncio";
import type { Transport } from "../../streams/transport.ts";
import { bytes, text } from "../_support/bytes.ts";
import { FakeConnection } from "../_support/fake_connection.ts";
import { outcome, outcomes, shown } from "../_support/outcome.ts";
import { collectReports, turns, virtual } from "../_support/virtual.ts";

interface Ends {
  readonly reader: StreamReader;
  readonly writer: StreamWriter;
  readonly protocol: StreamProtocol;
  readonly host: FakeConnection;
  readonly transport: Transport;
}

/** A connected pair of streams. */
function connected(): Ends {
  const reader = new StreamReader();
  const protocol = new StreamProtocol(reader);
  const host = new FakeConnection();
  const transport = host.open(protocol);
  const writer = new StreamWriter(transport, protocol, reader);
  return { reader, writer, protocol, host, transport };
}

/** A connection to a server with this handler. */
function served(
  handler: (reader: StreamReader, writer: StreamWriter) => void | Promise<void>,
): { reader: StreamReader; host: FakeConnection; transport: Transport } {
  const reader = new StreamReader();
  const protocol = new StreamProtocol(reader, handler);
  const host = new FakeConnection();
  return { reader, host, transport: host.open(protocol) };
}

/** Passes the high-water mark. */
function overfill({ writer, transport }: Ends): void {
  transport.setWriteBufferLimits({ high: 4 });
  writer.write("12345");
}

// ── writing ────────────────────────────────────────────────────────────────

Deno.test(
  "write() sends bytes, and text as UTF-8",
  virtual(async () => {
    const { writer, host } = connected();
    writer.write(bytes("abc"));
    writer.write("d€");
    writer.writeLines(["e\n", bytes("f\n")]);
    writer.writeLines(new Set(["g"]));
    await host.flush();
    assertEquals(host.sent.join(""), "abcd€e\nf\ng");
  }),
);

Deno.test(
  "write() refuses what is neither bytes nor text, and sends nothing of it",
  virtual(() => {
    const { writer, transport } = connected();
    for (const data of [1, null, undefined, [1], new ArrayBuffer(2)]) {
      assertThrows(
        () => writer.write(data as never),
        TypeError,
        "Cannot write as 'data' must be a Uint8Array or a string: received",
      );
    }
    assertThrows(() => writer.writeLines(["a", 1 as never]), TypeError);
    for (const list of ["abc", bytes("abc"), undefined, null, 5, {}]) {
      for (const side of [writer, transport]) {
        assertThrows(
          () => side.writeLines(list as never),
          TypeError,
          "Cannot write as 'list' must hold the pieces to write: received",
        );
      }
    }
    assertEquals(transport.getWriteBufferSize(), 0);
  }),
);

Deno.test(
  "a write after close() is refused at the call, also where the peer has gone",
  virtual(async () => {
    for (const isLost of [false, true]) {
      const { writer, host } = connected();
      if (isLost) host.lose(new ConnectionResetError("reset"));
      writer.close();
      const message =
        "as the writer is closed: received a call on <StreamWriter";
      assertThrows(() => writer.write("a"), InvalidStateError, message);
      assertThrows(() => writer.writeLines(["a"]), InvalidStateError, message);
      assertThrows(() => writer.writeEof(), InvalidStateError, message);
      await turns(2);
      assertThrows(() => writer.write("a"), InvalidStateError, message);
    }
  }),
);

Deno.test(
  "writeEof() ends the writing and lets the rest be read",
  virtual(async () => {
    const { writer, reader, protocol, host } = connected();
    assert(writer.canWriteEof());
    writer.writeEof();
    assertEquals(host.log, ["eof"]);
    assertThrows(() => writer.write("a"), InvalidStateError);
    protocol.dataReceived(bytes("answer"));
    assertEquals(protocol.eofReceived(), true);
    assertEquals(text(await reader.read()), "answer");
  }),
);

Deno.test(
  "N2 the peer's end leaves the writing side open",
  virtual(async () => {
    const { writer, protocol, host } = connected();
    assertEquals(protocol.eofReceived(), true);
    assertFalse(writer.isClosing());
    writer.write("still");
    await host.flush();
    assertEquals(host.sent, ["still"]);
  }),
);

// ── drain ──────────────────────────────────────────────────────────────────

Deno.test(
  "N3 drain() gives the loop no turn below the high-water mark",
  virtual(async () => {
    const { writer } = connected();
    const log: string[] = [];
    createTask(() => log.push("another task"));
    writer.write("abc");
    await writer.drain();
    log.push("drain");
    await sleep(0);
    assertEquals(log, ["drain", "another task"]);
  }),
);

Deno.test(
  "N3 drain() waits above the high-water mark",
  virtual(async () => {
    const ends = connected();
    overfill(ends);
    const task = createTask(() => ends.writer.drain());
    await sleep(100);
    assertFalse(task.done());
    assertStringIncludes(String(task), "waiting for StreamWriter.drain");
    await ends.host.flush();
    await task;
    await ends.writer.drain();
  }),
);

Deno.test(
  "N4 many tasks may drain at once",
  virtual(async () => {
    const ends = connected();
    overfill(ends);
    const log: number[] = [];
    const tasks = [1, 2, 3].map((number) =>
      createTask(async () => {
        await ends.writer.drain();
        log.push(number);
      })
    );
    await turns(2);
    await ends.host.flush();
    await outcomes(tasks);
    assertEquals(log, [1, 2, 3]);
  }),
);

Deno.test(
  "N5 a cancelled drain() loses nothing and leaves the others waiting",
  virtual(async () => {
    const ends = connected();
    overfill(ends);
    const cancelled = createTask(() => ends.writer.drain());
    const other = createTask(() => ends.writer.drain());
    await turns(2);
    cancelled.cancel();
    assertEquals(await outcome(cancelled), "CancelledError");
    assertFalse(other.done());
    await ends.host.flush();
    await other;
    assertEquals(ends.host.sent, ["12345"]);
  }),
);

Deno.test(
  "drain() is a point where a cancellation is delivered",
  virtual(async () => {
    for (const isClosing of [false, true]) {
      const { writer } = connected();
      if (isClosing) writer.close();
      const task = createTask(async () => {
        task.cancel();
        await assertRejects(() => writer.drain(), CancelledError);
      });
      await task;
    }
  }),
);

// ── closing ────────────────────────────────────────────────────────────────

Deno.test(
  "N6 close() sends what was written first, and counts at once",
  virtual(async () => {
    const { writer, reader, host } = connected();
    writer.write("last words");
    writer.close();
    writer.close();
    assert(writer.isClosing());
    const task = createTask(() => writer.waitClosed());
    await sleep(100);
    assertFalse(task.done());
    await host.flush();
    await task;
    assertEquals(host.sent, ["last words"]);
    assert(reader.atEof());
    await writer.waitClosed();
  }),
);

Deno.test(
  "N7 writing to a lost connection does not throw, drain() does",
  virtual(async () => {
    const { writer, host } = connected();
    const reset = new ConnectionResetError("reset", { code: "ECONNRESET" });
    host.lose(reset);
    await turns(1);
    writer.write("abc");
    writer.writeLines(["def"]);
    assertStrictEquals(await assertRejects(() => writer.drain()), reset);
    assertStrictEquals(await assertRejects(() => writer.waitClosed()), reset);
  }),
);

Deno.test(
  "N7 drain() throws where the connection was closed without an error",
  virtual(async () => {
    const { writer, host } = connected();
    host.lose(null);
    const error = await assertRejects(
      () => writer.drain(),
      ConnectionResetError,
    );
    assertEquals(
      error.message,
      "Cannot write as the connection is lost: received a call of drain()",
    );
    await writer.waitClosed();
  }),
);

Deno.test(
  "N7 code that only writes and drains hears that the connection is lost",
  virtual(async () => {
    const { writer, host } = connected();
    const task = createTask(async () => {
      for (;;) {
        writer.write("abc");
        await writer.drain();
        await host.flush();
        await sleep(1);
      }
    });
    await sleep(10);
    host.lose(new ConnectionResetError("reset"));
    await assertRejects(() => task, ConnectionResetError);
  }),
);

Deno.test(
  "N7 a drain() that waits fails when the connection is lost or aborted",
  virtual(async () => {
    for (const error of [new Error("reset"), null]) {
      const ends = connected();
      overfill(ends);
      const tasks = [1, 2].map(() => createTask(() => ends.writer.drain()));
      await turns(2);
      if (error === null) ends.transport.abort();
      else ends.host.lose(error);
      const name = error === null ? "ConnectionResetError" : "Error";
      assertEquals(await outcomes(tasks), [name, name]);
    }
  }),
);

Deno.test(
  "N8 a reset comes out of reads, not as the end",
  virtual(async () => {
    const { reader, host } = connected();
    const reset = new ConnectionResetError("reset");
    const task = createTask(() => reader.read());
    await turns(2);
    host.lose(reset);
    assertStrictEquals(await assertRejects(() => task), reset);
    assertStrictEquals(await assertRejects(() => reader.readLine()), reset);
  }),
);

Deno.test(
  "waitClosed() may be awaited by many, and cancelled",
  virtual(async () => {
    const { writer, host } = connected();
    const tasks = [1, 2, 3].map(() => createTask(() => writer.waitClosed()));
    await turns(2);
    tasks[0]!.cancel();
    writer.close();
    await host.flush();
    assertEquals(await outcomes(tasks), [
      "CancelledError",
      undefined,
      undefined,
    ]);
  }),
);

Deno.test(
  "await using closes and waits, and leaves the error to others",
  virtual(async () => {
    const { writer, host } = connected();
    {
      await using _ = writer;
      writer.write("abc");
      createTask(() => host.flush());
    }
    assertEquals(host.sent, ["abc"]);
    assertEquals(host.log, ["close"]);
    const other = connected();
    const reset = new ConnectionResetError("reset");
    const error = await assertRejects(async () => {
      await using _ = other.writer;
      other.host.lose(reset);
      await other.reader.read();
    });
    assertStrictEquals(error, reset);
  }),
);

// ── handlers ───────────────────────────────────────────────────────────────

Deno.test(
  "a handler runs as a task, with the streams of its connection",
  virtual(async () => {
    const { transport, reader, host } = served(async (reader, writer) => {
      writer.write(await reader.readLine());
      writer.close();
    });
    assertFalse(transport.isClosing());
    reader.feedData(bytes("hello\n"));
    await turns(6);
    await host.flush();
    assertEquals(host.sent, ["hello\n"]);
    assert(transport.isClosing());
  }),
);

Deno.test(
  "N13 an error of a handler is reported, and the connection closed",
  virtual(async () => {
    const reports = collectReports();
    const failure = new Error("of the handler");
    for (
      const handler of [
        () => Promise.reject(failure),
        () => {
          throw failure;
        },
      ]
    ) {
      const { host } = served(handler);
      await turns(4);
      assertEquals(host.log, ["close"]);
    }
    assertEquals(
      reports.map(({ message, error }) => [message, error]),
      Array(2).fill([
        "Unhandled exception in the handler of a connection",
        failure,
      ]),
    );
  }),
);

Deno.test(
  "N13 a handler that is cancelled closes the connection, silently",
  virtual(async () => {
    const reports = collectReports();
    const { host } = served(() => {
      throw new CancelledError();
    });
    await turns(4);
    assertEquals(host.log, ["close"]);
    assertEquals(reports, []);
  }),
);

Deno.test(
  "N13 N15 a handler that returns leaves the connection open, async or not",
  virtual(async () => {
    for (const handler of [() => {}, () => Promise.resolve()]) {
      const { host } = served(handler);
      await turns(4);
      assertEquals(host.log, []);
    }
  }),
);

// ── its face ───────────────────────────────────────────────────────────────

Deno.test(
  "getExtraInfo() tells what the transport knows",
  virtual(() => {
    const { writer, host, transport } = connected();
    assertEquals(writer.getExtraInfo("peername"), host.remoteAddress);
    assertEquals(writer.getExtraInfo("nonsense"), null);
    assertEquals(writer.getExtraInfo("nonsense", "else"), "else");
    assertStrictEquals(writer.transport, transport);
  }),
);

Deno.test(
  "toString() tells the transport",
  virtual(() => {
    const { writer } = connected();
    assertEquals(
      String(writer),
      "<StreamWriter of <Transport open memory>>",
    );
    assertEquals(shown(writer), String(writer));
    assertEquals(
      Object.prototype.toString.call(writer),
      "[object StreamWriter]",
    );
  }),
);
