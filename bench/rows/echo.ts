import type { Transport } from "@asyncio/asyncio";
import type { Target, TimedRow } from "../types.ts";
import {
  both,
  exchanging,
  type Identity,
  LARGEST_READ,
  type Serve,
  serveByHost,
  serveByProtocol,
  serveByStreams,
  writeAll,
} from "./_servers.ts";

/** Streams, as most would write it. */
export function serveStreams(identity?: Identity): Promise<number> {
  return serveByStreams(async (reader, writer) => {
    for (;;) {
      const data = await reader.read(LARGEST_READ);
      if (data.length === 0) break;
      writer.write(data);
      await writer.drain();
    }
    writer.close();
  }, identity);
}

function serveProtocol(): Promise<number> {
  return serveByProtocol(({ Protocol }) =>
    class extends Protocol {
      #transport!: Transport;
      override connectionMade(transport: Transport): void {
        this.#transport = transport;
      }
      override dataReceived(data: Uint8Array): void {
        this.#transport.write(data);
      }
    }
  );
}

/** Reads into the same memory over and over, as the bare loop does. */
function serveInto(): Promise<number> {
  return serveByStreams(async (reader, writer) => {
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
  });
}

function serveBuffered(): Promise<number> {
  return serveByProtocol(({ BufferedProtocol }) =>
    class extends BufferedProtocol {
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
  );
}

/** A loop that reads and writes, without anything of a library. */
export function serveBare(identity?: Identity): Promise<number> {
  return serveByHost(
    async (conn) => {
      const buffer = new Uint8Array(LARGEST_READ);
      for (;;) {
        const count = await conn.read(buffer);
        if (count === null) break;
        await writeAll(conn, buffer.subarray(0, count));
      }
    },
    (socket) => (data) => socket.write(data),
    identity,
  );
}

/** A way to read, and what is asked of it. */
interface Way {
  readonly id: string;
  readonly title: string;
  readonly serve: Serve;
  /** For messages that are small. */
  readonly targets: readonly Target[];
}

const BARE: readonly Target[] = [{ peer: "bare", atLeast: 1 }];

const WAYS: readonly Way[] = [
  {
    id: "echo",
    title: "streams",
    serve: serveStreams,
    targets: [
      { peer: "bare", atLeast: 0.95 },
      { peer: "uvloop", atLeast: 1.05 },
    ],
  },
  {
    id: "echo_protocol",
    title: "protocols",
    serve: serveProtocol,
    targets: BARE,
  },
  { id: "echo_into", title: "readInto()", serve: serveInto, targets: BARE },
  {
    id: "echo_buffered",
    title: "buffered protocols",
    serve: serveBuffered,
    targets: BARE,
  },
];

function echoesBy({ id, title, serve, targets }: Way): TimedRow[] {
  const echo = (
    name: string,
    what: string,
    bytes: number,
    connections: number,
  ): TimedRow => ({
    kind: "timed",
    id: `${id}_${name}`,
    title: `echo by ${title}, ${what}`,
    size: connections === 1 ? 10 : 1000,
    // The reader of asyncio has no such method.
    python: serve !== serveInto,
    targets: connections === 1 ? BARE : targets,
    notes: { bare: "a loop over Deno.listen; on Node, node:net" },
    peers: {
      ours: exchanging(both(bytes, connections), serve),
      bare: exchanging(both(bytes, connections), serveBare),
    },
  });
  return [
    echo("64", "50 connections, 64 bytes", 64, 50),
    echo("4k", "50 connections, 4 KiB", 4096, 50),
    echo("1m", "1 connection, 1 MiB", 1 << 20, 1),
  ];
}

/** Echo: each way to read, three sizes of messages. */
export const echoes: readonly TimedRow[] = WAYS.flatMap(echoesBy);
