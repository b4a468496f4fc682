import {
  checkDelay,
  checkFunction,
  checkOneOf,
  checkString,
} from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { makeFractions, makeRandom } from "../_internal/random.ts";
import { show } from "../_internal/show.ts";
import { InvalidStateError } from "../errors.ts";
import { newEventLoop } from "../loop/ambient.ts";
import {
  type Context,
  ContextVar,
  copyContext,
  variablesOf,
} from "../loop/context.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import { type Kernel, kernelOf } from "../loop/kernel.ts";
import type { Scope } from "../loop/scope.ts";
import { liveTasks } from "../loop/live_tasks.ts";
import {
  currentTask,
  scopeOf,
  type Task,
  type TaskFunction,
} from "../loop/task.ts";
import { vanish, type Vanishing } from "../loop/vanish.ts";
import { isIp } from "../platform/names.ts";
import { type Network, removeNetwork, setNetwork } from "../streams/network.ts";
import { vanishOpen } from "../streams/open_ends.ts";
import { createTask } from "../tasks/create_task.ts";
import { gather } from "../tasks/gather.ts";
import { wait } from "../tasks/wait.ts";
import { crashOfCode } from "./_crash_of_code.ts";
import { removeWorld, setWorld, type World } from "./_seeded_globals.ts";
import { SimulatedNetwork } from "./_simulated_network.ts";
import { type Way, Wires } from "./_wires.ts";
import {
  checkLink,
  LINK_NAMES,
  type SimulatedLinkOptions,
} from "./simulated_link_options.ts";

/** What a simulation is made of. */
export interface SimulationParts {
  readonly loop: EventLoop;
  readonly seed: number;
  /** What was given of the way between any two hosts. */
  readonly link: Partial<Way>;
}

/** Makes a simulation. */
export let makeSimulation: (parts: SimulationParts) => Simulation;
/** Ends all programs, and gives the errors that nobody has heard of. */
export let endSimulation: (simulation: Simulation) => Promise<Error[]>;

const USUAL_WAY: Way = {
  latency: [1, 1],
  bandwidth: Infinity,
  loss: 0,
  duplication: 0,
};

/** What `Date.now()` gives at the start of a simulation: the year 2000. */
const START_OF_TIME = Date.UTC(2000, 0, 1);

/** The same for what the hosts leave behind in a loop that goes on. */
export let leaveLoop: (simulation: Simulation) => Promise<void>;

/** The host of the function that was given to `simulate`. */
const MAIN = "main";
/** By name, as that can go to another thread. */
const hostOfCode = new ContextVar<string>("simulated host", {
  defaultValue: MAIN,
});

/** What runs on a host, once more after each crash. */
interface Program {
  readonly fn: TaskFunction<unknown>;
  /** Each start has a copy. */
  readonly context: Context;
  readonly task: Task<unknown>;
  /** Whether somebody has got the error that it ended with. */
  isHeard: boolean;
  hasCrashed: boolean;
}

/** Options of {@linkcode Simulation.host}. */
export interface SimulatedHostOptions {
  /**
   * Its address, of IPv4.
   *
   * @default {`10.0.0.2` for the first host, and so on; `main` has `10.0.0.1`}
   */
  address?: string | undefined;
  /**
   * How far its clock is ahead of that of the others, in milliseconds; behind
   * them if it is negative. It is what `Date.now()` and `new Date()` go by, and no
   * timer does.
   *
   * @default {0}
   */
  clockSkew?: number | undefined;
}

const HOST_OPTIONS = new OptionNames<SimulatedHostOptions>({
  address: "string",
  clockSkew: true,
}, { string: "address", number: "clockSkew" });

const LINK_OPTIONS = new OptionNames<SimulatedLinkOptions>(LINK_NAMES);

/** Options of {@linkcode Simulation.crash}. */
export interface SimulatedCrashOptions {
  /**
   * What becomes of the connections of the host, and so what the other ends hear:
   *
   * - `"reset"`: a reset, as of a machine that has started again at once.
   * - `"close"`: the end of what was sent, as if it were whole, or a reset if
   *   something is unread. So the system closes the sockets of a process that is
   *   killed.
   * - `"silent"`: nothing until the host has started again, as of a machine that
   *   has lost its power.
   *
   * @default {"reset"}
   */
  sockets?: "close" | "reset" | "silent" | undefined;
}

