/**
 * Web scraping: asynchronous pages, and yet one after the other.
 *
 * `getPage` blocks nobody, but each call is awaited before the next: the waits
 * of 1, 5, 3 and 2 still add up to 11. To be asynchronous is not enough.
 *
 *     deno task example web_scraping/client_blocking
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
import { getPage } from "./async_page.ts";

export async function main(options: Options = {}): Promise<void> {
  await scrape(options, async (port) => {
    for (const wait of WAITS) {
      const { text } = await getPage(port, `/${wait}`);
      console.log(`/${wait}: ${text.trimEnd()}`);
    }
  });
}

if (import.meta.main) await run(() => main(getOptions()));
