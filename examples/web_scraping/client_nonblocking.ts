/**
 * Web scraping: all pages at once.
 *
 * The calls of `getPage` are gathered: each is a task, and the whole takes as
 * long as the longest of the waits of 1, 5, 3 and 2.
 *
 *     deno task example web_scraping/client_nonblocking
 *
 * and with `--live` for units of a second, with `--unit=20` of 20 ms, and with
 * `--port=8080` from the server that listens there. It prints
 *
 *     /1: Voilà, after 1
 *     /2: Voilà, after 2
 *     /3: Voilà, after 3
 *     /5: Voilà, after 5
 *     It took 0.51 s for units of 100 ms
 *
 * @module
 */

import { gather, run } from "@asyncio/asyncio";
import { getOptions, type Options } from "./_options.ts";
import { scrape, WAITS } from "./_scrape.ts";
import { getPage } from "./async_page.ts";

async function show(port: number, wait: number): Promise<void> {
  const { text } = await getPage(port, `/${wait}`);
  console.log(`/${wait}: ${text.trimEnd()}`);
}

export async function main(options: Options = {}): Promise<void> {
  await scrape(options, async (port) => {
    await gather(WAITS.map((wait) => () => show(port, wait)));
  });
}

if (import.meta.main) await run(() => main(getOptions()));
