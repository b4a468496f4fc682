/** What the library uses of a channel of `node:diagnostics_channel`. */
export interface HostChannel {
  /** Whether anyone has subscribed to it. */
  readonly hasSubscribers: boolean;
  /** Hands a message to those who have. */
  publish(message: unknown): void;
  /** The same, and calls a function in the stores that are bound to the channel. */
  runStores<R>(message: unknown, fn: () => R): R;
}
