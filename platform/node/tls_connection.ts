/**
 * TLS over any connection, in one way on both runtimes: a TLS socket of Node's
 * module over a {@linkcode Wire}.
 *
 * Deno's own TLS stays open in a handshake that is given up (deno#14547), and
 * while the peer does not read (deno#36369). Its Node way, with a TCP socket
 * beneath, reads on while it is paused and takes a reset for an end.
 */
import { LONGEST_HOST_TIMER_MS } from "../../_internal/constants.ts";
import { ConnectionAbortedError, TimeoutError } from "../../errors.ts";
import { isBun } from "../runtime.ts";
import { builtin } from "../shared/builtin.ts";
import { plainBytes } from "../shared/bytes.ts";
import { systemError } from "../system_errors.ts";
import type {
  Address,
  HostClientTls,
  HostConnection,
  HostReceiver,
  HostTls,
  PeerCertificate,
} from "../types/net.ts";
import { peerCertificateOf } from "./peer_certificate.ts";
import { readOn, takeReads } from "./reads.ts";
import { type TlsContext, tlsContext } from "./tls_context.ts";
import { Wire } from "./tls_wire.ts";

type TlsSocket = import("node:tls").TLSSocket;

/** More than this is written in pieces, so that progress is seen. */
const LARGEST_WRITE = 262_144;
/** So long an alert may take to the system before the connection is closed. */
const ALERT_MS = 500;

/** What a handshake needs. */
export interface TlsParts extends TlsContext {
  readonly connection: HostConnection;
  /** What had come for the handshake before it began. */
  readonly received: readonly Uint8Array[];
}

/** Shakes hands over a connection; if that fails, it is closed. */
export function shakeHands(
  parts: TlsParts,
  signal: AbortSignal,
): Promise<HostConnection> {
  return new Promise((resolve, reject) => {
    let secured: TlsConnection;
    const abort = () => secured.abort();
    const end = (error: Error | null) => {
      signal.removeEventListener("abort", abort);
      if (error === null) resolve(secured);
      else reject(error);
    };
    try {
      secured = new TlsConnection(parts, end);
    } catch (error) {
      parts.connection.abort();
      return reject(systemError("ERR_TLS", "set up TLS", error));
    }
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
  });
}

/** Shakes hands over a connection that is there, in use or not. */
export async function upgrade(
  connection: HostConnection,
  tls: HostClientTls | HostTls,
  received: readonly Uint8Array[],
  signal: AbortSignal,
): Promise<HostConnection> {
  let context;
  try {
    context = tlsContext(tls);
  } catch (error) {
    connection.abort();
    throw error;
  }
  return await shakeHands({ ...context, connection, received }, signal);
}

function makeSocket({ tls, secureContext }: TlsParts, wire: Wire): TlsSocket {
  const { connect, TLSSocket } = builtin("node:tls");
  const { alpnProtocols, requestCert } = tls;
  const protocols = alpnProtocols && { ALPNProtocols: [...alpnProtocols] };
  if (!("serverHostname" in tls)) {
    return new TLSSocket(wire.stream, {
      isServer: true,
      secureContext,
      requestCert: requestCert ?? false,
      rejectUnauthorized: requestCert ?? false,
      ...protocols,
    });
  }
  const { serverHostname } = tls;
  const isName = builtin("node:net").isIP(serverHostname) === 0;
  return connect({
    socket: wire.stream,
    secureContext,
    host: serverHostname,
    // Whatever the environment says: NODE_TLS_REJECT_UNAUTHORIZED is not ours.
    rejectUnauthorized: true,
    ...(isName && { servername: serverHostname }),
    ...protocols,
  });
}

/** Deno and Node have it, and neither tells of it; Bun has its findings only. */
interface Verifier {
  verifyError?(): unknown;
}

/** The server's side only asks for a certificate; looking at it is up to us. */
function refusalOf(socket: TlsSocket): Error | null {
  const { _handle: handle, authorizationError } = socket as unknown as {
    readonly _handle: Verifier;
    readonly authorizationError?: unknown;
  };
  const error = handle.verifyError === undefined
    ? authorizationError
    : handle.verifyError();
  if (!error) return null;
  return error instanceof Error
    ? error
    : new Error(`The certificate of the client is refused: ${String(error)}`);
}

class TlsConnection implements HostConnection {
  readonly localAddress: Address | null;
  readonly remoteAddress: Address | null;
  readonly isTls = true;
  readonly #connection: HostConnection;
  readonly #wire: Wire;
  readonly #socket: TlsSocket;
  readonly #destroySocket: TlsSocket["destroy"];
  readonly #action: string;
  readonly #shutdownMs: number;
  #state: "handshake" | "open" | "goodbye" | "closed" = "handshake";
  #onHandshake: ((error: Error | null) => void) | null;
  #onGone: ((error: Error | null) => void) | null = null;
  #receiver: HostReceiver | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #alpnProtocol: string | null = null;
  #peerCertificate: PeerCertificate | null = null;
  #cleanEnd: boolean | null = null;
  /** The peer said nothing more, in the one way or the other. */
  #hasEnded = false;
  #isEndTold = false;
  /** What went wrong before anybody was there to be told. */
  #failure: Error | null = null;
  #isPaused = false;

