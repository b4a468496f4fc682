/**
 * Asks a consumer for as many items as somebody waits for, and for no more. What
 * comes goes to this process alone, so it hands on everything, also what nobody
 * waits for any more.
 *
 * A request may be lost, with a server or a connection. What is asked for again
 * goes to a new inbox, so that the server drops the old request if it still has
 * it: otherwise one item too many would come.
 */
import type { HostHandle } from "../platform/types/timers.ts";
import { hostTimers } from "../platform/timers.ts";
import type {
  JetStreamConnection,
  JetStreamMessage,
  JetStreamSubscription,
} from "./connection.ts";
import { nanos } from "./_layout.ts";

/** After this the server forgets a request, and is asked again. */
const EXPIRES_MS = 30_000;

/** How long to wait before a server that could not answer is asked again. */
const PAUSE_MS = 200;

const HEARTBEAT = 100;
const NO_MESSAGES = 404;
const EXPIRED = 408;

export interface PullHandlers {
  /** There is one. */
  readonly onMessage: (message: JetStreamMessage) => void;
  /** The server has none for a request that was not to wait. */
  readonly onNone: () => void;
  /** What was asked for is not coming: ask again. */
  readonly onLost: () => void;
  /** The server, or nobody, has refused: is the consumer there? */
  readonly onRefused: () => void;
}

export class Pulls {
  readonly #connection: JetStreamConnection;
  readonly #subject: string;
  readonly #handlers: PullHandlers;
  readonly #heartbeatMs: number;
  #inbox = "";
  #subscription: JetStreamSubscription;
  /** How many are asked for and have not come. */
  #open = 0;
  /** Whether one was asked for that is not waited for. */
  #isLookUp = false;
  #heardAt = 0;
  /** The server is there, and has not said that it knows what was asked for. */
  #isSuspect = false;
  #isProbing = false;
  #pause: HostHandle | null = null;

  constructor(
    connection: JetStreamConnection,
    subject: string,
    heartbeatMs: number,
    handlers: PullHandlers,
  ) {
    this.#connection = connection;
    this.#subject = subject;
    this.#handlers = handlers;
    this.#heartbeatMs = heartbeatMs;
    this.#subscription = this.#subscribe();
  }

  #subscribe(): JetStreamSubscription {
    this.#inbox = `_INBOX.${crypto.randomUUID()}`;
    const inbox = this.#inbox;
    return this.#connection.subscribe(`${inbox}.*`, {
      callback: (error, message) => {
        if (error === null) this.#hear(message, inbox === this.#inbox);
      },
    });
  }

  /** Asks for what is missing to as many. */
  want(count: number): void {
    const missing = count - this.#open;
    if (missing <= 0 || this.#pause !== null) return;
    if (this.#open === 0) this.#heardAt = hostTimers.now();
    this.#open += missing;
    this.#send("wait", {
      batch: missing,
      expires: nanos(EXPIRES_MS),
      idle_heartbeat: nanos(this.#heartbeatMs),
    });
  }

  /** Asks for one that is there. */
  wantNow(): void {
    if (this.#isLookUp || this.#pause !== null) return;
    this.#isLookUp = true;
    this.#heardAt = hostTimers.now();
    this.#send("now", { batch: 1, no_wait: true });
  }

  #send(what: string, request: unknown): void {
    this.#connection.publish(this.#subject, JSON.stringify(request), {
      reply: `${this.#inbox}.${what}`,
    });
  }

  #hear(message: JetStreamMessage, isCurrent: boolean): void {
    const status = message.headers?.code ?? 0;
    if (isCurrent) {
      this.#heardAt = hostTimers.now();
      this.#isSuspect = false;
      if (status === 0) {
        if (this.#isLookUp) this.#isLookUp = false;
        else this.#open = Math.max(0, this.#open - 1);
      } else if (status !== HEARTBEAT) this.#told(status, message);
    }
    if (status === 0) this.#handlers.onMessage(message);
  }

  #told(status: number, message: JetStreamMessage): void {
    if (message.subject.endsWith(".now")) {
      this.#isLookUp = false;
      if (status === NO_MESSAGES || status === EXPIRED) {
        this.#handlers.onNone();
        return;
      }
    } else {
      const left = message.headers?.get("Nats-Pending-Messages") ?? "";
      this.#open = left === "" ? 0 : Math.max(0, this.#open - Number(left));
      if (status === EXPIRED) {
        this.#handlers.onLost();
        return;
      }
    }
    // There is nobody to answer, or another is about to.
    this.#askLater();
  }

  #askLater(): void {
    this.#pause ??= hostTimers.setTimer(() => {
      this.#pause = null;
      this.#handlers.onRefused();
      this.#handlers.onLost();
    }, PAUSE_MS);
  }

  /** What was asked for may have been lost with a connection or a server. */
  forget(): void {
    // What is on its way to the old inbox is still handed on.
    void this.#subscription.drain().catch(() => {});
    this.#subscription = this.#subscribe();
    this.#open = 0;
    this.#isLookUp = false;
    this.#isSuspect = false;
    this.#handlers.onLost();
  }

  /** Called from time to time: does the server still know what was asked for? */
  check(): void {
    if ((this.#open === 0 && !this.#isLookUp) || this.#isProbing) return;
    const silentMs = hostTimers.now() - this.#heardAt;
    if (silentMs <= 2.5 * this.#heartbeatMs) return;
    if (this.#isSuspect) this.forget();
    else void this.#probe();
  }

  /** Whether the server answers at all: if not, asking again is of no use. */
  async #probe(): Promise<void> {
    this.#isProbing = true;
    try {
      await this.#connection.flush();
      this.#heardAt = hostTimers.now();
      this.#isSuspect = true;
    } catch {
      // The connection is closed, which ends the queue.
    } finally {
      this.#isProbing = false;
    }
  }

  /** Asks for no more, and hands on what is on its way. */
  async close(): Promise<void> {
    if (this.#pause !== null) hostTimers.clearTimer(this.#pause);
    // From now on nothing is asked for.
    this.#pause = {};
    await this.#subscription.drain();
  }
}
