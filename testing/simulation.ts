import { checkFunction, checkString } from "../_internal/check.ts";
import { makeFractions } from "../_internal/random.ts";
import { show } from "../_internal/show.ts";
import { ContextVar, copyContext } from "../loop/context.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import { kernelOf } from "../loop/kernel.ts";
import type { Task, TaskFunction } from "../loop/task.ts";
import { type Network, setNetwork } from "../streams/network.ts";
import { createTask } from "../tasks/create_task.ts";
import { gather } from "../tasks/gather.ts";
import { wait } from "../tasks/wait.ts";
import type { Wires } from "./_simulated_link.ts";
import { SimulatedNetwork } from "./_simulated_network.ts";

/** What a simulation is made of. */
interface SimulationParts {
  readonly loop: EventLoop;
  readonly seed: number;
  /** The least and the most, in milliseconds. */
  readonly latency: readonly [number, number];
}

/** Makes a simulation. */
export let makeSimulation: (parts: SimulationParts) => Simulation;
/** Ends all programs, and gives the errors that nobody has heard of. */
export let endSimulation: (simulation: Simulation) => Promise<Error[]>;

/** The host of the function that was given to `simulate`. */
const MAIN = "main";
/** By name, as that can go to another thread. */
const hostOfCode = new ContextVar<string>("simulated host", {
  defaultValue: MAIN,
});

interface Program {
  readonly task: Task<unknown>;
  /** Whether somebody has got the error that it ended with. */
  isHeard: boolean;
}

/**
 * The hosts of a simulation and the network between them; `simulate` gives it
 * to its function. asyncio has no such thing.
 *
 * @example A host that does not answer
 * ```ts
 * import { openConnection, TimeoutError, timeout } from "@asyncio/asyncio";
 * import { simulate } from "@asyncio/asyncio/testing";
 * import { assertRejects } from "@std/assert";
 *
 * await simulate(async (sim) => {
 *   sim.host("db", () => {});
 *   sim.partition("main", "db");
 *   const connect = () => openConnection({ hostname: "db", port: 5432 });
 *   await assertRejects(() => timeout(5000, connect), TimeoutError);
 * });
 * ```
 */
export class Simulation {
  readonly #loop: EventLoop;
  readonly #random: () => number;
  readonly #network: SimulatedNetwork;
  readonly #views = new Map<string, Network>();
  readonly #programs = new Map<string, Program>();
  readonly #cuts = new Set<string>();
  readonly #holds = new Set<string>();
  readonly #trace: string[] = [];

