/**
 * The one transport class: TCP, TLS, Unix sockets and pipes are all a
 * connection of the host.
 *
 * ```text
 *   host --data, end, lost--> Transport --dataReceived ...--> protocol
 *   host <--write, close---- WriteBuffer <--write----------+
 * ```
 *
 * Invariants:
 * - One write is with the host at a time. What is written meanwhile, and what
 *   is written within one step, goes together in the next one.
 * - The protocol hears `connectionLost` once, from the loop, and nothing after.
 * - Nothing reaches the protocol while reading is paused or its loop stands:
 *   what the host delivers all the same is held here until it goes on.
 */
import { refusedNew } from "../_internal/made_by.ts";
import { forCaller } from "../_internal/caller_frame.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { InvalidStateError, OSError } from "../errors.ts";
import type { Kernel } from "../loop/kernel.ts";
import type { Scope } from "../loop/scope.ts";
import type {
  Address,
  HostConnection,
  HostReceiver,
  PeerCertificate,
} from "../platform/types/net.ts";
import { checkBytes, checkPieces } from "./_check.ts";
import { connectionChannel } from "./_connection_channel.ts";
import { enter, mayRun, reportThrown, runAsStep } from "./host.ts";
import { trackClosed, trackOpen } from "./open_ends.ts";
import { WriteBuffer } from "./_write_buffer.ts";
import {
  BufferedProtocol,
  checkProtocol,
  CopyingProtocol,
  type Protocol,
} from "./protocol.ts";

/** asyncio's: what may be buffered before the protocol is asked to pause. */
const HIGH_WATER = 65_536;

/** Either kind of protocol for a stream. */
export type StreamingProtocol = Protocol | BufferedProtocol;

/** Limits of the buffer of what is to be sent, in bytes. */
export interface WriteBufferLimits {
  /**
   * Above it the protocol is asked to pause.
   *
   * @default {65536, or four times `low`}
   */
  high?: number | undefined;
  /**
   * At it the protocol may go on.
   *
   * @default {a quarter of `high`}
   */
  low?: number | undefined;
}

const WRITE_BUFFER_LIMITS = new OptionNames<WriteBufferLimits>({
  high: true,
  low: true,
}, { number: "high" });

/**
 * A connection of TCP, of a Unix socket or in memory, as the channel
 * `asyncio:connection` tells of it: the same object in all of its messages.
 */
export interface ConnectionTrace {
  /** Its transport; another one once `startTls` has encrypted it. */
  readonly transport: Transport;
  /** Whether a server has accepted it; both ends in memory are clients. */
  readonly side: "client" | "server";
  /** Why it was lost: there from `error` on. */
  readonly error?: unknown;
}

/** The same, for the transport itself. */
type RunningConnection = {
  -readonly [K in keyof ConnectionTrace]: ConnectionTrace[K];
};

/** What a transport is made of. */
export interface TransportParts {
  /** Where the protocol's methods run. */
  readonly scope: Scope;
  readonly host: HostConnection;
  readonly protocol: StreamingProtocol;
  /** More for `getExtraInfo`. */
  readonly extra?: Readonly<Record<string, unknown>>;
  /** Called before the protocol hears of it, and for one that follows it. */
  readonly onMade?: ((transport: Transport) => void) | undefined;
  /** The protocol knows the connection already. */
  readonly isContinued?: boolean;
  /** Called when the connection is gone, before the protocol hears of it. */
  readonly onLost?: (() => void) | undefined;
  /** The name it was connected to. */
  readonly hostname?: string | undefined;
  /** A server has accepted it. */
  readonly isAccepted?: boolean;
  /** What the one that it follows was told of with. */
  readonly trace?: RunningConnection | null;
}

/** What a transport gives up for another. */
export interface ReleasedParts extends TransportParts {
  /** What has come and the protocol has not got. */
  readonly received: readonly Uint8Array[];
}

