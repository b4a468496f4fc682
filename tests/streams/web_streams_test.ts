import {
  CancelledError,
  ConnectionResetError,
  createTask,
  InvalidStateError,
  LimitOverrunError,
  sleep,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { StreamProtocol } from "../../streams/stream_protocol.ts";
import { StreamReader } from "@asyncio/asyncio";
import { StreamWriter } from "@asyncio/asyncio";
import type { Transport } from "../../streams/transport.ts";
import { bytes, text } from "../_support/bytes.ts";
import { FakeConnection } from "../_support/fake_connection.ts";
import { outcome } from "../_support/outcome.ts";
import { turns, virtual } from "../_support/virtual.ts";

/** A stream of the web that tells how much of it was taken. */
function source(chunks: readonly unknown[], failure?: unknown): {
  readonly stream: ReadableStream<Uint8Array>;
  readonly log: unknown[];
} {
  const log: unknown[] = [];
  let index = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      log.push(index);
      const chunk = chunks[index++];
      if (chunk !== undefined) {
        controller.enqueue(
          (typeof chunk === "string" ? bytes(chunk) : chunk) as Uint8Array,
        );
      } else if (failure === undefined) controller.close();
      else controller.error(failure);
    },
    cancel(reason) {
      log.push(reason);
    },
  }, { highWaterMark: 0 });
  return { stream, log };
}

function fed(chunks: readonly string[]): StreamReader {
  const reader = new StreamReader();
  for (const chunk of chunks) reader.feedData(bytes(chunk));
  return reader;
}

function connected(options: { isTls?: boolean } = {}): {
  readonly reader: StreamReader;
  readonly writer: StreamWriter;
  readonly protocol: StreamProtocol;
  readonly host: FakeConnection;
  readonly transport: Transport;
} {
  const reader = new StreamReader();
  const protocol = new StreamProtocol(reader);
  const host = new FakeConnection(options);
  const transport = host.open(protocol);
  const writer = new StreamWriter(transport, protocol, reader);
  return { reader, writer, protocol, host, transport };
}

