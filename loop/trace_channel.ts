/**
 * A tracing channel of `node:diagnostics_channel`: the five channels through
 * which others hear of something from its beginning to its end. All of its
 * messages are one object.
 *
 * ```text
 *   start, end            it has begun: what `fn` does is between the two
 *   error                 it has failed, or was cancelled
 *   asyncStart, asyncEnd  it has ended
 * ```
 */
import { capturePlace } from "../platform/async_storage.ts";
import { hostChannel } from "../platform/diagnostics.ts";
import type { AsyncPlace } from "../platform/types/async_storage.ts";
import type { HostChannel } from "../platform/types/diagnostics.ts";

export class TraceChannel<M extends object> {
  readonly #start: HostChannel;
  readonly #end: HostChannel;
  readonly #asyncStart: HostChannel;
  readonly #asyncEnd: HostChannel;
  readonly #error: HostChannel;

  /** @param name For example `asyncio:task`, as `tracingChannel()` takes it. */
  constructor(name: string) {
    const prefix = `tracing:${name}`;
    this.#start = hostChannel(`${prefix}:start`);
    this.#end = hostChannel(`${prefix}:end`);
    this.#asyncStart = hostChannel(`${prefix}:asyncStart`);
    this.#asyncEnd = hostChannel(`${prefix}:asyncEnd`);
    this.#error = hostChannel(`${prefix}:error`);
  }

  /** Whether anyone has subscribed to one of its channels. */
  get isHeard(): boolean {
    return this.#start.hasSubscribers || this.#asyncEnd.hasSubscribers ||
      this.#error.hasSubscribers || this.#end.hasSubscribers ||
      this.#asyncStart.hasSubscribers;
  }

  /** Says that it begins, and calls `fn` in the stores that are bound to `start`. */
  begin<R>(message: M, fn: () => R): R {
    // Not inside of `runStores`: the stack of an error that `fn` throws would hold
    // the message, and with it a task whose error was then never reported.
    let place!: AsyncPlace;
    this.#start.runStores(message, () => {
      place = capturePlace();
    });
    let result!: R;
    try {
      place.run(() => {
        result = fn();
      });
      return result;
    } finally {
      this.#end.publish(message);
    }
  }

  /** Says that it begins, where nothing is called for it. */
  tellBegin(message: M): void {
    this.#start.publish(message);
    this.#end.publish(message);
  }

  /** Says that it has ended, and that it has failed if `isError`. */
  finish(message: M, isError: boolean): void {
    if (isError) this.#error.publish(message);
    this.#asyncStart.publish(message);
    this.#asyncEnd.publish(message);
  }
}
