import {
  BufferedProtocol,
  createConnection,
  createServer,
  getRunningLoop,
  Protocol,
  run,
  type Transport,
} from "@asyncio/asyncio";
import { assertEquals, assertInstanceOf } from "@std/assert";
import {
  bytes,
  connectRaw,
  deferred,
  LOCAL,
  Recorder,
  serveRaw,
  shut,
  text,
  turns,
  until,
} from "../_support/net.ts";

/** Pauses as soon as it can. */
class Paused extends Recorder {
  override connectionMade(transport: Transport): void {
    super.connectionMade(transport);
    transport.pauseReading();
  }
}

Deno.test("Transport.pauseReading() in connectionMade() lets nothing come", async () => {
  const raw = await serveRaw((socket) => socket.end("from the server"));
  await run(async () => {
    const accepted = new Paused();
    const server = await createServer(() => accepted, LOCAL);
    const peer = await connectRaw(server.port);
    peer.end("from the client");
    const [transport, connected] = await createConnection(() => new Paused(), {
      ...LOCAL,
      port: raw.port,
    });
    await until(() => accepted.transport !== undefined);
    await turns(20);
    for (const side of [accepted, connected]) {
      assertEquals(side.events, ["made"]);
      side.transport.resumeReading();
      await side.reach("lost");
      assertEquals(side.events, ["made", "data", "eof", "lost"]);
    }
    assertEquals(accepted.text, "from the client");
    assertEquals(connected.text, "from the server");
    transport.abort();
    peer.destroy();
    await shut(server);
  });
  await raw.close();
});

Deno.test("Transport tells the peer's end only once reading goes on", async () => {
  await run(async () => {
    const recorder = new Recorder();
    const server = await createServer(() => recorder, LOCAL);
    const peer = await connectRaw(server.port);
    await recorder.reach("made");
    recorder.transport.pauseReading();
    peer.end();
    await turns(20);
    assertEquals(recorder.events, ["made"]);
    assertEquals(recorder.transport.isClosing(), false);
    recorder.transport.resumeReading();
    recorder.transport.pauseReading();
    await turns(5);
    assertEquals(recorder.events, ["made"]);
    recorder.transport.resumeReading();
    await recorder.reach("lost");
    assertEquals(recorder.events, ["made", "eof", "lost"]);
    peer.destroy();
    await shut(server);
  });
});

Deno.test("Transport: resumeReading() and pauseReading() in one step let nothing through", async () => {
  await run(async () => {
    const recorder = new Recorder();
    const server = await createServer(() => recorder, LOCAL);
    const peer = await connectRaw(server.port);
    await recorder.reach("made");
    const { transport } = recorder;
    transport.pauseReading();
    peer.write("abc");
    await turns(20);
    for (let i = 0; i < 3; i++) {
      transport.resumeReading();
      transport.pauseReading();
      await turns(5);
    }
    assertEquals(recorder.text, "");
    transport.resumeReading();
    await until(() => recorder.text === "abc");
    peer.write("def");
    await until(() => recorder.text === "abcdef");
    peer.destroy();
    await shut(server);
  });
});

/** Does `act` at the first bytes, which are fewer than came. */
class Small extends BufferedProtocol {
  readonly heard: string[] = [];
  readonly lost = deferred<unknown>();
  transport!: Transport;
  readonly #buffer = new Uint8Array(4);
  readonly #act: (transport: Transport) => void;

  constructor(act: (transport: Transport) => void) {
    super();
    this.#act = act;
  }

  override connectionMade(transport: Transport): void {
    this.transport = transport;
  }

  override getBuffer(): Uint8Array {
    return this.#buffer;
  }

  override bufferUpdated(count: number): void {
    this.heard.push(text(this.#buffer.subarray(0, count)));
    if (this.heard.length === 1) this.#act(this.transport);
  }

  override connectionLost(error: unknown): void {
    this.lost.resolve(error);
  }
}

/** A connection whose peer sends ten bytes at once. */
async function withSmall(
  act: (transport: Transport) => void,
  check: (small: Small) => Promise<void>,
): Promise<void> {
  const raw = await serveRaw((socket) => socket.write("0123456789"));
  await run(async () => {
    const [transport, small] = await createConnection(() => new Small(act), {
      ...LOCAL,
      port: raw.port,
    });
    await until(() => small.heard.length > 0);
    await turns(10);
    await check(small);
    transport.abort();
    await small.lost.promise;
  });
  await raw.close();
}

Deno.test("BufferedProtocol: pauseReading() in bufferUpdated() holds the rest", async () => {
  await withSmall((transport) => transport.pauseReading(), async (small) => {
    assertEquals(small.heard, ["0123"]);
    small.transport.resumeReading();
    await until(() => small.heard.length === 3);
    assertEquals(small.heard, ["0123", "4567", "89"]);
  });
});

Deno.test("BufferedProtocol: abort() and close() in bufferUpdated() drop the rest", async () => {
  for (const way of ["abort", "close"] as const) {
    await withSmall((transport) => transport[way](), async (small) => {
      assertEquals(small.heard, ["0123"]);
      assertEquals(await small.lost.promise, null);
    });
  }
});

Deno.test("BufferedProtocol: setProtocol() in bufferUpdated() gives the rest to the other", async () => {
  const other = new Recorder();
  await withSmall(
    (transport) => transport.setProtocol(other),
    async (small) => {
      assertEquals(small.heard, ["0123"]);
      assertEquals(other.text, "456789");
      small.transport.setProtocol(small);
      await Promise.resolve();
    },
  );
});

Deno.test("BufferedProtocol: a getBuffer() of a wrong kind is a TypeError of the connection", async () => {
  const raw = await serveRaw((socket) => socket.write("x"));
  await run(async () => {
    const reports: string[] = [];
    getRunningLoop().setExceptionHandler(({ message }) => {
      reports.push(message);
    });
    for (const wrong of [null, "text", [1, 2], new ArrayBuffer(8)]) {
      const small = new Small(() => {});
      small.getBuffer = () => wrong as unknown as Uint8Array;
      await createConnection(() => small, { ...LOCAL, port: raw.port });
      assertInstanceOf(await small.lost.promise, TypeError);
    }
    assertEquals(reports.length, 4);
  });
  await raw.close();
});

Deno.test("an eofReceived() that throws ends its connection with that error", async () => {
  await run(async () => {
    const reports: unknown[] = [];
    getRunningLoop().setExceptionHandler(({ message, error }) => {
      reports.push([message, error]);
    });
    const failure = new Error("no end wanted");
    const lost = deferred<unknown>();
    const server = await createServer(() =>
      new class extends Protocol {
        override eofReceived(): boolean {
          throw failure;
        }
        override connectionLost(error: unknown) {
          lost.resolve(error);
        }
      }(), LOCAL);
    const peer = await connectRaw(server.port);
    peer.end(bytes("x"));
    assertEquals(await lost.promise, failure);
    assertEquals(reports, [["The protocol's eofReceived() threw", failure]]);
    peer.destroy();
    await shut(server);
  });
});
