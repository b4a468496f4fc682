import {
  BufferedProtocol,
  createConnection,
  createServer,
  getRunningLoop,
  InvalidStateError,
  newEventLoop,
  Protocol,
  run,
  sendfile,
  type Server,
  startTls,
  type Transport,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertInstanceOf,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  bytes,
  connectRaw,
  LOCAL,
  Recorder,
  serveRaw,
  serveResetting,
  shut,
  text,
  turns,
  until,
} from "../_support/net.ts";
import { needs } from "../_support/runtimes.ts";
import { UNREAD_AT_RESET } from "../../platform/limits.ts";

interface Pair {
  readonly client: Recorder;
  readonly server: Recorder;
  readonly listener: Server;
}

/** A connection with both ends in this process, closed at the end. */
async function withPair(
  fn: (pair: Pair) => Promise<void>,
): Promise<void> {
  await run(async () => {
    const made: Recorder[] = [];
    const listener = await createServer(() => {
      const server = new Recorder();
      made.push(server);
      return server;
    }, LOCAL);
    const [transport, client] = await createConnection(() => new Recorder(), {
      ...LOCAL,
      port: listener.port,
    });
    await until(() => made[0]?.transport !== undefined);
    try {
      await fn({ client, server: made[0]!, listener });
    } finally {
      transport.abort();
      await shut(listener);
    }
  });
}

Deno.test("Transport carries bytes both ways and tells the end", async () => {
  await withPair(async ({ client, server }) => {
    client.transport.write(bytes("ping"));
    await until(() => server.text === "ping");
    server.transport.write(bytes("pong"));
    await until(() => client.text === "pong");
    client.transport.close();
    await server.reach("lost");
    await client.reach("lost");
    assertEquals(client.events, ["made", "data", "lost"]);
    assertEquals(server.events, ["made", "data", "eof", "lost"]);
    assertEquals([client.error, server.error], [null, null]);
  });
});

Deno.test("Transport.write() sends what is written in one step together", async () => {
  await withPair(async ({ client, server }) => {
    for (let i = 0; i < 100; i++) client.transport.write(bytes("x"));
    client.transport.writeLines([bytes("y"), bytes("z")]);
    await until(() => server.size === 102);
    assertEquals(server.chunks.length, 1);
  });
});

Deno.test("Transport.write() keeps the order of small and large pieces", async () => {
  await withPair(async ({ client, server }) => {
    let sent = "";
    for (let i = 0; i < 40; i++) {
      const piece = String.fromCharCode(65 + i % 26).repeat(i * 517 % 9000);
      client.transport.write(bytes(piece));
      sent += piece;
      if (i % 7 === 0) await turns();
    }
    await until(() => server.size === sent.length);
    assertEquals(server.text, sent);
  });
});

Deno.test("Transport.write() lets a small array be used again", async () => {
  await withPair(async ({ client, server }) => {
    const array = new Uint8Array(1);
    for (const letter of "abc") {
      array[0] = letter.charCodeAt(0);
      client.transport.write(array);
    }
    await until(() => server.size === 3);
    assertEquals(server.text, "abc");
  });
});

Deno.test("Transport.close() flushes first (N6)", async () => {
  await withPair(async ({ client, server }) => {
    const { transport } = client;
    transport.write(new Uint8Array(5_000_000));
    transport.close();
    transport.close();
    assert(transport.isClosing());
    await server.reach("lost");
    assertEquals(server.size, 5_000_000);
  });
});

Deno.test("Transport.abort() drops the buffer (N9)", async () => {
  await withPair(async ({ client, server }) => {
    server.transport.pauseReading();
    client.transport.write(new Uint8Array(50_000_000));
    await turns(5);
    assert(client.transport.getWriteBufferSize() > 0);
    client.transport.abort();
    assertEquals(client.transport.getWriteBufferSize(), 0);
    server.transport.resumeReading();
    await server.reach("lost");
    assert(server.size < 50_000_000);
  });
});

