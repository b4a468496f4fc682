import type { TimedRow } from "../types.ts";

const CHUNK = 65_536;

/** Lines of 40 bytes out of chunks of 64 KiB that are there already: what the reader itself costs, without a socket. */
export const readLines: TimedRow = {
  kind: "timed",
  id: "read_lines",
  title: "readLine, 40 bytes, in memory",
  size: 1638,
  python: true,
  targets: [],
  peers: {
    async ours() {
      const { run, StreamReader } = await import("@asyncio/asyncio");
      const chunk = new Uint8Array(CHUNK).fill(97);
      for (let end = 39; end < CHUNK; end += 40) chunk[end] = 10;
      return (rounds, size) =>
        run(async () => {
          const reader = new StreamReader();
          for (let round = rounds; round > 0; round--) {
            reader.feedData(chunk);
            for (let i = 0; i < size; i++) check(await reader.readLine(), 40);
            check(await reader.read(CHUNK), CHUNK - 40 * size);
          }
        });
    },
  },
};

/** Frames of 16 bytes, likewise. */
export const readFrames: TimedRow = {
  kind: "timed",
  id: "read_frames",
  title: "readExactly(16), in memory",
  size: CHUNK / 16,
  python: true,
  targets: [],
  peers: {
    async ours() {
      const { run, StreamReader } = await import("@asyncio/asyncio");
      const chunk = new Uint8Array(CHUNK).fill(97);
      return (rounds, size) =>
        run(async () => {
          const reader = new StreamReader();
          for (let round = rounds; round > 0; round--) {
            reader.feedData(chunk);
            for (let i = 0; i < size; i++) {
              check(await reader.readExactly(16), 16);
            }
          }
        });
    },
  },
};

function check(bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) {
    throw new Error(`Read ${bytes.length} bytes instead of ${length}`);
  }
}
