import {
  createServer,
  getRunningLoop,
  openConnection,
  openDatagram,
  OSError,
  Protocol,
  run,
  type Server,
  startServer,
  type StartServerOptions,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import {
  connectRaw,
  connectTo,
  freePort,
  LOCAL,
  shut,
  turns,
} from "../_support/net.ts";
import { countingSignal, turns as turnsOfLoop } from "../_support/virtual.ts";

const ROUNDS = 20;

Deno.test("V6 after close() and waitClosed() of a server its port is free", async () => {
  const ways: Record<string, (server: Server) => Promise<void>> = {
    "close and waitClosed": (server) => {
      server.close();
      return server.waitClosed();
    },
    "await using": (server) => server[Symbol.asyncDispose](),
  };
  await run(async () => {
    for (const close of Object.values(ways)) {
      for (let round = 0; round < ROUNDS; round++) {
        const port = await freePort();
        const server = await startServer(() => {}, { ...LOCAL, port });
        // Some have been in accept for a while, some have just begun to.
        await turns(round % 3);
        await close(server);
        const next = await startServer(() => {}, { ...LOCAL, port });
        await shut(next);
      }
    }
  });
});

Deno.test("V6 a server that serves forever has freed its port when that throws", async () => {
  await run(async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const port = await freePort();
      const server = await startServer(() => {}, { ...LOCAL, port });
      getRunningLoop().callSoon(() => server.close());
      await assertRejects(() => server.serveForever(), Error, "closed");
      await shut(await startServer(() => {}, { ...LOCAL, port }));
    }
  });
});

Deno.test("V6 right after close() of a server or a UDP socket the same port is given again", async () => {
  await run(async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const port = await freePort();
      const server = await startServer(() => {}, { ...LOCAL, port });
      const socket = await openDatagram({ localAddr: { ...LOCAL, port } });
      await turns(round % 3);
      server.close();
      socket.close();
      const next = await startServer(() => {}, { ...LOCAL, port });
      const nextSocket = await openDatagram({ localAddr: socket.address });
      assertEquals(next.port, port);
      assertEquals(nextSocket.address, socket.address);
      await shut(next);
      await nextSocket[Symbol.asyncDispose]();
    }
  });
});

Deno.test("V6 after close() and waitClosed() of a UDP socket its port is free", async () => {
  await run(async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const port = await freePort();
      const socket = await openDatagram({ localAddr: { ...LOCAL, port } });
      await turns(round % 3);
      if (round % 2 === 0) {
        socket.close();
        await socket.waitClosed();
      } else await socket[Symbol.asyncDispose]();
      const next = await openDatagram({ localAddr: { ...LOCAL, port } });
      next.close();
      await next.waitClosed();
      await next.waitClosed();
    }
  });
});

Deno.test("V9 a client that connects and resets is not spoken of, and stops nobody", async () => {
  await run(async () => {
    const reports: string[] = [];
    getRunningLoop().setExceptionHandler(({ message }) => {
      reports.push(message);
    });
    const server = await startServer(async (_reader, writer) => {
      writer.write("hello\n");
      await writer.drain().catch(() => {});
      writer.close();
    }, LOCAL);
    for (let round = 0; round < 10; round++) {
      // The server has no turn between: it finds them all gone.
      const leaving = await Promise.all(
        Array.from({ length: 5 }, () => connectRaw(server.port)),
      );
      for (const socket of leaving) socket.resetAndDestroy();
    }
    const start = performance.now();
    const [reader, writer] = await connectTo(server);
    await reader.readLine();
    writer.close();
    await shut(server);
    assertEquals(reports, []);
    return performance.now() - start;
  });
});

Deno.test("one address is one socket, however often it is named", async () => {
  await run(async () => {
    for (
      const hostname of [
        ["127.0.0.1", "127.0.0.1"],
        ["localhost", "127.0.0.1", "localhost"],
        ["::1", "0:0:0:0:0:0:0:1", "[::1]"],
      ]
    ) {
      const server = await startServer(() => {}, { hostname });
      const names = server.sockets.map(({ address }) =>
        "hostname" in address ? address.hostname : address.path
      );
      assertEquals(names.length, new Set(names).size);
      assertEquals(
        new Set(
          server.sockets.map(({ address }) =>
            "port" in address && address.port
          ),
        ).size,
        1,
      );
      await shut(server);
    }
  });
});

Deno.test("openConnection() refuses what mixes IPv4 and IPv6", async () => {
  await run(async () => {
    const port = 9;
    for (
      const options of [
        { hostname: "::1", port, family: 4 },
        { hostname: "127.0.0.1", port, family: 6 },
        { hostname: "::1", port, localAddr: { hostname: "127.0.0.1" } },
        { hostname: "127.0.0.1", port, localAddr: { hostname: "::1" } },
      ] as const
    ) {
      const error = await assertRejects(() => openConnection(options), OSError);
      assertEquals(error.code, "EAFNOSUPPORT");
    }
  });
});

Deno.test("openConnection() connects from a port of its own in either family", async () => {
  await run(async () => {
    for (const hostname of ["127.0.0.1", "::1"]) {
      const server = await startServer((_reader, writer) => writer.close(), {
        hostname,
      });
      const [reader, writer] = await openConnection({
        hostname,
        port: server.port,
        localAddr: { port: 0 },
      });
      assertEquals((await reader.read()).length, 0);
      writer.close();
      await shut(server);
    }
  });
});

const SERVERS: Readonly<
  Record<string, (options: StartServerOptions) => Promise<Server>>
> = {
  startServer: (options) => startServer(() => {}, options),
  createServer: (options) => createServer(() => new Protocol(), options),
};

Deno.test("a start of a server that its signal ends has freed the port, whenever that is", async () => {
  await run(async () => {
    for (const serve of Object.values(SERVERS)) {
      let aborted = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const port = await freePort();
        const { signal, abort, listeners } = countingSignal();
        const reason = new Error("not needed");
        const starting = serve({ ...LOCAL, port, signal });
        const settled = starting.then((server) => server, (error) => error);
        await turnsOfLoop(round % 5);
        abort(reason);
        const outcome = await settled;
        if (outcome === reason) aborted++;
        else {
          assertEquals(listeners(), 0);
          await shut(outcome as Server);
        }
        await shut(await startServer(() => {}, { ...LOCAL, port }));
      }
      assert(aborted > 0);
    }
  });
});

Deno.test("a server whose signal is aborted before binds nothing", async () => {
  await run(async () => {
    for (const serve of Object.values(SERVERS)) {
      const port = await freePort();
      const other = await startServer(() => {}, { ...LOCAL, port });
      const reason = new Error("not needed");
      // It would be an OSError, as the address is in use.
      const signal = AbortSignal.abort(reason);
      const error = await assertRejects(() =>
        serve({ ...LOCAL, port, signal })
      );
      assertStrictEquals(error, reason);
      await shut(other);
    }
  });
});

Deno.test("the signal of a server that runs ends it no more", async () => {
  await run(async () => {
    const { signal, abort, listeners } = countingSignal();
    const server = await startServer((_reader, writer) => writer.close(), {
      ...LOCAL,
      signal,
    });
    assertEquals(listeners(), 0);
    abort();
    const [reader, writer] = await connectTo(server);
    assertEquals((await reader.read()).length, 0);
    writer.close();
    await shut(server);
  });
});