const CRASH_OPTIONS = new OptionNames<SimulatedCrashOptions>({ sockets: true });

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
  readonly #wires: Wires;
  readonly #network: SimulatedNetwork;
  readonly #world: World;
  /** How far the clocks of hosts are ahead of the others, in milliseconds. */
  readonly #skews = new Map<string, number>();
  readonly #views = new Map<string, Network>();
  readonly #programs = new Map<string, Program>();
  readonly #trace: string[] = [];
  /** That of the function that was given to `simulate`. */
  readonly #context: Context = copyContext();
  /** Where the code of hosts that have crashed is. */
  #limbo: Kernel | null = null;

  /**
   * Made by `simulate`.
   *
   * @internal
   * @ignore
   */
  private constructor({ loop, seed, link }: SimulationParts) {
    this.#loop = loop;
    this.#random = makeFractions(seed);
    // Sequences of their own: none hangs on how often another one is asked.
    const random = makeFractions(~seed);
    const kernel = kernelOf(loop);
    this.#wires = new Wires(kernel, {
      random,
      usual: { ...USUAL_WAY, ...link },
    });
    const fraction = makeFractions(seed ^ 0x2c1b3c6d);
    const byte = makeRandom(seed ^ 0x297a2d39);
    this.#world = {
      random: fraction,
      randomByte: () => byte(256),
      now: () => {
        const skew = this.#skews.get(hostOfCode.get()) ?? 0;
        return START_OF_TIME + Math.floor(loop.time() + skew);
      },
    };
    setWorld(kernel, this.#world);
    this.#network = new SimulatedNetwork(
      this.#wires,
      (event) => this.#note(event),
    );
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
   * @param options Its address and its clock.
   * @throws {TypeError} When `name` is no string or that of a host, `fn` is no
   * function, or `address` no address of IPv4 that no host has.
   * @throws {RangeError} When `clockSkew` is NaN.
   */
  host(
    name: string,
    fn: TaskFunction<unknown>,
    options: SimulatedHostOptions = {},
  ): void {
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
    checkOptions(action, options, HOST_OPTIONS);
    const { address, clockSkew = 0 } = options;
    checkDelay(action, "clockSkew", clockSkew);
    if (address !== undefined) {
      if (isIp(address) !== 4 || this.#network.hasAddress(address)) {
        throw new TypeError(
          `Cannot ${action} as 'address' must be one of IPv4 that no host has: received ${
            show(address)
          }`,
        );
      }
    }
    this.#skews.set(name, clockSkew);
    this.#views.set(name, this.#network.add(name, address));
    const context = copyContext();
    context.run(() => {
      hostOfCode.set(name);
      crashOfCode.set(() => this.#crashAndRestart(name));
    });
    this.#start(name, { fn, context });
  }

  /**
   * Crashes a host: all its tasks, callbacks and timers are gone, and no
   * `finally` of them runs. Nobody listens on it any more, and its connections
   * break. What was on its way from it still arrives. What the program keeps
   * outside of its function is as a disk is: it outlasts the crash.
   *
   * Code that awaits a promise of the runtime's own, such as that of `fetch`,
   * goes on up to its next wait for something of this library, and no further.
   * A task of the host that another host waits for is cancelled. Nothing happens
   * if the host has crashed already.
   *
   * @example A program that starts again with what it has saved
   * ```ts
   * import { sleep } from "@asyncio/asyncio";
   * import { simulate } from "@asyncio/asyncio/testing";
   * import { assertEquals } from "@std/assert";
   *
   * await simulate(async (sim) => {
   *   const disk: string[] = [];
   *   sim.host("db", async () => {
   *     disk.push("started");
   *     try {
   *       await sleep(1000);
   *     } finally {
   *       disk.push("ended");
   *     }
   *   });
   *   await sleep(500);
   *   sim.crash("db");
   *   sim.restart("db");
   *   await sim.join("db");
   *   assertEquals(disk, ["started", "started", "ended"]);
   * });
   * ```
   *
   * @param host The name of the host; not `main`.
   * @param options What becomes of its connections.
   * @throws {TypeError} When no program runs on such a host.
   * @throws {RangeError} When `sockets` is another word.
   */
  crash(host: string, options: SimulatedCrashOptions = {}): void {
    const action = "crash a host";
    const program = this.#programOf(action, host);
    checkOptions(action, options, CRASH_OPTIONS);
    const { sockets = "reset" } = options;
    checkOneOf(action, "sockets", sockets, ["reset", "close", "silent"]);
    if (program.hasCrashed) return;
    program.hasCrashed = true;
    const kernel = kernelOf(this.#loop);
    const limbo = this.#limbo ??= makeLimbo(this.#world);
    const vanishing: Vanishing = {
      limbo,
      isGone: (scope) => hostOf(scope) === host,
    };
    this.#network.crash(host, sockets);
    vanish(kernel, vanishing);
    vanishOpen(kernel, vanishing);
    this.#note(`${host} crashes`);
  }

  /**
   * Starts the program of a host that has crashed, or has ended, again. If the
   * host was silent, it now answers what comes for its old connections with a
   * reset.
   *
   * @param host The name of the host; not `main`.
   * @throws {TypeError} When it is no such host.
   * @throws {InvalidStateError} When its program still runs.
   */
  restart(host: string): void {
    const action = "restart a host";
    const program = this.#programOf(action, host);
    if (!program.task.done()) {
      throw new InvalidStateError(
        `Cannot ${action} as its program still runs: received ${show(host)}`,
      );
    }
    this.#wires.bringUp(host);
    this.#start(host, program);
  }

  #crashAndRestart(host: string): void {
    this.crash(host);
    this.restart(host);
  }

  #start(name: string, { fn, context }: Pick<Program, "fn" | "context">): void {
    this.#note(`${name} starts`);
    const task = createTask(fn, {
      name,
      context: context.copy(),
      loop: this.#loop,
    });
    const program = { fn, context, task, isHeard: false, hasCrashed: false };
    this.#programs.set(name, program);
    task.addDoneCallback(() => {
      if (!program.hasCrashed) this.#note(`${name} ends`);
    }, { context: this.#context });
  }

  /**
   * Waits until the program of a host has ended. Cancelling the wait leaves the
   * program alone.
   *
   * @param host The name of the host.
   * @throws {TypeError} When no program runs on such a host.
   * @throws {InvalidStateError} When the host crashes meanwhile, or has crashed
   * and not started again.
   * @throws {CancelledError} When the task is cancelled meanwhile.
   * @throws Whatever the program throws.
   */
  async join(host: string): Promise<void> {
    const program = this.#programOf("join a host", host);
    const { task } = program;
    await wait([task]);
    if (program.hasCrashed) {
      throw new InvalidStateError(
        `Cannot join a host as it has crashed: received ${show(host)}`,
      );
    }
    // Not before: a wait that is cancelled has not told of an error.
    program.isHeard = true;
    await task;
  }

  /**
   * Changes what the network between two hosts is like, for what is sent from
   * here on. What is not given stays as it is.
   *
   * @example A slow line
   * ```ts
   * import { getRunningLoop, openDatagram } from "@asyncio/asyncio";
   * import { simulate } from "@asyncio/asyncio/testing";
   * import { assertEquals } from "@std/assert";
   *
   * await simulate(async (sim) => {
   *   sim.host("sensor", async () => {
   *     const socket = await openDatagram({
   *       remoteAddr: { hostname: "main", port: 9000 },
   *     });
   *     socket.send(new Uint8Array(500));
   *     socket.close();
   *   });
   *   sim.link("main", "sensor", { latency: 100, bandwidth: 1000 });
   *   const socket = await openDatagram({ localAddr: { port: 9000 } });
   *   assertEquals((await socket.receive()).data.length, 500);
   *   assertEquals(getRunningLoop().time(), 600);
   *   socket.close();
   * });
   * ```
   *
   * @param a The name of a host; `main` is that of the simulation's function.
   * @param b The name of another one.
   * @param options What to change.
   * @throws {TypeError} When there is no such host, or both are the same, or an
   * option is of the wrong kind.
   * @throws {RangeError} When `latency` is negative or its least more than its
   * most, `bandwidth` not more than 0, or `loss` or `duplication` not from 0 to 1.
   */
  link(a: string, b: string, options: SimulatedLinkOptions): void {
    const action = "change a link";
    this.#checkPair(action, a, b);
    checkOptions(action, options, LINK_OPTIONS);
    this.#wires.setWay(a, b, checkLink(action, options));
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
    this.#wires.cut(a, b);
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
    this.#wires.hold(a, b);
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
    for (const [first, second] of this.#wires.heal(names)) {
      this.#note(`${first} and ${second} are healed`);
    }
  }

  /**
   * A number that the seed decides.
   *
   * @returns From 0 up to, and without, 1.
   */
  random(): number {
    return this.#random();
  }

  /** What else runs on its hosts is cancelled; the loop is as it was before. */
  async #leave(): Promise<void> {
    const kernel = kernelOf(this.#loop);
    const own = currentTask();
    const tasks = liveTasks(kernel).filter((task) =>
      task !== own && hostOf(scopeOf(task)) !== null
    );
    for (const task of tasks) task.cancel();
    try {
      await gather(tasks, { returnExceptions: true });
    } finally {
      removeNetwork(kernel);
      removeWorld(kernel);
    }
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

  /** Of a host that has one, so not of `main`. */
  #programOf(action: string, host: string): Program {
    const program = this.#programs.get(host);
    if (program === undefined) throw this.#unknown(action, "host", host);
    return program;
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
    leaveLoop = (simulation) => simulation.#leave();
  }
}

/** A context of the function that was given to `simulate`. */
export function contextOfMain(): Context {
  const context = copyContext();
  context.run(() => hostOfCode.set(MAIN));
  return context;
}

/** On which host the code of a scope is, if that was ever said. */
function hostOf(scope: Scope): unknown {
  if (!scope.hasVariables) return null;
  const named = variablesOf(scope.context).find(([name]) =>
    name === hostOfCode.name
  );
  return named === undefined ? null : named[1];
}

/** The kernel of a loop that never runs, and whose network never answers. */
function makeLimbo(world: World): Kernel {
  const kernel = kernelOf(newEventLoop({ debug: false }));
  setWorld(kernel, world);
  const never = () => new Promise<never>(() => {});
  setNetwork(kernel, () => ({
    net: { connect: never, upgrade: never, listen: never },
    names: { isIp, lookup: never, lookupService: never },
    datagrams: { open: never },
  }));
  return kernel;
}
