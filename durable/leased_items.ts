/** The iterator of all durable queues. */
import { QueueShutDown } from "../errors.ts";
import type { Lease } from "./leases.ts";

/** What of a queue it works with. */
export interface LeasedItems<T> {
  /** Ends the lease of the item before, and gets the next one. */
  next(last: Lease<T> | null): Promise<Lease<T>>;
  /** Gives the last one back. */
  leave(last: Lease<T>): Promise<void>;
}

export function iterateLeases<T>(
  items: LeasedItems<T>,
): AsyncIterableIterator<T, undefined> {
  const end = { done: true, value: undefined } as const;
  let lease: Lease<T> | null = null;
  return {
    async next() {
      const last = lease;
      lease = null;
      try {
        lease = await items.next(last);
      } catch (error) {
        if (error instanceof QueueShutDown) return end;
        throw error;
      }
      return { done: false, value: lease.item };
    },
    async return() {
      const last = lease;
      lease = null;
      if (last !== null) await items.leave(last);
      return end;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
