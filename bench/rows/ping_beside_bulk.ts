import { startClients } from "../clients.ts";
import { nanosecondsEach } from "../memory.ts";
import { atLeast } from "../targets.ts";
import type { Load, MeasuredRow, Measurement } from "../types.ts";
import { both, type Serve } from "./_servers.ts";
import { serveBare, serveStreams } from "./echo.ts";

const PINGERS = 100;
/** What the bulk sender sends before it looks whether all pings are back. */
const MEGABYTES = 20;

function pinging(serve: Serve): Load<Measurement> {
  return async () => {
    const port = await serve();
    const bulk = await startClients(port, both(1 << 20, 1));
    const pings = await startClients(port, both(64, PINGERS));
    return async (size) => {
      let areBack = false;
      const sending = (async () => {
        while (!areBack) await bulk("exchange", MEGABYTES);
      })();
      const start = performance.now();
      await pings("exchange", size);
      const each = nanosecondsEach(start, size);
      areBack = true;
      await sending;
      return { "round trip": each * PINGERS };
    };
  };
}

/** How long a small message takes while another connection sends as fast as it can. */
export const pingBesideBulk: MeasuredRow = {
  kind: "measured",
  id: "ping_beside_bulk",
  title: "a ping of 64 bytes, 100 connections, while another echoes megabytes",
  size: 20_000,
  python: true,
  metrics: [{
    name: "round trip",
    unit: "ns",
    targets: atLeast({ bare: 0.8, asyncio: 1 }),
  }],
  notes: {
    ours: "the mean; one megabyte after the other",
    bare: "Deno.listen; on Node, node:net",
  },
  peers: { ours: pinging(serveStreams), bare: pinging(serveBare) },
};
