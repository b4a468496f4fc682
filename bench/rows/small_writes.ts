import type { ClientOptions } from "../clients.ts";
import { atLeast } from "../targets.ts";
import type { TimedRow } from "../types.ts";
import {
  exchanging,
  serveByHost,
  serveByStreams,
  writeAll,
} from "./_servers.ts";

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
    ours: exchanging(
      manyWrites,
      () =>
        serveByStreams(async (reader, writer) => {
          for (;;) {
            await reader.readExactly(QUESTION);
            for (let i = 0; i < PIECES; i++) writer.write(PIECE);
            await writer.drain();
          }
        }),
    ),
    bare: exchanging(manyWrites, () =>
      serveByHost(async (conn) => {
        const buffer = new Uint8Array(QUESTION);
        while (await conn.read(buffer) !== null) {
          for (let i = 0; i < PIECES; i++) await writeAll(conn, PIECE);
        }
      }, (socket) => () => {
        for (let i = 0; i < PIECES; i++) socket.write(PIECE);
      })),
  },
};
