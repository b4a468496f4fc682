/** A simulated host's UDP socket. */
import { canonicalIp } from "../_internal/ip.ts";
import { systemError } from "../platform/system_errors.ts";
import type {
  HostDatagram,
  HostDatagramReceiver,
} from "../platform/types/datagrams.ts";
import type { NetAddress } from "../platform/types/net.ts";

/** The most that fits into one over IPv4. */
const LARGEST = 65_507;

/** What it needs of the network. */
export interface DatagramParts {
  readonly localAddress: NetAddress;
  readonly remoteAddress: NetAddress | null;
  /**
   * @param refused Called if no socket is there, once word of it is back.
   * @returns What went wrong at once.
   */
  send(
    data: Uint8Array,
    to: { hostname: string; port: number },
    refused: () => void,
  ): Error | null;
  /** Calls back in the next step of the loop. */
  soon(callback: () => void): void;
  onClosed(): void;
}

export class SimulatedDatagrams implements HostDatagram {
  readonly localAddress: NetAddress;
  readonly remoteAddress: NetAddress | null;
  readonly #parts: DatagramParts;
  #receiver: HostDatagramReceiver | null = null;
  /** What comes before somebody listens. */
  #early: (() => void)[] = [];
  #isClosed = false;

  constructor(parts: DatagramParts) {
    this.localAddress = parts.localAddress;
    this.remoteAddress = parts.remoteAddress;
    this.#parts = parts;
  }

  start(receiver: HostDatagramReceiver): void {
    this.#receiver = receiver;
    const early = this.#early;
    this.#early = [];
    for (const tell of early) this.#parts.soon(tell);
  }

  send(
    data: Uint8Array,
    to: { hostname: string; port: number } | null,
    done: (error: Error | null) => void,
  ): void {
    const target = to ?? this.remoteAddress!;
    const error = data.length > LARGEST
      ? tooLong(data.length)
      : this.#parts.send(data.slice(), target, () => this.#refused());
    this.#parts.soon(() => {
      // Its program is no longer there to be told.
      if (!this.#isClosed || this.#receiver !== null) done(error);
    });
  }

  close(onFree?: () => void): void {
    if (!this.#isClosed) {
      this.#isClosed = true;
      this.#parts.onClosed();
    }
    if (onFree !== undefined) this.#parts.soon(onFree);
  }

  crash(): void {
    this.#isClosed = true;
    this.#receiver = null;
    this.#early = [];
  }

  /** A datagram has come for its address. */
  take(data: Uint8Array, from: NetAddress): void {
    const peer = this.remoteAddress;
    if (peer !== null && !isSame(peer, from)) return;
    this.#tell((receiver) => receiver.message(data, from));
  }

  /** Only a socket with one peer hears of that, as with Linux. */
  #refused(): void {
    if (this.remoteAddress === null) return;
    const { hostname, port } = this.remoteAddress;
    const cause = new Error("No socket of the simulated host is bound there");
    const action = `send a datagram to ${hostname} port ${port}`;
    const error = systemError("ECONNREFUSED", action, cause);
    this.#tell((receiver) => receiver.error(error));
  }

  #tell(event: (receiver: HostDatagramReceiver) => void): void {
    if (this.#isClosed) return;
    if (this.#receiver !== null) event(this.#receiver);
    else this.#early.push(() => this.#tell(event));
  }
}

function tooLong(size: number): Error {
  const cause = new Error(`It has ${size} bytes`);
  return systemError("EMSGSIZE", "send a datagram", cause);
}

function isSame(a: NetAddress, b: NetAddress): boolean {
  return a.port === b.port &&
    canonicalIp(a.hostname) === canonicalIp(b.hostname);
}
