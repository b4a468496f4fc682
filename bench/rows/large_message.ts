import type { ClientOptions } from "../clients.ts";
import { atLeast } from "../targets.ts";
import type { TimedRow } from "../types.ts";
import {
  exchanging,
  serveByHost,
  serveByStreams,
  writeAll,
} from "./_servers.ts";

const LARGE = 1 << 20;
const ANSWER = new Uint8Array([1]);
const largeMessages: ClientOptions = {
  connections: 1,
  send: LARGE,
  receive: ANSWER.length,
};

/** A message of a megabyte in one piece, which is answered with a byte. */
export const exactly1m: TimedRow = {
  kind: "timed",
  id: "exactly_1m",
  title: "readExactly(1 MiB) from a socket",
  size: 10,
  python: true,
  targets: atLeast({ bare: 0.95 }),
  notes: { bare: "reads all of them into the same megabyte" },
  peers: {
    ours: exchanging(
      largeMessages,
      () =>
        serveByStreams(async (reader, writer) => {
          for (;;) {
            const { length } = await reader.readExactly(LARGE);
            if (length !== LARGE) throw new Error(`${length}`);
            writer.write(ANSWER);
          }
        }),
    ),
    bare: exchanging(largeMessages, () =>
      serveByHost(async (conn) => {
        const buffer = new Uint8Array(LARGE);
        for (;;) {
          let filled = 0;
          while (filled < LARGE) {
            const count = await conn.read(buffer.subarray(filled));
            if (count === null) return;
            filled += count;
          }
          await writeAll(conn, ANSWER);
        }
      }, (socket) => {
        let left = LARGE;
        return (data) => {
          left -= data.length;
          if (left > 0) return;
          left = LARGE;
          socket.write(ANSWER);
        };
      })),
  },
};
