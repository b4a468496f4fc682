/** TLS handshakes that fail, are given up, or never end; none leaves a socket. */
import {
  CancelledError,
  ConnectionAbortedError,
  ConnectionResetError,
  createTask,
  InvalidStateError,
  openConnection,
  run,
  sendfile,
  SSLError,
  startServer,
  type StreamWriter,
  TimeoutError,
  type TlsOptions,
} from "@asyncio/asyncio";
import { assertEquals, assertRejects } from "@std/assert";
import { CA, CERT, KEY } from "../_support/certificates.ts";
import {
  connectRaw,
  connectTo,
  deferred,
  LOCAL,
  openSockets,
  serveRaw,
  shut,
  type Socket,
  text,
  turns,
  until,
} from "../_support/net.ts";
import { TlsPeer } from "../_support/tls_peer.ts";
import { countingSignal } from "../_support/virtual.ts";

const TLS = { cert: CERT, key: KEY };
const TRUST = { caCerts: [CA], serverHostname: "localhost" };
/** Milliseconds, where the time is to run out. */
const SHORT = 30;

async function leavesNoSocket(fn: () => Promise<void>): Promise<void> {
  await run(async () => {
    const before = openSockets();
    await fn();
    await until(() => openSockets() <= before, "the end of all sockets");
  });
}

/** A server that accepts and says nothing. */
const serveSilently = () => serveRaw((socket) => socket.resume());

Deno.test("openConnection() gives up on a handshake that takes too long", async () => {
  await leavesNoSocket(async () => {
    const server = await serveSilently();
    const connecting = () =>
      openConnection({
        ...LOCAL,
        port: server.port,
        tls: { ...TRUST, handshakeTimeout: SHORT },
      });
    await assertRejects(
      connecting,
      ConnectionAbortedError,
      "Cannot secure the connection to localhost as the handshake took longer than 30 ms",
    );
    await server.close();
  });
});

Deno.test("startTls() gives up on a handshake that takes too long, on both sides", async () => {
  await leavesNoSocket(async () => {
    const failed = deferred<unknown>();
    const server = await startServer(async (_reader, writer) => {
      await writer.startTls({ ...TLS, handshakeTimeout: SHORT })
        .catch(failed.resolve);
    }, LOCAL);
    const raw = await connectRaw(server.port);
    assertEquals(
      (await failed.promise as Error).name,
      "ConnectionAbortedError",
    );
    raw.destroy();
    await shut(server);

    const silent = await serveSilently();
    const [, writer] = await connectTo(silent);
    await assertRejects(
      () => writer.startTls({ ...TRUST, handshakeTimeout: SHORT }),
      ConnectionAbortedError,
    );
    await silent.close();
  });
});

Deno.test("a server lets go of clients that do not finish the handshake", async () => {
  await leavesNoSocket(async () => {
    const server = await startServer(() => {}, {
      ...LOCAL,
      tls: { ...TLS, handshakeTimeout: SHORT },
    });
    const silent = await connectRaw(server.port);
    const ended = deferred<void>();
    silent.on("close", () => ended.resolve());
    silent.on("end", () => silent.end());
    silent.resume();
    await ended.promise;
    await shut(server);
  });
});

Deno.test("a cancelled openConnection() closes its socket in the handshake", async () => {
  await leavesNoSocket(async () => {
    let accepted = 0;
    let ended = 0;
    const server = await serveRaw((socket) => {
      accepted++;
      socket.once("close", () => ended++);
      socket.once("end", () => socket.end());
      socket.resume();
    });
    const tasks = Array.from(
      { length: 20 },
      () =>
        createTask(() =>
          openConnection({ ...LOCAL, port: server.port, tls: TRUST })
        ),
    );
    await until(() => accepted === 20, "all connections");
    for (const task of tasks) task.cancel();
    for (const task of tasks) await assertRejects(() => task, CancelledError);
    await until(() => ended === 20, "the end of all connections");
    await server.close();
  });
});

