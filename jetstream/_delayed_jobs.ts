/**
 * Moves what was kept back to what can be taken. The server keeps the time: what
 * is not due yet is given back to it until then.
 */
import type { JetStreamConnection, JetStreamMessage } from "./connection.ts";
import { Delivery } from "./_delivery.ts";
import { isDue, unframe } from "./_frame.ts";
import { idOf, jobSubject, LATER } from "./_layout.ts";
import { Pulls } from "./_pulls.ts";
import type { Server } from "./_server.ts";

/** How many are asked for at a time. */
const BATCH = 64;

/** How long one try of an acknowledgement may take. */
const SETTLE_MS = 2_000;

export class DelayedJobs {
  readonly #connection: JetStreamConnection;
  readonly #server: Server;
  readonly #pulls: Pulls;
  readonly #bury: (delivery: Delivery) => Promise<void>;
  #isStarted = false;
  #isClosed = false;

  /** @param bury Makes one a dead letter that says not when it is due. */
  constructor(
    connection: JetStreamConnection,
    server: Server,
    heartbeatMs: number,
    bury: (delivery: Delivery) => Promise<void>,
  ) {
    this.#connection = connection;
    this.#server = server;
    this.#bury = bury;
    this.#pulls = new Pulls(
      connection,
      server.pullSubject(LATER),
      heartbeatMs,
      {
        onMessage: (message) => void this.#handle(message),
        onNone: () => {},
        onLost: () => this.#ask(),
        onRefused: () => {},
      },
    );
  }

  /** From now on, as somebody waits for items. */
  start(): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#ask();
  }

  #ask(): void {
    if (this.#isStarted && !this.#isClosed && !this.#connection.isClosed()) {
      this.#pulls.want(BATCH);
    }
  }

  async #handle(message: JetStreamMessage): Promise<void> {
    const delivery = new Delivery(this.#connection, message, 0);
    const framed = unframe(message.data, isDue);
    const left = framed === null ? 0 : framed.head.due - Date.now();
    try {
      if (this.#isClosed) delivery.letGo();
      else if (left > 0) delivery.letGo(left);
      else if (framed === null) await this.#bury(delivery);
      else await this.#move(delivery, framed.body);
    } catch {
      // It comes again when its lease has run out.
    }
    this.#ask();
  }

  async #move(delivery: Delivery, body: Uint8Array): Promise<void> {
    const id = idOf(delivery.subject);
    await this.#server.store(jobSubject(this.#server.name, id), body, {
      msgID: `due ${delivery.seq}`,
      // One of the same id, which was put meanwhile, is as good.
      ...(id !== null && { expect: { lastSubjectSequence: 0 } }),
    });
    await delivery.finish(SETTLE_MS);
  }

  forget(): void {
    this.#pulls.forget();
  }

  check(): void {
    this.#pulls.check();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#pulls.close();
  }
}
