import {
  createConnection,
  createDatagramEndpoint,
  DatagramProtocol,
  type EventLoop,
  type ExceptionContext,
  getRunningLoop,
  InvalidStateError,
  newEventLoop,
  run,
  startServer,
  type StreamReader,
} from "@asyncio/asyncio";
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { collectUntil, hasGc } from "../_support/gc.ts";
import {
  connectTo,
  LOCAL,
  openSockets,
  Recorder,
  serveRaw,
  until,
} from "../_support/net.ts";

/** A loop that writes down what is reported to it. */
function reportingLoop(debug = false): {
  loop: EventLoop;
  messages: string[];
} {
  const loop = newEventLoop({ debug });
  const messages: string[] = [];
  loop.slowCallbackDuration = Infinity;
  loop.setExceptionHandler(({ message }: ExceptionContext) => {
    messages.push(message);
  });
  return { loop, messages };
}

Deno.test("D7 what is open when its loop is closed is reported and closed", async () => {
  const socketsBefore = openSockets();
  const peer = await serveRaw((socket) => socket.resume());
  const { loop, messages } = reportingLoop();
  await loop.runUntilComplete(async () => {
    await startServer(() => {}, LOCAL);
    await connectTo(peer);
    await createConnection(() => new Recorder(), {
      ...LOCAL,
      port: peer.port,
    });
    await createDatagramEndpoint(() => new DatagramProtocol(), {
      localAddr: { ...LOCAL, port: 0 },
    });
  });
  loop.close();
  assertEquals(messages.length, 4, messages.join("\n"));
  const places = [
    /^ResourceWarning: unclosed <Server serving 127\.0\.0\.1:\d+ /,
    /^ResourceWarning: unclosed <Transport open 127\.0\.0\.1:\d+>$/,
    /^ResourceWarning: unclosed <Transport open 127\.0\.0\.1:\d+>$/,
    /^ResourceWarning: unclosed <DatagramTransport open 127\.0\.0\.1:\d+>$/,
  ];
  for (const [index, place] of places.entries()) {
    assertMatch(messages[index]!, place);
  }
  await peer.close();
  await until(() => openSockets() <= socketsBefore, "the end of all sockets");
});

Deno.test("D7 a server's connections are reported with it", async () => {
  const { loop, messages } = reportingLoop();
  await loop.runUntilComplete(async () => {
    let isThere = false;
    const server = await startServer(() => {
      isThere = true;
    }, LOCAL);
    await connectTo(server);
    await until(() => isThere);
  });
  loop.close();
  assertEquals(
    messages.map((each) => /unclosed <(\w+)/.exec(each)?.[1]),
    ["Server", "Transport", "Transport"],
  );
});

Deno.test("D7 what was closed is not reported, also while it sends the rest", async () => {
  let received = 0;
  const peer = await serveRaw((socket) => {
    socket.on("data", (data) => received += data.length);
  });
  const { loop, messages } = reportingLoop(true);
  await loop.runUntilComplete(async () => {
    const server = await startServer(() => {}, LOCAL);
    const [, writer] = await connectTo(peer);
    const [endpoint] = await createDatagramEndpoint(
      () => new DatagramProtocol(),
      { localAddr: { ...LOCAL, port: 0 } },
    );
    writer.write(new Uint8Array(5_000_000));
    writer.close();
    server.close();
    endpoint.close();
  });
  loop.close();
  assertEquals(messages, []);
  await until(() => received === 5_000_000, "all that was written");
  await peer.close();
});

Deno.test({
  name:
    "D7 a writer that is collected without close() is reported in debug mode",
  ignore: !hasGc,
  async fn() {
    for (const debug of [true, false]) {
      const peer = await serveRaw((socket) => socket.resume());
      const { loop, messages } = reportingLoop(debug);
      const collected: string[] = [];
      const registry = new FinalizationRegistry<string>((name) => {
        collected.push(name);
      });
      let reader: StreamReader | undefined;
      await loop.runUntilComplete(async () => {
        const open = async () => {
          const streams = await connectTo(peer);
          reader = streams[0];
          registry.register(streams[1], "unclosed");
          const [, closed] = await connectTo(peer);
          closed.close();
          await closed.waitClosed();
          registry.register(closed, "closed");
        };
        await open();
        await collectUntil(() =>
          collected.length === 2 && messages.length === (debug ? 1 : 0)
        );
        assertEquals(getRunningLoop(), loop);
      });
      assertEquals(collected.sort(), ["closed", "unclosed"]);
      assertEquals(messages.length, debug ? 1 : 0);
      if (debug) {
        assertMatch(
          messages[0]!,
          /^ResourceWarning: unclosed <StreamWriter of <Transport open /,
        );
      }
      assertEquals(reader!.exception(), null);
      loop.close();
      await peer.close();
    }
  },
});

Deno.test("the streams of a loop that is closed tell so in another one", async () => {
  const peer = await serveRaw((socket) => socket.resume());
  const { loop } = reportingLoop();
  const [server, [reader, writer]] = await loop.runUntilComplete(async () =>
    [await startServer(() => {}, LOCAL), await connectTo(peer)] as const
  );
  loop.close();
  const closed = "Cannot use the connection as the event loop is closed";
  await run(async () => {
    await server.waitClosed();
    await assertRejects(() => reader.read(), InvalidStateError, closed);
    await assertRejects(() => reader.readLine(), InvalidStateError, closed);
    await assertRejects(() => writer.drain(), InvalidStateError, closed);
    await using _writer = writer;
    writer.close();
    await writer.waitClosed();
  });
  await peer.close();
});