Deno.test("close() ends the handshakes of silent clients", async () => {
  await leavesNoSocket(async () => {
    const server = await startServer(() => {}, { ...LOCAL, tls: TLS });
    const raws = await Promise.all(
      Array.from({ length: 5 }, () => connectRaw(server.port)),
    );
    await turns(10);
    server.close();
    server.abortClients();
    await server.waitClosed();
    let closed = 0;
    for (const raw of raws) {
      raw.on("close", () => closed++);
      raw.on("end", () => raw.end());
      raw.resume();
    }
    await until(() => closed === raws.length, "the end of all clients");
  });
});

/** A server's writer towards a client that has shaken hands and reads no more. */
function withUnreadingPeer(
  tls: TlsOptions,
  body: (writer: StreamWriter) => Promise<void>,
): Promise<void> {
  return leavesNoSocket(async () => {
    const accepted = deferred<StreamWriter>();
    const server = await startServer((_reader, writer) => {
      accepted.resolve(writer);
    }, { ...LOCAL, tls });
    const peer = new TlsPeer(await connectRaw(server.port), "client");
    await peer.ready;
    peer.stopReading();
    await body(await accepted.promise);
    peer.raw.destroy();
    await shut(server);
  });
}

Deno.test("abort() closes the socket of a TLS peer that does not read", async () => {
  await withUnreadingPeer(TLS, async (writer) => {
    const before = openSockets();
    writer.write(new Uint8Array(50_000_000));
    await turns(20);
    writer.transport.abort();
    await assertRejects(async () => {
      await writer.drain();
      await writer.drain();
    });
    await until(() => openSockets() < before, "the end of the socket");
  });
});

Deno.test("close() does not wait for the peer's goodbye beyond 'shutdownTimeout'", async () => {
  await withUnreadingPeer(
    { ...TLS, shutdownTimeout: SHORT },
    async (writer) => {
      writer.close();
      await assertRejects(
        () => writer.waitClosed(),
        TimeoutError,
        "Cannot close the connection as the peer did not say goodbye within 30 ms",
      );
    },
  );
});

Deno.test("abort() cuts the goodbye of close() short", async () => {
  await withUnreadingPeer(TLS, async (writer) => {
    writer.close();
    await turns(3);
    writer.transport.abort();
    await writer.waitClosed();
  });
});

Deno.test("abortClients() ends the handshakes of startTls()", async () => {
  await leavesNoSocket(async () => {
    const failed = deferred<Error>();
    const begun = deferred<void>();
    const server = await startServer(async (_reader, writer) => {
      begun.resolve();
      await writer.startTls(TLS).catch(failed.resolve);
    }, LOCAL);
    const raw = await connectRaw(server.port);
    await begun.promise;
    await turns(5);
    await shut(server);
    const error = await failed.promise;
    assertEquals(error.name, "ConnectionAbortedError");
    raw.destroy();
  });
});

Deno.test("closeClients() and abortClients() reach what startTls() has encrypted", async () => {
  await leavesNoSocket(async () => {
    for (const how of ["closeClients", "abortClients"] as const) {
      const encrypted = deferred<void>();
      // deno-lint-ignore no-await-in-loop -- one server after the other
      const server = await startServer(async (_reader, writer) => {
        await writer.startTls(TLS);
        encrypted.resolve();
      }, LOCAL);
      // deno-lint-ignore no-await-in-loop -- as above
      const peer = new TlsPeer(await connectRaw(server.port), "client");
      peer.tls.on("end", () => setTimeout(() => peer.end("close notify")));
      // deno-lint-ignore no-await-in-loop -- as above
      await encrypted.promise;
      server.close();
      server[how]();
      // deno-lint-ignore no-await-in-loop -- as above
      await server.waitClosed();
      peer.raw.destroy();
    }
  });
});

