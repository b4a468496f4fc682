/** What the tests of worker processes share. */
import {
  createTask,
  isCancelledError,
  openConnection,
  prefork,
  type PreforkOptions,
  type Supervisor,
  type Task,
  timeout,
} from "@asyncio/asyncio";
import { text, until } from "./net.ts";

const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf("."));

/** A program of `tests/programs/`. */
export function program(name: string): URL {
  return new URL(`../programs/${name}${EXTENSION}`, import.meta.url);
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

/** What takes longer is no answer, on the busiest of machines. */
const LIMIT_MS = 50_000;

/** Asks on a connection of its own; throws where there is no whole answer. */
export async function ask(port: number, line: string): Promise<string> {
  const [reader, writer] = await openConnection({
    hostname: "127.0.0.1",
    port,
  });
  try {
    writer.write(`${line}\n`);
    const answer = text(await timeout(LIMIT_MS, () => reader.readLine()));
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
  /** How many requests are being made once more. */
  retrying = 0;
  /** Why a request failed twice. */
  readonly lost: unknown[] = [];
  #goesOn = true;
  readonly #isOver: () => Promise<unknown>;
  readonly #clients: Task<void>[];

  /**
   * @param isOver Waits until whatever may have cost a request its answer is
   * over: then there is one try more.
   */
  constructor(
    port: number,
    { clients, isOver }: { clients: number; isOver: () => Promise<unknown> },
  ) {
    this.#isOver = isOver;
    this.#clients = Array.from(
      { length: clients },
      () => createTask(() => this.#client(port)),
    );
  }

  async end(): Promise<void> {
    this.#goesOn = false;
    for (const client of this.#clients) await client;
  }

  /** Waits until so many more requests have had their answers. */
  async serve(count: number): Promise<void> {
    const goal = this.served + count;
    const isLost = () => this.lost.length > 0;
    await until(() => this.served >= goal || isLost(), `${count} answers`);
    await until(
      () => this.retrying === 0 || isLost(),
      "the answers to those asked again",
    );
    if (isLost()) throw this.lost[0];
  }

  async #retry(port: number): Promise<void> {
    this.retrying++;
    try {
      await this.#isOver();
      await ask(port, "hello");
    } finally {
      this.retrying--;
    }
  }

  async #client(port: number): Promise<void> {
    while (this.#goesOn && this.lost.length === 0) {
      try {
        await ask(port, "hello").catch(() => this.#retry(port));
        this.served++;
      } catch (error) {
        // What ends the test ends this as well.
        if (isCancelledError(error)) throw error;
        this.lost.push(error);
      }
    }
  }
}
