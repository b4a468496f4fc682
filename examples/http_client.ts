/**
 * HTTP client: a page within ten seconds, or the request is stopped.
 *
 * The chapter "HTTP client example", with a server of its own. `fetch` is not
 * ours, and yet it ends with the task: `cancelSignal()` is the signal of the
 * `timeout` around it. When the time is over the connection is closed, and the
 * server sees that.
 *
 *     deno task example http_client          the slow page is given up after 10 s
 *     deno task example http_client 500      after 500 ms
 *
 * prints
 *
 *     GET /fast, for 10 s at the most
 *     200, "here you are"
 *     GET /slow, for 10 s at the most
 *     TimeoutError
 *     the server says: /fast was answered
 *     the server says: the client of /slow hung up
 *
 * @module
 */

import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { argv } from "node:process";
import {
  cancelSignal,
  Queue,
  run,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";

/** Answers `/fast` at once and `/slow` never; puts in `log` how it went. */
function startServer(log: Queue<string>): Server {
  return createServer((request, response) => {
    response.on("close", () => {
      log.putNowait(
        response.writableFinished
          ? `${request.url} was answered`
          : `the client of ${request.url} hung up`,
      );
    });
    if (request.url === "/fast") response.end("here you are");
  }).listen(0, "127.0.0.1");
}

async function fetchPage(url: string, ms: number): Promise<string> {
  return await timeout(ms, async () => {
    const response = await fetch(url, { signal: cancelSignal() });
    return `${response.status}, ${JSON.stringify(await response.text())}`;
  });
}

export async function main(ms: number = 10_000): Promise<void> {
  const log = new Queue<string>();
  const server = startServer(log);
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  try {
    for (const path of ["/fast", "/slow"]) {
      console.log(`GET ${path}, for ${ms / 1000} s at the most`);
      try {
        console.log(await fetchPage(`http://127.0.0.1:${port}${path}`, ms));
      } catch (error) {
        if (!(error instanceof TimeoutError)) throw error;
        console.log(error.name);
      }
    }
    console.log(`the server says: ${await log.get()}`);
    console.log(`the server says: ${await log.get()}`);
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

if (import.meta.main) await run(() => main(Number(argv[2] ?? 10_000)));
