import type { ClientOptions } from "../clients.ts";
import type { Target, TimedRow } from "../types.ts";
import {
  accept,
  exchanging,
  type Host,
  LARGEST_READ,
  LOCAL,
  type Serve,
  serveNode,
  writeAll,
} from "./_servers.ts";

/** Streams, as most would write it. */
export async function serveStreams(): Promise<number> {
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

async function serveBuffered(): Promise<number> {
  const { BufferedProtocol, createServer } = await import("@asyncio/asyncio");
  type Transport = import("@asyncio/asyncio").Transport;
  class Echo extends BufferedProtocol {
    readonly #buffer = new Uint8Array(LARGEST_READ);
    #transport!: Transport;
    override connectionMade(transport: Transport): void {
      transport.setWriteBufferLimits({ high: 0 });
      this.#transport = transport;
    }
    override getBuffer(): Uint8Array {
      return this.#buffer;
    }
    override bufferUpdated(count: number): void {
      this.#transport.write(this.#buffer.subarray(0, count));
    }
    // The buffer is free for more when the system has what was in it.
    override pauseWriting(): void {
      this.#transport.pauseReading();
    }
    override resumeWriting(): void {
      this.#transport.resumeReading();
    }
  }
  const server = await createServer(() => new Echo(), { hostname: LOCAL });
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

/** Reads into the same memory over and over, as the bare loop does. */
async function serveInto(): Promise<number> {
  const { startServer } = await import("@asyncio/asyncio");
  const server = await startServer(async (reader, writer) => {
    const buffer = new Uint8Array(LARGEST_READ);
    // The buffer is free for the next read when the system has what was in it.
    writer.transport.setWriteBufferLimits({ high: 0 });
    for (;;) {
      const count = await reader.readInto(buffer);
      if (count === null) break;
      writer.write(buffer.subarray(0, count));
      await writer.drain();
    }
    writer.close();
  }, { hostname: LOCAL });
  return server.port;
}

/** A loop that reads and writes, without anything of a library. */
export async function serveBare(): Promise<number> {
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
    // The reader of asyncio has no such method.
    python: serve !== serveInto,
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

/** An echo of so many bytes. */
export function both(bytes: number, connections: number): ClientOptions {
  return { connections, send: bytes, receive: bytes };
}

/** Echo: each way to read, three sizes of messages. */
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
  echo(
    "echo_into_64",
    "echo by readInto(), 50 connections, 64 bytes",
    both(64, 50),
    1000,
    serveInto,
    BARE,
  ),
  echo(
    "echo_into_4k",
    "echo by readInto(), 50 connections, 4 KiB",
    both(4096, 50),
    1000,
    serveInto,
    BARE,
  ),
  echo(
    "echo_into_1m",
    "echo by readInto(), 1 connection, 1 MiB",
    both(1 << 20, 1),
    10,
    serveInto,
    BARE,
  ),
  echo(
    "echo_buffered_64",
    "echo by buffered protocols, 50 connections, 64 bytes",
    both(64, 50),
    1000,
    serveBuffered,
    BARE,
  ),
  echo(
    "echo_buffered_4k",
    "echo by buffered protocols, 50 connections, 4 KiB",
    both(4096, 50),
    1000,
    serveBuffered,
    BARE,
  ),
  echo(
    "echo_buffered_1m",
    "echo by buffered protocols, 1 connection, 1 MiB",
    both(1 << 20, 1),
    10,
    serveBuffered,
    BARE,
  ),
];
