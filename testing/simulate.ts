import {
  checkDuration,
  checkFunction,
  checkInteger,
} from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { newEventLoop } from "../loop/ambient.ts";
import { run } from "../tasks/runner.ts";
import {
  endSimulation,
  makeSimulation,
  type Simulation,
} from "./simulation.ts";
import { VirtualClock } from "./virtual_clock.ts";

/** Options of {@linkcode simulate}. */
export interface SimulateOptions {
  /**
   * Decides all that is left to chance: how long each packet takes, what
   * `sim.random()` gives, and which of several ready cases `select` takes.
   *
   * @default {0}
   */
  seed?: number | undefined;
  /**
   * How long a packet takes from one host to another, in milliseconds; two
   * numbers for the least and the most. On one host it takes no time.
   *
   * @default {1}
   */
  latency?: number | readonly [number, number] | undefined;
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
  seed: true,
  latency: true,
  debug: true,
  signal: true,
}, { boolean: "debug", number: "seed" });

/**
 * Runs a program of several hosts in virtual time, on a network that is
 * simulated. Equivalent of turmoil's `Sim` in Rust; asyncio has no such thing.
 *
 * What `openConnection`, `startServer`, `createConnection`, `createServer`,
 * `getaddrinfo` and `getnameinfo` do inside goes to that network; readers,
 * writers and transports are those of a socket. A host's name leads to its
 * address; if nobody listens, a connection is refused. Datagrams, TLS and Unix
 * sockets are an `OSError`, as there are none.
 *
 * What is not of this library is not simulated: `fetch`, the sockets of the
 * runtime, `Math.random()` and `Date.now()` are as they are outside.
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
 * @param main The function, on the host `main`. When it ends, the programs of all
 * hosts are cancelled, and have ended when this does.
 * @param options The seed, the network, and more.
 * @returns What `main` returns.
 * @throws {TypeError} When `main` is no function, or an option of the wrong kind.
 * @throws {RangeError} When `seed` or `latency` is negative, or the least latency
 * more than the most.
 * @throws Whatever `main` throws; or a host, if nobody has joined it.
 */
export async function simulate<T>(
  main: (sim: Simulation) => PromiseLike<T> | T,
  options: SimulateOptions = {},
): Promise<T> {
  const action = "simulate";
  checkFunction(action, "main", main);
  checkOptions(action, options, SIMULATE_OPTIONS);
  const { seed = 0, latency = 1, ...rest } = options;
  checkInteger(action, "seed", seed, 0);
  const span = checkLatency(action, latency);
  const loop = newEventLoop({ clock: new VirtualClock() });
  return await run(async () => {
    const simulation = makeSimulation({ loop, seed, latency: span });
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
  }, { ...rest, loop });
}

function checkLatency(
  action: string,
  latency: number | readonly [number, number],
): readonly [number, number] {
  if (!Array.isArray(latency)) {
    checkDuration(action, "latency", latency);
    return [latency as number, latency as number];
  }
  const [least, most] = latency as [number, number];
  checkDuration(action, "latency[0]", least);
  checkDuration(action, "latency[1]", most);
  if (least <= most) return [least, most];
  throw new RangeError(
    `Cannot ${action} as the least 'latency' must not be more than the most: received ${
      show(latency)
    }`,
  );
}
