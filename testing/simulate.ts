import { checkFunction, checkInteger } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { makeFractions } from "../_internal/random.ts";
import { newEventLoop } from "../loop/ambient.ts";
import { enteredScope } from "../loop/current.ts";
import { loopOf } from "../loop/event_loop.ts";
import { type Kernel, kernelOf } from "../loop/kernel.ts";
import { givenNetwork } from "../streams/network.ts";
import { createTask } from "../tasks/create_task.ts";
import { run } from "../tasks/runner.ts";
import { seedGlobals } from "./_seeded_globals.ts";
import {
  checkLink,
  LINK_NAMES,
  type SimulatedLinkOptions,
} from "./simulated_link_options.ts";
import {
  contextOfMain,
  endSimulation,
  leaveLoop,
  makeSimulation,
  type Simulation,
  type SimulationParts,
} from "./simulation.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** Options of {@linkcode simulate}; those of a link are for all that have none. */
export interface SimulateOptions extends SimulatedLinkOptions {
  /**
   * Decides all that is left to chance: how long each packet takes and whether
   * it is lost, what `sim.random()`, `Math.random()` and `crypto` give, and which
   * of several ready cases `select` takes.
   *
   * @default {0}
   */
  seed?: number | undefined;
  /**
   * Whether the loop runs in debug mode.
   *
   * @default {whether the environment has ASYNCIO_DEBUG=1}
   */
  debug?: boolean | undefined;
  /** Cancels `main` when it is aborted; the reason is kept. */
  signal?: AbortSignal | undefined;
}

const SIMULATE_OPTIONS = new OptionNames<SimulateOptions>({
  ...LINK_NAMES,
  seed: true,
  debug: "boolean",
  signal: "signal",
}, { boolean: "debug", number: "seed" });

/**
 * Runs a program of several hosts in virtual time, on a network that is
 * simulated. Equivalent of turmoil's `Sim` in Rust; asyncio has no such thing.
 *
 * What `openConnection`, `startServer`, `createConnection`, `createServer`,
 * `openDatagram`, `createDatagramEndpoint`, `getaddrinfo` and `getnameinfo` do
 * inside goes to that network; readers, writers and transports are those of a
 * socket. A host's name leads to its address; if nobody listens, a connection
 * is refused. A Unix socket is one of its host. TLS checks
 * certificates and names and leaves the bytes plain. IPv6 and subprocesses are an
 * `OSError`, as there are none.
 *
 * Inside, `Math.random()`, `crypto.getRandomValues()` and `crypto.randomUUID()`
 * come from the seed, and `Date` goes by virtual time, from the start of the year
 * 2000. What else is not of this library is not simulated: `fetch` and the sockets
 * of the runtime are as they are outside.
 *
 * @typeParam T What the function returns.
 *
 * @example A server and its client, on two hosts
 * ```ts
 * import { getRunningLoop, openConnection, startServer } from "@asyncio/asyncio";
 * import { simulate } from "@asyncio/asyncio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * const main = simulate(async (sim) => {
 *   sim.host("db", async () => {
 *     const server = await startServer(async (reader, writer) => {
 *       writer.write(await reader.readLine());
 *       writer.close();
 *     }, { port: 5432 });
 *     await server.serveForever();
 *   });
 *   const [reader, writer] = await openConnection({
 *     hostname: "db",
 *     port: 5432,
 *   });
 *   writer.write("hello\n");
 *   assertEquals(new TextDecoder().decode(await reader.readLine()), "hello\n");
 *   writer.close();
 *   return getRunningLoop().time();
 * }, { latency: 50 });
 * // There and back, for the connection and for the line.
 * assertEquals(await main, 200);
 * ```
 *
 * In a loop that has virtual time, as in `runVirtual`, `exploreSchedules` and
 * `exploreCancellations`, the hosts run in that loop, and it is tried which of
 * several packets of one moment is the first.
 *
 * @param main The function, on the host `main`. When it ends, the programs of all
 * hosts are cancelled, and have ended when this does.
 * @param options The seed, the network, and more.
 * @returns What `main` returns.
 * @throws {TypeError} When `main` is no function, or an option of the wrong kind.
 * @throws {RangeError} When `seed` or `latency` is negative, the least latency more
 * than the most, `bandwidth` not more than 0, or `loss` or `duplication` not from 0
 * to 1.
 * @throws {InvalidStateError} When it is called in a simulation, or in a loop whose
 * time is not virtual.
 * @throws Whatever `main` throws; or a host, if nobody has joined it.
 */
export async function simulate<T>(
  main: (sim: Simulation) => PromiseLike<T> | T,
  options: SimulateOptions = {},
): Promise<T> {
  const action = "simulate";
  checkFunction(action, "main", main);
  checkOptions(action, options, SIMULATE_OPTIONS);
  const { seed = 0, debug, signal } = options;
  checkInteger(action, "seed", seed, 0);
  const link = checkLink(action, options);
  const play: Play<T> = {
    main,
    parts: { seed, link },
    ...(signal === undefined ? undefined : { signal }),
  };
  const restoreGlobals = seedGlobals();
  try {
    const around = virtualKernel();
    if (around === null) return await simulateAlone(play, debug);
    if (debug === undefined) return await simulateIn(around, play);
    throw new TypeError(
      `Cannot ${action} with 'debug' as that is up to the loop around: received ${debug}`,
    );
  } finally {
    restoreGlobals();
  }
}

/** What is to be simulated. */
interface Play<T> {
  readonly main: (sim: Simulation) => PromiseLike<T> | T;
  readonly parts: Omit<SimulationParts, "loop">;
  readonly signal?: AbortSignal;
}

/** The kernel of a loop in virtual time that the code runs in. */
function virtualKernel(): Kernel | null {
  const kernel = enteredScope()?.kernel;
  // In a simulation there is no other one.
  return kernel?.clock instanceof VirtualClock && kernel.isRunning &&
      givenNetwork() === null
    ? kernel
    : null;
}

async function simulateAlone<T>(
  { main, parts, signal }: Play<T>,
  debug: boolean | undefined,
): Promise<T> {
  const loop = newEventLoop({ clock: new VirtualClock() });
  kernelOf(loop).random = makeFractions(parts.seed ^ 0x5bd1e995);
  return await run(() => {
    return simulateTo(makeSimulation({ ...parts, loop }), main);
  }, { debug, signal, loop });
}

/** In a loop that goes on: what is left of it there must end as well. */
async function simulateIn<T>(
  kernel: Kernel,
  { main, parts, signal }: Play<T>,
): Promise<T> {
  const loop = loopOf(kernel);
  const context = contextOfMain();
  const play = async () => {
    const simulation = makeSimulation({ ...parts, loop });
    try {
      return await simulateTo(simulation, main);
    } finally {
      await leaveLoop(simulation);
    }
  };
  // Only a task can be cancelled by a signal.
  return signal === undefined
    ? await context.run(play)
    : await createTask(play, { name: "main", context, signal });
}

async function simulateTo<T>(
  simulation: Simulation,
  main: Play<T>["main"],
): Promise<T> {
  let result: T;
  let failures: Error[] = [];
  try {
    result = await main(simulation);
  } finally {
    failures = await endSimulation(simulation);
  }
  // What main throws comes first: it may well be what this one has led to.
  if (failures.length > 0) throw failures[0];
  return result;
}
