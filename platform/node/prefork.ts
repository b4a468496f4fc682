/**
 * Worker processes and their supervisor over Node's channel between parent and
 * child, which Deno has, too. When either side dies, the other one is told.
 */
import { OSError } from "../../errors.ts";
import { builtin } from "../shared/builtin.ts";
import type { MapError } from "../shared/dns.ts";
import { NodeChild } from "./children.ts";
import { nodeProcess } from "../shared/node_process.ts";
import { checkDirectory } from "../shared/programs.ts";
import {
  closeSharedSockets,
  type SharedPlace,
  sharedSocket,
  type SocketHandle,
} from "./shared_sockets.ts";
import type {
  HostPrefork,
  HostSeat,
  HostSupervisor,
  HostWorkerCommand,
  HostWorkerProcess,
} from "../types/worker_processes.ts";

type ChildProcess = import("node:child_process").ChildProcess;

/** Tells a worker its seat. Deleted when read: its own children have none. */
export const SEAT = "ASYNCIO_WORKER";

/** What is sent to a worker. */
type ToWorker =
  | { readonly asyncio: "stop" }
  | {
    readonly asyncio: "socket";
    readonly id: number;
    readonly error: { code: string; message: string } | null;
  };

/** What a worker sends. */
type ToSupervisor =
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

function ignore(): void {}

class Worker extends NodeChild implements HostWorkerProcess {
  onReady: (() => void) | null = null;
  readonly #process: ChildProcess;
  #listens = false;

  constructor(process: ChildProcess, pid: number) {
    super(process, pid);
    this.#process = process;
    process.on("message", (message) => this.#receive(message as ToSupervisor));
    // Of one that was killed, the host may keep the channel open for a while.
    process.on("exit", () => {
      if (process.connected) process.disconnect();
    });
  }

  stop(): void {
    if (this.#listens && this.#process.connected) {
      this.#send({ asyncio: "stop" });
    } else this.kill("SIGTERM");
  }

  #receive(message: ToSupervisor): void {
    switch (message?.asyncio) {
      case "listening to you":
        this.#listens = true;
        break;
      case "ready":
        this.onReady?.();
        break;
      case "socket":
        this.#sendSocket(message.id, message);
    }
  }

  #sendSocket(id: number, place: SharedPlace): void {
    try {
      const handle = sharedSocket(place);
      this.#send({ asyncio: "socket", id, error: null }, handle);
    } catch (error) {
      const { code = "EIO", message } = error as Error & { code?: string };
      this.#send({ asyncio: "socket", id, error: { code, message } });
    }
  }

  /** That a worker has just died is told in another way. */
  #send(message: ToWorker, handle?: SocketHandle): void {
    this.#process.send(message, handle as never, ignore);
  }
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

/** The supervisor of this process, if it is a worker. */
function supervisor(
  env = (name: string) => nodeProcess().env[name],
): Supervisor | null {
  if (found === undefined) found = findSupervisor(env);
  return found;
}

function findSupervisor(
  env: (name: string) => string | undefined,
): Supervisor | null {
  // Asked for first: on Deno the first look at Node's process takes long.
  const seat = env(SEAT);
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
  const asked = supervisor();
  return asked === null ? Promise.reject(gone()) : asked.socket(place);
}

/** Whether this process is a worker. */
export function isWorker(): boolean {
  return supervisor() !== null;
}

/** @param flagsOf The command line before the script. */
export function makePrefork(
  flagsOf: (runtimeArgs: readonly string[] | null) => readonly string[],
  mapError: MapError,
  env: (name: string) => string | undefined,
): HostPrefork {
  return {
    get processors() {
      return builtin("node:os").availableParallelism();
    },
    get supervisor() {
      return supervisor(env);
    },
    closeSharedSockets,
    scriptOf: (url) =>
      url.protocol === "file:"
        ? builtin("node:url").fileURLToPath(url)
        : url.href,
    async start(command) {
      try {
        return await start(command, flagsOf(command.runtimeArgs));
      } catch (error) {
        if (error instanceof OSError) throw error;
        throw mapError(error, `start a worker of ${command.script}`);
      }
    },
  };
}

async function start(
  { script, args, cwd, env, seat }: HostWorkerCommand,
  flags: readonly string[],
): Promise<HostWorkerProcess> {
  const process = nodeProcess();
  const program = process.execPath;
  const asked = [...flags, script, ...args];
  checkDirectory({
    program,
    args: asked,
    cwd,
    env: null,
    stdin: "null",
    stdout: "pipe",
    stderr: "pipe",
    detached: true,
    uid: null,
    gid: null,
  });
  const child = builtin("node:child_process").spawn(program, asked, {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    // Of its own group: Ctrl-C reaches the supervisor alone, and what the worker
    // starts can be ended with it.
    detached: true,
    env: { ...process.env, ...env, [SEAT]: JSON.stringify(seat) },
    ...(cwd !== null && { cwd }),
  });
  return await new Promise((resolve, reject) => {
    child.on("error", reject);
    if (child.pid !== undefined) resolve(new Worker(child, child.pid));
  });
}
