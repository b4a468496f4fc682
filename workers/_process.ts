/** One process of a worker, from its start to its end. */
import { CancelledError, OSError } from "../errors.ts";
import { onClose } from "../loop/closing.ts";
import { loopOf } from "../loop/event_loop.ts";
import type { TimerHandle } from "../loop/handle.ts";
import type { Scope } from "../loop/scope.ts";
import type { HostConnection } from "../platform/types/net.ts";
import type { HostWorkerProcess } from "../platform/types/worker_processes.ts";
import { hostWorkerProcesses } from "../platform/worker_processes.ts";
import { connectionScope, runAsStep } from "../streams/host.ts";
import { type Transport, transportInternals } from "../streams/transport.ts";
import { Event } from "../sync/event.ts";
import { moveOnAfter } from "../tasks/timeout.ts";
import type { Plan } from "./_check.ts";
import { LogProtocol, tell } from "./_log.ts";

/**
 * After its grace period a worker cancels what it still does. One that has not
 * ended so much later is killed: long enough for a machine that is busy.
 */
const KILL_AFTER_MS = 2000;

/**
 * How long the last of what a process has printed may take to come. Something
 * that it has started in a session of its own may hold its pipes for ever.
 */
const LAST_WORDS_MS = 500;

/** What a supervisor needs of a process. */
export interface WorkerProcess {
  readonly pid: number;
  /** How it ended, or `null`. */
  readonly returnCode: number | null;
  /** Waits until it is ready, or counts as such; false if it has ended. */
  ready(): Promise<boolean>;
  /** Waits for its end, and for the last of what it prints. */
  ended(): Promise<unknown>;
  /** Asks it to end, and makes it, in the end. */
  stop(): Promise<void>;
  kill(): void;
}

/** Starts a process for the worker of a number. */
export type Launch = (number: number) => Promise<WorkerProcess>;

/** Starts processes of a script. */
export function launcher(plan: Plan): Launch {
  return async (number) => {
    const { script, args, runtimeArgs, cwd, env, graceMs, workers } = plan;
    const scope = connectionScope();
    const host = await hostWorkerProcesses.start({
      script,
      args,
      runtimeArgs,
      cwd,
      env,
      seat: { number, workers, graceMs },
    });
    return new SystemProcess(host, number, plan, scope);
  };
}

class SystemProcess implements WorkerProcess {
  readonly pid: number;
  returnCode: number | null = null;
  readonly #host: HostWorkerProcess;
  readonly #number: number;
  readonly #plan: Plan;
  readonly #scope: Scope;
  readonly #ready = new Event();
  readonly #ended = new Event();
  /** Its exit, and the ends of two pipes. */
  #open = 3;
  readonly #logs: Transport[] = [];
  #patience: TimerHandle | null = null;
  #hasExited = false;
  readonly #stopWatching: () => void;

  constructor(
    host: HostWorkerProcess,
    number: number,
    plan: Plan,
    scope: Scope,
  ) {
    this.pid = host.pid;
    this.#host = host;
    this.#number = number;
    this.#plan = plan;
    this.#scope = scope;
    host.onReady = () => this.#step("ready", () => this.#ready.set());
    host.exited.then((code) => this.#exit(code));
    this.#log("stdout", host.pipes[1]);
    this.#log("stderr", host.pipes[2]);
    // No one can look after it any more.
    this.#stopWatching = onClose(scope.kernel, () => this.kill());
  }

  async ready(): Promise<boolean> {
    await moveOnAfter(this.#plan.readyMs, () => this.#ready.wait());
    return !this.#hasExited;
  }

  ended(): Promise<unknown> {
    return this.#ended.wait();
  }

  async stop(): Promise<void> {
    if (this.#hasExited) return void await this.ended();
    try {
      this.#send(() => this.#host.stop());
      const ms = this.#plan.graceMs + KILL_AFTER_MS;
      const hasEnded = await moveOnAfter(ms, () => this.ended());
      if (hasEnded === true) return;
      this.kill();
      await this.ended();
    } catch (error) {
      if (error instanceof CancelledError) this.kill();
      throw error;
    }
  }

  kill(): void {
    this.#send(() => this.#host.killGroup("SIGKILL"));
  }

  /** That it has just ended is told in another way. */
  #send(send: () => void): void {
    try {
      send();
    } catch (error) {
      if (!(error instanceof OSError)) throw error;
    }
  }

  #log(
    stream: "stdout" | "stderr",
    host: HostConnection | null | undefined,
  ): void {
    const { onLog } = this.#plan;
    const line = { worker: this.#number, pid: this.pid, stream };
    const log = transportInternals.open({
      scope: this.#scope,
      host: host!,
      protocol: new LogProtocol((text) =>
        tell(this.#scope.kernel, onLog, { ...line, text })
      ),
      onLost: () => this.#close(),
    });
    this.#logs.push(log);
  }

  #exit(code: number): void {
    this.#hasExited = true;
    this.returnCode = code;
    this.#stopWatching();
    // What it has started ends with it: it would hold its pipes, or its port.
    this.kill();
    this.#step("end", () => {
      this.#ready.set();
      this.#close();
      if (this.#open > 0) this.#awaitLastWords();
    });
  }

  #awaitLastWords(): void {
    const loop = loopOf(this.#scope.kernel);
    this.#patience = loop.callLater(LAST_WORDS_MS, () => {
      for (const log of this.#logs) log.abort();
    });
  }

  #close(): void {
    if (--this.#open > 0) return;
    this.#patience?.cancel();
    this.#ended.set();
  }

  #step(what: string, fn: () => void): void {
    runAsStep(this.#scope, `the ${what} of worker ${this.#number}`, fn);
  }
}
