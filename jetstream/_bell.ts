/**
 * Tells other processes that an item was taken or is done, which no consumer
 * tells. Only where somebody asked for it of late, as a message for each item
 * would cost half of what the item costs.
 *
 * ```text
 *   who waits --NAME.ask--> all, who answer and then --NAME.ring--> who waits
 * ```
 */
import { hostTimers } from "../platform/timers.ts";
import type {
  JetStreamConnection,
  JetStreamSubscription,
} from "./connection.ts";

export class Bell {
  readonly #connection: JetStreamConnection;
  readonly #name: string;
  readonly #onRing: () => void;
  readonly #asks: JetStreamSubscription;
  #rings: JetStreamSubscription | null = null;
  #askedUntil = -Infinity;

  /** @param validMs For how long a question is valid: who waits repeats it. */
  constructor(
    connection: JetStreamConnection,
    name: string,
    validMs: number,
    onRing: () => void,
  ) {
    this.#connection = connection;
    this.#name = name;
    this.#onRing = onRing;
    this.#asks = connection.subscribe(`${name}.ask`, {
      callback: (error) => {
        if (error !== null) return;
        this.#askedUntil = hostTimers.now() + validMs;
        // What it did before it was asked, the server has by now.
        this.ring();
      },
    });
  }

  ring(): void {
    if (this.#askedUntil < hostTimers.now()) return;
    this.#connection.publish(`${this.#name}.ring`);
  }

  /** Asks all that have the queue open to ring, for a while. */
  ask(): void {
    this.#rings ??= this.#connection.subscribe(`${this.#name}.ring`, {
      callback: (error) => {
        if (error === null) this.#onRing();
      },
    });
    this.#connection.publish(`${this.#name}.ask`);
  }

  close(): void {
    this.#asks.unsubscribe();
    this.#rings?.unsubscribe();
  }
}