  /**
   * Made by `simulate`.
   *
   * @internal
   * @ignore
   */
  private constructor({ loop, seed, latency }: SimulationParts) {
    this.#loop = loop;
    this.#random = makeFractions(seed);
    // Sequences of their own: none hangs on how often another one is asked.
    const randomOfPackets = makeFractions(~seed);
    const kernel = kernelOf(loop);
    kernel.random = makeFractions(seed ^ 0x5bd1e995);
    const [least, most] = latency;
    const wires: Wires = {
      loop,
      stopped: new Set(),
      latency: (from, to) =>
        from === to ? 0 : least + (most - least) * randomOfPackets(),
      isCut: (a, b) => this.#cuts.size > 0 && this.#cuts.has(pairOf(a, b)),
      isHeld: (a, b) => this.#holds.size > 0 && this.#holds.has(pairOf(a, b)),
    };
    this.#network = new SimulatedNetwork(wires, (event) => this.#note(event));
    this.#views.set(MAIN, this.#network.add(MAIN));
    setNetwork(kernel, () => this.#views.get(hostOfCode.get())!);
  }

  /**
   * What has happened on the network and to it, each with its time in
   * milliseconds: `12.5 main to db:80 connects`. It is the same for the same seed.
   */
  get trace(): readonly string[] {
    return this.#trace;
  }

  /**
   * Runs a program as a host of its own. It has an address, to which its name
   * leads, and ports of its own; the tasks that it starts are on its host. It
   * is cancelled when the simulation ends.
   *
   * What it throws is thrown by {@linkcode Simulation.join}, or at the end of the
   * simulation, if nobody has called that.
   *
   * @param name The name of the host.
   * @param fn The program.
   * @throws {TypeError} When `name` is no string or that of a host, or `fn` is no
   * function.
   */
  host(name: string, fn: TaskFunction<unknown>): void {
    const action = "add a host";
    checkString(action, "name", name);
    checkFunction(action, "fn", fn);
    if (name === "" || name === "localhost" || this.#views.has(name)) {
      throw new TypeError(
        `Cannot ${action} as 'name' must be one that no host has: received ${
          show(name)
        }`,
      );
    }
    this.#views.set(name, this.#network.add(name));
    this.#note(`${name} starts`);
    const context = copyContext();
    context.run(() => hostOfCode.set(name));
    const task = createTask(fn, { name, context, loop: this.#loop });
    this.#programs.set(name, { task, isHeard: false });
    task.addDoneCallback(() => this.#note(`${name} ends`));
  }

  /**
   * Waits until the program of a host has ended. Cancelling the wait leaves the
   * program alone.
   *
   * @param host The name of the host.
   * @throws {TypeError} When no program runs on such a host.
   * @throws {CancelledError} When the task is cancelled meanwhile.
   * @throws Whatever the program throws.
   */
  async join(host: string): Promise<void> {
    const program = this.#programs.get(host);
    if (program === undefined) throw this.#unknown("join a host", "host", host);
    const { task } = program;
    await wait([task]);
    // Not before: a wait that is cancelled has not told of an error.
    program.isHeard = true;
    await task;
  }

  /**
   * Cuts the network between two hosts: nothing comes through, and neither is
   * told. What is sent goes on its way once it is healed; a connection breaks
   * when that takes a quarter of an hour, an attempt to connect after two
   * minutes.
   *
   * @param a The name of a host; `main` is that of the simulation's function.
   * @param b The name of another one.
   * @throws {TypeError} When there is no such host, or both are the same.
   */
  partition(a: string, b: string): void {
    this.#checkPair("partition hosts", a, b);
    this.#cuts.add(pairOf(a, b));
    this.#note(`${a} and ${b} are cut off`);
  }

  /**
   * Holds what goes from one of two hosts to the other, also what is on its way:
   * it comes once that is healed, and none of it is lost or given up, however
   * long that takes. So it is for the test to say when something arrives.
   *
   * @param a The name of a host; `main` is that of the simulation's function.
   * @param b The name of another one.
   * @throws {TypeError} When there is no such host, or both are the same.
   */
  hold(a: string, b: string): void {
    this.#checkPair("hold what hosts send", a, b);
    this.#holds.add(pairOf(a, b));
    this.#note(`${a} and ${b} are held`);
  }

  /**
   * Mends the network, after partitions and holds: between two hosts, or
   * everywhere.
   *
   * @param a The name of a host; all are healed if none is given.
   * @param b The name of another one; all of those of `a` if none is given.
   * @throws {TypeError} When there is no such host, or both are the same.
   */
  heal(a?: string, b?: string): void {
    const action = "heal the network";
    if (a !== undefined && b !== undefined) this.#checkPair(action, a, b);
    else if (a !== undefined) this.#checkHost(action, "a", a);
    else if (b !== undefined) this.#checkHost(action, "b", b);
    const names = [a, b].filter((name) => name !== undefined);
    for (const pair of new Set([...this.#cuts, ...this.#holds])) {
      const ends = JSON.parse(pair) as string[];
      if (!names.every((name) => ends.includes(name))) continue;
      this.#cuts.delete(pair);
      this.#holds.delete(pair);
      this.#note(`${ends[0]} and ${ends[1]} are healed`);
    }
    this.#network.heal();
  }

  /**
   * A number that the seed decides.
   *
   * @returns From 0 up to, and without, 1.
   */
  random(): number {
    return this.#random();
  }

  #note(event: string): void {
    this.#trace.push(`${this.#loop.time()} ${event}`);
  }

  #checkPair(action: string, a: string, b: string): void {
    this.#checkHost(action, "a", a);
    this.#checkHost(action, "b", b);
    if (a === b) {
      throw new TypeError(
        `Cannot ${action} as 'a' and 'b' must be two hosts: received ${
          show(a)
        } twice`,
      );
    }
  }

  #checkHost(action: string, name: string, host: string): void {
    if (!this.#views.has(host)) throw this.#unknown(action, name, host);
  }

  #unknown(action: string, name: string, host: unknown): TypeError {
    const known = [...this.#views.keys()].join(", ");
    return new TypeError(
      `Cannot ${action} as '${name}' must be the name of a host (${known}): received ${
        show(host)
      }`,
    );
  }

  async #end(): Promise<Error[]> {
    const programs = [...this.#programs.values()];
    const running = programs.filter(({ task }) => !task.done());
    for (const { task } of running) task.cancel();
    const tasks = programs.map(({ task }) => task);
    await gather(tasks, { returnExceptions: true });
    return programs.flatMap(({ task, isHeard }) => {
      if (isHeard || task.cancelled()) return [];
      const error = task.exception();
      return error === undefined ? [] : [error as Error];
    });
  }

  static {
    makeSimulation = (parts) => new Simulation(parts);
    endSimulation = (simulation) => simulation.#end();
  }
}

/** One name for both directions. */
function pairOf(a: string, b: string): string {
  return JSON.stringify(a < b ? [a, b] : [b, a]);
}
