import process from "node:process";
import type { Transport } from "@asyncio/asyncio";
import { atLeast } from "../targets.ts";
import type { Load, TimedRow, Work } from "../types.ts";

const HOSTNAME = "127.0.0.1";
const CONNECTIONS = 50;
const MESSAGE = new Uint8Array(64).fill(97);

/** The server that each worker process runs, for `worker.ts --serve`: some steps of arithmetic, and the message back. */
export async function serve(port: number, steps: number): Promise<void> {
  const { createServer, Protocol, run } = await import("@asyncio/asyncio");
  class Echo extends Protocol {
    #transport!: Transport;

    override connectionMade(transport: Transport): void {
      this.#transport = transport;
    }

    override dataReceived(data: Uint8Array): void {
      if (arithmetic(steps) >= 0) this.#transport.write(data);
    }
  }
  await run(async () => {
    const options = { hostname: HOSTNAME, port, reusePort: true };
    const server = await createServer(() => new Echo(), options);
    await server.serveForever();
  });
}

function arithmetic(steps: number): number {
  let value = 1;
  for (; steps > 0; steps--) value = (Math.imul(value, 1103515245) + 12345) | 0;
  return Math.abs(value);
}

/** Clients in this process, one message on its way in each connection, to so many worker processes. */
function talking(workers: number, steps: number): Load<Work> {
  return async () => {
    const { createConnection, createServer, prefork, Protocol } = await import(
      "@asyncio/asyncio"
    );
    const free = await createServer(() => new Protocol(), {
      hostname: HOSTNAME,
    });
    const { port } = free;
    free.close();
    await prefork({
      workers,
      script: process.argv[1]!,
      args: ["--serve", `${port}`, `${steps}`],
      // Deno tells no program its flags.
      ...("Deno" in globalThis && {
        runtimeArgs: [
          "--allow-all",
          "--no-check",
          "--quiet",
          `--config=${new URL("../deno.json", import.meta.url).pathname}`,
        ],
      }),
    });
    let left = 0;
    let onDone = () => {};
    class Client extends Protocol {
      #transport!: Transport;
      #missing = 0;

      override connectionMade(transport: Transport): void {
        this.#transport = transport;
      }

      override dataReceived(data: Uint8Array): void {
        this.#missing -= data.length;
        if (this.#missing === 0) this.next();
      }

      next(): void {
        if (--left < 0) {
          if (left === -CONNECTIONS) onDone();
          return;
        }
        this.#missing = MESSAGE.length;
        this.#transport.write(MESSAGE);
      }
    }
    const clients: Client[] = [];
    for (let i = 0; i < CONNECTIONS; i++) {
      const options = { hostname: HOSTNAME, port };
      const [, client] = await createConnection(() => new Client(), options);
      clients.push(client);
    }
    return (rounds, size) =>
      new Promise<void>((resolve) => {
        left = rounds * size;
        onDone = resolve;
        for (const client of clients) client.next();
      });
  };
}

/** A message there and back. The clients need as much of a processor as the servers: with two, there is nothing to win. */
export const echoWorkers: TimedRow = {
  kind: "timed",
  id: "echo_workers",
  title: "echo of 64 bytes, 50 connections, two worker processes",
  size: 1000,
  python: false,
  targets: [],
  notes: { "one-process": "one worker process" },
  peers: { ours: talking(2, 0), "one-process": talking(1, 0) },
};

/** The same with some 0.4 ms of work for each message, so that the clients leave the processors free. */
export const workWorkers: TimedRow = {
  kind: "timed",
  id: "work_workers",
  title: "the same, with 200,000 steps of arithmetic for each message",
  size: 100,
  python: false,
  targets: atLeast({ "one-process": 1.6 }),
  notes: { "one-process": "one worker process" },
  peers: { ours: talking(2, 200_000), "one-process": talking(1, 200_000) },
};
