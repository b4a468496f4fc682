import { refusedNew } from "../_internal/made_by.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { canonicalIp } from "../_internal/ip.ts";
import { InvalidStateError } from "../errors.ts";
import type { Scope } from "../loop/scope.ts";
import type { HostDatagram } from "../platform/types/datagrams.ts";
import type { NetAddress } from "../platform/types/net.ts";
import { checkBytes, checkHostname, checkPort } from "./_check.ts";
import { LARGEST_COPIED } from "./_write_buffer.ts";
import { enter, mayRun, reportThrown, runAsStep } from "./host.ts";
import { trackClosed, trackOpen } from "./open_ends.ts";
import { checkProtocol, type DatagramProtocol } from "./protocol.ts";

/** asyncio's: what may wait before the protocol is asked to pause, and to go on. */
const HIGH_WATER = 65_536;
const LOW_WATER = 16_384;

/** What a transport is made of. */
export interface DatagramParts {
  readonly host: HostDatagram;
  readonly protocol: DatagramProtocol;
  /** The one peer, as its user calls it. */
  readonly peer: DatagramAddress | null;
}

/** Makes a transport and tells its protocol; receiving begins. */
export let openDatagramTransport: (
  scope: Scope,
  parts: DatagramParts,
) => DatagramTransport;

/** Whom a datagram goes to. */
export interface DatagramAddress {
  /** A name or an IP address. */
  readonly hostname: string;
  /** The port, 1 to 65535. */
  readonly port: number;
}

/**
 * A UDP socket. Made by `createDatagramEndpoint`. Equivalent of
 * `asyncio.DatagramTransport`.
 *
 * @example Sending one datagram
 * ```ts
 * import { createDatagramEndpoint, DatagramProtocol } from "@asyncio/asyncio";
 * import { assert } from "@std/assert";
 *
 * const [transport] = await createDatagramEndpoint(
 *   () => new DatagramProtocol(),
 *   { localAddr: { hostname: "127.0.0.1", port: 0 } },
 * );
 * const { port } = transport.getExtraInfo("sockname") as { port: number };
 * transport.sendTo(Uint8Array.of(1), { hostname: "127.0.0.1", port });
 * transport.close();
 * assert(transport.isClosing());
 * ```
 */
export class DatagramTransport {
  readonly #scope: Scope;
  readonly #host: HostDatagram;
  readonly #peer: DatagramAddress | null;
  #protocol: DatagramProtocol;
  #closing = false;
  #unsent = 0;
  #bytes = 0;
  #isPaused = false;
  #isGone = false;

  /**
   * Made by `createDatagramEndpoint`.
   *
   * @internal
   * @ignore
   */
  private constructor(scope: Scope, parts: DatagramParts) {
    if (parts?.host === undefined) {
      throw refusedNew(
        "a DatagramTransport",
        "it belongs to a socket",
        "createDatagramEndpoint()",
      );
    }
    const { host, protocol, peer } = parts;
    this.#scope = scope;
    this.#host = host;
    this.#protocol = protocol;
    this.#peer = peer;
  }

  /**
   * Sends a datagram. Does not wait; what goes wrong is told to the protocol's
   * `errorReceived`, and when too much waits to be sent, its `pauseWriting`.
   *
   * @param data What it holds. An array of more than 2 KiB is not copied: leave it
   * as it is until it was sent.
   * @param address Whom it goes to. Needed unless the socket has one peer, which
   * is then the only one it can go to.
   * @throws {TypeError} When `data` is not a `Uint8Array`, or the address is
   * missing or another one than the peer's.
   * @throws {RangeError} When the port is out of range.
   * @throws {InvalidStateError} When it is closed.
   */
  sendTo(data: Uint8Array, address?: DatagramAddress): void {
    checkBytes("send", "data", data);
    const isConnected = this.#host.remoteAddress !== null;
    if (!isConnected && address === undefined) {
      throw new TypeError(
        "Cannot send as 'address' must be given where the socket has no remote address: received none",
      );
    }
    if (address !== undefined) {
      checkHostname("send", "address.hostname", address.hostname);
      checkPort("send", "address.port", address.port, 1);
      if (isConnected && !this.#isPeer(address)) {
        throw new TypeError(
          `Cannot send as 'address' must be left out, or be the peer's, where the socket has a remote address: received ${address.hostname} port ${address.port}`,
        );
      }
    }
    if (this.#closing) {
      throw new InvalidStateError(
        `Cannot send as the socket is closed: received a call on ${this}`,
      );
    }
    const { length } = data;
    this.#unsent++;
    this.#bytes += length;
    // The caller may use both again; of the bytes as with a stream.
    const to = isConnected || address === undefined
      ? null
      : { hostname: address.hostname, port: address.port };
    const own = length > LARGEST_COPIED ? data : new Uint8Array(data);
    this.#host.send(own, to, (error) => {
      this.#unsent--;
      this.#bytes -= length;
      if (error !== null) this.#tell(() => this.#protocol.errorReceived(error));
      if (this.#isPaused && this.#bytes <= LOW_WATER) this.#resume();
      if (this.#closing && this.#unsent === 0) this.#leave();
    });
    if (this.#bytes > HIGH_WATER && !this.#isPaused) {
      this.#isPaused = true;
      this.#call(() => this.#protocol.pauseWriting());
    }
  }

