import { refusedNew } from "../_internal/made_by.ts";
import { atCaller } from "../_internal/caller_frame.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { checkOptions } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { InvalidStateError } from "../errors.ts";
import { currentScope, runIn } from "../loop/current.ts";
import { interruption } from "../loop/scope.ts";
import { sleep } from "../tasks/sleep.ts";
import { untilAborted } from "../tasks/until_aborted.ts";
import type { FlowControl } from "./flow_control.ts";
import { checkPieces } from "./_check.ts";
import { watchWriter } from "./open_ends.ts";
import type { Protocol } from "./protocol.ts";
import type { StreamReader } from "./stream_reader.ts";
import {
  planUpgrade,
  type StartTlsOptions,
  upgrade,
  WRITER_TLS_OPTIONS,
} from "./tls.ts";
import type { ExtraInfoOf, Transport } from "./transport.ts";
import { toWritable } from "./web.ts";

/** Serves one connection of a server; run as a task. */
export type ConnectionHandler = (
  reader: StreamReader,
  writer: StreamWriter,
) => void | PromiseLike<void>;

/** The protocol of a writer's transport. */
export interface WriterProtocol extends Protocol {
  readonly flow: FlowControl;
  /** Whether the connection came to a server. */
  readonly isServerSide: boolean;
  /** Nothing more will be written: the peer's end ends the connection. */
  closeAtEof(): void;
}

const encoder = new TextEncoder();

/**
 * The sending side of a stream. Made by `openConnection` and `startServer`.
 * Equivalent of `asyncio.StreamWriter`.
 *
 * Writing does not wait: what the system does not take at once is kept, and
 * {@linkcode StreamWriter.drain} waits while that is too much. After each piece
 * of data, write and drain.
 *
 * Bytes are not copied if they are many: leave an array as it is once it was
 * written, and take a new one for what comes next.
 *
 * @example A question and its answer
 * ```ts
 * import { openConnection, startServer } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await startServer(async (reader, writer) => {
 *   writer.write(await reader.readLine());
 *   await writer.drain();
 *   writer.close();
 * }, { hostname: "127.0.0.1" });
 *
 * const [reader, writer] = await openConnection({
 *   hostname: "127.0.0.1",
 *   port: server.port,
 * });
 * writer.write("hello\n");
 * await writer.drain();
 * assertEquals(new TextDecoder().decode(await reader.readLine()), "hello\n");
 * writer.close();
 * await writer.waitClosed();
 * ```
 */
export class StreamWriter implements AsyncDisposable {
  #transport: Transport;
  readonly #protocol: WriterProtocol;
  readonly #reader: StreamReader | null;
  /** By {@linkcode close}; the peer may have closed the transport, too. */
  #isClosed = false;
  #writable: WritableStream<Uint8Array | string> | null = null;

  /**
   * Made by `openConnection` and `startServer`.
   *
   * @internal
   * @ignore
   */
  constructor(
    transport: Transport,
    protocol: WriterProtocol,
    reader: StreamReader | null,
  ) {
    if (typeof transport?.write !== "function") {
      throw refusedNew(
        "a StreamWriter",
        "it belongs to a connection",
        "openConnection() or startServer()",
      );
    }
    this.#transport = transport;
    this.#protocol = protocol;
    this.#reader = reader;
    // A pipe without a reader is its process's affair.
    if (reader !== null) {
      watchWriter(currentScope().kernel, this, transport);
    }
  }

  /** What it writes to, with the limits of its buffer. */
  get transport(): Transport {
    return this.#transport;
  }

