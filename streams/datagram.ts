import { refusedNew } from "../_internal/made_by.ts";
import { atCaller, forCaller } from "../_internal/caller_frame.ts";
import { checkFunction, checkOneOf } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { InvalidStateError } from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import { interruption } from "../loop/scope.ts";
import { WaitQueue } from "../loop/wait_queue.ts";
import { RingBuffer } from "../_internal/ring_buffer.ts";
import { hostDatagrams } from "../platform/datagrams.ts";
import { hostNames } from "../platform/names.ts";
import type { NetAddress } from "../platform/types/net.ts";
import {
  checkAddress,
  checkHostname,
  checkPort,
  OF_ADDRESSES,
} from "./_check.ts";
import { resolve } from "./_connect.ts";
import { LOCAL_ADDRESS, type LocalAddress } from "./create_connection.ts";
import { connectionScope, waitForHost } from "./host.ts";
import { givenNetwork } from "./network.ts";
import {
  type DatagramAddress,
  type DatagramTransport,
  openDatagramTransport,
} from "./datagram_transport.ts";
import { checkProtocol, DatagramProtocol } from "./protocol.ts";
import { END } from "./received.ts";

/** Options of {@linkcode createDatagramEndpoint} and {@linkcode openDatagram}. */
export interface DatagramOptions {
  /**
   * The address to receive at.
   *
   * @default {one that the system chooses}
   */
  localAddr?: LocalAddress | undefined;
  /**
   * The one peer to send to and to receive from: what others send is dropped.
   *
   * @default {none: each datagram says whom it goes to}
   */
  remoteAddr?: DatagramAddress | undefined;
  /**
   * 4 or 6, if neither address says it.
   *
   * @default {4}
   */
  family?: 4 | 6 | undefined;
  /**
   * Whether other sockets may have the same address.
   *
   * @default {false}
   */
  reusePort?: boolean | undefined;
  /**
   * Whether it may send to a whole network. Without this leave, such a datagram
   * is a PermissionError (EACCES).
   *
   * @default {false}
   */
  broadcast?: boolean | undefined;
  /** Gives up when it is aborted, and throws its reason. */
  signal?: AbortSignal | undefined;
}

const DATAGRAM_OPTIONS = new OptionNames<DatagramOptions>({
  localAddr: LOCAL_ADDRESS,
  remoteAddr: new OptionNames<DatagramAddress>(
    { hostname: "string", port: true },
    {},
    [...OF_ADDRESSES, "family"],
  ),
  family: true,
  reusePort: "boolean",
  broadcast: "boolean",
  signal: "signal",
});

/**
 * Opens a UDP socket, and gives what comes to a protocol. Equivalent of
 * `asyncio.loop.create_datagram_endpoint`.
 *
 * @typeParam P The protocol.
 *
 * @example Sending to oneself
 * ```ts
 * import { createDatagramEndpoint, DatagramProtocol } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const heard = Promise.withResolvers<Uint8Array>();
 * class Heard extends DatagramProtocol {
 *   override datagramReceived(data: Uint8Array) {
 *     heard.resolve(data);
 *   }
 * }
 * const [transport] = await createDatagramEndpoint(() => new Heard(), {
 *   localAddr: { hostname: "127.0.0.1" },
 * });
 * const { port } = transport.getExtraInfo("sockname") as { port: number };
 * transport.sendTo(Uint8Array.of(42), { hostname: "127.0.0.1", port });
 * assertEquals(await heard.promise, Uint8Array.of(42));
 * transport.close();
 * ```
 *
 * @param protocolFactory Makes the protocol.
 * @param options The addresses.
 * @returns The transport and its protocol.
 * @throws {TypeError} When an option is of the wrong kind.
 * @throws {RangeError} When a port is out of range.
 * @throws {OSError} When an address is in use, not of this machine, or unknown,
 * or the two are of IPv4 and IPv6.
 * @throws {CancelledError} When the task is cancelled meanwhile.
 */