/** What {@linkcode Transport.getExtraInfo} tells, by name. */
export interface ExtraInfo {
  /** The address of the peer. */
  readonly peername: Address;
  /** The own address. */
  readonly sockname: Address;
  /** Whether the connection is encrypted. */
  readonly tls: boolean;
  /** What both sides have agreed on by ALPN. */
  readonly alpnProtocol: string;
  /** The certificate that the peer has shown. */
  readonly peercert: PeerCertificate;
  /** Whether the peer has said that its data is complete. */
  readonly tlsCleanEnd: boolean;
  /** Whether each write goes out at once, as it was asked for. */
  readonly noDelay: boolean;
  /** Whether the system looks after silent peers, as it was asked for. */
  readonly keepAlive: boolean;
}

/** What is told for a name; of one that is not known, anything. */
export type ExtraInfoOf<Name extends string> = Name extends keyof ExtraInfo
  ? ExtraInfo[Name]
  : unknown;

/** What has the writing direction for itself, in place of the protocol. */
export interface Occupant {
  /** The buffer is above its high-water mark, or is not any more. */
  pause(isPaused: boolean): void;
  /** The connection was closed or lost; `error` is null if it was closed. */
  end(error: unknown): void;
}

/** What the library itself may do with a transport. */
export interface TransportInternals {
  /** Makes one and tells the protocol; reading begins. */
  open(parts: TransportParts): Transport;
  /** Throws if TLS cannot be started on its connection. */
  checkTls(transport: Transport): void;
  /** The name it was connected to, if it was. */
  hostname(transport: Transport): string | undefined;
  /** Calls back once all it was given is sent, or it is closed. */
  whenSent(transport: Transport, callback: () => void): void;
  /**
   * Closes it for another reason than that its user wants it: what the user
   * writes to it afterwards is no mistake.
   */
  close(transport: Pick<Transport, "close">): void;
  /** The same, at once. */
  abort(transport: Transport): void;
  /** Lets nobody else write from here on; throws if that is so already. */
  occupy(transport: Transport, occupant: Occupant): void;
  /** Writes for the one who occupies it. */
  occupantWrite(transport: Transport, data: Uint8Array): void;
  /** Lets all write again. */
  vacate(transport: Transport): void;
  /**
   * Takes the connection away from it, for another to use. `giveUp` ends that
   * when the transport is closed meanwhile.
   */
  release(transport: Transport, giveUp: () => void): ReleasedParts;
  /** Another one has its connection. */
  replaced(transport: Transport): void;
  /** The connection was taken away, and could not be used. */
  discard(transport: Transport, error: unknown): void;
}

let internals: TransportInternals;
export { internals as transportInternals };

/**
 * One end of a connection: it hands what comes to its protocol, and sends what
 * it is given, as fast as the peer takes it. Made by `createConnection` and
 * `createServer`. Equivalent of `asyncio.Transport`.
 *
 * @example Talking to an echo server
 * ```ts
 * import { createConnection, createServer, Protocol } from "@asyncio/asyncio";
 * import type { Transport } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * class Shout extends Protocol {
 *   override connectionMade(transport: Transport) {
 *     transport.write(new TextEncoder().encode("HELLO"));
 *     transport.close();
 *   }
 * }
 * const heard = Promise.withResolvers<string>();
 * class Listen extends Protocol {
 *   override dataReceived(data: Uint8Array) {
 *     heard.resolve(new TextDecoder().decode(data));
 *   }
 * }
 *
 * const server = await createServer(() => new Shout(), {
 *   hostname: "127.0.0.1",
 * });
 * const [transport] = await createConnection(() => new Listen(), {
 *   hostname: "127.0.0.1",
 *   port: server.port,
 * });
 * assertEquals(await heard.promise, "HELLO");
 * transport.close();
 * await server[Symbol.asyncDispose]();
 * ```
 */
