import { transfers } from "../platform/worker_context.ts";
import { markTransfer } from "./_transfer.ts";

/**
 * Marks a value that goes to another thread, or comes back from one: what is in
 * `list` is not copied but handed over, which takes no time however large it is.
 * It is of no use here afterwards.
 *
 * For the arguments of `toThread`, `submit` and the functions of `module()`, and
 * for what a function returns in a worker.
 *
 * @typeParam T What the value is.
 *
 * @example Filling a buffer in a worker
 * ```ts
 * import { toThread, transfer } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = new Uint8Array(1_000_000);
 * const filled = await toThread(
 *   (mine) => transfer(mine.fill(7)),
 *   transfer(bytes),
 * );
 * assertEquals([filled.length, filled[999_999]], [1_000_000, 7]);
 * assertEquals(bytes.length, 0);
 * ```
 *
 * @param value What goes: a buffer, a typed array, or an object that holds some.
 * @param list What is handed over: buffers, message ports. By default the buffer
 * that `value` is or looks at.
 * @returns The value itself.
 * @throws {TypeError} When `value` is no object; when it is no buffer and there
 * is no `list`.
 */
export function transfer<T extends object>(
  value: T,
  list?: readonly object[],
): T {
  return markTransfer(transfers, value, list);
}
