/**
 * What a queue asks of the server: the same is asked again while there is no
 * answer, as when a server restarts or a leader is elected.
 */
import { CancelledError } from "../errors.ts";
import { interruption, type Scope } from "../loop/scope.ts";
import {
  ATTEMPT_MS,
  type Client,
  codeOf,
  type ConsumerInfo,
  isGone,
  isPassing,
  type Manager,
  patiently,
  type PublishOptions,
  type Query,
  type StoredMessage,
  type StreamInfo,
  toOSError,
  WRONG_LAST_SEQUENCE,
} from "./_client.ts";
import { deadSubject } from "./_layout.ts";

export class Server {
  readonly name: string;
  readonly #client: Client;
  readonly #manager: Manager;
  /** In front of the numbers by which a second try is known. */
  readonly #writer: string = crypto.randomUUID();
  #writes = 0;

  constructor(name: string, client: Client, manager: Manager) {
    this.name = name;
    this.#client = client;
    this.#manager = manager;
  }

  /** Where a consumer is asked for items. */
  pullSubject(consumer: string): string {
    return `${this.#client.apiPrefix}.CONSUMER.MSG.NEXT.${this.name}.${consumer}`;
  }

  /** What no other write has: a second try with it stores nothing. */
  newWriteId(): string {
    return `${this.#writer}${(this.#writes++).toString(36)}`;
  }

  /**
   * Stores a message.
   *
   * @param scope Whose cancellation ends it between two tries.
   * @returns Its number; `null` if it is not what was expected to be the last.
   */
  store(
    subject: string,
    body: Uint8Array,
    options: PublishOptions,
    scope: Scope | null = null,
  ): Promise<number | null> {
    const write = () =>
      this.#client.publish(subject, body, { ...options, timeout: ATTEMPT_MS });
    return write().then(
      ({ seq }) => seq,
      (error) => this.#storeAgain(error, write, scope),
    );
  }

  /** Not part of the above, as a write that goes well should cost little. */
  async #storeAgain(
    first: unknown,
    write: () => Promise<{ readonly seq: number }>,
    scope: Scope | null,
  ): Promise<number | null> {
    try {
      if (!isPassing(first)) throw first;
      await interrupted(scope);
      return (await patiently(write, () => interrupted(scope))).seq;
    } catch (error) {
      if (codeOf(error) === WRONG_LAST_SEQUENCE) return null;
      if (error instanceof CancelledError) throw error;
      throw toOSError("put an item into the queue", error);
    }
  }

  info(): Promise<StreamInfo> {
    return this.#ask(() =>
      this.#manager.streams.info(this.name, {
        subjects_filter: deadSubject(this.name),
      })
    );
  }

  consumer(consumer: string): Promise<ConsumerInfo> {
    return this.#ask(() => this.#manager.consumers.info(this.name, consumer));
  }

  find(query: Query): Promise<StoredMessage | null> {
    return this.#ask(() => this.#manager.streams.getMessage(this.name, query));
  }

  /** @returns Whether it was there. */
  async delete(seq: number): Promise<boolean> {
    try {
      return await this.#ask(() =>
        this.#manager.streams.deleteMessage(this.name, seq)
      );
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      if (cause && isGone(cause)) return false;
      throw error;
    }
  }

  async #ask<R>(work: () => Promise<R>): Promise<R> {
    try {
      return await patiently(work);
    } catch (error) {
      throw toOSError("look into the queue", error);
    }
  }
}

/** How many are dead letters, and how many are not. */
export function countsOf(
  { state }: StreamInfo,
  name: string,
): { dead: number; alive: number } {
  const dead = state.subjects?.[deadSubject(name)] ?? 0;
  return { dead, alive: state.messages - dead };
}

/** Throws what was remembered while the server was waited for. */
async function interrupted(scope: Scope | null): Promise<void> {
  if (scope !== null) await interruption(scope);
}
