/** The iterator of all durable queues. */
import { QueueShutDown } from "../errors.ts";
import type { Lease } from "./leases.ts";

/** What of a queue it works with. */
export interface LeasedItems<T> {
  /** Whether a lease has not been ended, as by the body of the loop. */
  isOpen(lease: Lease<T>): boolean;
  /** Throws if no lease can be ended any more. */
  check(): void;
  /** Ends the lease of the item before, if it is open, and gets the next one. */
  next(last: Lease<T> | null): Promise<Lease<T>>;
  /** Gives back an open lease, if that can be. */
  leave(last: Lease<T>): Promise<void>;
}

export function iterateLeases<T>(
  items: LeasedItems<T>,
): AsyncIterableIterator<T, undefined> {
  const end = { done: true, value: undefined } as const;
  let lease: Lease<T> | null = null;
  const takeOpen = (): Lease<T> | null => {
    const last = lease;
    lease = null;
    return last !== null && items.isOpen(last) ? last : null;
  };
  return {
    async next() {
      const last = takeOpen();
      if (last !== null) items.check();
      try {
        lease = await items.next(last);
      } catch (error) {
        if (error instanceof QueueShutDown) return end;
        throw error;
      }
      return { done: false, value: lease.item };
    },
    async return() {
      const last = takeOpen();
      if (last !== null) await items.leave(last);
      return end;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
