/**
 * Web scraping: one request after the other.
 *
 * Each page is waited for before the next one is asked for, as by a program
 * that blocks. The waits of 1, 5, 3 and 2 add up to 11.
 *
 *     deno task example web_scraping/synchronous_client
 *
 * and with `--live` for units of a second, with `--unit=20` of 20 ms, and with
 * `--port=8080` from the server that listens there. It prints
 *
 *     /1: Voilà, after 1
 *     /5: Voilà, after 5
 *     /3: Voilà, after 3
 *     /2: Voilà, after 2
 *     It took 1.12 s for units of 100 ms
 *
 * @module
 */

import { run } from "@asyncio/asyncio";
import { getOptions, type Options } from "./_options.ts";
import { scrape, WAITS } from "./_scrape.ts";

export async function main(options: Options = {}): Promise<void> {
  await scrape(options, async (port) => {
    for (const wait of WAITS) {
      const response = await fetch(`http://127.0.0.1:${port}/${wait}`);
      console.log(`/${wait}: ${(await response.text()).trimEnd()}`);
    }
  });
}

if (import.meta.main) await run(() => main(getOptions()));