/** What `writer.startTls()` of a server makes of what a client sends. */
async function startTlsWith(
  send: (port: number) => Promise<{ destroy(): void }>,
): Promise<Error> {
  const failed = deferred<Error>();
  const server = await startServer(async (reader, writer) => {
    await reader.readLine();
    await writer.startTls(TLS).catch(failed.resolve);
  }, LOCAL);
  const raw = await send(server.port);
  const error = await failed.promise;
  server.close();
  await server.waitClosed();
  raw.destroy();
  return error;
}

Deno.test("startTls() of a server fails at once when the client hangs up", async () => {
  await leavesNoSocket(async () => {
    const error = await startTlsWith(async (port) =>
      (await connectRaw(port)).end("STARTTLS\n")
    );
    assertEquals(error instanceof ConnectionResetError, true, String(error));
  });
});

Deno.test("startTls() of a server survives what is no TLS, read along with the line", async () => {
  await leavesNoSocket(async () => {
    const error = await startTlsWith(async (port) => {
      const raw = await connectRaw(port);
      raw.write("STARTTLS\nno TLS at all\n");
      return raw;
    });
    assertEquals(error instanceof SSLError, true, String(error));
  });
});

/** The first bytes of a client's handshake. */
async function helloOfClient(): Promise<Uint8Array> {
  const hello = deferred<Uint8Array>();
  const server = await serveRaw((raw) => raw.once("data", hello.resolve));
  const task = createTask(() =>
    openConnection({ ...LOCAL, port: server.port, tls: TRUST })
  );
  const bytes = new Uint8Array(await hello.promise);
  task.cancel();
  await assertRejects(() => task, CancelledError);
  await server.close();
  return bytes;
}

Deno.test("no bytes of a client end the program, in a handshake or after it", async () => {
  await leavesNoSocket(async () => {
    const hello = await helloOfClient();
    const server = await startServer(async (reader, writer) => {
      await reader.read().catch(() => {});
      writer.transport.abort();
    }, { ...LOCAL, tls: TLS });
    const spoilt = [0, 1, 3, 4, 5, 9, 43, 44, hello.length - 1].map((place) => {
      const bytes = hello.slice();
      bytes[place]! ^= 0x5a;
      return bytes;
    });
    const cut = [1, 5, 6, hello.length - 1].map((end) => hello.slice(0, end));
    const more = [
      Uint8Array.of(...hello, ...hello),
      Uint8Array.of(21, 3, 3, 0, 2, 2, 40),
    ];
    for (const bytes of [...spoilt, ...cut, ...more]) {
      // deno-lint-ignore no-await-in-loop -- one client after the other
      const raw = await connectRaw(server.port);
      raw.resume();
      raw.end(bytes);
      // deno-lint-ignore no-await-in-loop -- as above
      await new Promise((resolve) => raw.once("close", resolve));
    }
    const [, writer] = await openConnection({
      ...LOCAL,
      port: server.port,
      tls: TRUST,
    });
    writer.close();
    await writer.waitClosed();
    await shut(server);
  });
});

Deno.test("a paused reader holds up a TLS peer", async () => {
  await run(async () => {
    let sent = 0;
    const server = await startServer(async (_reader, writer) => {
      // So much fits into no buffers of the system.
      for (; sent < 64; sent++) {
        writer.write(new Uint8Array(1_000_000));
        try {
          await writer.drain();
        } catch {
          return;
        }
      }
    }, { ...LOCAL, tls: TLS });
    const [reader, writer] = await openConnection({
      ...LOCAL,
      port: server.port,
      tls: TRUST,
    });
    await until(() => reader.statistics().isPaused, "a pause");
    let before = -1;
    while (sent > before) {
      before = sent;
      await turns(50);
    }
    assertEquals(sent < 64, true, `${sent} MB`);
    assertEquals((await reader.readExactly(30_000_000)).length, 30_000_000);
    writer.transport.abort();
    await shut(server);
  });
});

