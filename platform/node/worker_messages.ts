/**
 * What a supervisor and its worker processes say to each other, over Node's
 * channel between parent and child.
 */
import type { SharedPlace } from "./shared_sockets.ts";

/** Tells a worker its seat. Deleted when read: its own children have none. */
export const SEAT = "ASYNCIO_WORKER";

/** What is sent to a worker. */
export type ToWorker =
  | { readonly asyncio: "stop" }
  | {
    readonly asyncio: "socket";
    readonly id: number;
    readonly error: { code: string; message: string } | null;
  };

/** What a worker sends. */
export type ToSupervisor =
  | { readonly asyncio: "listening to you" }
  | { readonly asyncio: "ready" }
  | ({ readonly asyncio: "socket"; readonly id: number } & SharedPlace);
