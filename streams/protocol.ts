import { show } from "../_internal/show.ts";
import type { NetAddress } from "../platform/types/net.ts";
import type { DatagramTransport } from "./datagram_transport.ts";
import type { Transport } from "./transport.ts";

/**
 * What all protocols have: they are told when their connection is made, when it
 * is lost, and when its buffer is full. A protocol is what a transport calls
 * back; override what you need. Equivalent of `asyncio.BaseProtocol`.
 *
 * @example A protocol that remembers whether it is connected
 * ```ts
 * import { BaseProtocol } from "@asyncio/asyncio";
 * import { assertFalse } from "@std/assert";
 *
 * class Watch extends BaseProtocol {
 *   connected = false;
 *   override connectionMade(): void {
 *     this.connected = true;
 *   }
 *   override connectionLost(): void {
 *     this.connected = false;
 *   }
 * }
 *
 * assertFalse(new Watch().connected);
 * ```
 */
export abstract class BaseProtocol {
  /**
   * The connection was made. Called once.
   *
   * @param _transport The transport, a {@linkcode Transport} for a stream.
   */
  connectionMade(_transport: Transport | DatagramTransport): void {}

  /**
   * The connection was lost or closed. Called once, at the end.
   *
   * @param _error Why; `null` if it was closed on either side.
   */
  connectionLost(_error: unknown): void {}

  /** The buffer of what is to be sent went over its high-water mark. */
  pauseWriting(): void {}

  /** The buffer went down to its low-water mark. */
  resumeWriting(): void {}
}

/**
 * Gets a stream of bytes from a {@linkcode Transport}, without the cost and the
 * comfort of a `StreamReader`. Equivalent of `asyncio.Protocol`.
 *
 * ```text
 *   connectionMade  dataReceived*  eofReceived?  connectionLost
 * ```
 *
 * @example An echo server
 * ```ts
 * import { createServer, Protocol, type Transport } from "@asyncio/asyncio";
 * import { assert } from "@std/assert";
 *
 * class Echo extends Protocol {
 *   #transport!: Transport;
 *   override connectionMade(transport: Transport) {
 *     this.#transport = transport;
 *   }
 *   override dataReceived(data: Uint8Array) {
 *     this.#transport.write(data);
 *   }
 * }
 *
 * const server = await createServer(() => new Echo(), {
 *   hostname: "127.0.0.1",
 * });
 * assert(server.port > 0);
 * await server[Symbol.asyncDispose]();
 * ```
 */
export class Protocol extends BaseProtocol {
  /**
   * The connection was made.
   *
   * @param _transport What to write to.
   */
  override connectionMade(_transport: Transport): void {}

  /**
   * Bytes came, as many as there were; a message may come in any number of
   * pieces.
   *
   * @param _data The bytes, which are the protocol's to keep.
   */
  dataReceived(_data: Uint8Array): void {}

  /**
   * The peer has sent all it will send.
   *
   * @returns True to keep the connection, to go on writing; otherwise it is closed.
   * Over TLS it is closed in any case.
   */
  eofReceived(): boolean | void {}
}

/**
 * Gets a stream of bytes into buffers of its own. Equivalent of
 * `asyncio.BufferedProtocol`.
 *
 * @example Filling one array
 * ```ts
 * import { BufferedProtocol } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * class Header extends BufferedProtocol {
 *   readonly #header = new Uint8Array(16);
 *   #filled = 0;
 *   override getBuffer() {
 *     return this.#header.subarray(this.#filled);
 *   }
 *   override bufferUpdated(count: number) {
 *     this.#filled += count;
 *   }
 * }
 * assertEquals(new Header().getBuffer().length, 16);
 * ```
 */
export abstract class BufferedProtocol extends BaseProtocol {
  /**
   * The connection was made.
   *
   * @param _transport What to write to.
   */
  override connectionMade(_transport: Transport): void {}

  /**
   * Where the next bytes are to go.
   *
   * @param sizeHint How many there are; the buffer may be smaller.
   * @returns A buffer that is not empty.
   */
  abstract getBuffer(sizeHint: number): Uint8Array;

  /**
   * Bytes were put into the buffer.
   *
   * @param count How many, from the buffer's beginning.
   */
  abstract bufferUpdated(count: number): void;

  /**
   * The peer has sent all it will send.
   *
   * @returns True to keep the connection, to go on writing; otherwise it is closed.
   */
  eofReceived(): boolean | void {}
}

/**
 * Gets datagrams. Equivalent of `asyncio.DatagramProtocol`.
 *
 * @example Answering each datagram
 * ```ts
 * import {
 *   createDatagramEndpoint,
 *   DatagramProtocol,
 *   type DatagramTransport,
 *   type NetAddress,
 * } from "@asyncio/asyncio";
 * import { assert } from "@std/assert";
 *
 * class Echo extends DatagramProtocol {
 *   #transport!: DatagramTransport;
 *   override connectionMade(transport: DatagramTransport) {
 *     this.#transport = transport;
 *   }
 *   override datagramReceived(data: Uint8Array, address: NetAddress) {
 *     this.#transport.sendTo(data, address);
 *   }
 * }
 *
 * const [transport] = await createDatagramEndpoint(() => new Echo(), {
 *   localAddr: { hostname: "127.0.0.1", port: 0 },
 * });
 * assert(!transport.isClosing());
 * transport.close();
 * ```
 */
export class DatagramProtocol extends BaseProtocol {
  /**
   * The socket is there.
   *
   * @param _transport What to send with.
   */
  override connectionMade(_transport: DatagramTransport): void {}

  /**
   * A datagram came.
   *
   * @param _data What it holds.
   * @param _address Who sent it.
   */
  datagramReceived(_data: Uint8Array, _address: NetAddress): void {}

  /**
   * Sending or receiving failed; the socket goes on. Most often the peer of a
   * connected socket does not listen, of which Deno does not hear.
   *
   * @param _error What the system says.
   */
  errorReceived(_error: Error): void {}
}

/** Refuses what is no protocol, as a factory without types may give it. */
export function checkProtocol(action: string, protocol: unknown): void {
  const { connectionMade } = (protocol ?? {}) as Partial<BaseProtocol>;
  if (typeof connectionMade === "function") return;
  throw new TypeError(
    `Cannot ${action} as its protocol must be a Protocol: received ${
      show(protocol)
    }`,
  );
}

/** A protocol of the library that says whether it has copied what came. */
export abstract class CopyingProtocol extends Protocol {
  /** Whether what it was given last is of no use to it any more. */
  isSpent: boolean = false;

  /**
   * The connection is over, as its loop is closed: no code of that loop runs any
   * more, but code of another one may have what the protocol is made for.
   */
  abstract loopClosed(error: Error): void;
}
