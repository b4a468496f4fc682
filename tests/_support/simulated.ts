/** Hosts of simulations. */
import { type Simulation, startServer } from "@asyncio/asyncio";

/** Where the hosts of these listen. */
export const PLACE = { hostname: "db", port: 5432 };

/** A host that gives each line back. */
export function addEcho(sim: Simulation): void {
  sim.host(PLACE.hostname, async () => {
    const server = await startServer(async (reader, writer) => {
      for await (const line of reader) writer.write(line);
      writer.close();
    }, { port: PLACE.port });
    await server.serveForever();
  });
}
