// The far ends of 1,000 connections: they read nothing that the library does
// not read by itself. "serve" prints its port, "connect PORT" connects. Each
// prints "open" once all are there, and on "SIGUSR2" what they hold, in bytes.
import { openConnection, run, startServer, taskGroup } from "@asyncio/asyncio";
import type { StreamReader, StreamWriter } from "@asyncio/asyncio";
import process from "node:process";
import { heldMemory } from "../_support/gc.ts";

const [role, port] = process.argv.slice(2);
const COUNT = 1000;
const LOCAL = { hostname: "127.0.0.1" } as const;

await run(async () => {
  const readers: StreamReader[] = [];
  const writers: StreamWriter[] = [];
  const before = await heldMemory();
  const rssBefore = process.memoryUsage().rss;
  process.on("SIGUSR2", async () => {
    const held = await heldMemory() - before;
    const rss = process.memoryUsage().rss - rssBefore;
    const size = readers.reduce((sum, each) => sum + each.statistics().size, 0);
    console.log(JSON.stringify({ held, rss, size }));
  });
  // Node does not wait for a socket that is not read, nor for a signal.
  setInterval(() => {}, 60_000);
  const isOver = new Promise((resolve) => process.on("SIGTERM", resolve));
  if (role === "serve") {
    const server = await startServer((reader) => {
      readers.push(reader);
      if (readers.length === COUNT) console.log("open");
    }, { ...LOCAL, backlog: COUNT });
    console.log(server.port);
    await isOver;
    server.close();
    server.abortClients();
    await server.waitClosed();
  } else {
    await taskGroup((group) => {
      for (let i = 0; i < COUNT; i++) {
        group.createTask(async () => {
          const [reader, writer] = await openConnection({
            ...LOCAL,
            port: Number(port),
          });
          readers.push(reader);
          writers.push(writer);
        });
      }
    });
    console.log("open");
    await isOver;
    for (const { transport } of writers) transport.abort();
  }
});
process.exit(0);
