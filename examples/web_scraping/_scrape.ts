/**
 * What the clients of this chapter have in common: the pages they ask for, the
 * server where they are given none, and the total.
 *
 * @module
 */

import type { Options } from "./_options.ts";
import { startSimpleServer } from "./simple_server.ts";

/** The pages to get, by how many units the server waits before each. */
export const WAITS: readonly number[] = [1, 5, 3, 2];

/** Calls `getPages` with the port of a server, and tells how long it took. */
export async function scrape(
  { unit = 100, port }: Options,
  getPages: (port: number) => Promise<void>,
): Promise<void> {
  if (port === undefined) {
    await using server = await startSimpleServer({ unit });
    return await scrape({ unit, port: server.port }, getPages);
  }
  const start = performance.now();
  await getPages(port);
  const ms = performance.now() - start;
  console.log(`It took ${(ms / 1000).toFixed(2)} s for units of ${unit} ms`);
}
