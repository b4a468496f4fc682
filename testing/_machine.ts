/** A simulated host, as its network knows it: what is bound to its addresses. */
import { systemError } from "../platform/system_errors.ts";
import type { CrashWay, SimulatedConnection } from "./_simulated_connection.ts";
import type { SimulatedDatagrams } from "./_simulated_datagrams.ts";
import type { SimulatedListener } from "./_simulated_listener.ts";

export const LOOPBACK = "127.0.0.1";
/** As with Linux, a machine has them all. */
const LOOPBACKS = "127.";
export const ANY = "0.0.0.0";
const FIRST_FREE_PORT = 49_152;
const PORTS = 65_536;

/** Sockets by `address:port`. */
export class Ports<S> {
  readonly #machine: Machine;
  readonly #sockets = new Map<string, S>();
  #next = FIRST_FREE_PORT;

  constructor(machine: Machine) {
    this.#machine = machine;
  }

  get all(): S[] {
    return [...this.#sockets.values()];
  }

  /** Which one gets what comes for an address. */
  at(hostname: string, port: number): S | undefined {
    return this.#sockets.get(`${hostname}:${port}`) ??
      this.#sockets.get(`${ANY}:${port}`);
  }

  /** @throws {OSError} When there is one, or the address is another machine's. */
  bind(
    { hostname, port }: { hostname: string; port: number },
    make: (place: { port: number; name: string }) => S,
  ): S {
    const action = `bind to ${hostname} port ${port}`;
    const machine = this.#machine;
    if (hostname !== ANY && !machine.isOwn(hostname)) {
      const cause = new Error(
        `${machine.name} has the address ${machine.address}`,
      );
      throw systemError("EADDRNOTAVAIL", action, cause);
    }
    const chosen = port === 0 ? this.free() : port;
    const isTaken = hostname === ANY
      ? this.#isTaken(chosen)
      : this.at(hostname, chosen) !== undefined;
    if (isTaken) {
      const cause = new Error(`Another socket of ${machine.name} has it`);
      throw systemError("EADDRINUSE", action, cause);
    }
    const name = `${hostname}:${chosen}`;
    const socket = make({ port: chosen, name });
    this.#sockets.set(name, socket);
    return socket;
  }

  /** One that is bound no longer is. */
  release(name: string): void {
    this.#sockets.delete(name);
  }

  /** The next port to which no socket is bound. */
  free(): number {
    for (let tries = FIRST_FREE_PORT; tries < PORTS; tries++) {
      const port = this.#next;
      this.#next = port + 1 === PORTS ? FIRST_FREE_PORT : port + 1;
      if (!this.#isTaken(port)) return port;
    }
    const cause = new Error(`${this.#machine.name} has bound every free port`);
    throw systemError("EADDRINUSE", "choose a port", cause);
  }

  clear(): void {
    this.#sockets.clear();
  }

  #isTaken(port: number): boolean {
    for (const name of this.#sockets.keys()) {
      if (name.endsWith(`:${port}`)) return true;
    }
    return false;
  }
}

export class Machine {
  readonly name: string;
  readonly address: string;
  readonly listeners: Ports<SimulatedListener> = new Ports(this);
  readonly datagrams: Ports<SimulatedDatagrams> = new Ports(this);
  /** By path; null for what a server that crashed has left there. */
  readonly unixSockets: Map<string, SimulatedListener | null> = new Map();
  readonly connections: Set<SimulatedConnection> = new Set();
  /** One more with each crash. */
  life: number = 0;

  constructor(name: string, address: string) {
    this.name = name;
    this.address = address;
  }

  /** Whether what is sent there never leaves it. */
  isOwn(address: string): boolean {
    return address.startsWith(LOOPBACKS) || address === this.address;
  }

  /** Nothing is bound any more, and its connections are gone. */
  crash(way: CrashWay): void {
    this.life++;
    for (const listener of this.listeners.all) listener.crash(way);
    this.listeners.clear();
    for (const [path, listener] of this.unixSockets) {
      listener?.crash(way);
      this.unixSockets.set(path, null);
    }
    for (const socket of this.datagrams.all) socket.crash();
    this.datagrams.clear();
    for (const connection of [...this.connections]) connection.crash(way);
  }
}
