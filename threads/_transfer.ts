import { show } from "../_internal/show.ts";
import type { Transfers } from "../platform/worker_context.ts";

/** Notes what is to be transferred with a value; see transfer.ts. */
export function markTransfer<T extends object>(
  transfers: Transfers,
  value: T,
  list: readonly object[] | undefined = buffersOf(value),
): T {
  if (typeof value !== "object" || value === null) {
    throw new TypeError(
      `Cannot transfer as 'value' must be an object: received ${show(value)}`,
    );
  }
  if (list === undefined) {
    throw new TypeError(
      `Cannot transfer as 'list' must say what there is to transfer in a value that is no buffer: received ${
        show(value)
      }`,
    );
  }
  if (!Array.isArray(list)) {
    throw new TypeError(
      `Cannot transfer as 'list' must be an array: received ${show(list)}`,
    );
  }
  transfers.set(value, list);
  return value;
}

function buffersOf(value: unknown): readonly object[] | undefined {
  if (value instanceof ArrayBuffer) return [value];
  return ArrayBuffer.isView(value) ? [value.buffer] : undefined;
}
