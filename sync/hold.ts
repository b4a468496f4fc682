/**
 * What `acquire()` gives: the proof of holding a lock or a permit, and the way
 * to give it back. Works with `using` and `await using`, and disposing of it
 * twice does nothing.
 *
 * @example Held to the end of the block
 * ```ts
 * import { type Hold, Lock } from "@asyncio/asyncio";
 * import { assert, assertFalse } from "@std/assert";
 *
 * const lock = new Lock();
 * {
 *   using hold: Hold = await lock.acquire();
 *   assert(lock.locked() && hold);
 * }
 * assertFalse(lock.locked());
 * ```
 */
export interface Hold extends Disposable, AsyncDisposable {
  /** Gives it back, once; does nothing if that was done already. */
  [Symbol.dispose](): void;
  /**
   * Gives it back, once, in the same step. It does not wait, so a cancellation
   * does not hinder it.
   *
   * @returns A promise that is resolved.
   */
  [Symbol.asyncDispose](): Promise<void>;
}