  /**
   * Sends bytes, as soon as the system takes them.
   *
   * If the peer has gone, nothing happens here; `drain` throws.
   *
   * @param data The bytes, or a text to be sent in UTF-8. An array of more than
   * 2 KiB is not copied: leave it as it is until it was sent.
   * @throws {TypeError} When it is neither.
   * @throws {InvalidStateError} After {@linkcode StreamWriter.close} or
   * {@linkcode StreamWriter.writeEof}.
   */
  write(data: Uint8Array | string): void {
    if (this.#isClosed) throw this.#closedError("write");
    this.#transport.write(toBytes(data));
  }

  /**
   * Sends several pieces, together if the system can. They are not separated.
   *
   * @param list The pieces, each as for {@linkcode StreamWriter.write}.
   * @throws {TypeError} When one is neither bytes nor a text; then none is sent.
   * @throws {InvalidStateError} After {@linkcode StreamWriter.close} or
   * {@linkcode StreamWriter.writeEof}.
   */
  writeLines(list: Iterable<Uint8Array | string>): void {
    if (this.#isClosed) throw this.#closedError("write");
    checkPieces(list);
    this.#transport.writeLines(Array.from(list, toBytes));
  }

  /**
   * Waits while more is on its way than the transport is to hold: from when its
   * high-water mark is passed until its low-water mark is reached. Otherwise
   * the other tasks get a turn only now and then: a loop that only writes may
   * `await checkpoint()`. Several tasks may wait at once.
   *
   * @returns When there is room.
   * @throws {ConnectionResetError} When the connection is lost, or the error it
   * was lost with.
   * @throws {CancelledError} When the task is cancelled; what was written is
   * sent all the same.
   */
  drain(): Promise<void> {
    const failure = this.#reader === null ? null : this.#reader.exception();
    if (failure !== null) return Promise.reject(atCaller(failure));
    const scope = currentScope();
    const { flow } = this.#protocol;
    if (this.#transport.isClosing() && !flow.isLost) {
      // So that code which does nothing but write and drain hears of its loss.
      return sleep(0).then(() => flow.drain(scope));
    }
    return interruption(scope) ?? flow.drain(scope);
  }

  /**
   * Closes both directions, once all that was written is sent, and over TLS once
   * the peer has said goodbye as well, or `tls.shutdownTimeout` has passed. Does
   * nothing the second time.
   */
  close(): void {
    this.#isClosed = true;
    this.#transport.close();
  }

  /**
   * Waits until the connection is closed; call {@linkcode StreamWriter.close}
   * before.
   *
   * @returns When it is.
   * @throws {CancelledError} When the task is cancelled.
   * @throws {TimeoutError} Over TLS, when the peer did not say goodbye in time.
   * @throws Its error, if the connection was lost.
   */
  waitClosed(): Promise<void> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    return this.#protocol.flow.waitClosed(scope);
  }

  /**
   * Whether the connection is closed, or is being closed.
   *
   * @returns True from the call of {@linkcode StreamWriter.close} on, or from
   * when it was lost.
   */
  isClosing(): boolean {
    return this.#transport.isClosing();
  }

  /**
   * Whether one direction can be closed without the other.
   *
   * @returns False over TLS.
   */
  canWriteEof(): boolean {
    return this.#transport.canWriteEof();
  }

  /**
   * Closes the sending direction once all that was written is sent: the peer
   * reads the end, and its answer can still be read.
   *
   * @throws {InvalidStateError} Over TLS, and after
   * {@linkcode StreamWriter.close}.
   */
  writeEof(): void {
    if (this.#isClosed) throw this.#closedError("write the end");
    this.#transport.writeEof();
  }

  /**
   * What the transport knows of the connection.
   *
   * @typeParam Name The type of `name`.
   * @typeParam Fallback The type of `fallback`.
   *
   * @param name What to tell: `peername`, `sockname`, and what else the
   * transport has.
   * @param fallback What to give if it is not known; null unless you say
   * otherwise.
   * @returns The information, or `fallback`.
   */
  getExtraInfo<Name extends string, Fallback = null>(
    name: Name,
    fallback?: Fallback,
  ): ExtraInfoOf<Name> | Fallback {
    return this.#transport.getExtraInfo(name, fallback);
  }

  /**
   * Encrypts the connection from here on, as after the STARTTLS of mail
   * protocols. First all that was written is sent. What came and was not read
   * counts as the beginning of the handshake.
   *
   * @example What a mail client does
   * ```ts ignore
   * writer.write("STARTTLS\r\n");
   * await reader.readLine();
   * await writer.startTls({ serverHostname: "mail.example.com" });
   * ```
   *
   * @param options The certificates and the names; the server's is the hostname
   * connected to, if no other is given. The side is the one that the connection
   * has.
   * @returns When both sides have agreed.
   * @throws {TypeError} When an option is of the wrong kind or for the other side.
   * @throws {RangeError} When `handshakeTimeout` or `shutdownTimeout` is not above
   * 0.
   * @throws {InvalidStateError} When the connection is closing, or in memory, or a
   * file is being sent.
   * @throws {SSLError} When the two sides do not agree, the certificate is not
   * trusted, or the own one cannot be used; the connection is then closed.
   * @throws {ConnectionResetError} When the peer hangs up in the handshake.
   * @throws {ConnectionAbortedError} When the handshake takes longer than
   * `handshakeTimeout`; the connection is then closed.
   * @throws {CancelledError} When the task is cancelled; the connection is then
   * closed, unless the handshake had not begun.
   * @throws The reason of `signal`, when it is aborted; the connection is then
   * closed, unless the handshake had not begun.
   */
  async startTls(
    options: Omit<StartTlsOptions, "received"> = {},
  ): Promise<void> {
    checkOptions("start TLS", options, WRITER_TLS_OPTIONS);
    const transport = this.#transport;
    const { signal } = options;
    const host = planUpgrade(transport, {
      ...options,
      serverSide: options.serverSide ?? this.#protocol.isServerSide,
    });
    const limits = transport.getWriteBufferLimits();
    transport.setWriteBufferLimits({ high: 0, low: 0 });
    try {
      await untilAborted(signal, () => this.drain());
    } finally {
      transport.setWriteBufferLimits(limits);
    }
    const secured = await upgrade(
      transport,
      this.#protocol,
      host,
      () => this.#reader?.takeChunks() ?? [],
      signal,
    );
    secured.setWriteBufferLimits(limits);
    this.#transport = secured;
    watchWriter(currentScope().kernel, this, secured);
    this.#reader?.setTransport(secured);
  }

  /**
   * The same as a stream of the web, to pipe to. Its `close` sends the end and
   * lets the rest be read; the connection is closed when the peer has sent its
   * end, too. Its `abort` drops what was not sent and closes the connection.
   *
   * @example Sending a body
   * ```ts
   * import { openConnection, startServer } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * await using server = await startServer(async (reader, writer) => {
   *   await reader.readable.pipeTo(writer.writable);
   * }, { hostname: "127.0.0.1" });
   *
   * const [reader, writer] = await openConnection({
   *   hostname: "127.0.0.1",
   *   port: server.port,
   * });
   * await new Response("hello").body!.pipeTo(writer.writable);
   * assertEquals(await new Response(reader.readable).text(), "hello");
   * ```
   *
   * @returns Always the same stream.
   */
  get writable(): WritableStream<Uint8Array | string> {
    if (this.#writable === null) {
      const { root } = currentScope().kernel;
      const inLoop = (fn: () => Promise<void>) => runIn(root, fn);
      this.#writable = toWritable({
        write: (chunk) =>
          inLoop(() => {
            this.write(chunk);
            return this.drain();
          }),
        end: () => inLoop(() => this.#end()),
        abort: () => this.#transport.abort(),
      });
    }
    return this.#writable;
  }

  /**
   * Closes the connection and waits until it is. An error of the connection does
   * not come out here: reads, `drain` and `waitClosed` have it.
   *
   * @returns When it is closed.
   * @throws {CancelledError} When the task is cancelled.
   */
  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    return this.#protocol.flow.waitLost(scope);
  }

  /**
   * The writer and its transport.
   *
   * @returns For example `<StreamWriter of <Transport open 127.0.0.1:80>>`.
   */
  toString(): string {
    return `<StreamWriter of ${this.#transport}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "StreamWriter";
  }

  /** Nothing more comes from the stream of the web. */
  async #end(): Promise<void> {
    if (this.#isClosed) return;
    const reader = this.#reader;
    if (
      reader !== null && !reader.statistics().isEof &&
      this.#transport.canWriteEof() && !this.#transport.isClosing()
    ) {
      this.#protocol.closeAtEof();
      this.writeEof();
    } else {
      this.close();
      await this.waitClosed();
    }
  }

  #closedError(action: string): InvalidStateError {
    return new InvalidStateError(
      `Cannot ${action} as the writer is closed: received a call on ${this}`,
    );
  }

  static {
    inspectByToString(this.prototype);
  }
}

function toBytes(data: unknown): Uint8Array {
  if (typeof data === "string") return encoder.encode(data);
  if (data instanceof Uint8Array) return data;
  throw new TypeError(
    `Cannot write as 'data' must be a Uint8Array or a string: received ${
      show(data)
    }`,
  );
}
