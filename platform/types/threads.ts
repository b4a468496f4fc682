/** Worker threads, as the library sees its host: from both of their ends. */

/** What a worker tells the thread that started it. */
export interface HostWorkerListener {
  message(message: unknown): void;
  /**
   * It has ended: the last call.
   *
   * @param error What ended it, as far as the host knows; otherwise `null`.
   */
  ended(status: number, error: unknown): void;
}

/** A worker, as the thread that started it sees it. It begins unrefed. */
export interface HostWorker {
  /**
   * Sends a message.
   *
   * @throws Where the message cannot be cloned.
   */
  post(message: unknown, transfer: readonly object[]): void;
  /** Keeps the program alive while it is on. */
  hold(on: boolean): void;
  /** Ends it, whatever it is doing; its listener is told. */
  terminate(): void;
}

/** What a worker may take, in megabytes. */
export interface HostResourceLimits {
  readonly maxOldGenerationSizeMb?: number;
  readonly maxYoungGenerationSizeMb?: number;
  readonly codeRangeSizeMb?: number;
  readonly stackSizeMb?: number;
}

/** Worker threads, as the host gives them. */
export interface HostThreads {
  /** How many threads run at the same time. */
  parallelism(): number;
  /** Starts a worker of this library. */
  start(
    data: unknown,
    limits: HostResourceLimits | null,
    listener: HostWorkerListener,
  ): HostWorker;
}

/** The thread that started this one, as a worker sees it. */
export interface HostWorkerSide {
  /** What the worker was started with. */
  readonly data: unknown;
  post(message: unknown, transfer: readonly object[]): void;
  onMessage(callback: (message: unknown) => void): void;
  /** Calls back with an error that nothing catches, in place of the host. */
  onUncaught(callback: (error: unknown) => void): void;
  /**
   * Calls back when the event loop has had its turn, and with it what it does
   * between two turns: it tells of rejections that nothing handles.
   */
  afterTurn(callback: () => void): void;
  /** A job begins: the host may have to look after its memory. */
  jobBegins(): void;
  jobEnded(): void;
}
