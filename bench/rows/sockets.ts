import { type ClientOptions, type Command, startClients } from "../clients.ts";
import { residentBytes } from "../memory.ts";
import { atLeast } from "../targets.ts";
import type { Load, MeasuredRow, Target, TimedRow, Work } from "../types.ts";

/** The part of Deno's sockets that the peer `bare` uses; on Node it uses `node:net`. */
interface Conn {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  setNoDelay(): void;
  close(): void;
}

interface Listener extends AsyncIterable<Conn> {
  readonly addr: { readonly port: number };
}

interface Host {
  readonly Deno?: { listen(options: object): Listener };
}

const LOCAL = "127.0.0.1";
const LARGEST_READ = 65_536;

/** Listens and gives its port. */
type Serve = () => Promise<number>;

/** Exchanges messages with a server for as long as the process lives. */
function exchanging(options: ClientOptions, serve: Serve): Load<Work> {
  return async () => {
    const command = await startClients(await serve(), options);
    return (rounds, size) => command("exchange", rounds * size);
  };
}

// ── servers ────────────────────────────────────────────────────────────────

async function serveStreams(): Promise<number> {
  const { startServer } = await import("@asyncio/asyncio");
  const server = await startServer(async (reader, writer) => {
    for (;;) {
      const data = await reader.read(LARGEST_READ);
      if (data.length === 0) break;
      writer.write(data);
      await writer.drain();
    }
    writer.close();
  }, { hostname: LOCAL });
  return server.port;
}

async function serveProtocol(): Promise<number> {
  const { createServer, Protocol } = await import("@asyncio/asyncio");
  type Transport = import("@asyncio/asyncio").Transport;
  class Echo extends Protocol {
    #transport!: Transport;
    override connectionMade(transport: Transport): void {
      this.#transport = transport;
    }
    override dataReceived(data: Uint8Array): void {
      this.#transport.write(data);
    }
  }
  const server = await createServer(() => new Echo(), { hostname: LOCAL });
  return server.port;
}

/** A loop that reads and writes, without anything of a library. */
async function serveBare(): Promise<number> {
  const { Deno } = globalThis as Host;
  if (Deno === undefined) {
    return await serveNode((socket, data) => socket.write(data));
  }
  const listener = Deno.listen({ hostname: LOCAL, port: 0 });
  accept(listener, async (conn) => {
    const buffer = new Uint8Array(LARGEST_READ);
    for (;;) {
      const count = await conn.read(buffer);
      if (count === null) break;
      await writeAll(conn, buffer.subarray(0, count));
    }
  });
  return listener.addr.port;
}

async function accept(
  listener: Listener,
  serve: (conn: Conn) => Promise<void>,
): Promise<void> {
  for await (const conn of listener) {
    conn.setNoDelay();
    // It ends with the process, and its connections do so at any time.
    serve(conn).catch(() => {}).then(() => conn.close());
  }
}

async function writeAll(conn: Conn, bytes: Uint8Array): Promise<void> {
  let sent = await conn.write(bytes);
  while (sent < bytes.length) sent += await conn.write(bytes.subarray(sent));
}

type NodeSocket = import("node:net").Socket;

async function serveNode(
  onData: (socket: NodeSocket, data: Uint8Array) => void,
): Promise<number> {
  const { createServer } = await import("node:net");
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("data", (data: Uint8Array) => onData(socket, data));
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, LOCAL, resolve));
  return (server.address() as { port: number }).port;
}

// ── echo ───────────────────────────────────────────────────────────────────

function echo(
  id: string,
  title: string,
  options: ClientOptions,
  size: number,
  serve: Serve,
  targets: readonly Target[],
): TimedRow {
  return {
    kind: "timed",
    id,
    title,
    size,
    python: true,
    targets,
    notes: { bare: "a loop over Deno.listen; on Node, node:net" },
    peers: {
      ours: exchanging(options, serve),
      bare: exchanging(options, serveBare),
    },
  };
}

const STREAMS: readonly Target[] = [
  { peer: "bare", atLeast: 0.95 },
  { peer: "uvloop", atLeast: 1.05 },
];
const BARE: readonly Target[] = [{ peer: "bare", atLeast: 1 }];

function both(bytes: number, connections: number): ClientOptions {
  return { connections, send: bytes, receive: bytes };
}

/** Echo: streams and protocols, three sizes of messages. */
export const echoes: readonly TimedRow[] = [
  echo(
    "echo_64",
    "echo by streams, 50 connections, 64 bytes",
    both(64, 50),
    1000,
    serveStreams,
    STREAMS,
  ),
  echo(
    "echo_4k",
    "echo by streams, 50 connections, 4 KiB",
    both(4096, 50),
    1000,
    serveStreams,
    STREAMS,
  ),
  echo(
    "echo_1m",
    "echo by streams, 1 connection, 1 MiB",
    both(1 << 20, 1),
    10,
    serveStreams,
    BARE,
  ),
  echo(
    "echo_protocol_64",
    "echo by protocols, 50 connections, 64 bytes",
    both(64, 50),
    1000,
    serveProtocol,
    BARE,
  ),
  echo(
    "echo_protocol_4k",
    "echo by protocols, 50 connections, 4 KiB",
    both(4096, 50),
    1000,
    serveProtocol,
    BARE,
  ),
  echo(
    "echo_protocol_1m",
    "echo by protocols, 1 connection, 1 MiB",
    both(1 << 20, 1),
    10,
    serveProtocol,
    BARE,
  ),
];