/** Lets the host's own microtasks run, which streams of the web are made of. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await undefined;
  await turns(2);
}

// ── from a readable stream ─────────────────────────────────────────────────

Deno.test(
  "from() reads lines, numbers of bytes and the rest of a stream",
  virtual(async () => {
    const { stream } = source(["one\ntw", "o\n1234", "56", "rest"]);
    const reader = StreamReader.from(stream);
    assertEquals(text(await reader.readLine()), "one\n");
    assertEquals(text(await reader.readLine()), "two\n");
    assertEquals(text(await reader.readExactly(6)), "123456");
    assertEquals(text(await reader.read()), "rest");
    assert(reader.atEof());
  }),
);

Deno.test(
  "from() takes nothing before it is asked, and one chunk ahead at most",
  virtual(async () => {
    const { stream, log } = source(["ab", "cd", "ef", "gh"]);
    const reader = StreamReader.from(stream);
    await settle();
    assertEquals(log, []);
    await reader.read(1);
    await settle();
    assert(log.length <= 2);
    await reader.read(1);
    await settle();
    assert(log.length <= 2);
    assertEquals(text(await reader.read()), "cdefgh");
  }),
);

Deno.test(
  "from() keeps to the limit",
  virtual(async () => {
    const { stream } = source(["too long\nok\n"]);
    const reader = StreamReader.from(stream, { limit: 3 });
    await assertRejects(() => reader.readLine(), LimitOverrunError);
    assertEquals(text(await reader.readLine()), "ok\n");
    assertThrows(
      () => StreamReader.from(source([]).stream, { limit: 0 }),
      RangeError,
    );
  }),
);

Deno.test(
  "from() passes the stream's error on",
  virtual(async () => {
    const failure = new Error("of the stream");
    const reader = StreamReader.from(source(["abc"], failure).stream);
    assertStrictEquals(await assertRejects(() => reader.read()), failure);
    const texts = StreamReader.from(source([1]).stream);
    await assertRejects(() => texts.read(), TypeError);
  }),
);

Deno.test(
  "a cancelled read loses nothing of what the stream then brings",
  virtual(async () => {
    const { readable, writable } = new TransformStream<Uint8Array>();
    const reader = StreamReader.from(readable);
    const task = createTask(() => reader.read(3));
    await settle();
    task.cancel();
    assertEquals(await outcome(task), "CancelledError");
    const sink = writable.getWriter();
    await sink.write(bytes("abc"));
    assertEquals(text(await reader.read(3)), "abc");
    const end = createTask(() => reader.read());
    await sink.close();
    assertEquals((await end).length, 0);
  }),
);

Deno.test("from() refuses what is no stream, or a locked one", () => {
  for (const stream of [null, "abc", {}, bytes("abc")]) {
    assertThrows(
      () => StreamReader.from(stream as never),
      TypeError,
      "Cannot create a reader as 'stream' must be a ReadableStream: received",
    );
  }
  const { stream } = source([]);
  stream.getReader();
  assertThrows(
    () => StreamReader.from(stream),
    TypeError,
    "as 'stream' has another reader: received a locked ReadableStream",
  );
});

Deno.test(
  "from() fails at a chunk that is no bytes, and lets the stream go",
  virtual(async () => {
    const { stream, log } = source(["ab", 5, "cd"]);
    const reader = StreamReader.from(stream);
    const message = "'data' must be a Uint8Array: received 5";
    const error = await assertRejects(() => reader.read(), TypeError, message);
    await turns(2);
    assertEquals(log, [0, 1, error]);
  }),
);

// ── readable ───────────────────────────────────────────────────────────────

Deno.test(
  "readable gives what was not read, to the end",
  virtual(async () => {
    const reader = fed(["head\nbo", "dy"]);
    await reader.readLine();
    reader.feedEof();
    assertStrictEquals(reader.readable, reader.readable);
    assertEquals(await new Response(reader.readable).text(), "body");
  }),
);

Deno.test(
  "readable takes nothing before it is asked, and one chunk at a time",
  virtual(async () => {
    const reader = fed(["ab", "x".repeat(1000)]);
    const stream = reader.readable.getReader();
    await settle();
    assertEquals(reader.statistics().size, 1002);
    assertEquals(text((await stream.read()).value!), "ab");
    await settle();
    assertEquals(reader.statistics().size, 1000);
    stream.releaseLock();
    assertEquals((await reader.read(1000)).length, 1000);
  }),
);

Deno.test(
  "readable is a reader like any other: one at a time",
  virtual(async () => {
    const reader = new StreamReader();
    const read = reader.readable.getReader().read();
    await settle();
    await assertRejects(
      () => reader.readLine(),
      InvalidStateError,
      "StreamReader.readable waits",
    );
    reader.feedData(bytes("abc"));
    assertEquals(text((await read).value!), "abc");
  }),
);

Deno.test(
  "readable outlives the cancellation of the task that looked at it",
  virtual(async () => {
    const reader = new StreamReader();
    const stream = reader.readable.getReader();
    const task = createTask(async () => {
      const read = stream.read();
      await reader.readLine().catch(() => {});
      return await read;
    });
    await settle();
    task.cancel();
    await settle();
    reader.feedData(bytes("abc"));
    await outcome(task);
    reader.feedData(bytes("def"));
    reader.feedEof();
    assertEquals(text((await stream.read()).value!), "def");
  }),
);

Deno.test(
  "readable fails with the reader's error",
  virtual(async () => {
    const reader = new StreamReader();
    const failure = new Error("reset");
    reader.setException(failure);
    assertStrictEquals(
      await assertRejects(() => new Response(reader.readable).text()),
      failure,
    );
  }),
);

Deno.test(
  "cancelling readable leaves the rest, and cancels the stream below",
  virtual(async () => {
    const reader = fed(["abc"]);
    await reader.readable.cancel("enough");
    assertEquals(text(await reader.read(9)), "abc");
    const { stream, log } = source(["abc"]);
    await StreamReader.from(stream).readable.cancel("enough");
    assertEquals(log, ["enough"]);
  }),
);

Deno.test(
  "a stream of the web goes through a reader unchanged",
  virtual(async () => {
    const { stream } = source(["a", "b\n", "c"]);
    const through = StreamReader.from(StreamReader.from(stream).readable);
    assertEquals(text(await through.read()), "ab\nc");
  }),
);

// ── writable ───────────────────────────────────────────────────────────────

Deno.test(
  "writable sends what is written, bytes or text",
  virtual(async () => {
    const { writer, host } = connected();
    assertStrictEquals(writer.writable, writer.writable);
    const sink = writer.writable.getWriter();
    await sink.write(bytes("abc"));
    await sink.write("def");
    await host.flush();
    assertEquals(host.sent.join(""), "abcdef");
  }),
);

Deno.test(
  "writable waits while too much is on its way",
  virtual(async () => {
    const { writer, transport, host } = connected();
    transport.setWriteBufferLimits({ high: 2 });
    const sink = writer.writable.getWriter();
    let written = 0;
    for (const chunk of ["abc", "def"]) sink.write(chunk).then(() => written++);
    await settle();
    assertEquals(written, 0);
    assertEquals(transport.getWriteBufferSize(), 3);
    await host.flush();
    await settle();
    assertEquals(written, 1);
    await host.flush();
    await settle();
    assertEquals(written, 2);
  }),
);

Deno.test(
  "closing writable sends the end, and the peer's end closes the rest",
  virtual(async () => {
    const { reader, writer, protocol, host } = connected();
    await source(["abc"]).stream.pipeTo(writer.writable);
    await host.flush();
    assertEquals([host.sent, host.log], [["abc"], ["eof"]]);
    assertFalse(writer.isClosing());
    protocol.dataReceived(bytes("answer"));
    assertEquals(protocol.eofReceived(), false);
    assertEquals(text(await reader.read()), "answer");
  }),
);

Deno.test(
  "closing writable closes the connection where the peer has ended, or TLS is",
  virtual(async () => {
    for (const hasEnded of [true, false]) {
      const { writer, protocol, host } = connected({ isTls: !hasEnded });
      if (hasEnded) protocol.eofReceived();
      await writer.writable.close();
      assertEquals(host.log, ["close"]);
    }
  }),
);

Deno.test(
  "aborting writable aborts the connection",
  virtual(async () => {
    const { writer, host } = connected();
    await writer.writable.abort(new Error("enough"));
    assertEquals(host.log, ["abort"]);
    assert(writer.isClosing());
  }),
);

Deno.test(
  "writable fails when the connection is lost, or its writer closed",
  virtual(async () => {
    const lost = connected();
    const sink = lost.writer.writable.getWriter();
    sink.closed.catch(() => {});
    lost.host.lose(new ConnectionResetError("reset"));
    await turns(1);
    await assertRejects(() => sink.write("abc"), ConnectionResetError);
    const closed = connected();
    closed.writer.close();
    const late = closed.writer.writable.getWriter();
    late.closed.catch(() => {});
    await assertRejects(() => late.write("abc"), InvalidStateError);
  }),
);

Deno.test(
  "writable outlives the cancellation of the task that looked at it",
  virtual(async () => {
    const { writer, transport, host } = connected();
    transport.setWriteBufferLimits({ high: 2 });
    const task = createTask(async () => {
      const write = writer.writable.getWriter().write("abc");
      await sleep(1);
      await assertRejects(() => writer.drain(), CancelledError);
      await write;
    });
    await sleep(2);
    task.cancel();
    await settle();
    await host.flush();
    await task;
  }),
);

for (
  const [how, giveUp] of [
    ["a pipe is aborted", async (reader: StreamReader) => {
      const controller = new AbortController();
      const piped = reader.readable.pipeTo(new WritableStream(), {
        signal: controller.signal,
      });
      await turns(2);
      controller.abort(new Error("enough"));
      await assertRejects(() => piped, Error, "enough");
    }],
    ["a reader of it cancels", async (reader: StreamReader) => {
      const web = reader.readable.getReader();
      const read = web.read();
      await turns(2);
      await web.cancel();
      assertEquals((await read).done, true);
    }],
  ] as const
) {
  Deno.test(`readable takes nothing after ${how} while it waits`, async () => {
    const reader = new StreamReader();
    await giveUp(reader);
    assertEquals(reader.statistics().waiting, null);
    reader.feedData(bytes("one\ntwo\n"));
    reader.feedEof();
    assertEquals(text(await reader.readLine()), "one\n");
    assertEquals(text(await reader.read()), "two\n");
  });
}
