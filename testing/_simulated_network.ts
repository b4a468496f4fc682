/**
 * A network of simulated hosts, each with an address of its own: who listens
 * there, and what comes of trying to connect.
 */
import { canonicalIp } from "../_internal/ip.ts";
import { isIp } from "../platform/names.ts";
import { systemError } from "../platform/system_errors.ts";
import type {
  HostDatagram,
  HostDatagramBinding,
} from "../platform/types/datagrams.ts";
import type { HostLookup } from "../platform/types/names.ts";
import type {
  HostBinding,
  HostClientTls,
  HostConnection,
  HostListener,
  HostNet,
  HostTarget,
  HostTls,
  NetAddress,
  UnixAddress,
} from "../platform/types/net.ts";
import type { Network } from "../streams/network.ts";
import { ANY, LOOPBACK, Machine } from "./_machine.ts";
import { type CrashWay, SimulatedConnection } from "./_simulated_connection.ts";
import { SimulatedDatagrams } from "./_simulated_datagrams.ts";
import { SimulatedListener } from "./_simulated_listener.ts";
import {
  checkSimulatedTls,
  secure,
  SimulatedTlsListener,
} from "./_simulated_tls.ts";
import type { Wires } from "./_wires.ts";

/** When an attempt to connect is made again, as Linux does: 6 times. */
const RETRY_MS = [1000, 2000, 4000, 8000, 16_000, 32_000, 64_000];

/** The address of all other hosts. */
const BROADCAST = "255.255.255.255";

export class SimulatedNetwork {
  readonly #wires: Wires;
  readonly #note: (event: string) => void;
  readonly #machines = new Map<string, Machine>();

  /** @param note Told of each event. */
  constructor(wires: Wires, note: (event: string) => void) {
    this.#wires = wires;
    this.#note = note;
  }

  /** Adds a host, and gives what its program sees of the network. */
  add(name: string, address: string = this.#freeAddress()): Network {
    const machine = new Machine(name, canonicalIp(address));
    this.#machines.set(name, machine);
    return {
      net: this.#netOf(machine),
      names: {
        isIp,
        lookup: (hostname, family) => this.#lookup(hostname, family),
        lookupService: (address, port) => this.#lookupService(address, port),
      },
      datagrams: {
        open: (binding) => this.#openDatagrams(machine, binding),
      },
    };
  }

  /** Whether it is that of a host, or all have it. */
  hasAddress(address: string): boolean {
    const canonical = canonicalIp(address);
    return [ANY, BROADCAST].includes(canonical) ||
      canonical.startsWith("127.") || this.#machineAt(canonical) !== undefined;
  }