export class Transport {
  readonly #scope: Scope;
  readonly #kernel: Kernel;
  readonly #host: HostConnection;
  readonly #extra: Readonly<Record<string, unknown>>;
  readonly #onMade: ((transport: Transport) => void) | undefined;
  readonly #onLost: (() => void) | undefined;
  readonly #hostname: string | undefined;
  readonly #isContinued: boolean;
  readonly #isAccepted: boolean;
  /** Null while nobody has subscribed to what tells of it. */
  #trace: RunningConnection | null;
  readonly #buffer = new WriteBuffer();
  #protocol: StreamingProtocol;
  #high = HIGH_WATER;
  #low = HIGH_WATER / 4;
  /** `closing`: by its user, until all is sent. `lost`: by the peer. */
  #state: "open" | "closing" | "closed" | "lost" | "released" = "open";
  /** Its user has closed it: what they write then is a mistake. */
  #closedByUser = false;
  #reading = true;
  /** What came while reading was paused. */
  #held: Uint8Array | null = null;
  #endHeld = false;
  #releaseAsked = false;
  /** `occupied`: a file is being sent. */
  #ended: "no" | "asked" | "done" | "occupied" = "no";
  #occupant: Occupant | null = null;
  #protocolPaused = false;
  /** What the protocol was told last. */
  #toldPaused = false;
  /** In a call of the protocol: what it writes goes out at its end. */
  #inCall = false;
  /** Whether the bytes that came last are of no use to anyone any more. */
  #isSpent = false;
  #flushAsked = false;
  #isSayingGoodbye = false;
  #onSent: (() => void) | null = null;
  /** Ends what is under way to have its connection for another. */
  #giveUp: (() => void) | null = null;
  /** Events that came while the loop stood still, to be told as steps. */
  #late = 0;
  /** The bytes of those among them that bring some. */
  readonly #lateData: Uint8Array[] = [];

