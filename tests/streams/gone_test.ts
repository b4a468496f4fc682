import {
  CancelledError,
  ConnectionResetError,
  createServer,
  createTask,
  getRunningLoop,
  InvalidStateError,
  newEventLoop,
  Protocol,
  run,
  startServer,
  type StreamReader,
  type StreamWriter,
  type Transport,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { collectUntil, hasGc } from "../_support/gc.ts";
import {
  bytes,
  connectRaw,
  connectTo,
  deferred,
  LOCAL,
  Recorder,
  shut,
  type Socket,
  text,
  turns,
  until,
} from "../_support/net.ts";
import { inBothWorlds } from "../_support/worlds.ts";

const testInBothWorlds = inBothWorlds((name, body) => Deno.test(name, body));

Deno.test("Transport.write() after the peer's end has closed it does nothing (N7)", async () => {
  await run(async () => {
    const recorder = new Recorder();
    const server = await createServer(() => recorder, LOCAL);
    const peer = await connectRaw(server.port);
    await recorder.reach("made");
    const { transport } = recorder;
    transport.write(bytes("bye"));
    peer.resume();
    peer.end();
    await recorder.reach("eof");
    assert(transport.isClosing());
    transport.write(bytes("more"));
    transport.writeLines([bytes("more")]);
    transport.writeEof();
    await recorder.reach("lost");
    transport.write(bytes("more"));
    assertEquals(recorder.error, null);
    // What its user has closed is another matter.
    transport.close();
    assertThrows(() => transport.write(bytes("x")), InvalidStateError);
    peer.destroy();
    await shut(server);
  });
});

testInBothWorlds(
  "Transport.write() in eofReceived() is sent before the end",
  async () => {
    const server = await createServer(() =>
      new class extends Protocol {
        #transport!: Transport;
        override connectionMade(transport: Transport) {
          this.#transport = transport;
        }
        override eofReceived() {
          this.#transport.write(bytes("goodbye"));
        }
      }(), LOCAL);
    const [reader, writer] = await connectTo(server);
    writer.writeEof();
    assertEquals(text(await reader.read()), "goodbye");
    writer.close();
    await shut(server);
  },
);

Deno.test("what a handler writes after the server has closed its clients is no mistake", async () => {
  for (const way of ["closeClients", "abortClients"] as const) {
    await run(async () => {
      const log: string[] = [];
      const server = await startServer(async (reader, writer) => {
        try {
          log.push(`read ${(await reader.read()).length}`);
          writer.write("goodbye\n");
          writer.writeEof();
          await assertRejects(() => writer.drain(), ConnectionResetError);
        } finally {
          writer.write("goodbye\n");
          writer.close();
          log.push("done");
        }
      }, LOCAL);
      const peer = await connectRaw(server.port);
      peer.resume();
      await until(() => String(server).includes("connections=1"));
      server.close();
      server[way]();
      await server.waitClosed();
      await until(() => log.length === 2);
      assertEquals(log, ["read 0", "done"]);
      peer.destroy();
    });
  }
});

Deno.test("a handler that is cancelled with its server may write in its finally", async () => {
  const reports: string[] = [];
  const log: string[] = [];
  const loop = newEventLoop();
  loop.setExceptionHandler(({ message }) => reports.push(message));
  await loop.runUntilComplete(async () => {
    const handlers: Promise<void>[] = [];
    const server = await startServer(async (reader, writer) => {
      const done = deferred<void>();
      handlers.push(done.promise);
      try {
        await reader.readLine();
      } finally {
        writer.write("the server goes down\n");
        writer.close();
        log.push("said goodbye");
        done.resolve();
      }
    }, LOCAL);
    const serving = createTask(() => server.serveForever());
    const peer = await connectRaw(server.port);
    peer.resume();
    await until(() => handlers.length === 1);
    serving.cancel();
    await serving.catch(() => {});
    await handlers[0];
    peer.destroy();
  });
  loop.close();
  assertEquals(log, ["said goodbye"]);
  assertEquals(reports, []);
});

Deno.test("others may write to a connection whose handler failed", async () => {
  await run(async () => {
    getRunningLoop().setExceptionHandler(() => {});
    let other: StreamWriter | undefined;
    const server = await startServer((_reader, writer) => {
      other = writer;
      throw new Error("bad handler");
    }, LOCAL);
    const peer = await connectRaw(server.port);
    peer.resume();
    await until(() => other?.isClosing() === true);
    other!.write("x");
    await assertRejects(() => other!.drain(), ConnectionResetError);
    peer.destroy();
    await shut(server);
  });
});

Deno.test("serveForever() closes the clients, cancelled or closed (N12)", async () => {
  for (const how of ["cancel", "close"] as const) {
    await run(async () => {
      const server = await startServer(() => {}, LOCAL);
      const serving = createTask(() => server.serveForever());
      const [reader, writer] = await connectTo(server);
      await until(() => String(server).includes("connections=1"));
      if (how === "close") server.close();
      else serving.cancel();
      await assertRejects(() => serving, CancelledError);
      assertMatch(String(server), /closed connections=0/);
      assertEquals((await reader.read()).length, 0);
      writer.close();
    });
  }
});

/** What a handler that returns may do with its streams. */
const uses: Record<
  string,
  (reader: StreamReader, writer: StreamWriter) => unknown
> = {
  nothing: () => undefined,
  "keep the reader": (reader) => reader,
  "keep the writer": (_reader, writer) => writer,
  "keep the web's stream": (reader) => reader.readable,
  "let a task read": (reader) => void createTask(() => reader.readLine()),
};

Deno.test({
  name:
    "a connection whose streams nobody has is closed with a ResourceWarning",
  ignore: !hasGc,
  async fn() {
    await run(async () => {
      const reports: string[] = [];
      getRunningLoop().setExceptionHandler(({ message }) => {
        reports.push(message);
      });
      const kept: unknown[] = [];
      const handlers = Object.values(uses);
      const server = await startServer((reader, writer) => {
        kept.push(handlers[kept.length]!(reader, writer));
      }, LOCAL);
      const peers: Socket[] = [];
      const ended = new Set<string>();
      for (const use of Object.keys(uses)) {
        const peer = await connectRaw(server.port);
        peer.on("end", () => ended.add(use));
        peer.resume();
        peers.push(peer);
        await until(() => kept.length === peers.length);
      }
      await collectUntil(() => ended.size > 0, turns);
      assertEquals([...ended], ["nothing"]);
      assertEquals(reports.length, 1);
      assertMatch(
        reports[0]!,
        /^ResourceWarning: unclosed <StreamWriter of <Transport open /,
      );
      // What waited has read, and what was kept is kept no more.
      for (const peer of peers) peer.write("line\n");
      kept.length = 0;
      await collectUntil(() => ended.size === peers.length, turns);
      assertEquals(ended, new Set(Object.keys(uses)));
      assertEquals(reports.length, peers.length);
      for (const peer of peers) peer.destroy();
      server.close();
      await server.waitClosed();
    });
  },
});

testInBothWorlds(
  "a connection that its handler leaves open still carries what others do with it",
  async () => {
    const done = deferred<string>();
    const server = await startServer((reader, writer) => {
      createTask(async () => {
        for await (const line of reader) writer.write(line);
        writer.close();
        done.resolve("served");
      });
    }, LOCAL);
    const [reader, writer] = await connectTo(server);
    for (const word of ["one\n", "two\n", "three\n"]) {
      writer.write(word);
      assertEquals(text(await reader.readLine()), word);
    }
    writer.writeEof();
    assertEquals((await reader.read()).length, 0);
    assertEquals(await done.promise, "served");
    writer.close();
    await shut(server);
  },
);
