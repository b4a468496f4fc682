/** What a message of NATS has that a queue looks at. */
export interface JetStreamMessage {
  /** Where it was sent to. */
  readonly subject: string;
  /** Where an answer goes to. */
  readonly reply?: string | undefined;
  /** What it carries. */
  readonly data: Uint8Array;
  /** Its status, if it is one of the server, and what goes with that. */
  readonly headers?: {
    /** The number of the status; 0 for a message that is none. */
    readonly code: number;
    /** Reads a header; empty if it has none of the name. */
    get(name: string): string;
  } | undefined;
}

/** What a connection gives for a subject that it listens to. */
export interface JetStreamSubscription {
  /** Stops listening at once. */
  unsubscribe(): void;
  /**
   * Stops listening once everything on its way has come. It is a promise of the
   * client: cancelling the task that awaits it ends only the wait.
   *
   * @returns When that is done.
   */
  drain(): Promise<void>;
}

/**
 * What a queue needs of a connection to NATS: `connect()` of
 * `@nats-io/transport-node`, `@nats-io/transport-deno` or `wsconnect()` of
 * `@nats-io/nats-core` gives one. These are only the shapes, so that the library
 * needs no package of NATS.
 */
export interface JetStreamConnection {
  /** What the server has said of itself. */
  readonly info?: {
    /** Whether it has JetStream. */
    readonly jetstream?: boolean;
  } | undefined;
  /**
   * Whether it is closed for good.
   *
   * @returns False also while it connects again.
   */
  isClosed(): boolean;
  /**
   * Waits until it is closed for good. Cancelling ends only the wait.
   *
   * @returns The error that closed it, if one did.
   */
  closed(): Promise<unknown>;
  /**
   * Sends a message.
   *
   * @param subject Where to.
   * @param payload What it carries.
   * @param options Where an answer goes to.
   */
  publish(
    subject: string,
    payload?: Uint8Array | string,
    options?: { reply?: string },
  ): void;
  /**
   * Sends a message and waits for the answer. Cancelling ends the wait: the
   * message is sent all the same.
   *
   * @param subject Where to.
   * @param payload What it carries.
   * @param options For how long to wait, in milliseconds.
   * @returns The answer.
   */
  request(
    subject: string,
    payload?: Uint8Array | string,
    options?: { timeout: number },
  ): Promise<unknown>;
  /**
   * Listens to a subject.
   *
   * @param subject Which.
   * @param options What is called with each message.
   * @returns What ends it.
   */
  subscribe(
    subject: string,
    options?: {
      callback?: (error: Error | null, message: JetStreamMessage) => void;
    },
  ): JetStreamSubscription;
  /**
   * Waits until the server has all that was sent. Cancelling ends only the wait.
   *
   * @returns When it has.
   */
  flush(): Promise<void>;
  /**
   * What happens to the connection, such as that it was lost and made again.
   * Cancelling the task that waits for the next event ends only the wait.
   *
   * @returns The events, as they come.
   */
  status(): AsyncIterable<{ readonly type: string }>;
}