// ── many small writes ──────────────────────────────────────────────────────

const PIECES = 50;
const PIECE = new Uint8Array(20).fill(98);
const QUESTION = 64;

const manyWrites: ClientOptions = {
  connections: 10,
  send: QUESTION,
  receive: PIECES * PIECE.length,
};

/** An answer that is written in 50 pieces, as one writes the headers of HTTP. */
export const smallWrites: TimedRow = {
  kind: "timed",
  id: "small_writes",
  title: "an answer of 50 pieces of 20 bytes",
  size: 100,
  python: true,
  targets: atLeast({ bare: 3 }),
  notes: { bare: "a write for each piece, as its API has it" },
  peers: {
    ours: exchanging(manyWrites, async () => {
      const { startServer } = await import("@asyncio/asyncio");
      const server = await startServer(async (reader, writer) => {
        for (;;) {
          await reader.readExactly(QUESTION);
          for (let i = 0; i < PIECES; i++) writer.write(PIECE);
          await writer.drain();
        }
      }, { hostname: LOCAL });
      return server.port;
    }),
    bare: exchanging(manyWrites, async () => {
      const { Deno } = globalThis as Host;
      if (Deno === undefined) {
        return await serveNode((socket) => {
          for (let i = 0; i < PIECES; i++) socket.write(PIECE);
        });
      }
      const listener = Deno.listen({ hostname: LOCAL, port: 0 });
      accept(listener, async (conn) => {
        const buffer = new Uint8Array(QUESTION);
        while (await conn.read(buffer) !== null) {
          for (let i = 0; i < PIECES; i++) await writeAll(conn, PIECE);
        }
      });
      return listener.addr.port;
    }),
  },
};

// ── reading in pieces ──────────────────────────────────────────────────────

type Reader = import("@asyncio/asyncio").StreamReader;

/** A client sends pieces as fast as it can, and the server reads them one by one. */
function reading(
  id: string,
  title: string,
  bytes: number,
  readOne: (reader: Reader) => Promise<Uint8Array>,
): TimedRow {
  return {
    kind: "timed",
    id,
    title,
    size: 10_000,
    python: true,
    targets: atLeast({ asyncio: 3 }),
    peers: {
      async ours() {
        const { startServer } = await import("@asyncio/asyncio");
        let left = 0;
        let done: () => void = () => {};
        const server = await startServer(async (reader) => {
          for (;;) {
            const piece = await readOne(reader);
            if (piece.length !== bytes) throw new Error(`${piece.length}`);
            if (--left === 0) done();
          }
        }, { hostname: LOCAL });
        const command: Command = await startClients(server.port, {
          connections: 1,
          send: bytes,
          receive: 0,
        });
        return async (rounds, size) => {
          left = rounds * size;
          const isRead = new Promise<void>((resolve) => done = resolve);
          await command("stream", left);
          await isRead;
        };
      },
    },
  };
}

/** Lines of 40 bytes. */
export const socketLines: TimedRow = reading(
  "socket_lines",
  "a line of 40 bytes from a socket",
  40,
  (reader) => reader.readLine(),
);

/** Frames of 16 bytes. */
export const socketFrames: TimedRow = reading(
  "socket_frames",
  "readExactly(16) from a socket",
  16,
  (reader) => reader.readExactly(16),
);

// ── memory ─────────────────────────────────────────────────────────────────

function holding(serve: Serve): MeasuredRow["peers"][string] {
  return async () => {
    const port = await serve();
    let measured: Promise<Record<string, number>> | undefined;
    const measure = async (size: number) => {
      // Each has exchanged a message, so that all that is made lazily is there.
      const one = await startClients(port, both(64, 10));
      await one("exchange", 1000);
      const before = residentBytes();
      const many = await startClients(port, both(64, size));
      await many("exchange", size);
      return { memory: (residentBytes() - before) / size };
    };
    // A second time it would reuse what the first one has left.
    return (size) => measured ??= measure(size);
  };
}

function idle(size: number): MeasuredRow {
  return {
    kind: "measured",
    id: `idle_${size}`,
    title: `${size.toLocaleString("en")} idle connections`,
    size,
    maxRounds: 3,
    python: true,
    metrics: [{ name: "memory", unit: "bytes", targets: [] }],
    notes: { ours: "resident bytes, for all peers alike" },
    peers: { ours: holding(serveStreams), bare: holding(serveBare) },
  };
}

/** What a connection holds that waits for its next message. */
export const idleConnections: readonly MeasuredRow[] = [
  idle(1000),
  idle(10_000),
];