  /**
   * Closes the socket once all is sent. The protocol's `connectionLost` comes
   * when its address is free.
   */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    trackClosed(this.#scope.kernel, this);
    if (this.#unsent === 0) this.#leave();
  }

  /** Closes the socket at once. */
  abort(): void {
    this.#closing = true;
    trackClosed(this.#scope.kernel, this);
    this.#leave();
  }

  /**
   * Whether it is closing or closed.
   *
   * @returns True from then on.
   */
  isClosing(): boolean {
    return this.#closing;
  }

  /**
   * How much waits to be sent.
   *
   * @returns Bytes that the system has not taken.
   */
  getWriteBufferSize(): number {
    return this.#bytes;
  }

  /**
   * What is known of the socket: `sockname`, its own address, and `peername`,
   * that of its one peer if it has one.
   *
   * @param name What to tell.
   * @param fallback What to give if it is not known.
   * @returns The value, or `fallback`.
   */
  getExtraInfo(name: string, fallback: unknown = null): unknown {
    if (name === "sockname") return this.#host.localAddress;
    if (name === "peername") return this.#host.remoteAddress ?? fallback;
    return fallback;
  }

  /**
   * Lets another protocol have what comes from now on.
   *
   * @param protocol The protocol.
   * @throws {TypeError} When `protocol` is none.
   */
  setProtocol(protocol: DatagramProtocol): void {
    checkProtocol("go on with a transport", protocol);
    this.#protocol = protocol;
  }

  /**
   * Who gets what comes.
   *
   * @returns The protocol.
   */
  getProtocol(): DatagramProtocol {
    return this.#protocol;
  }

  /**
   * The transport and its state.
   *
   * @returns For example `<DatagramTransport open 127.0.0.1:53>`.
   */
  toString(): string {
    const { hostname, port } = this.#host.localAddress;
    const state = this.#closing ? "closed" : "open";
    return `<DatagramTransport ${state} ${hostname}:${port}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "DatagramTransport";
  }

  #open(): void {
    trackOpen(this.#scope, this);
    this.#call(() => this.#protocol.connectionMade(this));
    this.#host.start({
      message: (data: Uint8Array, from: NetAddress) => {
        this.#tell(() => {
          if (!this.#closing) this.#protocol.datagramReceived(data, from);
        });
      },
      error: (error) => {
        this.#tell(() => this.#protocol.errorReceived(error));
      },
    });
  }

  #isPeer({ hostname, port }: DatagramAddress): boolean {
    return [this.#peer, this.#host.remoteAddress].some((peer) =>
      peer !== null && peer.port === port &&
      canonicalIp(peer.hostname) === canonicalIp(hostname)
    );
  }

  #resume(): void {
    this.#isPaused = false;
    this.#tell(() => {
      if (!this.#closing) this.#protocol.resumeWriting();
    });
  }

  #leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#host.close(() => {
      runAsStep(this.#scope, `the end of ${this}`, () => {
        this.#call(() => this.#protocol.connectionLost(null));
      });
    });
  }

  #tell(event: () => void): void {
    const call = () => this.#call(event);
    if (mayRun(this.#scope.kernel)) {
      enter(this.#scope, call);
    } else if (!runAsStep(this.#scope, `an event of ${this}`, call)) {
      this.#leave();
    }
  }

  #call(call: () => void): void {
    try {
      call();
    } catch (error) {
      reportThrown(
        this.#scope.kernel,
        "A method of the datagram protocol threw",
        error,
      );
    }
  }

  static {
    inspectByToString(this.prototype);
    openDatagramTransport = (scope, parts) => {
      const transport = new DatagramTransport(scope, parts);
      enter(scope, () => transport.#open());
      return transport;
    };
  }
}