  #freeAddress(): string {
    for (let count = this.#machines.size + 1;; count++) {
      const address = `10.0.${count >> 8}.${count & 255}`;
      if (!this.hasAddress(address)) return address;
    }
  }

  /** What a host has open is gone; its peers are told, unless that is silent. */
  crash(name: string, way: CrashWay): void {
    if (way === "silent") this.#wires.takeDown(name);
    this.#machines.get(name)!.crash(way);
  }

  #netOf(machine: Machine): HostNet {
    return {
      connect: (target, _, signal) =>
        this.#connect({ machine, target }, signal),
      listen: (binding, _, tls) => this.#listen({ machine, binding, tls }),
      upgrade: (connection, tls, received, signal) =>
        this.#secure({ connection, tls, received }, signal),
    };
  }

  /** Only connections of this network are ever given to it. */
  #secure(
    { connection, tls, received }: {
      connection: HostConnection;
      tls: HostTls | HostClientTls;
      received: readonly Uint8Array[];
    },
    signal: AbortSignal,
  ): Promise<HostConnection> {
    return secure({
      wires: this.#wires,
      connection: connection as SimulatedConnection,
      tls,
      received,
    }, signal);
  }

  #lookup(hostname: string, family: 0 | 4 | 6): Promise<HostLookup[]> {
    const address = this.#addressFor(hostname);
    if (address !== undefined && family !== 6) {
      return Promise.resolve([{ address, family: 4 }]);
    }
    const cause = new Error("No host of the simulation has the name");
    return Promise.reject(
      systemError("ENOTFOUND", `look up ${hostname}`, cause),
    );
  }

  /** An address is its own. */
  #addressFor(hostname: string): string | undefined {
    if (hostname === "localhost") return LOOPBACK;
    if (isIp(hostname) !== 0) return canonicalIp(hostname);
    return this.#machines.get(hostname)?.address;
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
    const canonical = canonicalIp(address);
    for (const machine of this.#machines.values()) {
      if (machine.address === canonical) return machine;
    }
    return undefined;
  }

  // -- listening ------------------------------------------------------------

  // deno-lint-ignore require-await -- what it throws is a rejection
  async #listen(
    { machine, binding, tls }: {
      machine: Machine;
      binding: HostBinding;
      tls: HostTls | null;
    },
  ): Promise<HostListener> {
    if (tls !== null) checkSimulatedTls(tls);
    const listener = "path" in binding
      ? this.#listenAt(machine, binding)
      : this.#listenOn(machine, binding);
    return tls === null ? listener : new SimulatedTlsListener(
      listener,
      (connection, signal) =>
        this.#secure({ connection, tls, received: [] }, signal),
    );
  }

  #listenOn(
    machine: Machine,
    binding: Exclude<HostBinding, { path: string }>,
  ): HostListener {
    const { listeners } = machine;
    return listeners.bind(binding, ({ port, name }) => {
      this.#note(`${machine.name} listens on ${name}`);
      return new SimulatedListener(addressOf("tcp", binding.hostname, port), {
        backlog: binding.backlog,
        onClosed: () => {
          listeners.release(name);
          this.#note(`${machine.name} closes ${name}`);
        },
      });
    });
  }

  /** What a server that crashed has left there is in nobody's way. */
  #listenAt(
    machine: Machine,
    { path, backlog }: { path: string; backlog: number | null },
  ): HostListener {
    const { unixSockets } = machine;
    if ((unixSockets.get(path) ?? null) !== null) {
      const cause = new Error(`Another server of ${machine.name} has it`);
      throw systemError("EADDRINUSE", `listen at ${path}`, cause);
    }
    this.#note(`${machine.name} listens at ${path}`);
    const listener = new SimulatedListener(unixAddress(path), {
      backlog,
      onClosed: () => {
        unixSockets.delete(path);
        this.#note(`${machine.name} closes ${path}`);
      },
    });
    unixSockets.set(path, listener);
    return listener;
  }

  // -- connecting -----------------------------------------------------------

  async #connect(
    { machine, target }: { machine: Machine; target: HostTarget },
    signal: AbortSignal,
  ): Promise<HostConnection> {
    if ("path" in target) return this.#connectAt(machine, target.path);
    const { hostname, port, localAddr } = target;
    const action = `connect to ${hostname} port ${port}`;
    const own = machine.isOwn(hostname) ? hostname : machine.address;
    const from = localAddr?.hostname ?? ANY;
    if (from !== ANY && from !== own) {
      const cause = new Error(`${machine.name} has the address ${own}`);
      throw systemError("EADDRNOTAVAIL", action, cause);
    }
    const remote = machine.isOwn(hostname)
      ? machine
      : this.#machineAt(hostname);
    const freePort = localAddr?.port || machine.listeners.free();
    const local = addressOf("tcp", own, freePort);
    const where = `${machine.name} to ${remote?.name ?? hostname}:${port}`;
    this.#note(`${where} connects`);
    const { life } = machine;
    for (const wait of RETRY_MS) {
      const answer = remote === undefined
        ? null
        // deno-lint-ignore no-await-in-loop -- one attempt after the other
        : await this.#knock({ machine, remote, local, hostname, port });
      if (machine.life !== life) return await new Promise(() => {});
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
      await this.#wires.pause(wait);
      if (machine.life !== life) return await new Promise(() => {});
      if (signal.aborted) break;
    }
    this.#note(`${where} gives up`);
    const cause = new Error("No host of the simulation answered");
    throw systemError("ETIMEDOUT", action, cause);
  }

  /** A Unix socket is one of the same host. */
  #connectAt(machine: Machine, path: string): HostConnection {
    const action = `connect to ${path}`;
    const listener = machine.unixSockets.get(path);
    if (listener === undefined) {
      const cause = new Error(`${machine.name} has no Unix socket there`);
      throw systemError("ENOENT", action, cause);
    }
    if (listener === null) {
      const cause = new Error(`No server of ${machine.name} listens there`);
      throw systemError("ECONNREFUSED", action, cause);
    }
    if (listener.isFull) {
      const cause = new Error("Too many wait to be let in");
      throw systemError("EAGAIN", action, cause);
    }
    this.#note(`${machine.name} connects to ${path}`);
    const { name: host, connections: open } = machine;
    const [near, far] = SimulatedConnection.pair(this.#wires, [
      { host, address: unixAddress(""), open },
      { host, address: unixAddress(path), open },
    ]);
    listener.take(far);
    return near;
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
    const { life } = machine;
    if (!await this.#travel(machine, remote)) return null;
    const listener = remote.listeners.at(hostname, port);
    if (listener === undefined) {
      return await this.#travel(remote, machine) ? "refused" : null;
    }
    if (listener.isFull) return null;
    const { life: remoteLife } = remote;
    if (!await this.#travel(remote, machine)) return null;
    if (machine.life !== life) return null;
    const [near, far] = SimulatedConnection.pair(this.#wires, [
      { host: machine.name, address: local, open: machine.connections },
      {
        host: remote.name,
        address: addressOf("tcp", hostname, port),
        open: remote.connections,
      },
    ]);
    if (remote.life === remoteLife) listener.take(far);
    else far.crash(this.#wires.isDown(remote.name) ? "silent" : "reset");
    return near;
  }

  /** Whether a packet comes through. */
  async #travel(from: Machine, to: Machine): Promise<boolean> {
    const wires = this.#wires;
    await wires.released(from.name, to.name);
    if (wires.isCut(from.name, to.name)) return false;
    const isLost = wires.isLost(from.name, to.name);
    await wires.pause(wires.journey(from.name, to.name, 0));
    await wires.released(from.name, to.name);
    return !isLost && !wires.isCut(from.name, to.name);
  }

  // -- datagrams --------------------------------------------------------------

  // deno-lint-ignore require-await -- what it throws is a rejection
  async #openDatagrams(
    machine: Machine,
    { family, localAddr, remoteAddr, broadcast }: HostDatagramBinding,
  ): Promise<HostDatagram> {
    if (family === 6) {
      const cause = new Error("The hosts of a simulation have none of IPv6");
      throw systemError("EAFNOSUPPORT", "create a datagram endpoint", cause);
    }
    const { datagrams } = machine;
    const own = remoteAddr !== null && machine.isOwn(remoteAddr.hostname)
      ? remoteAddr.hostname
      : remoteAddr !== null
      ? machine.address
      : ANY;
    const binding = localAddr ?? { hostname: own, port: 0 };
    return datagrams.bind(binding, ({ port, name }) => {
      this.#note(`${machine.name} opens ${name} for datagrams`);
      const localAddress = addressOf("udp", binding.hostname, port);
      return new SimulatedDatagrams({
        localAddress,
        remoteAddress: remoteAddr === null
          ? null
          : addressOf("udp", remoteAddr.hostname, remoteAddr.port),
        send: (data, to, refused) =>
          this.#sendDatagram(
            { machine, local: localAddress, broadcast, to, data },
            refused,
          ),
        soon: (callback) => void this.#wires.after(0, callback),
        onClosed: () => {
          datagrams.release(name);
          this.#note(`${machine.name} closes ${name} for datagrams`);
        },
      });
    });
  }

  /** Gives what went wrong at once; nobody is told of one that is lost. */
  #sendDatagram(
    { machine, local, broadcast, to, data }: {
      machine: Machine;
      local: NetAddress;
      broadcast: boolean;
      to: { hostname: string; port: number };
      data: Uint8Array;
    },
    refused: () => void,
  ): Error | null {
    const { port } = to;
    const action = `send a datagram to ${to.hostname} port ${port}`;
    if (to.hostname === BROADCAST && !broadcast) {
      const cause = new Error("The socket may not send to a whole network");
      return systemError("EACCES", action, cause);
    }
    const hostname = this.#addressFor(to.hostname);
    if (hostname === undefined) {
      const cause = new Error("No host of the simulation has the name");
      return systemError("ENOTFOUND", action, cause);
    }
    if (isIp(hostname) === 6) {
      const cause = new Error("The socket is one of IPv4");
      return systemError("EAFNOSUPPORT", action, cause);
    }
    const isInside = machine.isOwn(hostname);
    const from = local.hostname !== ANY
      ? local
      : addressOf("udp", isInside ? hostname : machine.address, local.port);
    for (const remote of this.#receivers(machine, hostname)) {
      const deliver = () => {
        const socket = remote.datagrams.at(hostname, port);
        // Each copy is the receiver's own.
        if (socket !== undefined) socket.take(data.slice(), from);
        else this.#carry(remote, machine, { size: 0, arrive: refused });
      };
      const sent = { size: data.length, arrive: deliver };
      this.#carry(machine, remote, sent);
      if (this.#wires.isDoubled(machine.name, remote.name)) {
        this.#carry(machine, remote, sent);
      }
    }
    return null;
  }

  /** The hosts that have an address. */
  #receivers(machine: Machine, hostname: string): readonly Machine[] {
    if (machine.isOwn(hostname)) return [machine];
    if (hostname === BROADCAST) {
      return [...this.#machines.values()].filter((each) => each !== machine);
    }
    const remote = this.#machineAt(hostname);
    return remote === undefined ? [] : [remote];
  }

  /** A datagram, or word of it, goes to another host if it is not lost. */
  #carry(
    from: Machine,
    to: Machine,
    { size, arrive }: { size: number; arrive: () => void },
  ): void {
    const wires = this.#wires;
    const { name: a } = from;
    const { name: b } = to;
    wires.whenReleased(a, b, () => {
      if (wires.isCut(a, b) || wires.isLost(a, b)) return;
      wires.after(wires.journey(a, b, size), () => {
        wires.whenReleased(a, b, () => {
          if (!wires.isCut(a, b)) arrive();
        });
      });
    });
  }
}

function addressOf(
  transport: "tcp" | "udp",
  hostname: string,
  port: number,
): NetAddress {
  return Object.freeze({ transport, hostname, port });
}

function unixAddress(path: string): UnixAddress {
  return Object.freeze({ transport: "unix", path });
}
