/**
 * Connections over Node's sockets. Deno has them as well, and takes this way
 * for what its own lacks: a local address, and an end at any time beneath TLS.
 */
import { mapError } from "../map_error.ts";
import { builtin } from "../shared/builtin.ts";
import { plainBytes } from "../shared/bytes.ts";
import type {
  Address,
  HostConnection,
  HostReceiver,
  HostSocketOptions,
  HostTarget,
} from "../types/net.ts";
import { readOn, type Socket, takeReads } from "./reads.ts";

/** More than this is written in pieces, so that progress is seen. */
const LARGEST_WRITE = 1_048_576;

const noBytes = new Uint8Array(0);

function netAddress(hostname?: string, port?: number): Address | null {
  return hostname === undefined || port === undefined
    ? null
    : { transport: "tcp", hostname, port };
}

/** A connection over one of Node's sockets. */
export class SocketConnection implements HostConnection {
  readonly localAddress: Address | null;
  readonly remoteAddress: Address | null;
  readonly isTls = false;
  readonly alpnProtocol = null;
  readonly socket: Socket;
  #receiver: HostReceiver | null = null;
  #error: unknown = null;
  #isPaused = false;
  #isWriting = false;
  /** A write has not been called back. */
  #isUnderWay = false;
  /** What to write once the write under way is reported. */
  #next: Uint8Array | null = null;
  #isClosed = false;

  constructor(
    socket: Socket,
    local: Address | null = netAddress(socket.localAddress, socket.localPort),
    remote: Address | null = netAddress(
      socket.remoteAddress,
      socket.remotePort,
    ),
  ) {
    this.socket = socket;
    this.localAddress = local;
    this.remoteAddress = remote;
    socket.on("error", (error) => {
      this.#error ??= error;
    });
  }

  start(receiver: HostReceiver): void {
    const { socket } = this;
    const isFirst = this.#receiver === null;
    this.#receiver = receiver;
    if (!isFirst) return;
    const receive = (data: Uint8Array) => {
      this.#receiver?.data(plainBytes(data));
    };
    // What the socket read before, for example behind a handshake.
    socket.on("data", receive);
    takeReads(socket, receive, () => this.#isPaused);
    socket.on("end", () => this.#end());
    socket.on("close", () => {
      if (this.#isClosed) return;
      const error = this.#error;
      // The peer had ended before it was gone, and both came in one read.
      if (isBrokenRead(error)) this.#receiver?.end();
      if (this.#isClosed) return;
      this.#isClosed = true;
      // Without an error it is what Node does once both sides have ended: the
      // library is not through with the connection before it closes it.
      if (error !== null) this.#lose(error);
    });
    // Who was told to pause before lets nothing come.
    if (!this.#isPaused) socket.resume();
  }

  pause(): void {
    this.#isPaused = true;
    this.socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    readOn(this.socket);
  }

  write(bytes: Uint8Array): void {
    this.#next = bytes;
    // In `written` of the last one, which the system took at once.
    if (this.#isWriting) return;
    this.#isWriting = true;
    while (this.#next !== null) this.#writePiece(this.#next);
    this.#isWriting = false;
  }

  #writePiece(bytes: Uint8Array): void {
    this.#next = null;
    const piece = bytes.length > LARGEST_WRITE
      ? bytes.subarray(0, LARGEST_WRITE)
      : bytes;
    this.#isUnderWay = true;
    this.#send(piece, (error) => {
      this.#isUnderWay = false;
      if (error) {
        // What goes wrong comes as an event, unless the socket is closed.
        if (this.#isClosed) this.#lose(error);
        this.socket.destroy(error);
        return;
      }
      // A write that the end has cut short is no error of its own.
      if (this.socket.destroyed) return;
      this.#receiver?.written(piece.length);
      if (this.#receiver !== null && piece !== bytes) {
        this.write(bytes.subarray(piece.length));
      }
    });
  }

  /**
   * One write at a time, which the receiver waits for: the queue of a stream
   * would stay empty, and costs a tick for each write. With `done` called at
   * once, as `_write` does where the system takes all of it, there is none.
   */
  #send(piece: Uint8Array, done: (error?: Error | null) => void): void {
    const { socket } = this;
    // The stream of a socket that is closed knows why.
    if (socket.destroyed) socket.write(piece, done);
    else socket._write(piece, "buffer" as BufferEncoding, done);
  }

  #lose(error: unknown): void {
    const told = this.#receiver;
    this.#receiver = null;
    told?.lost(mapError(error, "use the connection"));
  }

  closeWrite(): void {
    this.socket.end();
  }

  close(): void {
    this.#leave();
    this.socket.destroySoon();
  }

  abort(): void {
    this.#leave();
    this.socket.destroy();
  }

  /**
   * Node tells of a reset right behind the last data as of an end, as libuv does
   * not look where the system says that both directions are over. A write of
   * nothing brings the truth to light. A broken pipe is no reset, but says that
   * the peer had ended before it closed: so does each Unix socket that is closed.
   */
  #end(): void {
    const { socket } = this;
    if (this.#isUnderWay || !socket.writable || socket.destroyed) {
      this.#receiver?.end();
      return;
    }
    socket._write(noBytes, "buffer" as BufferEncoding, (error) => {
      const { code } = (error ?? {}) as { code?: unknown };
      if (error && code !== "EPIPE") socket.destroy(error);
      else this.#receiver?.end();
    });
  }

  #leave(): void {
    this.#isClosed = true;
    this.#receiver = null;
    // A paused socket would not see the peer's end, and so never close.
    this.socket.removeAllListeners("data");
  }
}

function isBrokenRead(error: unknown): boolean {
  const { code, syscall } = (error ?? {}) as {
    code?: unknown;
    syscall?: unknown;
  };
  return code === "EPIPE" && syscall === "read";
}

/** Sets what a socket is told of itself. */
export function setSocketOptions(
  socket: Socket,
  options: HostSocketOptions,
): void {
  if (options.noDelay) socket.setNoDelay(true);
  if (options.keepAlive) socket.setKeepAlive(true);
}

/** Connects one of Node's sockets. */
export function connectSocket(
  target: HostTarget,
  options: HostSocketOptions,
  signal: AbortSignal,
): Promise<HostConnection> {
  const place = "path" in target ? { path: target.path } : {
    host: target.hostname,
    port: target.port,
    ...(target.localAddr && {
      localAddress: target.localAddr.hostname,
      localPort: target.localAddr.port,
    }),
  };
  const where = "path" in target
    ? target.path
    : `${target.hostname} port ${target.port}`;
  return new Promise((resolve, reject) => {
    const { connect } = builtin("node:net");
    const socket = connect({ ...place, allowHalfOpen: true });
    const abort = () => socket.destroy(new Error("The attempt was given up"));
    const fail = (error: unknown) => {
      signal.removeEventListener("abort", abort);
      reject(mapError(error, `connect to ${where}`));
    };
    signal.addEventListener("abort", abort);
    if (signal.aborted) abort();
    socket.once("error", fail);
    socket.once("connect", () => {
      signal.removeEventListener("abort", abort);
      socket.removeListener("error", fail);
      if (!("path" in target)) setSocketOptions(socket, options);
      socket.pause();
      resolve(
        "path" in target
          ? new SocketConnection(
            socket,
            { transport: "unix", path: "" },
            { transport: "unix", path: target.path },
          )
          : new SocketConnection(socket),
      );
    });
  });
}