Deno.test("Transport pauses the protocol above the high-water mark (N3)", async () => {
  await withPair(async ({ client, server }) => {
    const { transport } = client;
    assertEquals(transport.getWriteBufferLimits(), {
      high: 65_536,
      low: 16_384,
    });
    server.transport.pauseReading();
    transport.write(new Uint8Array(65_536));
    assertFalse(client.events.includes("pause"));
    transport.write(new Uint8Array(20_000_000));
    assert(client.events.includes("pause"));
    await turns(5);
    assertFalse(client.events.includes("resume"));
    server.transport.resumeReading();
    await client.reach("resume");
    assert(transport.getWriteBufferSize() <= 16_384);
    await until(() => server.size === 20_065_536);
  });
});

Deno.test("Transport.setWriteBufferLimits() takes one limit or both", async () => {
  await withPair(({ client: { transport } }) => {
    transport.setWriteBufferLimits({ high: 1000 });
    assertEquals(transport.getWriteBufferLimits(), { high: 1000, low: 250 });
    transport.setWriteBufferLimits({ low: 1000 });
    assertEquals(transport.getWriteBufferLimits(), { high: 4000, low: 1000 });
    transport.setWriteBufferLimits();
    assertEquals(transport.getWriteBufferLimits(), { high: 65536, low: 16384 });
    assertThrows(
      () => transport.setWriteBufferLimits({ high: 1, low: 2 }),
      RangeError,
      "'low' must be at most 'high'",
    );
    assertThrows(
      () => transport.setWriteBufferLimits({ high: -1 }),
      RangeError,
      "must be >= 0",
    );
    return Promise.resolve();
  });
});

Deno.test("Transport.writeEof() half-closes (N1, N2)", async () => {
  await withPair(async ({ client, server }) => {
    server.keepsAfterEof = true;
    client.transport.write(bytes("question"));
    client.transport.writeEof();
    await server.reach("eof");
    assertEquals(server.text, "question");
    server.transport.write(bytes("answer"));
    await until(() => client.text === "answer");
    server.transport.close();
    await client.reach("lost");
    assertEquals(client.error, null);
    assertThrows(() => server.transport.write(bytes("x")), InvalidStateError);
  });
});

Deno.test("Transport.write() refuses after the end and after close", async () => {
  await withPair(async ({ client, server }) => {
    const { transport } = client;
    assertThrows(
      () => transport.write("text" as never),
      TypeError,
      'must be a Uint8Array: received "text"; encode text',
    );
    transport.writeEof();
    assertThrows(() => transport.write(bytes("x")), InvalidStateError, "end");
    transport.close();
    assertThrows(
      () => transport.write(bytes("x")),
      InvalidStateError,
      "closed",
    );
    await server.reach("lost");
  });
});

Deno.test("Transport.write() after the peer has gone does nothing (N7)", async () => {
  await run(async () => {
    const raw = await serveResetting();
    const [transport, client] = await createConnection(() => new Recorder(), {
      ...LOCAL,
      port: raw.port,
    });
    transport.write(bytes("reset me"));
    await client.reach("lost");
    transport.write(bytes("x"));
    assert(transport.isClosing());
    await raw.close();
  });
});

Deno.test("Transport tells a reset by the peer (N8)", async () => {
  await run(async () => {
    const raw = await serveResetting();
    const [transport, client] = await createConnection(() => new Recorder(), {
      ...LOCAL,
      port: raw.port,
    });
    transport.write(bytes("reset me"));
    await client.reach("lost");
    assertEquals((client.error as Error).name, "ConnectionResetError");
    assertEquals((client.error as { code: string }).code, "ECONNRESET");
    assertInstanceOf((client.error as Error).cause, Error);
    await raw.close();
  });
});

