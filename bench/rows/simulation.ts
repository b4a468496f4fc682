import type { TimedRow } from "../types.ts";

const LINES_A_SECOND = 10;

/** Seconds of two simulated hosts, one of which asks the other ten times in each. */
export const simulation: TimedRow = {
  kind: "timed",
  id: "simulation",
  title: "a simulated second of two hosts, ten lines there and back",
  size: 100,
  python: false,
  // A thousand simulated seconds in one.
  targets: [{ peer: "ours", below: 1_000_000 }],
  peers: {
    async ours() {
      const { openConnection, simulate, sleep, startServer } = await import(
        "@asyncio/asyncio"
      );
      return (rounds, size) =>
        simulate(async (sim) => {
          sim.host("echo", async () => {
            const server = await startServer(async (reader, writer) => {
              for await (const line of reader) writer.write(line);
              writer.close();
            }, { port: 7 });
            await server.serveForever();
          });
          const [reader, writer] = await openConnection({
            hostname: "echo",
            port: 7,
          });
          const count = rounds * size * LINES_A_SECOND;
          for (let i = 0; i < count; i++) {
            writer.write("hello\n");
            const { length } = await reader.readLine();
            if (length !== 6) throw new Error(`${length} bytes came back`);
            await sleep(1000 / LINES_A_SECOND);
          }
          writer.close();
        });
    },
  },
};