export async function createDatagramEndpoint<P extends DatagramProtocol>(
  protocolFactory: () => P,
  options: DatagramOptions = {},
): Promise<[DatagramTransport, P]> {
  const action = "create a datagram endpoint";
  checkFunction(action, "protocolFactory", protocolFactory);
  checkOptions(action, options, DATAGRAM_OPTIONS);
  const { localAddr, remoteAddr, reusePort = false, broadcast = false } =
    options;
  const { family } = options;
  if (family !== undefined) checkOneOf(action, "family", family, [4, 6]);
  for (const [name, address] of Object.entries({ localAddr, remoteAddr })) {
    if (address === undefined) continue;
    checkAddress(action, name, address);
    const { hostname, port = name === "localAddr" ? 0 : undefined } = address;
    if (name === "remoteAddr" || hostname !== undefined) {
      checkHostname(action, `${name}.hostname`, hostname);
    }
    checkPort(action, `${name}.port`, port, name === "localAddr" ? 0 : 1);
  }
  const scope = connectionScope();
  const { names, datagrams } = givenNetwork() ??
    { names: hostNames, datagrams: hostDatagrams };
  const host = await waitForHost(
    "createDatagramEndpoint",
    async () => {
      const remote = remoteAddr === undefined
        ? null
        : (await resolve(names, remoteAddr.hostname, family ?? 0))[0]!;
      const local = localAddr?.hostname === undefined ? null : (await resolve(
        names,
        localAddr.hostname,
        family ?? remote?.family ?? 0,
      ))[0]!;
      const version = family ?? remote?.family ?? local?.family ?? 4;
      const any = version === 6 ? "::" : "0.0.0.0";
      return await datagrams.open({
        family: version,
        localAddr: localAddr === undefined ? null : {
          hostname: local?.address ?? any,
          port: localAddr.port ?? 0,
        },
        remoteAddr: remote === null || remoteAddr === undefined
          ? null
          : { hostname: remote.address, port: remoteAddr.port },
        reusePort,
        broadcast,
      });
    },
    (made) => made.close(),
    options.signal,
  );
  try {
    const protocol = protocolFactory();
    checkProtocol(action, protocol);
    const parts = { host, protocol, peer: remoteAddr ?? null };
    return [openDatagramTransport(scope, parts), protocol];
  } catch (error) {
    host.close();
    throw error;
  }
}

/** A datagram, and who sent it. */
export interface Datagram {
  /** What it holds. */
  readonly data: Uint8Array;
  /** Who sent it. */
  readonly address: NetAddress;
}

/** An error of the socket, in the line of what has come. */
class Failure {
  readonly error: Error;

  constructor(error: Error) {
    this.error = error;
  }
}

/** More than this is dropped, as the system would: a slow reader is no reason to fill memory. */
const MOST_KEPT = 1024;

class Mailbox extends DatagramProtocol {
  readonly kept: RingBuffer<Datagram | Failure> = new RingBuffer();
  dropped = 0;
  readonly waiting: WaitQueue<Datagram | Failure | null> = new WaitQueue(
    "DatagramStream.receive",
    // What its receiver was cancelled for is still the first in line.
    {
      take: () => this.kept.shift() ?? null,
      takeBack: () => {
        if (this.kept.size > this.waiting.grantedSize) {
          this.waiting.settleFirst(null);
        }
      },
    },
  );
  readonly closing: WaitQueue<void> = new WaitQueue(
    "DatagramStream.waitClosed",
  );
  closed = false;

  override datagramReceived(data: Uint8Array, address: NetAddress): void {
    this.#keep({ data, address });
  }

  override errorReceived(error: Error): void {
    this.#keep(new Failure(forCaller(error) as Error));
  }

  #keep(what: Datagram | Failure): void {
    if (this.kept.size >= MOST_KEPT) {
      this.dropped++;
      return;
    }
    this.kept.push(what);
    this.waiting.settleFirst(null);
  }

  override connectionLost(): void {
    this.closed = true;
    this.waiting.settleAll(null);
    this.closing.settleAll();
  }
}

function received(what: Datagram | Failure): Datagram {
  if (what instanceof Failure) throw atCaller(what.error);
  return what;
}

let makeStream: (
  transport: DatagramTransport,
  mailbox: Mailbox,
) => DatagramStream;

/**
 * A UDP socket to await: made by {@linkcode openDatagram}. What comes while no
 * one receives is kept, up to 1024 datagrams and errors; more are dropped.
 *
 * @example A question and its answer
 * ```ts
 * import { createTask, openDatagram } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const server = await openDatagram({ localAddr: { hostname: "127.0.0.1" } });
 * createTask(async () => {
 *   const { data, address } = await server.receive();
 *   server.send(data, address);
 * });
 * const client = await openDatagram({ remoteAddr: server.address });
 * client.send(Uint8Array.of(1, 2));
 * assertEquals((await client.receive()).data, Uint8Array.of(1, 2));
 * client.close();
 * server.close();
 * ```
 */
export class DatagramStream {
  readonly #mailbox: Mailbox;
  /** The transport behind it. */
  readonly transport: DatagramTransport;

  /**
   * Made by `openDatagram`.
   *
   * @internal
   * @ignore
   */
  private constructor(transport: DatagramTransport, mailbox: Mailbox) {
    if (!(mailbox instanceof Mailbox)) {
      throw refusedNew(
        "a DatagramStream",
        "it belongs to a socket",
        "openDatagram()",
      );
    }
    this.transport = transport;
    this.#mailbox = mailbox;
  }

