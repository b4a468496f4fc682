/** What looks after the workers: starts, replaces and stops them. */
import { refusedNew } from "../_internal/made_by.ts";
import { atCaller, forCaller } from "../_internal/caller_frame.ts";
import { messageOf } from "../_internal/error_text.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import {
  CancelledError,
  InvalidStateError,
  isCancelledError,
  WorkerError,
} from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import { loopOf } from "../loop/event_loop.ts";
import type { Future } from "../loop/future.ts";
import type { Kernel } from "../loop/kernel.ts";
import type { Task } from "../loop/task.ts";
import { hostSignals } from "../platform/signals.ts";
import type { SignalName } from "../platform/types/signals.ts";
import { hostWorkerProcesses } from "../platform/worker_processes.ts";
import { Lock } from "../sync/lock.ts";
import { createTask } from "../tasks/create_task.ts";
import { shield, shielded } from "../tasks/shield.ts";
import { sleep } from "../tasks/sleep.ts";
import { type TaskGroup, taskGroup } from "../tasks/task_group.ts";
import type { Plan } from "./_check.ts";
import { tell } from "./_log.ts";
import type { Launch, WorkerProcess } from "./_process.ts";
import { type Life, Restarts } from "./_restarts.ts";

/** What a worker is doing; see {@linkcode WorkerStatus}. */
export type WorkerState =
  | "starting"
  | "ready"
  | "stopping"
  | "waiting"
  | "stopped";

/** What a {@linkcode Supervisor} knows of a worker. */
export interface WorkerStatus {
  /** Its number, from 1. A process that takes another's place has it, too. */
  readonly number: number;
  /** The number of its process in the system; `null` if there is none. */
  readonly pid: number | null;
  /**
   * `"starting"` until it is ready, `"ready"`, `"stopping"`, `"waiting"` for
   * another process after the last one has died, or `"stopped"` for good.
   */
  readonly state: WorkerState;
  /** How many of its processes have ended by themselves. */
  readonly deaths: number;
}

/** The place of a worker: one process at a time, and while reloading two. */
interface Slot {
  readonly number: number;
  process: WorkerProcess | null;
  state: WorkerState;
  deaths: number;
  wasReady: boolean;
  /** Puts another process in the place of this one. */
  replacement: Task<unknown> | null;
}

/** How a process lived that could not be started. */
const NEVER_BEGUN: Life = { wasReady: false, ms: 0 };

/** Supervisors that run: the last one to end gives up the shared sockets. */
let running = 0;

/** Starts to supervise, and waits until all workers are ready. */
export let supervise: (
  plan: Plan,
  launch: Launch,
  signal?: AbortSignal,
) => Promise<Supervisor>;

/**
 * Looks after worker processes. Made by `prefork`.
 *
 * A worker that ends by itself is started again, at once if it had been well,
 * otherwise after a delay that grows, and so is one that cannot be started just
 * then. If all of them die before they are ready, at the start or again and again,
 * they are given up, and {@linkcode Supervisor.wait} throws.
 *
 * It belongs to the loop that it was made in: where `run` ends, it stops the
 * workers. Should its process be killed, the workers notice, and stop.
 *
 * @example From start to end
 * ```ts
 * import { prefork } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const supervisor = await prefork({
 *   workers: 2,
 *   script: new URL("data:text/javascript,setInterval(() => {}, 1000)"),
 *   readyMs: 100, // this script does not say that it is ready
 * });
 * const states = supervisor.workers.map(({ state }) => state);
 * assertEquals(states, ["ready", "ready"]);
 * await supervisor.stop();
 * ```
 */
export class Supervisor implements AsyncDisposable {
  readonly #plan: Plan;
  readonly #launch: Launch;
  readonly #kernel: Kernel;
  readonly #slots: readonly Slot[];
  readonly #restarts: Restarts;
  readonly #reloading = new Lock();
  readonly #started: Future<void>;
  readonly #task: Task<void>;
  #group: TaskGroup | null = null;
  #isStopping = false;

