import {
  CancelledError,
  ContextVar,
  createServer,
  createTask,
  getEventLoop,
  InvalidStateError,
  openConnection,
  OSError,
  run,
  sleep,
  SSLError,
  startServer,
  type StreamWriter,
  timeout,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertThrows,
} from "@std/assert";
import {
  builtin,
  bytes,
  connectRaw,
  connectTo,
  deferred,
  freePort,
  LOCAL,
  Recorder,
  shut,
  text,
  turns,
  until,
} from "../_support/net.ts";

type ErrorClass = typeof TypeError | typeof RangeError | typeof OSError;

Deno.test("startServer() runs a task for each connection", async () => {
  await run(async () => {
    const server = await startServer(async (reader, writer) => {
      for await (const line of reader) {
        writer.write(`you said ${text(line)}`);
        await writer.drain();
      }
      writer.close();
    }, LOCAL);
    const place = { ...LOCAL, port: server.port };
    for (const name of ["one", "two"]) {
      const [reader, writer] = await openConnection(place);
      writer.write(`${name}\n`);
      writer.writeEof();
      assertEquals(text(await reader.read()), `you said ${name}\n`);
      writer.close();
      await writer.waitClosed();
    }
    server.close();
    await server.waitClosed();
  });
});

Deno.test("writeEof() half-closes: we still read the answer (N1)", async () => {
  await run(async () => {
    const server = await startServer(async (reader, writer) => {
      const all = await reader.read();
      // The peer's end does not close our side (N2).
      await sleep(5);
      writer.write(`${all.length} bytes`);
      writer.close();
    }, LOCAL);
    const [reader, writer] = await connectTo(server);
    writer.write(new Uint8Array(1000));
    assert(writer.canWriteEof());
    writer.writeEof();
    assertEquals(text(await reader.read()), "1000 bytes");
    writer.close();
    await server[Symbol.asyncDispose]();
  });
});

Deno.test("drain() waits above the high-water mark, for many tasks (N3, N4)", async () => {
  await run(async () => {
    const done = deferred<void>();
    const server = await startServer(async (reader, writer) => {
      await done.promise;
      let size = 0;
      for (let part; (part = await reader.read(65536)).length > 0;) {
        size += part.length;
      }
      writer.write(String(size));
      writer.close();
    }, LOCAL);
    const [reader, writer] = await connectTo(server);
    writer.write(new Uint8Array(1000));
    await writer.drain();
    writer.write(new Uint8Array(30_000_000));
    let drained = 0;
    const tasks = [1, 2, 3].map(() =>
      createTask(async () => {
        await writer.drain();
        drained++;
      })
    );
    await turns(10);
    assertEquals(drained, 0);
    done.resolve();
    for (const task of tasks) await task;
    writer.writeEof();
    assertEquals(text(await reader.read()), "30001000");
    writer.close();
    await server[Symbol.asyncDispose]();
  });
});

Deno.test("a cancelled drain() loses no data (N5)", async () => {
  await run(async () => {
    const done = deferred<void>();
    const server = await startServer(async (reader, writer) => {
      await done.promise;
      const all = await reader.read();
      writer.write(String(all.length));
      writer.close();
    }, LOCAL);
    const [reader, writer] = await connectTo(server);
    writer.write(new Uint8Array(20_000_000));
    const task = createTask(() => writer.drain());
    await turns(3);
    task.cancel();
    await assertRejects(
      () => task.catch((e) => Promise.reject(e)),
      CancelledError,
    );
    done.resolve();
    writer.writeEof();
    assertEquals(text(await reader.read()), "20000000");
    writer.close();
    await server[Symbol.asyncDispose]();
  });
});

Deno.test("close() flushes, and may come twice (N6)", async () => {
  await run(async () => {
    const seen = deferred<number>();
    const server = await startServer(async (reader, writer) => {
      seen.resolve((await reader.read()).length);
      writer.close();
    }, LOCAL);
    const [, writer] = await connectTo(server);
    writer.write(new Uint8Array(3_000_000));
    writer.close();
    writer.close();
    assert(writer.isClosing());
    await writer.waitClosed();
    assertEquals(await seen.promise, 3_000_000);
    assertThrows(() => writer.write("x"), InvalidStateError);
    await server[Symbol.asyncDispose]();
  });
});

