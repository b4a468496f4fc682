/** What the tests of worker processes share. */
import {
  createTask,
  openConnection,
  prefork,
  type PreforkOptions,
  sleep,
  type Supervisor,
  type Task,
} from "@asyncio/asyncio";
import { serveRaw, text } from "./net.ts";

const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf("."));

/** A program of `tests/programs/`. */
export function program(name: string): URL {
  return new URL(`../programs/${name}${EXTENSION}`, import.meta.url);
}

/** A port that nobody listens on: workers cannot share port 0. */
export async function freePort(): Promise<number> {
  const { port, close } = await serveRaw(() => {});
  await close();
  return port;
}

/** Two workers with a server each, and quiet. */
export function startWorkers(
  port: number,
  options: Partial<PreforkOptions> = {},
): Promise<Supervisor> {
  return prefork({
    workers: 2,
    script: program("worker_server"),
    args: [`${port}`],
    onLog: () => {},
    handleSignals: false,
    ...options,
  });
}

/** Asks on a connection of its own; throws where there is no whole answer. */
export async function ask(port: number, line: string): Promise<string> {
  const [reader, writer] = await openConnection({
    hostname: "127.0.0.1",
    port,
  });
  try {
    writer.write(`${line}\n`);
    const answer = text(await reader.readLine());
    if (!answer.endsWith(`${line}\n`)) {
      throw new Error(`Instead of an answer came ${JSON.stringify(answer)}`);
    }
    return answer.trimEnd();
  } finally {
    writer.transport.abort();
  }
}

/** Clients that ask again and again, a connection each time. */
export class Load {
  served = 0;
  retried = 0;
  /** Why a request failed twice. */
  readonly lost: unknown[] = [];
  #goesOn = true;
  readonly #clients: Task<void>[];

  constructor(port: number, clients: number) {
    this.#clients = Array.from(
      { length: clients },
      () => createTask(() => this.#client(port)),
    );
  }

  async end(): Promise<void> {
    this.#goesOn = false;
    for (const client of this.#clients) await client;
  }

  async #client(port: number): Promise<void> {
    while (this.#goesOn) {
      try {
        await ask(port, "hello").catch(async () => {
          this.retried++;
          // A moment later: the port of a process that dies is still open.
          await sleep(5);
          return await ask(port, "hello");
        });
        this.served++;
      } catch (error) {
        this.lost.push(error);
      }
    }
  }
}
