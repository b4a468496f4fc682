/**
 * A network of simulated hosts, each with an address of its own: who listens
 * there, and what comes of trying to connect.
 */
import { canonicalIp } from "../_internal/ip.ts";
import { OSError } from "../errors.ts";
import { isIp } from "../platform/names.ts";
import { systemError } from "../platform/system_errors.ts";
import type { HostLookup } from "../platform/types/names.ts";
import type {
  HostBinding,
  HostConnection,
  HostListener,
  HostNet,
  HostSocketOptions,
  HostTarget,
  HostTls,
  NetAddress,
} from "../platform/types/net.ts";
import type { Network } from "../streams/network.ts";
import { SimulatedConnection } from "./_simulated_connection.ts";
import type { Wires } from "./_simulated_link.ts";
import { SimulatedListener } from "./_simulated_listener.ts";

/** When an attempt to connect is made again, as Linux does: 6 times. */
const RETRY_MS = [1000, 2000, 4000, 8000, 16_000, 32_000, 64_000];
const LOOPBACK = "127.0.0.1";
const ANY = "0.0.0.0";
const FIRST_FREE_PORT = 49_152;
const PORTS = 65_536;

/** A host, as the network knows it. */
interface Machine {
  readonly name: string;
  readonly address: string;
  /** By `address:port`. */
  readonly listeners: Map<string, SimulatedListener>;
  nextPort: number;
}

export class SimulatedNetwork {
  readonly #wires: Wires;
  readonly #note: (event: string) => void;
  readonly #machines = new Map<string, Machine>();
  /** Attempts to connect whose packets are held. */
  #waiting: (() => void)[] = [];

  /** @param note Told of each event. */
  constructor(wires: Wires, note: (event: string) => void) {
    this.#wires = wires;
    this.#note = note;
  }

  /** Adds a host, and gives what its program sees of the network. */
  add(name: string): Network {
    const count = this.#machines.size + 1;
    const machine: Machine = {
      name,
      address: `10.0.${count >> 8}.${count & 255}`,
      listeners: new Map(),
      nextPort: FIRST_FREE_PORT,
    };
    this.#machines.set(name, machine);
    return {
      net: this.#netOf(machine),
      names: {
        isIp,
        lookup: (hostname, family) => this.#lookup(hostname, family),
        lookupService: (address, port) => this.#lookupService(address, port),
      },
      datagrams: {
        open: () => refuse("create a datagram endpoint", "has no datagrams"),
      },
    };
  }

  /** Partitions and holds may be over: what they held up goes on. */
  heal(): void {
    for (const link of [...this.#wires.stopped]) link.heal();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const goOn of waiting) goOn();
  }

  #netOf(machine: Machine): HostNet {
    return {
      connect: (target, options, signal) =>
        this.#connect({ machine, target, options }, signal),
      listen: (binding, _, tls) => this.#listen({ machine, binding, tls }),
      upgrade: () => refuse("speak TLS", "has no TLS"),
    };
  }

  #lookup(hostname: string, family: 0 | 4 | 6): Promise<HostLookup[]> {
    const address = hostname === "localhost"
      ? LOOPBACK
      : this.#machines.get(hostname)?.address;
    if (address !== undefined && family !== 6) {
      return Promise.resolve([{ address, family: 4 }]);
    }
    const cause = new Error("No host of the simulation has the name");
    return Promise.reject(
      systemError("ENOTFOUND", `look up ${hostname}`, cause),
    );
  }