Deno.test("drain() throws on a lost connection, write() does not (N7)", async () => {
  await run(async () => {
    const lost = deferred<string>();
    const server = await startServer(async (_reader, writer) => {
      try {
        for (;;) {
          writer.write(new Uint8Array(10_000));
          await writer.drain();
        }
      } catch (error) {
        lost.resolve((error as Error).name);
      }
    }, LOCAL);
    const raw = await connectRaw(server.port);
    raw.once("data", () => raw.resetAndDestroy());
    const name = await lost.promise;
    assert(["ConnectionResetError", "BrokenPipeError"].includes(name), name);
    await shut(server);
  });
});

Deno.test("a reset surfaces in read(), not as an end (N8)", async () => {
  await run(async () => {
    const seen = deferred<string>();
    const server = await startServer(async (reader) => {
      try {
        await reader.readExactly(100);
      } catch (error) {
        seen.resolve((error as Error).name);
      }
    }, LOCAL);
    const raw = await connectRaw(server.port);
    raw.write("half a mess");
    await turns(5);
    raw.resetAndDestroy();
    assertEquals(await seen.promise, "ConnectionResetError");
    await shut(server);
  });
});

Deno.test("Server.close() keeps live connections; waitClosed() waits for them (N10)", async () => {
  await run(async () => {
    const server = await startServer(async (reader, writer) => {
      writer.write(await reader.readLine());
      writer.close();
    }, { ...LOCAL, port: await freePort() });
    const { port } = server;
    const [reader, writer] = await connectTo({ port });
    writer.write("early ");
    await until(() => String(server).includes("connections=1"));
    server.close();
    server.close();
    assertFalse(server.isServing());
    assertEquals(server.sockets, []);
    await turns(2);
    await assertRejects(
      () => connectTo({ port }),
      Error,
      "refused",
    );
    let closed = false;
    const waiting = createTask(async () => {
      await server.waitClosed();
      closed = true;
    });
    await turns(5);
    assertFalse(closed);
    writer.write("bird\n");
    assertEquals(text(await reader.read()), "early bird\n");
    writer.close();
    await waiting;
    assert(closed);
  });
});

Deno.test("Server.closeClients() and abortClients() end live connections (N11)", async () => {
  await run(async () => {
    for (const method of ["closeClients", "abortClients"] as const) {
      let made = 0;
      const server = await startServer(() => void made++, LOCAL);
      const [reader, writer] = await connectTo(server);
      await until(() => made === 1);
      server[method]();
      assertEquals((await reader.read()).length, 0);
      writer.close();
      await shut(server);
    }
  });
});

Deno.test("cancelling serveForever() closes server and clients (N12)", async () => {
  await run(async () => {
    let made = 0;
    const server = await startServer(() => void made++, {
      ...LOCAL,
      startServing: false,
    });
    const task = createTask(() => server.serveForever());
    const [reader, writer] = await connectTo(server);
    await until(() => made === 1);
    await assertRejects(
      () => server.serveForever(),
      InvalidStateError,
      "another task does",
    );
    task.cancel();
    await assertRejects(() => Promise.resolve(task), CancelledError);
    assertFalse(server.isServing());
    assertEquals((await reader.read()).length, 0);
    writer.close();
    await server.waitClosed();
    assertThrows(() => server.startServing(), InvalidStateError, "closed");
  });
});

Deno.test("serveForever() ends when the server is closed", async () => {
  await run(async () => {
    const server = await startServer(() => {}, LOCAL);
    const task = createTask(() => server.serveForever());
    await turns(2);
    server.close();
    await assertRejects(() => Promise.resolve(task), CancelledError, "closed");
  });
});

Deno.test("a handler's error is reported and closes its connection (N13)", async () => {
  await run(async () => {
    const reports: unknown[] = [];
    getEventLoop().setExceptionHandler(({ error }) => reports.push(error));
    const boom = new Error("boom");
    const server = await startServer(() => {
      throw boom;
    }, LOCAL);
    const [reader, writer] = await connectTo(server);
    assertEquals((await reader.read()).length, 0);
    assertEquals(reports, [boom]);
    writer.close();
    await server[Symbol.asyncDispose]();
  });
});

Deno.test("a cancelled handler closes its connection; a returning one does not (N13)", async () => {
  await run(async () => {
    let writer: StreamWriter | undefined;
    const server = await startServer((reader, w) => {
      if (writer !== undefined) return reader.readLine().then(() => {});
      writer = w;
      return undefined;
    }, LOCAL);
    const place = { ...LOCAL, port: server.port };
    const [left, leftWriter] = await openConnection(place);
    await until(() => writer !== undefined);
    await turns(5);
    assertFalse(writer!.isClosing());
    const before = new Set((await import("@asyncio/asyncio")).allTasks());
    const [reader, readerWriter] = await openConnection(place);
    const { allTasks } = await import("@asyncio/asyncio");
    await until(() => [...allTasks()].some((each) => !before.has(each)));
    for (const each of allTasks()) if (!before.has(each)) each.cancel();
    assertEquals((await reader.read()).length, 0);
    writer!.close();
    assertEquals((await left.read()).length, 0);
    leftWriter.close();
    readerWriter.close();
    await server[Symbol.asyncDispose]();
  });
});

