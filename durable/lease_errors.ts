/** What all durable queues say of leases and of their end. */
import { InvalidStateError, QueueShutDown } from "../errors.ts";

/** The current task has nothing leased. */
export function noLeaseError(
  action: string,
  queue: object,
): InvalidStateError {
  return new InvalidStateError(
    `Cannot ${action} as the current task has none: received a call on ${queue}; what a task of its own has got is given back when that ends`,
  );
}

/** @param cause What went wrong while it was tried to end the lease. */
export function lostLeaseError(
  action: string,
  queue: object,
  cause?: unknown,
): InvalidStateError {
  return new InvalidStateError(
    `Cannot ${action} as it ran out, and another may have the item: received a call on ${queue}; give the queue a longer 'leaseMs', or let the loop run in between`,
    cause === undefined ? {} : { cause },
  );
}

/** @param state Which end it came to: `closed` or `shut down`. */
export function shutDownError(
  action: string,
  queue: object,
  state: string,
): QueueShutDown {
  return new QueueShutDown(
    `Cannot ${action} as the queue is ${state}: received a call on ${queue}`,
  );
}
