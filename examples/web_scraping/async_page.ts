/**
 * Web scraping: a page over a bare connection.
 *
 * HTTP by hand: a request is written, then the status and the headers are read
 * line by line, and the rest is the page, in the charset that the
 * `Content-Type` names.
 *
 *     deno task example web_scraping/async_page
 *     deno task example web_scraping/async_page --port=8080    of that server
 *
 * prints
 *
 *     200 OK, in utf-8: "Voilà, after 0"
 *     200 OK, in latin1: "Voilà, after 0"
 *     404 Not Found, in utf-8: "Ask for GET /3"
 *     It took 0.02 s for units of 100 ms
 *
 * @module
 */

import { openConnection, run, type StreamReader } from "@asyncio/asyncio";
import { getOptions, type Options } from "./_options.ts";
import { scrape } from "./_scrape.ts";

/** What a server answered. */
export interface Page {
  /** For example `200 OK`. */
  readonly status: string;
  readonly headers: Headers;
  /** As the server names it; `utf-8` if it names none. */
  readonly charset: string;
  readonly text: string;
}

async function readTextLine(reader: StreamReader): Promise<string> {
  return new TextDecoder("latin1").decode(await reader.readLine()).trimEnd();
}

async function readPage(reader: StreamReader): Promise<Page> {
  const [, status] = (await readTextLine(reader)).match(/^HTTP\/\S+ (.*)$/) ??
    [];
  if (status === undefined) throw new Error("The server does not speak HTTP");
  const headers = new Headers();
  for (let line; (line = await readTextLine(reader)) !== "";) {
    const colon = line.indexOf(":");
    headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const length = headers.get("Content-Length");
  const body = length === null
    ? await reader.read()
    : await reader.readExactly(Number(length));
  const charset = headers.get("Content-Type")
    ?.match(/;\s*charset\s*=\s*"?([^\s;"]+)/i)?.[1] ?? "utf-8";
  return {
    status,
    headers,
    charset,
    text: new TextDecoder(charset).decode(body),
  };
}

/** Gets a page of the server on this machine that listens on `port`. */
export async function getPage(port: number, path: string): Promise<Page> {
  const [reader, writer] = await openConnection({
    hostname: "127.0.0.1",
    port,
  });
  try {
    // Of HTTP/1.1 the server might send the page in chunks.
    writer.write(`GET ${path} HTTP/1.0\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
    await writer.drain();
    return await readPage(reader);
  } finally {
    writer.close();
  }
}

export async function main(options: Options = {}): Promise<void> {
  await scrape(options, async (port) => {
    for (const path of ["/0", "/0?charset=latin1", "/none"]) {
      const { status, charset, text } = await getPage(port, path);
      const shown = JSON.stringify(text.trimEnd());
      console.log(`${status}, in ${charset}: ${shown}`);
    }
  });
}

if (import.meta.main) await run(() => main(getOptions()));
