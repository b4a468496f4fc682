/**
 * Rate-limited client: it asks no faster than the server allows.
 *
 * The chapter "Web scraping". The server, which is part of the program, answers
 * ten questions in a fifth of a second and refuses what comes beyond, as web
 * services do with the status 429. A client that asks as fast as it can has to
 * try again and again, each time after a delay that is left to chance. One that
 * asks through a `RateLimiter` waits before it asks; it tries again as well, for
 * others may ask, too.
 *
 *     deno task example rate_limited_client
 *
 * prints
 *
 *     As fast as it can: 30 answers, 89 refusals
 *     At the rate: 30 answers, 0 refusals
 *
 * @module
 */

import {
  openConnection,
  pooledMap,
  RateLimiter,
  retry,
  run,
  startServer,
  type StreamReader,
  type StreamWriter,
} from "@asyncio/asyncio";

/** How many questions the server allows in how many milliseconds. */
const COUNT = 10;
const PER_MS = 200;

const QUESTIONS = Array.from({ length: 30 }, (_, index) => index + 1);

/** Opens a connection to the server. */
export type Connect = () => Promise<[StreamReader, StreamWriter]>;

/** Makes what answers the connections of the server, one question in each. */
export function makeService(): (
  reader: StreamReader,
  writer: StreamWriter,
) => Promise<void> {
  const limiter = new RateLimiter(COUNT, PER_MS);
  return async (reader, writer) => {
    const question = new TextDecoder().decode(await reader.readLine());
    writer.write(
      limiter.tryAcquire()
        ? `200 ${Number(question) ** 2}\n`
        : "429 Too fast\n",
    );
    writer.close();
  };
}

/** The server has had too many questions. */
class TooFastError extends Error {
  override readonly name = "TooFastError";
}

async function ask(question: number, connect: Connect): Promise<number> {
  const [reader, writer] = await connect();
  try {
    writer.write(`${question}\n`);
    const line = new TextDecoder().decode(await reader.readLine());
    const [status, ...rest] = line.trimEnd().split(" ");
    if (status === "429") throw new TooFastError(rest.join(" "));
    if (status !== "200") throw new Error(`The server says "${line}"`);
    return Number(rest[0]);
  } finally {
    writer.close();
  }
}

/** Asks all the questions, each until it is answered. */
async function askAll(
  askOnce: (question: number) => Promise<number>,
): Promise<string> {
  let refusals = 0;
  const answers: number[] = [];
  const patiently = (question: number) =>
    retry(() => askOnce(question), {
      attempts: Infinity,
      delay: 50,
      maxDelay: PER_MS,
      jitter: true,
      when: (error) => {
        if (!(error instanceof TooFastError)) return false;
        refusals++;
        return true;
      },
    });
  for await (const answer of pooledMap(QUESTIONS, patiently, { limit: 20 })) {
    answers.push(answer);
  }
  return `${answers.length} answers, ${refusals} refusals`;
}

/** Asks as fast as it can, and then at the rate. */
export async function compare(
  connect: Connect,
  print: (line: string) => void,
): Promise<void> {
  const asFastAsItCan = (question: number) => ask(question, connect);
  print(`As fast as it can: ${await askAll(asFastAsItCan)}`);

  // A little slower than allowed: on their way, questions come closer together.
  const limiter = new RateLimiter(COUNT, PER_MS * 1.25);
  await limiter.acquire(COUNT); // the server may not have forgotten the others
  const atTheRate = (question: number) =>
    limiter.with(() => ask(question, connect));
  print(`At the rate: ${await askAll(atTheRate)}`);
}

async function main(): Promise<void> {
  const hostname = "127.0.0.1";
  await using server = await startServer(makeService(), { hostname });
  const connect = () => openConnection({ hostname, port: server.port });
  await compare(connect, (line) => console.log(line));
}

if (import.meta.main) await run(main);