  #lookupService(
    address: string,
    port: number,
  ): Promise<{ hostname: string; service: string }> {
    const hostname = address === LOOPBACK
      ? "localhost"
      : this.#machineAt(address)?.name ?? address;
    return Promise.resolve({ hostname, service: `${port}` });
  }

  #machineAt(address: string): Machine | undefined {
    return [...this.#machines.values()].find((each) =>
      each.address === canonicalIp(address)
    );
  }

  // -- listening ------------------------------------------------------------

  async #listen(
    { machine, binding, tls }: {
      machine: Machine;
      binding: HostBinding;
      tls: HostTls | null;
    },
  ): Promise<HostListener> {
    if (tls !== null) return await refuse("listen with TLS", "has no TLS");
    if ("path" in binding) {
      return await refuse(`listen at ${binding.path}`, "has no Unix sockets");
    }
    const { hostname, backlog } = binding;
    const port = binding.port === 0 ? freePort(machine) : binding.port;
    const action = `listen on ${hostname} port ${port}`;
    if (![ANY, LOOPBACK, machine.address].includes(hostname)) {
      throw systemError("EADDRNOTAVAIL", action, missing(machine));
    }
    const place = `${hostname}:${port}`;
    const isTaken = hostname === ANY
      ? isPortTaken(machine, port)
      : machine.listeners.has(place) || machine.listeners.has(`${ANY}:${port}`);
    if (isTaken) {
      const cause = new Error(`A server of ${machine.name} listens there`);
      throw systemError("EADDRINUSE", action, cause);
    }
    const address = addressOf(hostname, port);
    const listener = new SimulatedListener(address, {
      backlog,
      onClosed: () => {
        machine.listeners.delete(place);
        this.#note(`${machine.name} closes ${place}`);
      },
    });
    machine.listeners.set(place, listener);
    this.#note(`${machine.name} listens on ${place}`);
    return listener;
  }

  // -- connecting -----------------------------------------------------------

  async #connect(
    { machine, target, options }: {
      machine: Machine;
      target: HostTarget;
      options: HostSocketOptions;
    },
    signal: AbortSignal,
  ): Promise<HostConnection> {
    if (options.isForTls === true) {
      return await refuse("connect with TLS", "has no TLS");
    }
    if ("path" in target) {
      return await refuse(`connect to ${target.path}`, "has no Unix sockets");
    }
    const { hostname, port, localAddr } = target;
    const action = `connect to ${hostname} port ${port}`;
    const isInside = hostname === LOOPBACK || hostname === machine.address;
    const own = isInside ? hostname : machine.address;
    const from = localAddr?.hostname ?? ANY;
    if (from !== ANY && from !== own) {
      throw systemError("EADDRNOTAVAIL", action, missing(machine));
    }
    const remote = isInside ? machine : this.#machineAt(hostname);
    const local = addressOf(own, localAddr?.port || freePort(machine));
    const where = `${machine.name} to ${remote?.name ?? hostname}:${port}`;
    this.#note(`${where} connects`);
    for (const wait of RETRY_MS) {
      const answer = remote === undefined
        ? null
        // deno-lint-ignore no-await-in-loop -- one attempt after the other
        : await this.#knock({ machine, remote, local, hostname, port });
      if (answer === "refused") {
        this.#note(`${where} is refused`);
        const cause = new Error(`No server of ${remote!.name} listens there`);
        throw systemError("ECONNREFUSED", action, cause);
      }
      if (answer !== null) {
        this.#note(`${where} is connected`);
        return answer;
      }
      // deno-lint-ignore no-await-in-loop -- one attempt after the other
      await this.#pause(wait);
      if (signal.aborted) break;
    }
    this.#note(`${where} gives up`);
    const cause = new Error("No host of the simulation answered");
    throw systemError("ETIMEDOUT", action, cause);
  }

  /** One attempt; `null` if nobody answers it. */
  async #knock(
    { machine, remote, local, hostname, port }: {
      machine: Machine;
      remote: Machine;
      local: NetAddress;
      hostname: string;
      port: number;
    },
  ): Promise<SimulatedConnection | "refused" | null> {
    if (!await this.#travel(machine, remote)) return null;
    const listener = remote.listeners.get(`${hostname}:${port}`) ??
      remote.listeners.get(`${ANY}:${port}`);
    if (listener === undefined) {
      return await this.#travel(remote, machine) ? "refused" : null;
    }
    if (listener.isFull) return null;
    if (!await this.#travel(remote, machine)) return null;
    const [near, far] = SimulatedConnection.pair(this.#wires, [
      { host: machine.name, address: local },
      { host: remote.name, address: addressOf(hostname, port) },
    ]);
    listener.take(far);
    return near;
  }

  /** Whether a packet comes through. */
  async #travel(from: Machine, to: Machine): Promise<boolean> {
    await this.#release(from, to);
    if (this.#wires.isCut(from.name, to.name)) return false;
    await this.#pause(this.#wires.latency(from.name, to.name));
    await this.#release(from, to);
    return !this.#wires.isCut(from.name, to.name);
  }

  /** Waits until nothing is held between the two. */
  async #release(from: Machine, to: Machine): Promise<void> {
    while (this.#wires.isHeld(from.name, to.name)) {
      // deno-lint-ignore no-await-in-loop -- what is healed may be another pair
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.#wires.loop.callLater(ms, resolve));
  }
}

function addressOf(hostname: string, port: number): NetAddress {
  return Object.freeze({ transport: "tcp", hostname, port });
}

function isPortTaken(machine: Machine, port: number): boolean {
  return [...machine.listeners.values()].some((each) =>
    each.address.port === port
  );
}

/** The next one that no server listens on. */
function freePort(machine: Machine): number {
  for (let tries = FIRST_FREE_PORT; tries < PORTS; tries++) {
    const port = machine.nextPort;
    machine.nextPort = port + 1 === PORTS ? FIRST_FREE_PORT : port + 1;
    if (!isPortTaken(machine, port)) return port;
  }
  const cause = new Error(`${machine.name} listens on every free port`);
  throw systemError("EADDRINUSE", "choose a port", cause);
}

function missing(machine: Machine): Error {
  return new Error(`${machine.name} has the address ${machine.address}`);
}

function refuse(action: string, why: string): Promise<never> {
  return Promise.reject(
    new OSError(`Cannot ${action} as the network of a simulation ${why}`, {
      code: "ENOTSUP",
    }),
  );
}