Deno.test(
  "Transport takes a reset behind the peer's end for the end it is",
  needs(UNREAD_AT_RESET),
  async () => {
    class Paused extends Recorder {
      override connectionMade(transport: Transport): void {
        super.connectionMade(transport);
        transport.pauseReading();
      }
    }
    await run(async () => {
      let gone = false;
      const raw = await serveRaw((socket) => {
        socket.on("close", () => {
          gone = true;
        });
        socket.end("all of it", () => socket.destroy());
      });
      const [transport, client] = await createConnection(() => new Paused(), {
        ...LOCAL,
        port: raw.port,
      });
      await until(() => gone);
      // Answered with a reset, as nobody is there to read it.
      transport.write(bytes("x"));
      await turns(10);
      transport.resumeReading();
      await client.reach("lost");
      assertEquals(client.text, "all of it");
      assertEquals(client.events, ["made", "data", "eof", "lost"]);
      assertEquals(client.error, null);
      await raw.close();
    });
  },
);

Deno.test("Transport.pauseReading() lets nothing through", async () => {
  await withPair(async ({ client, server }) => {
    server.transport.pauseReading();
    assertFalse(server.transport.isReading());
    client.transport.write(bytes("early"));
    await turns(10);
    assertEquals(server.text, "");
    client.transport.close();
    await turns(10);
    assertEquals(server.events, ["made"]);
    server.transport.resumeReading();
    await server.reach("lost");
    assertEquals(server.events, ["made", "data", "eof", "lost"]);
    assertEquals(server.text, "early");
  });
});

Deno.test("Transport keeps the order of bytes through pauses in and between its calls", async () => {
  const COUNT = 200_000;
  await withPair(async ({ client, server }) => {
    const { transport } = server;
    const sent = Uint8Array.from({ length: 4 * COUNT }, (_, i) => {
      return (i >> 2) >> (8 * (i & 3));
    });
    let calls = 0;
    server.dataReceived = (data) => {
      server.chunks.push(data);
      if (++calls % 2 === 0) transport.pauseReading();
      if (calls % 6 === 0) transport.resumeReading();
    };
    let from = 0;
    for (let size = 1; from < sent.length; size += 97) {
      client.transport.write(sent.slice(from, from += size));
      if (size % 3 === 0) await turns();
      if (size % 5 === 0) transport.pauseReading();
      if (size % 4 === 0) transport.resumeReading();
    }
    const received = () =>
      server.chunks.reduce((sum, { length }) => sum + length, 0);
    await until(() => {
      transport.resumeReading();
      return received() === sent.length;
    }, "all bytes");
    let index = 0;
    const isNext = (byte: number) => byte === sent[index++];
    assert(server.chunks.every((chunk) => chunk.every(isNext)), `${index}`);
  });
});

Deno.test("Transport closes where the protocol throws, and reports it", async () => {
  const reports: string[] = [];
  await run(async () => {
    const loop = (await import("@asyncio/asyncio")).getEventLoop();
    loop.setExceptionHandler(({ message }) => reports.push(message));
    class Broken extends Recorder {
      override dataReceived(): void {
        throw new Error("broken");
      }
    }
    const broken = new Broken();
    const server = await createServer(() => broken, LOCAL);
    const raw = await connectRaw(server.port);
    raw.write("x");
    await broken.reach("lost");
    assertEquals((broken.error as Error).message, "broken");
    raw.destroy();
    await shut(server);
  });
  assertEquals(reports, ["The protocol's dataReceived() threw"]);
});

Deno.test("BufferedProtocol gets the bytes in its own buffer", async () => {
  class Buffered extends BufferedProtocol {
    readonly buffer = new Uint8Array(4);
    seen = "";
    override getBuffer(): Uint8Array {
      return this.buffer;
    }
    override bufferUpdated(count: number): void {
      this.seen += text(this.buffer.subarray(0, count));
    }
  }
  await run(async () => {
    const buffered = new Buffered();
    const server = await createServer(() => buffered, LOCAL);
    const raw = await connectRaw(server.port);
    raw.write("ten letters");
    await until(() => buffered.seen.length === 11);
    assertEquals(buffered.seen, "ten letters");
    raw.destroy();
    await shut(server);
  });
});

