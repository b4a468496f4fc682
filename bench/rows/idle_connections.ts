import { startClients } from "../clients.ts";
import { residentBytes } from "../memory.ts";
import type { MeasuredRow } from "../types.ts";
import { both, type Serve } from "./_servers.ts";
import { serveBare, serveStreams } from "./echo.ts";

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