  /**
   * Made by a connection.
   *
   * @internal
   * @ignore
   */
  private constructor(parts: TransportParts) {
    if (parts?.scope === undefined) {
      throw refusedNew(
        "a Transport",
        "it belongs to a connection",
        "createConnection() or createServer()",
      );
    }
    this.#scope = parts.scope;
    this.#kernel = parts.scope.kernel;
    this.#host = parts.host;
    this.#protocol = parts.protocol;
    this.#extra = parts.extra ?? {};
    this.#onMade = parts.onMade;
    this.#onLost = parts.onLost;
    this.#hostname = parts.hostname;
    this.#isContinued = parts.isContinued ?? false;
    this.#isAccepted = parts.isAccepted ?? false;
    this.#trace = parts.trace ?? null;
    if (this.#trace !== null) this.#trace.transport = this;
  }

  /**
   * Sends bytes. Does not wait: what the system does not take is buffered, and
   * all that is written in one step of the loop goes out together.
   *
   * After the peer has gone, or the server has closed its clients, nothing
   * happens, as the protocol is told of that.
   *
   * @param data The bytes. An array of more than 2 KiB is not copied: leave it
   * as it is until it was sent.
   * @throws {TypeError} When `data` is not a `Uint8Array`.
   * @throws {InvalidStateError} After `close`, `abort` or `writeEof`, and while
   * a file is sent.
   */
  write(data: Uint8Array): void {
    if (!(data instanceof Uint8Array)) checkBytes("write", "data", data);
    if (this.#state !== "open" || this.#ended !== "no") {
      if (this.#isGone()) return;
      throw this.#refusal("write");
    }
    this.#add(data);
  }

  /**
   * Sends the bytes of several arrays, one after the other.
   *
   * @param list The arrays.
   * @throws {TypeError} When one of them is not a `Uint8Array`; then none is
   * sent.
   * @throws {InvalidStateError} After `close`, `abort` or `writeEof`.
   */
  writeLines(list: Iterable<Uint8Array>): void {
    checkPieces(list);
    const all = [...list];
    for (const data of all) checkBytes("write lines", "list", data);
    for (const data of all) this.write(data);
  }

  /**
   * Tells the peer that nothing more will be sent, once all is. What it sends
   * is still received.
   *
   * @throws {InvalidStateError} Over TLS, where there is no such thing, after
   * `close` or `abort`, and while a file is sent.
   */
  writeEof(): void {
    if (!this.canWriteEof()) {
      throw new InvalidStateError(
        `Cannot write the end of the stream as TLS has none of its own: received a call on ${this}`,
      );
    }
    if (this.#ended === "asked" || this.#ended === "done") return;
    if (this.#isGone()) return;
    if (this.#state !== "open" || this.#ended === "occupied") {
      throw this.#refusal("write the end");
    }
    this.#ended = "asked";
    if (this.#buffer.size === 0) this.#finishWriting();
  }

  /**
   * Whether {@linkcode Transport.writeEof} works.
   *
   * @returns False over TLS.
   */
  canWriteEof(): boolean {
    return !this.#host.isTls;
  }

  /**
   * Closes the connection once all is sent. Nothing more is received.
   *
   * Over TLS this waits until the peer has said goodbye as well, or until
   * `tls.shutdownTimeout` has passed: what was sent could be lost otherwise.
   */
  close(): void {
    if (this.#state !== "released") this.#closedByUser = true;
    this.#close();
  }

  /** Closes the connection at once; what was not sent is dropped. */
  abort(): void {
    if (this.#state !== "released") this.#closedByUser = true;
    this.#abort();
  }

  /**
   * Whether it is closing or closed, by either side.
   *
   * @returns True from then on.
   */
  isClosing(): boolean {
    return this.#state !== "open";
  }

  /** Lets nothing more come to the protocol, until `resumeReading`. */
  pauseReading(): void {
    if (this.#state !== "open" || !this.#reading) return;
    this.#reading = false;
    this.#host.pause();
  }

  /** Lets what comes go to the protocol again. */
  resumeReading(): void {
    if (this.#state !== "open" || this.#reading) return;
    this.#reading = true;
    if (this.#held === null && !this.#endHeld) this.#host.resume();
    else this.#releaseSoon();
  }

  /**
   * Whether what comes goes to the protocol.
   *
   * @returns False while paused, and after closing.
   */
  isReading(): boolean {
    return this.#state === "open" && this.#reading;
  }

  /**
   * Sets when the protocol is asked to pause writing and when to go on.
   *
   * @param options The limits in bytes; of one alone the other follows.
   * @throws {TypeError} When a limit is not a number.
   * @throws {RangeError} When a limit is negative, or `low` is above `high`.
   */
  setWriteBufferLimits(options: WriteBufferLimits = {}): void {
    const action = "set the write-buffer limits";
    checkOptions(action, options, WRITE_BUFFER_LIMITS);
    let { high, low } = options;
    for (const [name, value] of Object.entries({ high, low })) {
      if (value === undefined) continue;
      if (typeof value !== "number") {
        throw new TypeError(
          `Cannot ${action} as '${name}' must be a number of bytes: received ${
            show(value)
          }`,
        );
      }
      if (!(value >= 0)) {
        throw new RangeError(
          `Cannot ${action} as '${name}' must be >= 0: received ${value}`,
        );
      }
    }
    high ??= low === undefined ? HIGH_WATER : 4 * low;
    low ??= Math.floor(high / 4);
    if (low > high) {
      throw new RangeError(
        `Cannot ${action} as 'low' must be at most 'high': received low ${low} and high ${high}`,
      );
    }
    this.#high = high;
    this.#low = low;
    if (this.#buffer.size > high && !this.#protocolPaused) this.#pause();
    this.#maybeResume();
  }

  /**
   * The limits.
   *
   * @returns Both, in bytes.
   */
  getWriteBufferLimits(): { high: number; low: number } {
    return { high: this.#high, low: this.#low };
  }

  /**
   * How much waits to be sent.
   *
   * @returns Bytes that the system has not taken.
   */
  getWriteBufferSize(): number {
    return this.#buffer.size;
  }

  /**
   * What is known of the connection: `peername` and `sockname`, addresses as
   * Deno gives them; `tls`, whether it is encrypted; over TLS `alpnProtocol`,
   * `peercert`, the certificate that the peer has shown, a
   * {@linkcode PeerCertificate}, and `tlsCleanEnd`, whether the peer has said
   * that its data is complete, or left without a word, once it has; over TCP
   * `noDelay` and `keepAlive`, as they were asked for. A socket of its own, as
   * asyncio has one, no runtime gives.
   *
   * @typeParam Name The type of `name`.
   * @typeParam Fallback The type of `fallback`.
   *
   * @param name What to tell.
   * @param fallback What to give if it is not known; null unless you say
   * otherwise.
   * @returns The value, or `fallback`.
   */
  getExtraInfo<Name extends string, Fallback = null>(
    name: Name,
    fallback?: Fallback,
  ): ExtraInfoOf<Name> | Fallback {
    return this.#extraInfo(name, fallback ?? null) as
      | ExtraInfoOf<Name>
      | Fallback;
  }

  #extraInfo(name: string, fallback: unknown): unknown {
    switch (name) {
      case "peername":
        return this.#host.remoteAddress ?? fallback;
      case "sockname":
        return this.#host.localAddress ?? fallback;
      case "tls":
        return this.#host.isTls;
      case "alpnProtocol":
        return this.#host.alpnProtocol ?? fallback;
      case "peercert":
        return this.#host.peerCertificate ?? fallback;
      case "tlsCleanEnd":
        return this.#host.cleanEnd ?? fallback;
      default:
        return Object.hasOwn(this.#extra, name) ? this.#extra[name] : fallback;
    }
  }

  /**
   * Lets another protocol have what comes from now on.
   *
   * @param protocol The protocol; it is not told that a connection was made.
   * @throws {TypeError} When `protocol` is none.
   */
  setProtocol(protocol: StreamingProtocol): void {
    checkProtocol("go on with a transport", protocol);
    this.#protocol = protocol;
  }

  /**
   * Who gets what comes.
   *
   * @returns The protocol.
   */
  getProtocol(): StreamingProtocol {
    return this.#protocol;
  }

  /**
   * The transport and its state.
   *
   * @returns For example `<Transport open 127.0.0.1:80>`.
   */
  toString(): string {
    const peer = this.#host.remoteAddress;
    const where = peer === null
      ? ""
      : "path" in peer
      ? ` ${peer.path}`
      : ` ${peer.hostname}:${peer.port}`;
    return `<Transport ${this.#state}${where}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "Transport";
  }

  // -- the host's events ----------------------------------------------------

  #open(): void {
    const receiver: HostReceiver = {
      data: (bytes) => {
        this.#isSpent = false;
        if (this.#late === 0 && mayRun(this.#kernel)) {
          enter(this.#scope, this.#onData, bytes, null);
        } else {
          this.#lateData.push(bytes);
          this.#defer(this.#onLateData);
        }
        return this.#isSpent;
      },
      end: () => this.#tell(this.#onEnd),
      written: (count) => this.#onWritten(count),
      lost: (error) => this.#tell(() => this.#end("lost", forCaller(error))),
    };
    // A pipe without an address is its process's affair.
    if (this.#host.localAddress !== null) trackOpen(this.#scope, this);
    enter(this.#scope, this.#begin, receiver, null);
  }

  readonly #begin = (receiver: HostReceiver): void => {
    if (!this.#isContinued) this.#tellMade();
    if (this.#state === "open" || this.#state === "closing") {
      this.#host.start(receiver);
    }
  };

  #tellMade(): void {
    const tell = () =>
      this.#call(
        "connectionMade()",
        () => this.#protocol.connectionMade(this),
      );
    const channel = connectionChannel();
    if (this.#host.localAddress === null || !channel.isHeard) return tell();
    const side = this.#isAccepted ? "server" : "client";
    this.#trace = { transport: this, side };
    channel.begin(this.#trace, tell);
  }

  /** Nothing comes of it any more. */
  #tellGone(error: unknown): void {
    this.#onLost?.();
    const trace = this.#trace;
    if (trace === null) return;
    const isError = error !== null;
    if (isError) trace.error = error;
    connectionChannel().finish(trace, isError);
  }

  /** Delivers what was held, in a step of its own, and lets more come. */
  #releaseSoon(): void {
    if (this.#releaseAsked) return;
    this.#releaseAsked = runAsStep(this.#scope, `what ${this} holds`, () => {
      this.#releaseAsked = false;
      if (!this.isReading()) return;
      const held = this.#held;
      this.#held = null;
      if (held !== null) this.#onData(held);
      if (!this.isReading()) return;
      if (this.#endHeld) this.#onEnd();
      else this.#host.resume();
    });
  }

  #tell(event: () => void): void {
    if (this.#late === 0 && mayRun(this.#kernel)) {
      enter(this.#scope, event);
    } else this.#defer(event);
  }

  #defer(event: () => void): void {
    this.#late++;
    const told = runAsStep(this.#scope, `an event of ${this}`, () => {
      this.#late--;
      event();
    });
    // A closed loop has no use for its connections.
    if (!told) this.#host.abort();
  }

  readonly #onData = (bytes: Uint8Array): void => {
    if (this.#state !== "open") return;
    if (!this.#reading || this.#held !== null) {
      this.#hold(bytes);
      return;
    }
    const protocol = this.#protocol;
    this.#inCall = true;
    if (protocol instanceof BufferedProtocol) {
      try {
        this.#isSpent = this.#fill(bytes);
      } catch (error) {
        this.#inCall = false;
        this.#fail("getBuffer() or bufferUpdated()", error);
        return;
      }
    } else {
      try {
        protocol.dataReceived(bytes);
        this.#isSpent = protocol instanceof CopyingProtocol &&
          protocol.isSpent;
      } catch (error) {
        this.#inCall = false;
        this.#fail("dataReceived()", error);
        return;
      }
    }
    this.#inCall = false;
    if (this.#buffer.size > 0) this.#flush();
  };

  readonly #onLateData = (): void => {
    const bytes = this.#lateData.shift();
    // Another may have them by now.
    if (bytes !== undefined) this.#onData(bytes);
  };

  /** What a host delivers although it was told to pause. */
  #hold(bytes: Uint8Array): void {
    const held = this.#held;
    if (held === null) {
      this.#held = bytes;
      return;
    }
    const both = new Uint8Array(held.length + bytes.length);
    both.set(held);
    both.set(bytes, held.length);
    this.#held = both;
  }

  /**
   * Puts bytes into the protocol's buffers, as long as it wants them: each call
   * of it may pause reading, close, or let another protocol go on.
   *
   * @returns Whether nobody has a use for them any more.
   */
  #fill(bytes: Uint8Array): boolean {
    let left = bytes;
    while (left.length > 0) {
      if (this.#state !== "open") return true;
      if (!this.#reading) {
        this.#hold(left);
        return false;
      }
      const protocol = this.#protocol;
      if (!(protocol instanceof BufferedProtocol)) {
        protocol.dataReceived(left);
        return false;
      }
      const count = fill(protocol, left);
      left = left.subarray(count);
      protocol.bufferUpdated(count);
    }
    return true;
  }

  readonly #onEnd = (): void => {
    if (this.#state !== "open") return;
    if (!this.#reading || this.#held !== null) {
      this.#endHeld = true;
      return;
    }
    this.#endHeld = false;
    let keep = false;
    try {
      keep = this.#protocol.eofReceived() === true;
    } catch (error) {
      this.#fail("eofReceived()", error);
      return;
    }
    if (!keep || this.#host.isTls) this.#close();
  };

  #onWritten(count: number): void {
    if (this.#state !== "open" && this.#state !== "closing") return;
    const buffer = this.#buffer;
    if (buffer.written(count)) {
      if (buffer.size > 0) this.#flush();
      else {
        if (this.#ended === "asked") this.#finishWriting();
        if (this.#onSent !== null) this.#tellSent();
      }
    }
    if (this.#protocolPaused) this.#maybeResume();
    if (this.#state === "closing" && buffer.size === 0) this.#finish();
  }

  // -- writing --------------------------------------------------------------

  #add(data: Uint8Array): void {
    if (data.length === 0) return;
    const buffer = this.#buffer;
    buffer.add(data);
    if (buffer.size > this.#high && !this.#protocolPaused) this.#pause();
    this.#flushSoon();
  }

  /** Closed, and not by its user. */
  #isGone(): boolean {
    return this.#state !== "open" && this.#state !== "released" &&
      !this.#closedByUser;
  }

  #flushSoon(): void {
    if (this.#inCall || this.#flushAsked || this.#buffer.isWriting) return;
    this.#flushAsked = true;
    microtask.then(this.#flush);
  }

  readonly #flush = (): void => {
    this.#flushAsked = false;
    if (this.#buffer.isWriting) return;
    if (this.#state !== "open" && this.#state !== "closing") return;
    const bytes = this.#buffer.next();
    if (bytes !== null) this.#host.write(bytes);
  };

  #finishWriting(): void {
    this.#ended = "done";
    this.#host.closeWrite();
  }

  #pause(): void {
    this.#protocolPaused = true;
    if (this.#occupant === null) this.#tellPaused();
    else this.#occupant.pause(true);
  }

  #maybeResume(): void {
    if (!this.#protocolPaused || this.#buffer.size > this.#low) return;
    this.#protocolPaused = false;
    if (this.#occupant === null) this.#tell(() => this.#tellPaused());
    else this.#occupant.pause(false);
  }

  /** Tells the protocol where that has changed. */
  #tellPaused(): void {
    const isPaused = this.#protocolPaused;
    if (this.#toldPaused === isPaused || this.#occupant !== null) return;
    if (!isPaused && this.#state === "lost") return;
    this.#toldPaused = isPaused;
    if (isPaused) {
      this.#call("pauseWriting()", () => this.#protocol.pauseWriting());
    } else {
      this.#call("resumeWriting()", () => this.#protocol.resumeWriting());
    }
  }

  // -- the end --------------------------------------------------------------

  /** All is sent. Over TLS both sides say goodbye before it is closed. */
  #finish(): void {
    const host = this.#host;
    if (host.shutdown === undefined) return this.#end("closed", null);
    if (this.#isSayingGoodbye) return;
    this.#isSayingGoodbye = true;
    host.shutdown((error) => this.#tell(() => this.#end("closed", error)));
  }

  #tellSent(): void {
    const onSent = this.#onSent;
    this.#onSent = null;
    onSent?.();
  }

  #close(): void {
    if (this.#state !== "open") return this.#giveUp?.();
    this.#state = "closing";
    this.#held = null;
    this.#host.pause();
    this.#occupant?.end(null);
    if (this.#buffer.size === 0) this.#finish();
  }

  #abort(): void {
    if (this.#state === "open" || this.#state === "closing") {
      this.#end("closed", null, true);
    } else this.#giveUp?.();
  }

  #end(state: "closed" | "lost", error: unknown, abort = false): void {
    if (this.#state !== "open" && this.#state !== "closing") return;
    const wasAskedTo = this.#state === "closing";
    this.#state = wasAskedTo ? "closed" : state;
    trackClosed(this.#kernel, this);
    this.#buffer.clear();
    this.#tellSent();
    this.#held = null;
    this.#occupant?.end(error);
    if (abort) this.#host.abort();
    else this.#host.close();
    const tell = () => {
      this.#tellGone(error);
      this.#call(
        "connectionLost()",
        () => this.#protocol.connectionLost(error),
      );
    };
    const isTold = runAsStep(this.#scope, `the end of ${this}`, tell);
    if (isTold) return;
    this.#tellGone(error);
    const protocol = this.#protocol;
    if (protocol instanceof CopyingProtocol) {
      protocol.loopClosed(this.#kernel.closedError("use the connection"));
    }
  }

  /** Calls the protocol; what it throws is reported. */
  #call(name: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      reportThrown(this.#kernel, `The protocol's ${name} threw`, error);
    }
  }

  /** The protocol cannot take what comes: the connection is of no use. */
  #fail(name: string, error: unknown): void {
    this.#call(name, () => {
      throw error;
    });
    if (this.#state === "open" || this.#state === "closing") {
      this.#end("closed", error, true);
    }
  }

  #refusal(action: string): InvalidStateError {
    const why = this.#state === "released"
      ? "another transport has its connection"
      : this.#state === "open"
      ? this.#ended === "occupied"
        ? "a file is being sent"
        : "the end of the stream was written"
      : "the transport is closed";
    return new InvalidStateError(
      `Cannot ${action} as ${why}: received a call on ${this}`,
    );
  }

  static {
    inspectByToString(this.prototype);
    internals = {
      open(parts) {
        checkProtocol("make a connection", parts.protocol);
        const transport = new Transport(parts);
        parts.onMade?.(transport);
        transport.#open();
        return transport;
      },
      checkTls(transport) {
        if (transport.#ended === "occupied") {
          throw transport.#refusal("start TLS");
        }
        if (transport.#host.takesTls !== false) return;
        throw new InvalidStateError(
          `Cannot start TLS as the connection is in memory or a pipe: received a call on ${transport}`,
        );
      },
      hostname: (transport) => transport.#hostname,
      whenSent(transport, callback) {
        transport.#onSent = callback;
        const mustWait = transport.#buffer.size > 0 &&
          transport.#state === "open";
        if (!mustWait) transport.#tellSent();
      },
      replaced(transport) {
        transport.#giveUp = null;
      },
      // Of another kind is what stands in for one in a test.
      close: (transport) =>
        #state in transport ? transport.#close() : transport.close(),
      abort: (transport) => transport.#abort(),
      occupy(transport, occupant) {
        if (transport.#state !== "open" || transport.#ended !== "no") {
          throw transport.#refusal("send a file");
        }
        transport.#ended = "occupied";
        transport.#occupant = occupant;
        occupant.pause(transport.#protocolPaused);
      },
      occupantWrite: (transport, data) => transport.#add(data),
      vacate(transport) {
        if (transport.#ended === "occupied") transport.#ended = "no";
        transport.#occupant = null;
        if (transport.#state === "open") transport.#tellPaused();
      },
      release(transport, giveUp) {
        if (transport.#state !== "open" || transport.#ended === "occupied") {
          throw transport.#refusal("start TLS");
        }
        if (transport.#buffer.size > 0) {
          throw new InvalidStateError(
            `Cannot start TLS as ${transport.#buffer.size} bytes are still to be sent: wait for drain() first`,
          );
        }
        transport.#state = "released";
        transport.#giveUp = giveUp;
        trackClosed(transport.#kernel, transport);
        const received = transport.#lateData.splice(0);
        if (transport.#held !== null) received.unshift(transport.#held);
        transport.#held = null;
        return {
          received,
          scope: transport.#scope,
          host: transport.#host,
          protocol: transport.#protocol,
          extra: transport.#extra,
          onMade: transport.#onMade,
          onLost: transport.#onLost,
          hostname: transport.#hostname,
          trace: transport.#trace,
        };
      },
      discard(transport, error) {
        transport.#giveUp = null;
        transport.#state = "open";
        transport.#end("lost", error, true);
      },
    };
  }
}

/** Cheaper than `queueMicrotask`, which the host wraps. */
const microtask = Promise.resolve();

/** Puts what fits into one of the protocol's buffers; gives how much it was. */
function fill(protocol: BufferedProtocol, bytes: Uint8Array): number {
  const buffer = protocol.getBuffer(bytes.length);
  if (!(buffer instanceof Uint8Array)) {
    throw new TypeError(
      `Cannot receive as getBuffer() must give a Uint8Array: received ${
        show(buffer)
      }`,
    );
  }
  if (buffer.length === 0) {
    throw new OSError(
      "Cannot receive as getBuffer() must give a Uint8Array that is not empty: received an empty one",
    );
  }
  const part = bytes.subarray(0, buffer.length);
  buffer.set(part);
  return part.length;
}

/** Throws unless `transport` is one, rather than at its first private part. */
export function checkTransport(action: string, transport: unknown): void {
  if (transport instanceof Transport) return;
  const isObject = typeof transport === "object" && transport !== null;
  const hint = isObject && "transport" in transport
    ? "; its 'transport' is one"
    : "";
  throw new TypeError(
    `Cannot ${action} as 'transport' must be a Transport: received ${
      show(transport)
    }${hint}`,
  );
}
