import {
  ConnectionError,
  ConnectionRefusedError,
  createConnection,
  createTask,
  FileNotFoundError,
  gather,
  getaddrinfo,
  getRunningLoop,
  IncompleteReadError,
  LimitOverrunError,
  openConnection,
  openDatagram,
  OSError,
  Protocol,
  run,
  sendfile,
  SSLError,
  startServer,
  StreamReader,
  type StreamWriter,
  timeout,
} from "@asyncio/asyncio";
import {
  assertEquals,
  assertFalse,
  assertMatch,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import {
  assertNamesCaller,
  type Failure,
  whileWaiting,
} from "./_support/callers.ts";
import { CA, CERT, KEY } from "./_support/certificates.ts";
import {
  connectTo,
  LOCAL,
  serveRaw,
  serveResetting,
  shut,
  until,
} from "./_support/net.ts";
import { needs } from "./_support/runtimes.ts";
import { CALLER_FRAMES } from "../platform/limits.ts";

const isDeno = "Deno" in globalThis;

/** A connection whose peer drops it as soon as something arrives. */
async function openDropped(
  onEnd: (close: () => unknown) => void,
): Promise<[StreamReader, StreamWriter]> {
  const server = await serveResetting();
  onEnd(() => server.close());
  const [reader, writer] = await connectTo(server);
  onEnd(() => writer.close());
  return [reader, writer];
}

const READS: readonly Failure[] = [
  {
    what: "readExactly() that waits",
    error: IncompleteReadError,
    message: /^Cannot read 4 bytes/,
    prepare() {
      const reader = new StreamReader();
      return whileWaiting(() => reader.feedEof(), () => reader.readExactly(4));
    },
  },
  {
    what: "readExactly() at the end",
    error: IncompleteReadError,
    message: /^Cannot read 4 bytes/,
    prepare() {
      const reader = new StreamReader();
      reader.feedEof();
      return () => reader.readExactly(4);
    },
  },
  {
    what: "readUntil() that waits",
    error: IncompleteReadError,
    message: /2 bytes/,
    prepare() {
      const reader = new StreamReader();
      return whileWaiting(() => {
        reader.feedData(new Uint8Array(2));
        reader.feedEof();
      }, () => reader.readUntil("\n"));
    },
  },
  {
    what: "readLine() over the limit",
    error: LimitOverrunError,
    message: /within 4 bytes/,
    prepare() {
      const reader = new StreamReader({ limit: 4 });
      return whileWaiting(
        () => reader.feedData(new Uint8Array(5)),
        () => reader.readLine(),
      );
    },
  },
  {
    what: "for await over long lines",
    error: LimitOverrunError,
    message: /within 4 bytes/,
    prepare() {
      const reader = new StreamReader({ limit: 4 });
      return whileWaiting(
        () => reader.feedData(new Uint8Array(5)),
        async () => {
          for await (const _line of reader);
        },
      );
    },
  },
  {
    what: "a read in a timeout",
    error: IncompleteReadError,
    message: /^Cannot read 4 bytes/,
    prepare() {
      const reader = new StreamReader();
      return whileWaiting(
        () => reader.feedEof(),
        () => timeout(1000, () => reader.readExactly(4)),
      );
    },
  },
  {
    what: "a read that is reset",
    error: ConnectionError,
    message: /ECONNRESET/,
    async prepare(onEnd) {
      const [reader, writer] = await openDropped(onEnd);
      writer.write("x");
      return () => reader.readLine();
    },
  },
  {
    what: "a read after a reset",
    error: ConnectionError,
    message: /ECONNRESET/,
    async prepare(onEnd) {
      const [reader, writer] = await openDropped(onEnd);
      writer.write("x");
      await until(() => reader.exception() !== null);
      return () => reader.readLine();
    },
  },
];

const WRITES: readonly Failure[] = [
  {
    what: "drain() that waits",
    error: ConnectionError,
    message: /ECONNRESET|EPIPE/,
    async prepare(onEnd) {
      const [, writer] = await openDropped(onEnd);
      const { transport } = writer;
      transport.setWriteBufferLimits({ high: 0, low: 0 });
      writer.write(new Uint8Array(50_000_000));
      return () => writer.drain();
    },
  },
  {
    what: "drain() after a loss",
    error: ConnectionError,
    message: /ECONNRESET/,
    async prepare(onEnd) {
      const [reader, writer] = await openDropped(onEnd);
      writer.write("x");
      await until(() => reader.exception() !== null);
      return () => writer.drain();
    },
  },
  {
    what: "waitClosed() that waits",
    error: ConnectionError,
    message: /ECONNRESET/,
    async prepare(onEnd) {
      const [, writer] = await openDropped(onEnd);
      writer.write("x");
      return () => writer.waitClosed();
    },
  },
  {
    what: "drain() after abort()",
    error: ConnectionError,
    message: /the connection is lost/,
    async prepare(onEnd) {
      const [, writer] = await openDropped(onEnd);
      writer.transport.abort();
      return () => writer.drain();
    },
  },
  {
    what: "sendfile() of no file",
    error: FileNotFoundError,
    message: /ENOENT/,
    async prepare(onEnd) {
      const [, { transport }] = await openDropped(onEnd);
      return () => sendfile(transport, "/no/such/file");
    },
  },
];

const CONNECTS: readonly Failure[] = [
  {
    what: "openConnection() that is refused",
    error: ConnectionRefusedError,
    message: /^Cannot connect to 127.0.0.1 port 1 as .*ECONNREFUSED/,
    prepare: () => () => openConnection({ ...LOCAL, port: 1 }),
  },
  {
    what: "createConnection() that is refused",
    error: ConnectionRefusedError,
    message: /ECONNREFUSED/,
    prepare: () => () =>
      createConnection(() => new Protocol(), { ...LOCAL, port: 1 }),
  },
  {
    what: "openConnection() to all addresses of a name",
    error: ConnectionRefusedError,
    message: /ECONNREFUSED/,
    prepare: () => () =>
      openConnection({ hostname: "localhost", port: 1, family: 4 }),
  },
  {
    what: "openConnection() to no socket",
    error: FileNotFoundError,
    message: /ENOENT/,
    prepare: () => () => openConnection({ path: "/no/such/socket" }),
  },
  {
    what: "openConnection() to a name that is not known",
    error: OSError,
    message: /no-such-name\.invalid/,
    prepare: () => () =>
      openConnection({ hostname: "no-such-name.invalid", port: 80 }),
  },
  {
    what: "getaddrinfo()",
    error: OSError,
    message: /no-such-name\.invalid/,
    prepare: () => () => getaddrinfo("no-such-name.invalid"),
  },
  {
    what: "startServer() on a port in use",
    error: OSError,
    message: /EADDRINUSE/,
    async prepare(onEnd) {
      const server = await startServer(() => {}, LOCAL);
      onEnd(() => shut(server));
      return () => startServer(() => {}, { ...LOCAL, port: server.port });
    },
  },
  {
    what: "openDatagram() on a port in use",
    error: OSError,
    message: /EADDRINUSE/,
    async prepare(onEnd) {
      const socket = await openDatagram({ localAddr: LOCAL });
      onEnd(() => socket.close());
      const { port } = socket.address;
      return () => openDatagram({ localAddr: { ...LOCAL, port } });
    },
  },
  {
    what: "receive() where the peer does not listen",
    error: ConnectionRefusedError,
    message: /ECONNREFUSED/,
    ignore: isDeno,
    // Deno has no connected datagrams, and so is not told.
    async prepare(onEnd) {
      const closed = await openDatagram({ localAddr: LOCAL });
      const { port } = closed.address;
      closed.close();
      const socket = await openDatagram({ remoteAddr: { ...LOCAL, port } });
      onEnd(() => socket.close());
      socket.send(new Uint8Array(1));
      return () => socket.receive();
    },
  },
  {
    what: "openConnection() with TLS to another name",
    error: SSLError,
    message: /ERR_TLS/,
    async prepare(onEnd) {
      const tls = { cert: CERT, key: KEY };
      const server = await startServer(() => {}, { ...LOCAL, tls });
      onEnd(() => shut(server));
      return () =>
        openConnection({
          ...LOCAL,
          port: server.port,
          tls: { caCerts: [CA], serverHostname: "no.such.test" },
        });
    },
  },
  {
    what: "startTls() with a peer that does not know it",
    error: OSError,
    message: /^Cannot secure/,
    async prepare(onEnd) {
      const server = await serveRaw((socket) => {
        socket.once("data", () => socket.end("this is no handshake"));
      });
      onEnd(() => server.close());
      const [, writer] = await connectTo(server);
      onEnd(() => writer.close());
      return () =>
        writer.startTls({ caCerts: [CA], serverHostname: "no.such.test" });
    },
  },
];

for (const failure of [...READS, ...WRITES, ...CONNECTS]) {
  Deno.test(`the stack of ${failure.what} names who awaited it`, {
    ...needs(CALLER_FRAMES, failure.ignore),
  }, () => assertNamesCaller(failure));
}

/** The errors of reads, one after the other, each by another function. */
async function errorsOfReads(reader: StreamReader): Promise<[Error, Error]> {
  async function firstRead() {
    await reader.readLine();
  }
  async function secondRead() {
    await reader.readLine();
  }
  const errors: unknown[] = [];
  await firstRead().catch((error) => errors.push(error));
  await secondRead().catch((error) => errors.push(error));
  return errors as [Error, Error];
}

Deno.test(
  "a connection's error is one, and names who had it first",
  needs(CALLER_FRAMES),
  async () => {
    await run(async () => {
      const ends: (() => unknown)[] = [];
      const [reader, writer] = await openDropped((end) => ends.push(end));
      writer.write("x");
      const [first, second] = await errorsOfReads(reader);
      assertStrictEquals(first, second);
      assertStringIncludes(first.stack!, "firstRead");
      assertFalse(second.stack!.includes("secondRead"));
      for (const end of ends) await end();
    });
  },
);

Deno.test("an error that a user gave a reader is thrown as it is", async () => {
  await run(async () => {
    const reader = new StreamReader();
    const error = Object.freeze(new Error("mine"));
    const { stack } = error;
    getRunningLoop().callSoon(() => reader.setException(error));
    for (const each of await errorsOfReads(reader)) {
      assertStrictEquals(each, error);
    }
    assertEquals(error.stack, stack);
  });
});

Deno.test("what an open file of a user throws is thrown as it is", async () => {
  await run(async () => {
    const ends: (() => unknown)[] = [];
    const [, { transport }] = await openDropped((end) => ends.push(end));
    const error = new Error("mine");
    const { stack } = error;
    const file = { read: () => Promise.reject(error) };
    const thrown = await sendfile(transport, file).catch((each) => each);
    assertStrictEquals(thrown, error);
    assertEquals(error.stack, stack);
    for (const end of ends) await end();
  });
});

Deno.test(
  "an error that several wait for names the first, in their order",
  needs(CALLER_FRAMES),
  async () => {
    const order: string[] = [];
    async function left(writer: StreamWriter) {
      await writer.drain().finally(() => order.push("left"));
    }
    async function right(writer: StreamWriter) {
      await writer.drain().finally(() => order.push("right"));
    }
    await run(async () => {
      const ends: (() => unknown)[] = [];
      const [, writer] = await openDropped((end) => ends.push(end));
      writer.transport.setWriteBufferLimits({ high: 0, low: 0 });
      writer.write(new Uint8Array(50_000_000));
      const tasks = [
        createTask(() => left(writer)),
        createTask(() => right(writer)),
      ];
      const [one, other] = await gather(tasks, {
        returnExceptions: true,
      }) as unknown as [Error, Error];
      assertStrictEquals(one, other);
      assertMatch(one.stack!, /at async left/);
      assertFalse(one.stack!.includes("right"));
      assertEquals(order, ["left", "right"]);
      for (const end of ends) await end();
    });
  },
);
