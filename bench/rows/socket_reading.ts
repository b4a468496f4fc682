import { type Command, startClients } from "../clients.ts";
import { atLeast } from "../targets.ts";
import type { TimedRow } from "../types.ts";
import { serveByStreams } from "./_servers.ts";

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
        let left = 0;
        let done: () => void = () => {};
        const port = await serveByStreams(async (reader) => {
          for (;;) {
            const piece = await readOne(reader);
            if (piece.length !== bytes) throw new Error(`${piece.length}`);
            if (--left === 0) done();
          }
        });
        const command: Command = await startClients(port, {
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
