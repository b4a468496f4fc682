/**
 * Web scraping: a server that answers after the seconds in the path.
 *
 * The server of the chapter: `GET /3` is answered after 3 seconds, or after 3
 * of whatever the unit is. `GET /3?charset=latin1` is answered in that charset,
 * and the `Content-Type` says so. The clients of the chapter start one
 * themselves, unless they are given a port.
 *
 *     deno task example web_scraping/simple_server                one question
 *     deno task example web_scraping/simple_server --port=8080 --live
 *                                             until Ctrl-C, in real seconds
 *
 * prints without a port
 *
 *     GET /3
 *     HTTP/1.1 200 OK
 *     Content-Type: text/plain; charset=utf-8
 *     Content-Length: 16
 *     Connection: close
 *
 *     Voilà, after 3
 *
 * @module
 */

import { Buffer } from "node:buffer";
import {
  openConnection,
  run,
  type Server,
  sleep,
  startServer,
  type StreamReader,
  type StreamWriter,
} from "@asyncio/asyncio";
import { getOptions, type Options } from "./_options.ts";

const PATH = /^\/(\d{1,4}(?:\.\d+)?)(?:\?charset=(utf-8|latin1))?$/;

interface Answer {
  readonly status: string;
  readonly charset: "utf-8" | "latin1";
  readonly text: string;
}

async function answer(request: string, unit: number): Promise<Answer> {
  const [method, path = ""] = request.split(" ");
  const [, wait, charset = "utf-8"] = path.match(PATH) ?? [];
  if (method !== "GET" || wait === undefined) {
    const status = method === "GET"
      ? "404 Not Found"
      : "405 Method Not Allowed";
    return { status, charset: "utf-8", text: "Ask for GET /3\n" };
  }
  await sleep(Number(wait) * unit);
  return {
    status: "200 OK",
    charset: charset as Answer["charset"],
    text: `Voilà, after ${wait}\n`,
  };
}

async function serveClient(
  reader: StreamReader,
  writer: StreamWriter,
  unit: number,
): Promise<void> {
  const decoder = new TextDecoder();
  const request = decoder.decode(await reader.readLine()).trimEnd();
  // The headers end with an empty line; nothing in them matters here.
  while (decoder.decode(await reader.readLine()).trimEnd() !== "");
  if (request !== "") {
    const { status, charset, text } = await answer(request, unit);
    const body = Buffer.from(text, charset);
    writer.write(
      `HTTP/1.1 ${status}\r\n` +
        `Content-Type: text/plain; charset=${charset}\r\n` +
        `Content-Length: ${body.length}\r\n` +
        "Connection: close\r\n\r\n",
    );
    writer.write(body);
  }
  writer.close();
}

/** Starts the server, on a free port if none is given. */
export function startSimpleServer(
  { unit = 100, port = 0 }: Options = {},
): Promise<Server> {
  return startServer(
    (reader, writer) => serveClient(reader, writer, unit),
    { hostname: "127.0.0.1", port },
  );
}

export async function main(options: Options = {}): Promise<void> {
  await using server = await startSimpleServer(options);
  if (options.port !== undefined) {
    console.log(`Serving at http://127.0.0.1:${server.port}/ until Ctrl-C`);
    await server.serveForever();
  }
  const [reader, writer] = await openConnection({
    hostname: "127.0.0.1",
    port: server.port,
  });
  console.log("GET /3");
  writer.write("GET /3 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  for await (const line of reader) {
    console.log(new TextDecoder().decode(line).trimEnd());
  }
  writer.close();
}

if (import.meta.main) await run(() => main(getOptions()));