Deno.test("startServer() takes plain handlers and may start later (N15)", async () => {
  await run(async () => {
    const served: StreamWriter[] = [];
    const server = await startServer(
      (_reader, writer) => void served.push(writer),
      { ...LOCAL, startServing: false },
    );
    assertFalse(server.isServing());
    const [reader, writer] = await connectTo(server);
    await turns(10);
    assertEquals(served.length, 0);
    server.startServing();
    assert(server.isServing());
    await until(() => served.length === 1);
    served[0]!.close();
    assertEquals((await reader.read()).length, 0);
    writer.close();
    await server[Symbol.asyncDispose]();
  });
});

Deno.test("handlers run in a copy of the context of who started the server (J6)", async () => {
  await run(async () => {
    const name = new ContextVar<string>("name");
    name.set("starter");
    const server = await startServer((_reader, writer) => {
      writer.write(name.get());
      name.set("changed");
      writer.close();
    }, LOCAL);
    name.set("later");
    for (let i = 0; i < 2; i++) {
      const [reader, writer] = await connectTo(server);
      assertEquals(text(await reader.read()), "starter");
      writer.close();
    }
    await server[Symbol.asyncDispose]();
    assertEquals(name.get(), "later");
  });
});

Deno.test("protocol callbacks run in the loop, whoever calls back (J6)", async () => {
  await run(async () => {
    const loop = getEventLoop();
    const loops = new Set<unknown>();
    class Noting extends Recorder {
      override dataReceived(data: Uint8Array): void {
        loops.add(getEventLoop());
        super.dataReceived(data);
      }
      override eofReceived(): boolean {
        loops.add(getEventLoop());
        return super.eofReceived();
      }
      override connectionLost(error: unknown): void {
        loops.add(getEventLoop());
        super.connectionLost(error);
      }
    }
    const noting = new Noting();
    const server = await createServer(() => noting, LOCAL);
    const raw = await connectRaw(server.port);
    raw.end("hello");
    await noting.reach("lost");
    assertEquals([...loops], [loop]);
    raw.destroy();
    await shut(server);
  });
});

Deno.test("Server.sockets and port tell where it listens", async () => {
  await run(async () => {
    const server = await startServer(() => {}, {
      hostname: ["127.0.0.1", "127.0.0.2"],
    });
    const { port } = server;
    assertEquals(server.sockets, [
      { address: { transport: "tcp", hostname: "127.0.0.1", port } },
      { address: { transport: "tcp", hostname: "127.0.0.2", port } },
    ]);
    for (const hostname of ["127.0.0.1", "127.0.0.2"]) {
      const [, writer] = await openConnection({ hostname, port });
      writer.close();
    }
    await shut(server);
    assertEquals(server.port, 0);
  });
});

Deno.test("startServer() says that the address is in use", async () => {
  await run(async () => {
    const server = await startServer(() => {}, LOCAL);
    const error = await assertRejects(
      () => startServer(() => {}, { ...LOCAL, port: server.port }),
      Error,
      "in use",
    );
    assertEquals(error.name, "OSError");
    assertEquals((error as unknown as { code: string }).code, "EADDRINUSE");
    await shut(server);
  });
});