Deno.test("a startTls() that is cancelled hands its cancellation to nobody else", async () => {
  await leavesNoSocket(async () => {
    const server = await serveSilently();
    const [reader, writer] = await connectTo(server);
    const securing = createTask(() => writer.startTls(TRUST));
    await turns();
    securing.cancel();
    await assertRejects(() => securing, CancelledError);
    assertEquals((await reader.read()).length, 0);
    await assertRejects(() => writer.drain(), ConnectionResetError);
    writer.close();
    await writer.waitClosed();
    await server.close();
  });
});

Deno.test("an aborted signal ends startTls() with its reason, and closes the connection", async () => {
  await leavesNoSocket(async () => {
    const server = await serveSilently();
    const [reader, writer] = await connectTo(server);
    const { signal, abort, listeners } = countingSignal();
    const reason = new Error("out of patience");
    const securing = createTask(() => writer.startTls({ ...TRUST, signal }));
    await turns();
    abort(reason);
    assertEquals(await assertRejects(() => securing), reason);
    assertEquals(listeners(), 0);
    // Nobody else is told the reason.
    assertEquals((await reader.read()).length, 0);
    await assertRejects(() => writer.drain(), ConnectionResetError);
    writer.close();
    await writer.waitClosed();
    await server.close();
  });
});

Deno.test("startTls() that is refused or aborted before leaves the connection and what came", async () => {
  await leavesNoSocket(async () => {
    const peers: Socket[] = [];
    const server = await serveRaw((socket) => {
      peers.push(socket);
      socket.resume();
      socket.write("early");
    });
    const [reader, writer] = await connectTo(server);
    await until(() => reader.statistics().size === 5, "what came early");
    const reason = new Error("not at all");
    const error = await assertRejects(() =>
      writer.startTls({ ...TRUST, signal: AbortSignal.abort(reason) })
    );
    assertEquals(error, reason);
    await assertRejects(
      () => writer.startTls({ ...TRUST, handshakeTimeout: NaN }),
      RangeError,
    );
    assertEquals(text(await reader.readExactly(5)), "early");
    writer.write("and on");
    await writer.drain();
    peers[0]!.write("too");
    assertEquals(text(await reader.readExactly(3)), "too");
    writer.close();
    await writer.waitClosed();
    await server.close();
  });
});

Deno.test("an aborted signal ends startTls() before the handshake, and the connection goes on", async () => {
  await leavesNoSocket(async () => {
    let received = 0;
    const peers: Socket[] = [];
    const server = await serveRaw((socket) => {
      peers.push(socket);
    });
    const [, writer] = await connectTo(server);
    const size = 32_000_000;
    writer.write(new Uint8Array(size));
    const controller = new AbortController();
    const { signal } = controller;
    const securing = createTask(() => writer.startTls({ ...TRUST, signal }));
    await turns();
    const reason = new Error("out of patience");
    controller.abort(reason);
    assertEquals(await assertRejects(() => securing), reason);
    await until(() => peers.length === 1, "the peer");
    peers[0]!.on("data", (chunk: Uint8Array) => received += chunk.length);
    writer.write("!");
    await writer.drain();
    await until(() => received === size + 1, "all bytes");
    writer.close();
    await writer.waitClosed();
    await server.close();
  });
});

Deno.test("startTls() is refused while a file is sent, and leaves what came", async () => {
  await leavesNoSocket(async () => {
    const server = await serveRaw((socket) => socket.write("early"));
    const [reader, writer] = await connectTo(server);
    await until(() => reader.statistics().size === 5, "what came early");
    const endless = {
      read: (buffer: Uint8Array) => Promise.resolve(buffer.length),
    };
    const sending = createTask(() => sendfile(writer.transport, endless));
    await turns();
    await assertRejects(
      () => writer.startTls(TRUST),
      InvalidStateError,
      "Cannot start TLS as a file is being sent",
    );
    sending.cancel();
    await assertRejects(() => sending, CancelledError);
    assertEquals(text(await reader.readExactly(5)), "early");
    writer.transport.abort();
    await server.close();
  });
});
