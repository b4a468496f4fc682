/**
 * Worker processes over Node's channel between parent and child, which Deno has,
 * too. When either side dies, the other one is told.
 */
import { OSError } from "../../errors.ts";
import { mapError } from "../map_error.ts";
import { builtin } from "../shared/builtin.ts";
import { nodeProcess } from "../shared/node_process.ts";
import { checkDirectory } from "../shared/programs.ts";
import { SEAT, type ToSupervisor, type ToWorker } from "../supervisor.ts";
import type {
  HostWorkerCommand,
  HostWorkerProcess,
  HostWorkerProcesses,
} from "../types/worker_processes.ts";
import { NodeChild } from "./children.ts";
import {
  closeSharedSockets,
  type SharedPlace,
  sharedSocket,
  type SocketHandle,
} from "./shared_sockets.ts";

type ChildProcess = import("node:child_process").ChildProcess;

/** Flags that two processes cannot have alike, or that belong to this one. */
const OWN_REGEXP = /^--(?:inspect|test|watch)/;

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

/** @param flagsOf The command line before the script. */
export function workerProcessesBy(
  flagsOf: (runtimeArgs: readonly string[] | null) => readonly string[],
): HostWorkerProcesses {
  return {
    get processors() {
      return builtin("node:os").availableParallelism();
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

/** Worker processes on Node. */
export const workerProcesses: HostWorkerProcesses = workerProcessesBy(
  (asked) =>
    asked ?? nodeProcess().execArgv.filter((flag) => !OWN_REGEXP.test(flag)),
);