Deno.test("startServer() refuses bad arguments at the call", async () => {
  await run(async () => {
    const cases: [object, ErrorClass, string][] = [
      [{ port: -1 }, RangeError, "'port' must be an integer from 0 to 65535"],
      [{ port: 65536 }, RangeError, "received 65536"],
      [{ port: 1.5 }, RangeError, "received 1.5"],
      [{ port: "80" }, TypeError, "must be a port number"],
      [{ port: 0, path: "/x" }, TypeError, "exclude each other"],
      [{ hostname: "", port: 0 }, RangeError, "must not be empty"],
      [{ hostname: [], port: 0 }, RangeError, "at least one"],
      [{ path: "" }, RangeError, "must not be empty"],
      [{ path: "/x\0y" }, RangeError, "'path' must not contain a NUL byte"],
      [{ hostname: {} }, TypeError, "'hostname' must be a string"],
      [{ hostname: "a\0" }, RangeError, "'hostname' must not contain a NUL"],
      [{ path: "/x", tls: { cert: "", key: "" } }, SSLError, "certificates"],
      [{ limit: 0 }, RangeError, "'limit'"],
      [{ backlog: 0 }, RangeError, "'backlog'"],
      [{ noDelay: 1 }, TypeError, "'noDelay' must be a boolean"],
      [
        { quickAck: true },
        OSError,
        "neither Deno nor Node can set TCP_QUICKACK",
      ],
      [{ tls: {} }, TypeError, "must have a 'cert' and a 'key'"],
    ];
    for (const [options, Kind, message] of cases) {
      await assertRejects(() => startServer(() => {}, options), Kind, message);
    }
    await assertRejects(
      () => startServer(1 as never, {}),
      TypeError,
      "'handler' must be a function",
    );
  });
});

Deno.test("a second reader on one stream is refused", async () => {
  await run(async () => {
    const server = await startServer(() => {}, LOCAL);
    const [reader, writer] = await connectTo(server);
    const first = createTask(() => reader.read());
    await turns();
    await assertRejects(() => reader.read(), InvalidStateError);
    first.cancel();
    await first.catch(() => {});
    writer.close();
    await shut(server);
  });
});

Deno.test("a cancelled read loses no byte, over a real socket (R13, J9)", async () => {
  await run(async () => {
    const server = await startServer(async (_reader, writer) => {
      for (let i = 0; i < 50; i++) {
        writer.write(Uint8Array.of(i));
        await sleep(1);
      }
      writer.close();
    }, LOCAL);
    const [reader, writer] = await connectTo(server);
    const seen: number[] = [];
    while (!reader.atEof()) {
      try {
        await timeout(0.5, async () => seen.push(...await reader.read(3)));
      } catch (error) {
        assertEquals((error as Error).name, "TimeoutError");
      }
    }
    assertEquals(seen, Array.from({ length: 50 }, (_, i) => i));
    writer.close();
    await server[Symbol.asyncDispose]();
  });
});

Deno.test("the peer's end can be answered: half-close does not close (J8)", async () => {
  await run(async () => {
    const server = await startServer(async (reader, writer) => {
      assertEquals(text(await reader.read()), "all");
      writer.write(bytes("heard"));
      await writer.drain();
      writer.close();
    }, LOCAL);
    const raw = await connectRaw(server.port);
    raw.end("all");
    let answer = "";
    raw.setEncoding("utf8").on("data", (part) => answer += part);
    await until(() => answer === "heard");
    raw.destroy();
    await server[Symbol.asyncDispose]();
  });
});

Deno.test({
  name: "backlog is how many connections wait to be accepted",
  // Node accepts them by itself, before the server is told to.
  ignore: !("Deno" in globalThis),
  async fn() {
    await run(async () => {
      const server = await startServer(() => {}, {
        ...LOCAL,
        backlog: 1,
        startServing: false,
      });
      let connected = 0;
      const sockets = Array.from({ length: 4 }, () => {
        const socket = builtin("node:net").connect(server.port, "127.0.0.1");
        socket.on("connect", () => connected++);
        return socket;
      });
      const port = server.port.toString(16).toUpperCase().padStart(4, "0");
      const knocking = new RegExp(` 0100007F:${port} 02 `, "g");
      await until(() => {
        const table = builtin("node:fs").readFileSync("/proc/net/tcp", "utf8");
        // The system lets in one more than it is told.
        return connected === 2 && table.match(knocking)?.length === 2;
      });
      for (const socket of sockets) socket.destroy();
      await shut(server);
    });
  },
});

Deno.test("getExtraInfo() tells how a TCP socket was set up", async () => {
  await run(async () => {
    const served: unknown[] = [];
    const server = await startServer((_reader, writer) => {
      served.push(writer.getExtraInfo("noDelay"));
      served.push(writer.getExtraInfo("keepAlive"));
      writer.close();
    }, { ...LOCAL, keepAlive: true });
    const [reader, writer] = await openConnection({
      ...LOCAL,
      port: server.port,
      noDelay: false,
    });
    assertEquals(writer.getExtraInfo("noDelay"), false);
    assertEquals(writer.getExtraInfo("keepAlive"), false);
    assertEquals(writer.getExtraInfo("socket"), null);
    await reader.read();
    assertEquals(served, [true, true]);
    writer.close();
    await shut(server);
  });
});
