import type { JetStreamConnection, JetStreamMessage } from "./connection.ts";
import { nanos } from "./_layout.ts";

/** Items that a consumer has delivered to this process. */
export class Delivery {
  readonly subject: string;
  readonly body: Uint8Array;
  /** Its number in the stream. */
  readonly seq: number;
  /** How often it was delivered, with this time. */
  readonly deliveries: number;
  /** When its lease was last known to be renewed, by a clock of this machine. */
  renewedAt: number;
  readonly #connection: JetStreamConnection;
  readonly #reply: string;

  constructor(
    connection: JetStreamConnection,
    message: JetStreamMessage,
    now: number,
  ) {
    this.#connection = connection;
    this.#reply = message.reply ?? "";
    this.subject = message.subject;
    this.body = message.data;
    this.renewedAt = now;
    // $JS.ACK[.domain.account].stream.consumer.deliveries.seq...
    const tokens = this.#reply.split(".");
    const first = tokens.length > 9 ? 4 : 2;
    this.deliveries = Number(tokens[first + 2]);
    this.seq = Number(tokens[first + 3]);
  }

  renew(): void {
    this.#connection.publish(this.#reply, "+WPI");
  }

  /** Gives it back without waiting for an answer. */
  letGo(delay = 0): void {
    this.#connection.publish(this.#reply, giveBackText(delay));
  }

  /** The same, until the server says that it has it. */
  async giveBack(delay: number, timeout: number): Promise<void> {
    await this.#connection.request(this.#reply, giveBackText(delay), {
      timeout,
    });
  }

  async finish(timeout: number): Promise<void> {
    await this.#connection.request(this.#reply, "+ACK", { timeout });
  }
}

function giveBackText(delay: number): string {
  if (delay === 0) return "-NAK";
  return `-NAK ${JSON.stringify({ delay: nanos(delay) })}`;
}
