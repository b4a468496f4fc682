import type { Codec } from "../durable/codec.ts";
import type { DeadLetter, DeadLetters } from "../durable/durable_queue.ts";
import type { StoredMessage } from "./_client.ts";
import type { Delivery } from "./_delivery.ts";
import { type Death, frame, isDeath, unframe } from "./_frame.ts";
import { deadSubject, idOf, jobSubject } from "./_layout.ts";
import type { Server } from "./_server.ts";

/** What somebody else has sent is a letter that nobody got: its body is all of it. */
function open(data: Uint8Array): { head: Death; body: Uint8Array } {
  return unframe(data, isDeath) ??
    { head: { id: null, deliveries: 0 }, body: data };
}

export class JetStreamDeadLetters<T> implements DeadLetters<T> {
  readonly #server: Server;
  readonly #codec: Codec<T>;
  readonly #check: () => void;

  /** @param check Throws if the queue is closed. */
  constructor(server: Server, codec: Codec<T>, check: () => void) {
    this.#server = server;
    this.#codec = codec;
    this.#check = check;
  }

  /**
   * Stores an item as a dead letter, once however often it is tried.
   *
   * @param deliveries How often somebody got it.
   */
  async add(
    { subject, seq, body }: Delivery,
    deliveries: number,
  ): Promise<void> {
    const head: Death = { id: idOf(subject), deliveries };
    await this.#server.store(
      deadSubject(this.#server.name),
      frame(head, body),
      { msgID: `dead ${seq}` },
    );
  }

  async list(): Promise<DeadLetter<T>[]> {
    const letters: DeadLetter<T>[] = [];
    for await (const { seq, data } of this.#stored()) {
      const { head: { id, deliveries }, body } = open(data);
      const item = this.#readable(body);
      letters.push({ number: seq, id, deliveries, item });
    }
    return letters;
  }

  #readable(body: Uint8Array): T | undefined {
    try {
      return this.#codec.decode(body);
    } catch {
      // It may be dead for just this; its number and id tell which it is.
      return undefined;
    }
  }

  requeue(): Promise<number> {
    return this.#remove(async ({ seq, data }) => {
      const { name } = this.#server;
      const { head: { id }, body } = open(data);
      await this.#server.store(jobSubject(name, id), body, {
        msgID: `again ${seq}`,
        // One of the same id, which was put since, is as good.
        ...(id !== null && { expect: { lastSubjectSequence: 0 } }),
      });
    });
  }

  empty(): Promise<number> {
    return this.#remove(() => Promise.resolve());
  }

  async #remove(
    before: (message: StoredMessage) => Promise<void>,
  ): Promise<number> {
    let count = 0;
    for await (const message of this.#stored()) {
      await before(message);
      // Another process may have been quicker.
      if (await this.#server.delete(message.seq)) count++;
    }
    return count;
  }

  /** Those that there are by now; not those that come meanwhile. */
  async *#stored(): AsyncIterable<StoredMessage> {
    this.#check();
    const subject = deadSubject(this.#server.name);
    const { state: { last_seq: last } } = await this.#server.info();
    for (let seq = 1; seq <= last; seq++) {
      const message = await this.#server.find({ seq, next_by_subj: subject });
      if (message === null || message.seq > last) return;
      yield message;
      seq = message.seq;
    }
  }
}