Deno.test("Transport.getExtraInfo() knows both addresses", async () => {
  await withPair(({ client, server, listener }) => {
    const { transport } = client;
    assertEquals(transport.getExtraInfo("peername"), {
      transport: "tcp",
      hostname: "127.0.0.1",
      port: listener.port,
    });
    assertEquals(
      transport.getExtraInfo("sockname"),
      server.transport.getExtraInfo("peername"),
    );
    assertEquals(transport.getExtraInfo("tls"), false);
    assertEquals(transport.getExtraInfo("nonsense", 7), 7);
    return Promise.resolve();
  });
});

Deno.test("Transport.setProtocol() hands over what comes next", async () => {
  await withPair(async ({ client, server }) => {
    const next = new Recorder();
    server.transport.setProtocol(next);
    assertEquals(server.transport.getProtocol(), next);
    client.transport.write(bytes("x"));
    await until(() => next.text === "x");
    assertEquals(server.text, "");
    client.transport.close();
    await next.reach("lost");
  });
});

Deno.test("a stopped loop hears nothing until it runs again", async () => {
  const loop = newEventLoop();
  const raw = await serveRaw((socket) => socket.end("hello"));
  const recorder = new Recorder();
  await loop.runUntilComplete(() =>
    createConnection(() => recorder, { ...LOCAL, port: raw.port })
  );
  const before = recorder.events.length;
  await turns(20);
  assertEquals(recorder.events.length, before);
  await loop.runUntilComplete(() => recorder.reach("lost"));
  assertEquals(recorder.text, "hello");
  loop.close();
  await raw.close();
});

Deno.test("transports work in debug mode, a step a turn", async () => {
  await run(async () => {
    const recorder = new Recorder();
    const server = await createServer(() => recorder, LOCAL);
    const raw = await connectRaw(server.port);
    raw.end("hello");
    await recorder.reach("lost");
    assertEquals(recorder.events, ["made", "data", "eof", "lost"]);
    raw.destroy();
    await shut(server);
  }, { debug: true });
});

Deno.test("a Protocol by itself ignores all", async () => {
  await run(async () => {
    const server = await createServer(() => new Protocol(), LOCAL);
    const raw = await connectRaw(server.port);
    raw.end("hello");
    await new Promise((resolve) => raw.resume().once("end", resolve));
    raw.destroy();
    await shut(server);
  });
});

Deno.test("createConnection() passes on what the factory throws", async () => {
  await run(async () => {
    const server = await createServer(() => new Recorder(), LOCAL);
    await assertRejects(
      () =>
        createConnection((): Recorder => {
          throw new Error("no protocol");
        }, { ...LOCAL, port: server.port }),
      Error,
      "no protocol",
    );
    await shut(server);
  });
});

Deno.test("what is no protocol is refused, of a factory and by setProtocol()", async () => {
  await run(async () => {
    const reports: string[] = [];
    getRunningLoop().setExceptionHandler(({ message, error }) => {
      reports.push(`${message}: ${error}`);
    });
    const odd = await createServer(() => ({}) as never, LOCAL);
    const raw = await connectRaw(odd.port);
    await new Promise((resolve) => raw.resume().once("end", resolve));
    raw.destroy();
    assertEquals(reports, [
      "The server's protocol factory threw: TypeError: Cannot make a connection as its protocol must be a Protocol: received an object",
    ]);
    await shut(odd);
    const server = await createServer(() => new Recorder(), LOCAL);
    const to = { ...LOCAL, port: server.port };
    await assertRejects(
      () => createConnection(() => 5 as never, to),
      TypeError,
      "its protocol must be a Protocol: received 5",
    );
    const [transport] = await createConnection(() => new Recorder(), to);
    assertThrows(() => transport.setProtocol(null as never), TypeError);
    transport.abort();
    await shut(server);
  });
});

Deno.test("startTls() and sendfile() refuse what is no transport", async () => {
  for (const wrong of [undefined, {}, "transport"] as never[]) {
    await assertRejects(
      () => startTls(wrong, new Protocol()),
      TypeError,
      "Cannot start TLS as 'transport' must be a Transport: received ",
    );
    await assertRejects(
      () => sendfile(wrong, "file.txt"),
      TypeError,
      "Cannot send a file as 'transport' must be a Transport: received ",
    );
  }
});
