/** Reader and writer over real sockets: what a transport in memory cannot show. */
import {
  ConnectionError,
  ConnectionResetError,
  createTask,
  InvalidStateError,
  openConnection,
  run,
  type Server,
  startServer,
  StreamReader,
  type StreamWriter,
  taskGroup,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertGreater,
  assertInstanceOf,
  assertLess,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { text } from "../_support/bytes.ts";
import { until } from "../_support/net.ts";
import { makeRandom } from "../../_internal/random.ts";

type Handler = (
  reader: StreamReader,
  writer: StreamWriter,
) => void | Promise<void>;

/**
 * A server with this handler and a connection to it; both closed at the end. The
 * test also fails on an error of the handler.
 */
function overSocket(
  handler: Handler,
  body: (
    reader: StreamReader,
    writer: StreamWriter,
    server: Server,
  ) => Promise<void>,
  options: { limit?: number } = {},
): () => Promise<void> {
  return () =>
    run(async () => {
      const hostname = "127.0.0.1";
      const handled: Promise<void>[] = [];
      await using server = await startServer((reader, writer) => {
        handled.push((async () => handler(reader, writer))());
      }, { hostname, ...options });
      const [reader, writer] = await openConnection({
        hostname,
        port: server.port,
        ...options,
      });
      await using _ = writer;
      // A test that hangs fails; none comes near it, on the busiest of machines.
      try {
        await timeout(50_000, () => body(reader, writer, server));
      } catch (error) {
        // Closing would wait for a peer that may never read.
        writer.transport.abort();
        server.abortClients();
        throw error;
      }
      writer.close();
      await Promise.all(handled);
      server.abortClients();
    });
}

/** Handled elsewhere: the test has the server's end in its hands. */
function handedOver(): {
  readonly handler: Handler;
  readonly ends: Promise<[StreamReader, StreamWriter]>;
} {
  let handOver!: (ends: [StreamReader, StreamWriter]) => void;
  const ends = new Promise<[StreamReader, StreamWriter]>((resolve) => {
    handOver = resolve;
  });
  return { handler: (reader, writer) => handOver([reader, writer]), ends };
}

async function echo(reader: StreamReader, writer: StreamWriter): Promise<void> {
  for (;;) {
    const data = await reader.read(65_536);
    if (data.length === 0) break;
    writer.write(data);
    await writer.drain();
  }
  writer.close();
}

Deno.test(
  "N1 writeEof() half-closes: the peer reads the end and answers",
  overSocket(
    async (reader, writer) => {
      const all = await reader.read();
      writer.write(`got ${all.length}`);
      writer.close();
    },
    async (reader, writer) => {
      writer.write("x".repeat(100_000));
      writer.writeEof();
      assertEquals(text(await reader.read()), "got 100000");
      assertThrows(() => writer.write("more"), InvalidStateError);
    },
  ),
);

Deno.test(
  "N2 the peer's end does not close the writing side",
  overSocket(
    async (reader, writer) => {
      writer.write("hello\n");
      writer.writeEof();
      assertEquals(text(await reader.read()), "still here");
      writer.close();
    },
    async (reader, writer) => {
      assertEquals(text(await reader.read()), "hello\n");
      assert(reader.atEof());
      assertFalse(writer.isClosing());
      writer.write("still here");
      await writer.drain();
      writer.close();
      await writer.waitClosed();
    },
  ),
);

const slow = handedOver();
Deno.test(
  "N3 N4 N5 drain() waits while the peer does not read, and nothing is lost",
  overSocket(
    slow.handler,
    async (_, writer) => {
      const [reader] = await slow.ends;
      // More than a system takes, which may be many times what it says.
      const size = 64 << 20;
      const { high } = writer.transport.getWriteBufferLimits();
      assertEquals(high, 65_536);
      writer.write(new Uint8Array(size).fill(7));
      await assertRejects(
        () => timeout(300, () => writer.drain()),
        TimeoutError,
      );
      assertGreater(writer.transport.getWriteBufferSize(), high);
      const drains = [1, 2, 3].map(() => createTask(() => writer.drain()));
      let received = 0;
      while (received < size) {
        const data = await reader.read(1 << 20);
        assert(data.every((byte) => byte === 7));
        received += data.length;
      }
      for (const drain of drains) await drain;
      assertEquals(received, size);
    },
  ),
);

const dropped = handedOver();
Deno.test(
  "R17 a peer that does not read holds the sender back, not the memory",
  overSocket(
    dropped.handler,
    async (_, writer) => {
      const [reader] = await dropped.ends;
      writer.write(new Uint8Array(64 << 20));
      await assertRejects(
        () => timeout(200, () => writer.drain()),
        TimeoutError,
      );
      await until(() => reader.statistics().isPaused, "a full reader");
      const { size } = reader.statistics();
      // Twice the limit, and what one read of the system brings.
      assertLess(size, 2 * 65_536 + (1 << 20));
      writer.transport.abort();
    },
  ),
);

const flushed = handedOver();
Deno.test(
  "N6 close() sends all that was written first",
  overSocket(
    flushed.handler,
    async (_, writer) => {
      const [reader] = await flushed.ends;
      writer.write(new Uint8Array(8 << 20));
      writer.close();
      assert(writer.isClosing());
      writer.close();
      const closed = createTask(() => writer.waitClosed());
      const [all] = await Promise.all([reader.read(), closed]);
      assertEquals(all.length, 8 << 20);
    },
  ),
);

const gone = handedOver();
Deno.test(
  "N7 writing to a peer that has gone does not throw, drain() does",
  overSocket(
    gone.handler,
    async (_, writer) => {
      const [, peer] = await gone.ends;
      peer.transport.abort();
      const error = await assertRejects(async () => {
        for (;;) {
          writer.write(new Uint8Array(1000));
          await writer.drain();
          await new Promise((resolve) => setImmediate(resolve));
        }
      });
      assertInstanceOf(error, ConnectionError);
    },
  ),
);

const reset = handedOver();
Deno.test(
  "N8 N9 abort() drops what was not sent, and the peer hears of a reset",
  overSocket(
    reset.handler,
    async (reader, writer) => {
      const [, peer] = await reset.ends;
      // Unread bytes at the one end make the system send a reset to the other.
      writer.write(new Uint8Array(4 << 20));
      peer.write(new Uint8Array(64 << 20));
      await reader.readExactly(1000);
      writer.transport.abort();
      const error = await assertRejects(() => peer.waitClosed());
      assertInstanceOf(error, ConnectionResetError);
      await assertRejects(() => peer.drain(), ConnectionResetError);
    },
  ),
);

Deno.test(
  "R13 reads that are cancelled over and over lose no byte",
  overSocket(
    echo,
    async (reader, writer) => {
      const random = makeRandom(9);
      const count = 20_000;
      const sending = createTask(async () => {
        for (let number = 0; number < count; number++) {
          writer.write(`${number}\n`);
          if (number % 50 === 0) await writer.drain();
        }
        writer.writeEof();
      });
      let next = 0;
      let cancelled = 0;
      while (next < count) {
        const task = createTask(async () => {
          const line = await reader.readLine();
          assertEquals(text(line), `${next}\n`);
          next++;
        });
        for (let hops = random(6); hops > 0; hops--) await undefined;
        if (random(2) === 0 && task.cancel()) cancelled++;
        await task.catch(() => {});
      }
      await sending;
      assertEquals(next, count);
      assertGreater(cancelled, 100);
      assertEquals((await reader.read()).length, 0);
    },
  ),
);

Deno.test(
  "frames and lines come out as they were sent, over echo",
  overSocket(
    echo,
    async (reader, writer) => {
      await taskGroup((group) => {
        group.createTask(async () => {
          for (let size = 0; size < 300; size++) {
            writer.write(new Uint8Array([size >> 8, size & 255]));
            writer.write(new Uint8Array(size * size).fill(size & 255));
            writer.write(`line ${size}\r\n`);
            await writer.drain();
          }
        });
        group.createTask(async () => {
          for (let size = 0; size < 300; size++) {
            const [high, low] = await reader.readExactly(2);
            assertEquals((high! << 8) + low!, size);
            const body = await reader.readExactly(size * size);
            assert(body.every((byte) => byte === (size & 255)));
            assertEquals(
              text(await reader.readUntil("\r\n")),
              `line ${size}\r\n`,
            );
          }
        });
      });
    },
    { limit: 100 },
  ),
);

Deno.test(
  "streams of the web echo through a connection",
  overSocket(
    (reader, writer) => reader.readable.pipeTo(writer.writable),
    async (reader, writer) => {
      const body = "0123456789".repeat(100_000);
      const sent = new Response(body).body!.pipeTo(writer.writable);
      const [answer] = await Promise.all([
        new Response(reader.readable).text(),
        sent,
      ]);
      assertEquals(answer, body);
      await writer.waitClosed();
    },
  ),
);

Deno.test(
  "from() reads the body that a connection brings",
  overSocket(
    (_, writer) => {
      writer.write("a\nb\nc");
      writer.close();
    },
    async (reader) => {
      const lines: string[] = [];
      for await (const line of StreamReader.from(reader.readable)) {
        lines.push(text(line));
      }
      assertEquals(lines, ["a\n", "b\n", "c"]);
    },
  ),
);