  /**
   * Made by `prefork`.
   *
   * @internal
   */
  private constructor(plan: Plan, launch: Launch) {
    if (typeof launch !== "function") {
      throw refusedNew(
        "a Supervisor",
        "it belongs to its workers",
        "prefork()",
      );
    }
    this.#plan = plan;
    this.#launch = launch;
    this.#kernel = currentScope().kernel;
    this.#restarts = new Restarts(plan.workers, plan.restartDelayMs);
    this.#slots = Array.from({ length: plan.workers }, (_, index) => ({
      number: index + 1,
      process: null,
      state: "starting",
      deaths: 0,
      wasReady: false,
      replacement: null,
    }));
    this.#started = loopOf(this.#kernel).createFuture<void>();
    this.#task = createTask(() => this.#run(), { name: "prefork" });
    this.#task.addDoneCallback(() => {
      if (!this.#started.done()) this.#started.cancel();
    });
  }

  /** The workers, by number, as they are now. */
  get workers(): readonly WorkerStatus[] {
    return this.#slots.map(({ number, process, state, deaths }) =>
      Object.freeze({ number, pid: process?.pid ?? null, state, deaths })
    );
  }

  /**
   * Replaces the workers, one after the other, as SIGHUP does: a new process is
   * started, and once it is ready, the old one is stopped gracefully. There are
   * always as many workers that serve as before.
   *
   * Called while another reload is under way, it waits for that, and then
   * reloads once more.
   *
   * @returns When all are replaced.
   * @throws {WorkerError} When a new process cannot be started, or ends before it
   * is ready: then the old one stays, and so do those behind it.
   * @throws {InvalidStateError} When the workers are stopped, now or meanwhile.
   * @throws {CancelledError} When the task is cancelled; the worker that is being
   * replaced still is.
   */
  async reload(): Promise<void> {
    const hold = await this.#reloading.acquire();
    try {
      for (const slot of this.#slots) {
        const group = this.#group;
        if (group === null || this.#isStopping) throw this.#refusal();
        // One that is about to be started will be a new one.
        if (slot.process === null) continue;
        const task = group.createTask(() => this.#replace(slot), {
          name: `prefork: reload ${slot.number}`,
        });
        slot.replacement = task;
        // deno-lint-ignore no-await-in-loop -- one after the other
        const failure = await this.#outcome(task);
        if (failure !== null) throw atCaller(forCaller(failure));
      }
    } finally {
      hold[Symbol.dispose]();
    }
  }

  /**
   * Stops the workers, all at once, as SIGTERM and SIGINT do: each accepts no
   * more connections, is given `graceMs` to come to its end, and then killed.
   *
   * @returns When none is left.
   * @throws {CancelledError} When the task is cancelled; the workers are being
   * stopped all the same.
   */
  async stop(): Promise<void> {
    this.#stop();
    await this.wait();
  }

  /**
   * Waits until there are no workers any more.
   *
   * @returns When they have been stopped.
   * @throws {WorkerError} When they were given up.
   * @throws {CancelledError} When the task is cancelled; the workers stay.
   */
  async wait(): Promise<void> {
    try {
      await shield(this.#task);
    } catch (error) {
      // That the loop has ended it, with all that was left, is an end.
      if (!isCancelledError(error) || !this.#task.cancelled()) {
        throw atCaller(error);
      }
    }
  }

  /**
   * Stops the workers at the end of an `await using` block. A cancellation is
   * thrown when they have ended.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    await shielded(() => this.wait());
  }

  /**
   * The supervisor and its workers.
   *
   * @returns For example `<Supervisor 1: ready 2: starting>`.
   */
  toString(): string {
    const states = this.#slots.map(({ number, state }) =>
      ` ${number}: ${state}`
    );
    return `<Supervisor${states.join("")}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "Supervisor";
  }

  async #start(signal: AbortSignal | undefined): Promise<void> {
    const onAbort = () => this.#started.cancel();
    signal?.addEventListener("abort", onAbort);
    try {
      if (signal?.aborted) onAbort();
      await this.#started;
    } catch (error) {
      this.#stop();
      await shielded(() => this.wait());
      if (signal?.aborted) throw signal.reason;
      throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  async #run(): Promise<void> {
    running++;
    const loop = loopOf(this.#kernel);
    const signals = this.#listen();
    try {
      await taskGroup((group) => {
        this.#group = group;
        for (const slot of this.#slots) {
          group.createTask(() => this.#keep(slot), {
            name: `prefork: worker ${slot.number}`,
          });
        }
        if (this.#isStopping) group.cancel();
      }, { name: "prefork" });
    } catch (error) {
      throw forCaller(soleError(error));
    } finally {
      this.#isStopping = true;
      this.#group = null;
      for (const signal of signals) loop.removeSignalHandler(signal);
      if (--running === 0) hostWorkerProcesses.closeSharedSockets();
    }
  }

  /** Sees to it that there is a process in a slot, until it is cancelled. */
  async #keep(slot: Slot): Promise<void> {
    try {
      slot.process = await this.#launch(slot.number);
      for (;;) {
        const process: WorkerProcess = slot.process;
        const life = await this.#live(slot, process);
        await this.#replaced(slot);
        if (slot.process !== process) continue;
        slot.process = null;
        slot.state = "waiting";
        slot.deaths++;
        const delay = this.#restarts.ended(slot.number, life);
        if (delay === null) throw this.#despair(slot, endOf(process));
        this.#say(
          slot,
          process,
          `${endOf(process)}; another one starts in ${delay} ms`,
        );
        slot.process = await this.#launchAgain(slot, process, delay);
      }
    } finally {
      slot.state = "stopping";
      if (slot.process !== null) await shielded(() => slot.process!.stop());
      slot.state = "stopped";
    }
  }

  /**
   * What keeps a process from being started, such as a want of memory, may pass
   * as well as what ended the last one, and ends no other worker.
   */
  async #launchAgain(
    slot: Slot,
    last: WorkerProcess,
    firstDelay: number,
  ): Promise<WorkerProcess> {
    for (let delay = firstDelay;;) {
      // deno-lint-ignore no-await-in-loop -- one attempt after the other
      await sleep(delay);
      slot.state = "starting";
      try {
        // deno-lint-ignore no-await-in-loop -- one attempt after the other
        return await this.#launch(slot.number);
      } catch (error) {
        if (isCancelledError(error)) throw error;
        slot.state = "waiting";
        const text = `could not be started: ${messageOf(error)}`;
        const next = this.#restarts.ended(slot.number, NEVER_BEGUN);
        if (next === null) throw this.#despair(slot, text, error);
        this.#say(slot, last, `another one ${text}; tried again in ${next} ms`);
        delay = next;
      }
    }
  }

  /** Sees a process to its end. */
  async #live(
    slot: Slot,
    process: WorkerProcess,
  ): Promise<{ wasReady: boolean; ms: number }> {
    const start = this.#kernel.now();
    const wasReady = await process.ready();
    // A reload may have put another one in its place meanwhile.
    if (wasReady && slot.process === process) this.#isReady(slot);
    await process.ended();
    return { wasReady, ms: this.#kernel.now() - start };
  }

  #isReady(slot: Slot): void {
    slot.state = "ready";
    slot.wasReady = true;
    this.#restarts.ready();
    if (this.#started.done()) return;
    if (this.#slots.every(({ wasReady }) => wasReady)) {
      this.#started.setResult(undefined);
    }
  }

  /** Waits until a process that ended is known to be replaced, or not. */
  async #replaced(slot: Slot): Promise<void> {
    if (slot.replacement !== null) await slot.replacement;
  }

  /** Puts a new process in a slot; gives why it could not. */
  async #replace(slot: Slot): Promise<WorkerError | null> {
    const old = slot.process;
    let fresh: WorkerProcess | null = null;
    try {
      fresh = await this.#launch(slot.number);
      if (!await fresh.ready()) {
        return new WorkerError(
          `Cannot reload worker ${slot.number} as its new process ended before it was ready: ${
            endOf(fresh)
          }`,
        );
      }
      slot.process = fresh;
    } catch (error) {
      // As an error of the group it would end all workers.
      if (fresh !== null || isCancelledError(error)) throw error;
      return new WorkerError(
        `Cannot reload worker ${slot.number} as its new process could not be started: ${
          messageOf(error)
        }`,
        { cause: error },
      );
    } finally {
      if (fresh !== null && slot.process !== fresh) {
        await shielded(() => fresh!.stop());
      }
      slot.replacement = null;
    }
    this.#isReady(slot);
    await old?.stop();
    return null;
  }

  async #outcome(task: Task<WorkerError | null>): Promise<WorkerError | null> {
    try {
      return await shield(task);
    } catch (error) {
      if (task.cancelled() && this.#isStopping) throw this.#refusal();
      throw atCaller(forCaller(error));
    }
  }

  #stop(): void {
    this.#isStopping = true;
    this.#group?.cancel("The workers are being stopped");
  }

  /** Takes over the signals of an operator. */
  #listen(): SignalName[] {
    if (!this.#plan.handleSignals) return [];
    const loop = loopOf(this.#kernel);
    loop.addSignalHandler("SIGHUP", () => {
      createTask(() => this.#reloadBySignal(), { name: "prefork: SIGHUP" });
    });
    const ends: SignalName[] = ["SIGTERM", "SIGINT"];
    for (const signal of ends) {
      loop.addSignalHandler(signal, () => {
        if (!this.#isStopping) return this.#stop();
        for (const { process } of this.#slots) process?.kill();
      });
    }
    return ["SIGHUP", ...ends];
  }

  async #reloadBySignal(): Promise<void> {
    try {
      await this.reload();
    } catch (error) {
      if (error instanceof InvalidStateError) return;
      throw error;
    }
  }

  #say(slot: Slot, { pid }: WorkerProcess, text: string): void {
    const worker = slot.number;
    tell(this.#kernel, this.#plan.onLog, {
      worker,
      pid,
      stream: "supervisor",
      text,
    });
  }

  /** @param end What became of the last one. */
  #despair(slot: Slot, end: string, cause?: unknown): WorkerError {
    const { workers, script } = this.#plan;
    const what = workers === 1 ? "the worker" : `all ${workers} workers`;
    const how = this.#slots.some(({ wasReady }) => wasReady)
      ? "before they were ready, again and again"
      : "before they were ready";
    return new WorkerError(
      `Cannot keep up ${script} as ${what} ended ${how}: the last one, worker ${slot.number}, ${end}`,
      cause === undefined ? {} : { cause },
    );
  }

  #refusal(): InvalidStateError {
    return new InvalidStateError(
      `Cannot reload as the workers are stopped: received a call on ${this}`,
    );
  }

  static {
    inspectByToString(this.prototype);
    supervise = async (plan, launch, signal) => {
      const supervisor = new Supervisor(plan, launch);
      await supervisor.#start(signal);
      return supervisor;
    };
  }
}

/** How a process ended: `process 4711 ended with status 1`. */
function endOf({ pid, returnCode }: WorkerProcess): string {
  const code = returnCode ?? 0;
  return code < 0
    ? `process ${pid} was ended by ${hostSignals.signalName(-code)}`
    : `process ${pid} ended with status ${code}`;
}

/** Several workers may be given up in one step: one error says it all. */
function soleError(error: unknown): unknown {
  if (!(error instanceof AggregateError)) return error;
  const [first] = error.errors;
  return first instanceof CancelledError ? error : first;
}
