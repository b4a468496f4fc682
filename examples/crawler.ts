/**
 * Crawler: every page of a site, three at a time, until the time is over.
 *
 * The chapter "Web scraping", all at once. Each page that is found is a task of a
 * group with a `limit`. A page has half a second; what may pass, such as a server
 * that is busy, is tried again after a delay that is left to chance. Around it all
 * is a deadline. Each request says how long its answer is waited for, and the
 * server, which is part of the program, stops its work then.
 *
 *     deno task example crawler          for 1.5 s at the most
 *     deno task example crawler 60000    for a minute
 *
 * prints the pages on stdout, and on stderr how it goes:
 *
 *        0 ms  GET /, for 500 ms
 *     /: Home
 *       20 ms  GET /news, for 500 ms
 *       20 ms  GET /docs, for 500 ms
 *       20 ms  GET /archive, for 500 ms
 *       40 ms  /news: 503 Busy, again
 *     /docs: Documentation
 *       …
 *     1294 ms  GET /archive, for 206 ms
 *     1500 ms  The time is over
 *
 * @module
 */

import { argv } from "node:process";
import {
  currentDeadline,
  getRunningLoop,
  moveOnAfter,
  openConnection,
  retry,
  run,
  sleep,
  startServer,
  type StreamReader,
  type StreamWriter,
  taskGroup,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";

const AT_A_TIME = 3;
const PAGE_MS = 500;

/** Opens a connection to the site. */
export type Connect = () => Promise<[StreamReader, StreamWriter]>;

/** Where the crawler writes what it has found, and how it goes. */
export interface Output {
  print(line: string): void;
  say(line: string): void;
}

interface Page {
  readonly title: string;
  readonly links?: readonly string[];
  /** How long it takes, in milliseconds; 20 if it is not said. */
  readonly ms?: number;
  /** How often the server is too busy for it. */
  readonly refusals?: number;
}

const PAGES: Readonly<Record<string, Page>> = {
  "/": { title: "Home", links: ["/news", "/docs", "/archive"] },
  "/news": { title: "News", links: ["/", "/lost"], refusals: 2 },
  "/docs": { title: "Documentation", links: ["/docs/1", "/docs/2", "/docs/3"] },
  "/docs/1": { title: "Tasks", links: ["/docs", "/docs/2"] },
  "/docs/2": { title: "Streams", links: ["/docs", "/docs/3"] },
  "/docs/3": { title: "Queues", links: ["/docs"] },
  "/archive": { title: "Archive", ms: 60_000 },
};

/** Makes what answers the connections of the site, one request in each. */
export function makeSite(): (
  reader: StreamReader,
  writer: StreamWriter,
) => Promise<void> {
  const asked = new Map<string, number>();
  return async (reader, writer) => {
    const request = new TextDecoder().decode(
      await reader.readUntil("\r\n\r\n"),
    );
    const path = request.split(" ")[1]!;
    const [, ms] = request.match(/^Timeout-Ms: (\d+)/m) ?? [];
    const times = (asked.get(path) ?? 0) + 1;
    asked.set(path, times);
    // Beyond that nobody waits for the answer.
    await moveOnAfter(Number(ms ?? Infinity), async () => {
      writer.write(await answer(PAGES[path], times));
    });
    writer.close();
  };
}

async function answer(page: Page | undefined, times: number): Promise<string> {
  await sleep(page?.ms ?? 20);
  if (page === undefined) return "HTTP/1.0 404 Not Found\r\n\r\n";
  const { title, links = [], refusals = 0 } = page;
  if (times <= refusals) return "HTTP/1.0 503 Busy\r\n\r\n";
  const list = links.map((link) => `<a href="${link}">`).join("");
  return `HTTP/1.0 200 OK\r\n\r\n<title>${title}</title>${list}`;
}

/** The server has answered, and not with the page. */
class StatusError extends Error {
  override readonly name = "StatusError";
  readonly isPassing: boolean;

  constructor(status: string) {
    super(status);
    this.isPassing = status.startsWith("5");
  }
}

/** How long the running code has for what it does, in milliseconds. */
function timeLeft(): number {
  return Math.ceil((currentDeadline() ?? Infinity) - getRunningLoop().time());
}

async function getPage(
  path: string,
  connect: Connect,
  say: Output["say"],
): Promise<string> {
  say(`GET ${path}, for ${timeLeft()} ms`);
  const [reader, writer] = await connect();
  try {
    writer.write(`GET ${path} HTTP/1.0\r\nTimeout-Ms: ${timeLeft()}\r\n\r\n`);
    const text = new TextDecoder().decode(await reader.read());
    const [, status, body] = text.match(/^HTTP\/\S+ (.*)\r\n\r\n(.*)/) ?? [];
    if (status === undefined) throw new StatusError("500 No answer");
    if (status !== "200 OK") throw new StatusError(status);
    return body!;
  } finally {
    writer.close();
  }
}

/** Gets a page within its time, and again after what may pass. */
function getPatiently(
  path: string,
  connect: Connect,
  say: Output["say"],
): Promise<string> {
  return retry(
    () => timeout(PAGE_MS, () => getPage(path, connect, say)),
    {
      attempts: 4,
      delay: 100,
      jitter: 0.5,
      when: (error) => {
        const isPassing = error instanceof TimeoutError ||
          (error instanceof StatusError && error.isPassing);
        if (isPassing) say(`${path}: ${textOf(error)}, again`);
        return isPassing;
      },
    },
  );
}

function textOf(error: TimeoutError | StatusError): string {
  return error instanceof StatusError ? error.message : "too slow";
}

/** Goes from page to page, from the first, and to each once. */
async function crawlAll(
  connect: Connect,
  { print, say }: Output,
): Promise<void> {
  const found = new Set(["/"]);
  await taskGroup((group) => {
    const visit = async (path: string): Promise<void> => {
      let page: string;
      try {
        page = await getPatiently(path, connect, say);
      } catch (error) {
        // One page that cannot be had is no reason to stop.
        if (error instanceof TimeoutError || error instanceof StatusError) {
          return say(`${path}: ${textOf(error)}, given up`);
        }
        throw error;
      }
      print(`${path}: ${page.match(/<title>(.*)<\/title>/)?.[1]}`);
      for (const [, link] of page.matchAll(/<a href="(.*?)">/g)) {
        if (found.has(link!)) continue;
        found.add(link!);
        group.createTask(() => visit(link!), { name: link! });
      }
    };
    group.createTask(() => visit("/"), { name: "/" });
  }, { limit: AT_A_TIME });
}

/** Crawls the site that `connect` leads to, for `ms` at the most. */
export async function crawl(
  ms: number,
  connect: Connect,
  { print, say }: Output,
): Promise<void> {
  const start = getRunningLoop().time();
  const sayWhen = (line: string) => {
    const passed = Math.round(getRunningLoop().time() - start);
    say(`${String(passed).padStart(4)} ms  ${line}`);
  };
  try {
    await timeout(ms, () => crawlAll(connect, { print, say: sayWhen }));
    sayWhen("Done");
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    sayWhen("The time is over");
  }
}

async function main(ms: number): Promise<void> {
  const hostname = "127.0.0.1";
  await using server = await startServer(makeSite(), { hostname });
  await crawl(ms, () => openConnection({ hostname, port: server.port }), {
    print: (line) => console.log(line),
    say: (line) => console.error(line),
  });
}

if (import.meta.main) await run(() => main(Number(argv[2] ?? 1500)));
