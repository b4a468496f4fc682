import type { ConnectionHandler } from "./stream_writer.ts";
import { loopOf } from "../loop/event_loop.ts";
import { isExitRequest } from "../loop/exit_request.ts";
import { Completion, type Future, futureInternals } from "../loop/future.ts";
import { currentScope } from "../loop/current.ts";
import type { Kernel } from "../loop/kernel.ts";
import type { ExceptionContext } from "../loop/types.ts";
import { FlowControl } from "./flow_control.ts";
import { enter } from "./host.ts";
import { CopyingProtocol } from "./protocol.ts";
import { closeWhenLost } from "./open_ends.ts";
import type { ReaderKeeper, StreamReader } from "./stream_reader.ts";
import { StreamWriter, type WriterProtocol } from "./stream_writer.ts";
import { type Transport, transportInternals } from "./transport.ts";
import type { ReadingSide } from "./web.ts";

/** Where what comes goes: a reader, or what feeds it. */
export interface StreamInlet {
  setTransport(transport: ReadingSide): void;
  /** @returns Whether the bytes were copied, so that their memory is free again. */
  receive(data: Uint8Array): boolean;
  feedEof(): void;
  setException(error: unknown): void;
}

/** Writers, for as long as their reader is in use: one is not closed without the other. */
const besideReader = new WeakMap<StreamReader, StreamWriter>();

/**
 * Leads to a reader without keeping it: once nobody else does, nobody can close
 * its connection.
 */
class WeakInlet implements StreamInlet, ReaderKeeper {
  /** While a read waits, as nothing else need hold its reader then. */
  kept: StreamReader | null = null;
  readonly #reader: WeakRef<StreamReader>;

  constructor(reader: StreamReader) {
    this.#reader = new WeakRef(reader);
  }

  setTransport(transport: ReadingSide): void {
    this.#reader.deref()?.setTransport(transport);
  }

  receive(data: Uint8Array): boolean {
    return this.#reader.deref()?.receive(data) ?? false;
  }

  feedEof(): void {
    this.#reader.deref()?.feedEof();
  }

  setException(error: unknown): void {
    this.#reader.deref()?.setException(error);
  }
}

/**
 * Between a transport and a pair of streams: feeds the reader, tells the writer
 * when to wait, and on a server starts the handler of each connection.
 * Equivalent of `asyncio.StreamReaderProtocol`.
 */
export class StreamProtocol extends CopyingProtocol implements WriterProtocol {
  readonly flow: FlowControl = new FlowControl();
  #reader: StreamReader | null;
  #inlet: StreamInlet;
  readonly #onConnected: ConnectionHandler | null;
  #closesAtEof = false;

  /**
   * @param onConnected The handler of a server, run as a task.
   * @param inlet What feeds the reader, if that is not done here.
   */
  constructor(
    reader: StreamReader,
    onConnected: ConnectionHandler | null = null,
    inlet: StreamInlet = reader,
  ) {
    super();
    this.#reader = reader;
    this.#inlet = inlet;
    this.#onConnected = onConnected;
  }

  get isServerSide(): boolean {
    return this.#onConnected !== null;
  }

  override connectionMade(transport: Transport): void {
    this.#inlet.setTransport(transport);
    if (this.#onConnected !== null) this.#handle(this.#onConnected, transport);
  }

  override dataReceived(data: Uint8Array): void {
    this.isSpent = this.#inlet.receive(data);
  }

  override eofReceived(): boolean {
    this.#inlet.feedEof();
    return !this.#closesAtEof;
  }

  override connectionLost(error: unknown): void {
    if (error === null) this.#inlet.feedEof();
    else this.#inlet.setException(error);
    this.flow.lose(error);
  }

  override loopClosed(error: Error): void {
    this.#inlet.setException(error);
    this.flow.lose(null);
  }

  override pauseWriting(): void {
    this.flow.pause();
  }

  override resumeWriting(): void {
    this.flow.resume();
  }

  /** Nothing more will be written: the peer's end ends the connection. */
  closeAtEof(): void {
    this.#closesAtEof = true;
  }

  #handle(onConnected: ConnectionHandler, transport: Transport): void {
    const reader = this.#reader!;
    const writer = new StreamWriter(transport, this, reader);
    const scope = currentScope();
    const { kernel } = scope;
    const task = loopOf(kernel).createTask(() => onConnected(reader, writer));
    new Completion(task as Future<void>, () => {
      const state = futureInternals.state(task);
      // One that returns may have given the streams to someone else.
      if (state === "finished") {
        this.#leave(kernel, [reader, writer]);
        return;
      }
      const error = futureInternals.value(task);
      if (state === "failed" && !isExitRequest(error)) {
        const context: ExceptionContext = {
          message: "Unhandled exception in the handler of a connection",
          error,
          task,
        };
        const report = () => futureInternals.kernel(task).report(context);
        enter(scope, report);
      }
      // Others who write to it do nothing wrong.
      transportInternals.close(writer.transport);
    }, true);
  }

  /** The streams are with whoever the handler gave them to, or with nobody. */
  #leave(
    kernel: Kernel,
    [reader, writer]: [StreamReader, StreamWriter],
  ): void {
    const { transport } = writer;
    if (transport.isClosing()) return;
    if (this.#inlet === reader) {
      const inlet = new WeakInlet(reader);
      reader.keepBy(inlet);
      this.#inlet = inlet;
    }
    this.#reader = null;
    besideReader.set(reader, writer);
    closeWhenLost(writer, {
      kernel,
      transport,
      close: () => transportInternals.close(transport),
    });
  }
}
