/**
 * The supervisor of a worker process, as the worker sees it, over Node's channel
 * between parent and child, which Deno has, too. When the supervisor dies, the
 * worker is told.
 */
import type { SharedPlace, SocketHandle } from "./node/shared_sockets.ts";
import { hostProcess } from "./process.ts";
import { nodeProcess } from "./shared/node_process.ts";
import type { HostSeat, HostSupervisor } from "./types/worker_processes.ts";

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

/** The side of the channel that a worker has. */
interface WorkerProcess {
  send?(message: ToSupervisor): void;
  readonly channel?: { ref(): void; unref(): void };
  readonly connected: boolean;
  on(event: "disconnect", listener: () => void): void;
  on(
    event: "message",
    listener: (message: ToWorker, handle?: SocketHandle) => void,
  ): void;
}

class Supervisor implements HostSupervisor {
  readonly seat: HostSeat;
  readonly #process: WorkerProcess;
  readonly #onStop: (() => void)[] = [];
  #mustStop = false;
  #isReady = false;
  #lastId = 0;
  readonly #asked = new Map<
    number,
    { resolve(handle: SocketHandle): void; reject(error: Error): void }
  >();

  constructor(seat: HostSeat, process: WorkerProcess) {
    this.seat = seat;
    this.#process = process;
    process.on("message", (message, handle) => {
      if (message?.asyncio === "stop") this.#stop();
      else if (message?.asyncio === "socket") this.#take(message, handle);
    });
    process.on("disconnect", () => {
      for (const { reject } of this.#asked.values()) reject(gone());
      this.#asked.clear();
      this.#stop();
    });
    // That it may be told to stop is no reason to go on.
    process.channel?.unref();
    this.#send({ asyncio: "listening to you" });
    if (!process.connected) this.#stop();
  }

  ready(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    this.#send({ asyncio: "ready" });
  }

  onStop(callback: () => void): void {
    if (this.#mustStop) callback();
    else this.#onStop.push(callback);
  }

  socket(place: SharedPlace): Promise<SocketHandle> {
    return new Promise((resolve, reject) => {
      if (!this.#process.connected) return reject(gone());
      const id = ++this.#lastId;
      this.#asked.set(id, { resolve, reject });
      // Who starts a server has something to wait for.
      this.#process.channel?.ref();
      this.#send({ asyncio: "socket", id, ...place });
    });
  }

  #send(message: ToSupervisor): void {
    if (this.#process.connected) this.#process.send?.(message);
  }

  #stop(): void {
    if (this.#mustStop) return;
    this.#mustStop = true;
    for (const callback of this.#onStop.splice(0)) callback();
  }

  #take(
    { id, error }: ToWorker & { asyncio: "socket" },
    handle: SocketHandle | undefined,
  ): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (this.#asked.size === 0) this.#process.channel?.unref();
    if (asked === undefined) handle?.close();
    else if (handle !== undefined) asked.resolve(handle);
    else {
      const { message, code } = error ?? { message: "no handle", code: "EIO" };
      asked.reject(Object.assign(new Error(message), { code }));
    }
  }
}

function gone(): Error {
  return Object.assign(new Error("The supervisor is gone"), {
    code: "ECONNABORTED",
  });
}

let found: Supervisor | null | undefined;

/** The supervisor of this process, where it is a worker. Looked for once. */
export function hostSupervisor(): Supervisor | null {
  if (found === undefined) found = findSupervisor();
  return found;
}

function findSupervisor(): Supervisor | null {
  // Asked for first: on Deno the first look at Node's process takes long.
  const seat = hostProcess.env(SEAT);
  if (seat === undefined) return null;
  const process = nodeProcess();
  const worker = process as unknown as WorkerProcess;
  // A worker's own children inherit the variable, but not the channel.
  if (worker.send === undefined) return null;
  delete process.env[SEAT];
  return new Supervisor(JSON.parse(seat) as HostSeat, worker);
}

/** A listening socket that all workers share. Called in a worker only. */
export function askForSocket(place: SharedPlace): Promise<SocketHandle> {
  const asked = hostSupervisor();
  return asked === null ? Promise.reject(gone()) : asked.socket(place);
}

/** Whether this process is a worker. */
export function isWorker(): boolean {
  return hostSupervisor() !== null;
}
