/**
 * Worker processes: a server on all processors that loses no request.
 *
 * The chapter "Worker processes", where asyncio points to Gunicorn and
 * API-Hour. This file is all three: the supervisor, the server that each worker
 * runs, and the clients. While those ask, the workers are replaced one by one;
 * a client whose connection breaks at that moment asks once more, as a client
 * should. With a port it serves until Ctrl-C, and SIGHUP replaces the workers.
 *
 *     deno task example worker_processes         serves clients of its own
 *     deno task example worker_processes 8888    serves until Ctrl-C
 *
 * The first prints
 *
 *     2 workers on port 40123
 *     reloading
 *     2 new workers
 *     1000 of 1000 requests were answered
 *     stopped
 *
 * @module
 */

import { argv, pid } from "node:process";
import {
  createTask,
  openConnection,
  OSError,
  prefork,
  run,
  sleep,
  startServer,
  taskGroup,
  workerInfo,
} from "@asyncio/asyncio";

const HOSTNAME = "127.0.0.1";
const CLIENTS = 10;
const REQUESTS = 1000;

/** What each worker runs: answers a line with its number and its process. */
async function serve(port: number): Promise<void> {
  const { number } = workerInfo()!;
  const server = await startServer(async (reader, writer) => {
    await reader.readLine();
    writer.write(`worker ${number}, process ${pid}\n`);
    writer.close();
  }, { hostname: HOSTNAME, port, reusePort: true });
  await server.serveForever();
}

/** Asks on a connection of its own. */
async function ask(port: number): Promise<string> {
  const [reader, writer] = await openConnection({ hostname: HOSTNAME, port });
  try {
    writer.write("who are you?\n");
    const answer = new TextDecoder().decode(await reader.readLine());
    if (answer === "") throw new OSError("The connection broke");
    return answer.trimEnd();
  } finally {
    writer.close();
  }
}

/** Asks once more if the connection broke; the question does no harm. */
async function askTwice(port: number): Promise<string> {
  try {
    return await ask(port);
  } catch (error) {
    if (!(error instanceof OSError)) throw error;
    await sleep(10);
    return await ask(port);
  }
}

/** The clients; gives all answers. */
async function load(port: number): Promise<string[]> {
  const answers: string[] = [];
  await taskGroup((group) => {
    for (let client = 0; client < CLIENTS; client++) {
      group.createTask(async () => {
        for (let left = REQUESTS / CLIENTS; left > 0; left--) {
          answers.push(await askTwice(port));
        }
      });
    }
  });
  return answers;
}

/** A port that is free: workers cannot each take one of their own. */
async function freePort(): Promise<number> {
  await using server = await startServer(() => {}, { hostname: HOSTNAME });
  return server.port;
}

async function main(asked?: number): Promise<void> {
  const port = asked ?? await freePort();
  await using supervisor = await prefork({
    script: new URL(import.meta.url),
    args: ["--serve", `${port}`],
  });
  const { length } = supervisor.workers;
  console.log(`${length} workers on port ${port}`);
  if (asked !== undefined) return await supervisor.wait();

  const before = new Set(supervisor.workers.map(({ pid }) => pid));
  const asking = createTask(() => load(port));
  await sleep(50);
  console.log("reloading");
  await supervisor.reload();
  const fresh = supervisor.workers.filter(({ pid }) => !before.has(pid));
  console.log(`${fresh.length} new workers`);
  const answers = await asking;
  console.log(`${answers.length} of ${REQUESTS} requests were answered`);
  await supervisor.stop();
  console.log("stopped");
}

if (import.meta.main) {
  const [first, second] = argv.slice(2);
  if (first === "--serve") await run(() => serve(Number(second)));
  else await run(() => main(first === undefined ? undefined : Number(first)));
}