  /** The own address. */
  get address(): NetAddress {
    return this.transport.getExtraInfo("sockname") as NetAddress;
  }

  /** How many datagrams, and errors, were dropped as no one received them. */
  get dropped(): number {
    return this.#mailbox.dropped;
  }

  /**
   * Sends a datagram. Does not wait; what goes wrong is thrown by
   * {@linkcode DatagramStream.receive}.
   *
   * @param data What it holds. An array of more than 2 KiB is not copied: leave it
   * as it is until it was sent.
   * @param address Whom it goes to, unless the socket has one peer.
   * @throws {TypeError} When `data` is not a `Uint8Array`, or the address is
   * missing or another one than the peer's.
   * @throws {InvalidStateError} When it is closed.
   */
  send(data: Uint8Array, address?: DatagramAddress): void {
    this.transport.sendTo(data, address);
  }

  /**
   * Waits for a datagram. Cancelled, it loses none.
   *
   * An error of the socket, such as that of a datagram that could not be sent, is
   * thrown in its turn, by one call. The calls after it go on.
   *
   * @returns The datagram, and who sent it.
   * @throws {OSError} When a datagram could not be sent.
   * @throws {ConnectionRefusedError} When the one peer does not listen. Deno
   * does not hear of that.
   * @throws {InvalidStateError} When the socket is closed.
   * @throws {CancelledError} When the task is cancelled.
   */
  async receive(): Promise<Datagram> {
    const mailbox = this.#mailbox;
    for (;;) {
      const scope = currentScope();
      const interrupted = interruption(scope);
      if (interrupted !== null) await interrupted;
      const { kept, waiting } = mailbox;
      if (kept.size > waiting.grantedSize) {
        return received(await scope.kernel.succeed(scope, kept.shift()!));
      }
      if (mailbox.closed || this.transport.isClosing()) {
        throw new InvalidStateError(
          "Cannot receive as the socket is closed: received a call on a closed DatagramStream",
        );
      }
      const what = await waiting.wait(scope);
      if (what !== null) return received(what);
    }
  }

  /**
   * The datagrams that come, until it is closed. A task that is cancelled while it
   * waits for one receives none. After an error, or a cancellation, it goes on.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Datagram, undefined> {
    return {
      next: () => this.#next(),
      return: () => Promise.resolve(END),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  async #next(): Promise<IteratorResult<Datagram, undefined>> {
    if (this.transport.isClosing()) return END;
    try {
      return { value: await this.receive(), done: false };
    } catch (error) {
      if (this.transport.isClosing() && error instanceof InvalidStateError) {
        return END;
      }
      throw error;
    }
  }

  /** Closes the socket once all is sent. */
  close(): void {
    this.transport.close();
  }

  /**
   * Waits until the socket is closed; call {@linkcode DatagramStream.close}
   * before. Its address is then free.
   *
   * @returns When it is.
   * @throws {CancelledError} When the task is cancelled.
   */
  waitClosed(): Promise<void> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    return this.#mailbox.closed
      ? scope.kernel.succeed(scope, undefined)
      : this.#mailbox.closing.wait(scope);
  }

  /** Closes the socket at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * Closes it at the end of an `await using` block, and waits for that. A
   * cancellation ends the wait; the socket is closed all the same.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.waitClosed();
  }

  static {
    makeStream = (transport, mailbox) => new DatagramStream(transport, mailbox);
  }
}

/**
 * Opens a UDP socket to await, rather than be called back by.
 *
 * @example Sending to oneself
 * ```ts
 * import { openDatagram } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const socket = await openDatagram({ localAddr: { hostname: "127.0.0.1" } });
 * socket.send(Uint8Array.of(7), socket.address);
 * const { data, address } = await socket.receive();
 * assertEquals(data, Uint8Array.of(7));
 * assertEquals(address.port, socket.address.port);
 * socket.close();
 * ```
 *
 * @param options The addresses.
 * @returns The socket.
 * @throws {TypeError} When an option is of the wrong kind.
 * @throws {RangeError} When a port is out of range.
 * @throws {OSError} When an address is in use, not of this machine, or unknown,
 * or the two are of IPv4 and IPv6.
 * @throws {CancelledError} When the task is cancelled meanwhile.
 */
export async function openDatagram(
  options: DatagramOptions = {},
): Promise<DatagramStream> {
  const [transport, mailbox] = await createDatagramEndpoint(
    () => new Mailbox(),
    options,
  );
  return makeStream(transport, mailbox);
}