  constructor(parts: TlsParts, onHandshake: (error: Error | null) => void) {
    const { connection, tls } = parts;
    this.#connection = connection;
    this.#onHandshake = onHandshake;
    this.localAddress = connection.localAddress;
    this.remoteAddress = connection.remoteAddress;
    this.#shutdownMs = tls.shutdownTimeout;
    this.#action = "serverHostname" in tls
      ? `secure the connection to ${tls.serverHostname}`
      : "secure the connection of a client";
    this.#wire = new Wire(connection, parts.received, {
      ended: () => this.#onWireEnd(),
      lost: (error) => this.#lose(error),
    });
    const socket = this.#socket = makeSocket(parts, this.#wire);
    const isServer = !("serverHostname" in tls);
    const fail = (error: Error) => this.#onTlsError(error);
    // It would end by itself once both sides have, or after an error, and on
    // Deno take its last record along, the goodbye or the alert.
    this.#destroySocket = socket.destroy;
    socket.destroy = (error?: Error) => {
      if (error) fail(error);
      return socket;
    };
    const push = socket.push;
    socket.push = (chunk: unknown, encoding) => {
      // The event comes later, when the connection may have ended as well.
      if (chunk === null) this.#cleanEnd ??= true;
      return push.call(socket, chunk, encoding);
    };
    socket.on("error", fail);
    // All that a server's socket tells.
    socket.on("_tlsError", fail);
    // It may come before `start`, and in a pause.
    socket.on("end", () => this.#onTlsEnd());
    socket.once(isServer ? "secure" : "secureConnect", () => {
      const refusal = isServer && tls.requestCert ? refusalOf(socket) : null;
      if (refusal !== null) this.#onTlsError(refusal);
      else this.#onSecured();
    });
    this.#timer = after(tls.handshakeTimeout, () => {
      this.#settle(
        new ConnectionAbortedError(
          `Cannot ${this.#action} as the handshake took longer than ${tls.handshakeTimeout} ms (ETIMEDOUT)`,
          { code: "ETIMEDOUT" },
        ),
      );
      this.abort();
    });
    setImmediate(() => {
      if (this.#state !== "closed") this.#wire.open();
    });
  }

  get alpnProtocol(): string | null {
    return this.#alpnProtocol;
  }

  get peerCertificate(): PeerCertificate | null {
    return this.#peerCertificate;
  }

  get cleanEnd(): boolean | null {
    return this.#cleanEnd;
  }

  start(receiver: HostReceiver): void {
    const isFirst = this.#receiver === null;
    this.#receiver = receiver;
    if (!isFirst) return;
    const failure = this.#failure;
    if (failure !== null) return receiver.lost(failure);
    const receive = (data: Uint8Array) => {
      this.#receiver?.data(plainBytes(data));
    };
    const socket = this.#socket;
    // What came behind the handshake.
    socket.on("data", receive);
    takeReads(socket, receive, () => this.#isPaused);
    if (this.#isPaused) return;
    this.#wire.letCome();
    socket.resume();
    this.#tellEnd();
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
    this.#wire.holdUp();
  }

  resume(): void {
    this.#isPaused = false;
    readOn(this.#socket);
    this.#wire.letCome();
    this.#tellEnd();
  }

  write(bytes: Uint8Array): void {
    // Bun gives up what is not with it once the peer has said goodbye.
    const piece = bytes.length > LARGEST_WRITE && !isBun
      ? bytes.subarray(0, LARGEST_WRITE)
      : bytes;
    const written = () => {
      this.#receiver?.written(piece.length);
      if (this.#receiver !== null && piece !== bytes) {
        this.write(bytes.subarray(piece.length));
      }
    };
    this.#socket._write(
      piece,
      "buffer" as BufferEncoding,
      (error?: Error | null) => {
        if (this.#state === "closed" || this.#socket.destroyed) return;
        if (error) return this.#onTlsError(error);
        // Bun takes all there is, and calls back before it is on its way.
        if (isBun) this.#wire.whenIdle(written);
        else written();
      },
    );
  }

  closeWrite(): void {
    this.#socket.end();
  }

  close(): void {
    this.shutdown(() => {});
  }

  shutdown(onGone: (error: Error | null) => void): void {
    if (this.#state !== "open") {
      if (this.#state === "closed") onGone(null);
      return;
    }
    this.#state = "goodbye";
    this.#onGone = onGone;
    this.#timer = after(this.#shutdownMs, () => {
      const error = new TimeoutError(
        `Cannot close the connection as the peer did not say goodbye within ${this.#shutdownMs} ms (ETIMEDOUT)`,
      );
      this.#gone(Object.assign(error, { code: "ETIMEDOUT" }), true);
    });
    const socket = this.#socket;
    socket.once("finish", () => {
      // On Deno the record is on its way to the wire only now.
      setImmediate(() => this.#wire.whenIdle(() => this.#onGoodbyeSaid()));
    });
    socket.end();
    // What comes is thrown away, but read: a socket that is closed with
    // something unread has the system take back what was sent.
    this.#receiver = null;
    if (this.#isPaused) this.resume();
    else socket.resume();
  }

  abort(): void {
    this.#settle(this.#abortion());
    if (this.#state !== "closed") this.#end(true);
  }

  #abortion(): Error {
    return new ConnectionAbortedError(
      `Cannot ${this.#action} as the handshake was given up (ECONNABORTED)`,
      { code: "ECONNABORTED" },
    );
  }

  // -- the handshake --------------------------------------------------------

  #onSecured(): void {
    if (this.#state !== "handshake") return;
    this.#state = "open";
    const socket = this.#socket;
    const alpn = socket.alpnProtocol;
    this.#alpnProtocol = typeof alpn === "string" ? alpn : null;
    this.#peerCertificate = peerCertificateOf(socket);
    socket.pause();
    this.#wire.holdUp();
    this.#settle(null);
  }

  #settle(error: Error | null): void {
    const settle = this.#onHandshake;
    if (settle === null) return;
    this.#onHandshake = null;
    clearTimeout(this.#timer);
    settle(error);
  }

  // -- the end --------------------------------------------------------------

  /** The connection has ended; if TLS has not, the peer said no goodbye. */
  #onWireEnd(): void {
    if (this.#state === "handshake") {
      const cause = new Error("The peer hung up");
      this.#settle(systemError("ECONNRESET", this.#action, cause));
      this.#end(false);
      return;
    }
    this.#cleanEnd ??= false;
  }

  #onTlsEnd(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (this.#state === "goodbye") this.#onGoodbyeSaid();
    else this.#tellEnd();
  }

  #tellEnd(): void {
    if (!this.#hasEnded || this.#isPaused || this.#isEndTold) return;
    const receiver = this.#receiver;
    if (receiver === null) return;
    this.#isEndTold = true;
    receiver.end();
  }

  /** Of the two goodbyes one more has been said. */
  #onGoodbyeSaid(): void {
    if (this.#state !== "goodbye" || !this.#hasEnded) return;
    if (!this.#socket.writableFinished) return;
    setImmediate(() => this.#wire.whenIdle(() => this.#gone(null, false)));
  }

  #onTlsError(cause: Error & { code?: string }): void {
    const isHandshake = this.#state === "handshake";
    const action = isHandshake ? this.#action : "use the connection";
    const code = isHandshake && cause.code === "ECONNRESET"
      ? "ECONNRESET"
      : "ERR_TLS";
    this.#lose(systemError(code, action, cause));
  }

  /** It broke, beneath TLS or in it. */
  #lose(error: Error): void {
    if (this.#state === "closed") return;
    this.#cleanEnd ??= false;
    this.#hasEnded = true;
    this.#settle(error);
    if (this.#state === "goodbye") return this.#gone(error, false);
    this.#failure = error;
    const told = this.#receiver;
    this.#endAfterAlert();
    told?.lost(error);
  }

  #gone(error: Error | null, isAborted: boolean): void {
    if (this.#state === "closed") return;
    const onGone = this.#onGone;
    this.#onGone = null;
    this.#end(isAborted);
    onGone?.(error);
  }

  #end(isAborted: boolean): void {
    this.#state = "closed";
    this.#receiver = null;
    clearTimeout(this.#timer);
    if (isAborted) this.#connection.abort();
    else this.#connection.close();
    this.#destroySocket.call(this.#socket);
  }

  /** As TLS failed: the alert that it may have for the peer goes out. */
  #endAfterAlert(): void {
    this.#state = "closed";
    this.#receiver = null;
    clearTimeout(this.#timer);
    const end = () => {
      clearTimeout(timer);
      this.#end(false);
    };
    const timer = setTimeout(() => this.#end(true), ALERT_MS);
    // On Deno it is on its way to the wire only then.
    setImmediate(() => this.#wire.whenIdle(end));
  }
}

/** What is longer than the host's timers never comes, in place of at once. */
function after(
  ms: number,
  callback: () => void,
): ReturnType<typeof setTimeout> | undefined {
  return ms > LONGEST_HOST_TIMER_MS ? undefined : setTimeout(callback, ms);
}
