/**
 * Web scraping: all pages at once, with `fetch`.
 *
 * What to use where a page is all that is wanted. `cancelSignal()` ties each
 * request to its task: should one fail, the group stops the others, and their
 * connections are closed.
 *
 *     deno task example web_scraping/fetch_client
 *
 * and with `--live` for units of a second, with `--unit=20` of 20 ms, and with
 * `--port=8080` from the server that listens there. It prints
 *
 *     /1: Voilà, after 1
 *     /2: Voilà, after 2
 *     /3: Voilà, after 3
 *     /5: Voilà, after 5
 *     It took 0.52 s for units of 100 ms
 *
 * @module
 */

import { cancelSignal, run, taskGroup } from "@asyncio/asyncio";
import { getOptions, type Options } from "./_options.ts";
import { scrape, WAITS } from "./_scrape.ts";

async function show(port: number, wait: number): Promise<void> {
  const url = `http://127.0.0.1:${port}/${wait}`;
  const response = await fetch(url, { signal: cancelSignal() });
  console.log(`/${wait}: ${(await response.text()).trimEnd()}`);
}

export async function main(options: Options = {}): Promise<void> {
  await scrape(options, async (port) => {
    await taskGroup((group) => {
      for (const wait of WAITS) group.createTask(() => show(port, wait));
    });
  });
}

if (import.meta.main) await run(() => main(getOptions()));
