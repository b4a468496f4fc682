/**
 * The recipe of the tutorial, as a program: a server that ends gracefully. Its
 * arguments are the limit in milliseconds, and what its handlers do with it.
 */
import process from "node:process";
import { sleep } from "@asyncio/asyncio";

const [limit, manner] = process.argv.slice(2);
const LIMIT_MS = Number(limit);

/** What a handler may do besides: nothing, or go on for longer than it may. */
async function lastThing(): Promise<void> {
  if (manner === "stubborn") await sleep(3_600_000);
}

// -- the recipe begins
import {
  currentTask,
  Event,
  getRunningLoop,
  run,
  type Server,
  startServer,
  type StreamReader,
  type StreamWriter,
  type Task,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";

const handlers = new Set<Task<unknown>>();

async function serve(
  reader: StreamReader,
  writer: StreamWriter,
): Promise<void> {
  const task = currentTask()!;
  handlers.add(task);
  try {
    for await (const line of reader) writer.write(line);
  } finally {
    writer.write("goodbye\n");
    await lastThing();
    writer.close();
    handlers.delete(task);
  }
}

async function shutDown(server: Server): Promise<void> {
  server.close(); // nobody new
  for (const handler of handlers) handler.cancel(); // their finally blocks run
  try {
    await timeout(LIMIT_MS, () => server.waitClosed());
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
    server.abortClients(); // who takes longer than that
    await server.waitClosed();
  }
}

await run(async () => {
  const stop = new Event();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    getRunningLoop().addSignalHandler(signal, () => stop.set());
  }
  const server = await startServer(serve, { hostname: "127.0.0.1", port: 0 });
  console.log(`serving on port ${server.port}`);
  try {
    await stop.wait();
  } finally {
    await shutDown(server);
  }
  console.log("all are gone");
});
// -- the recipe ends
