/** What is between the pipes of a child and the streams of a `Process`. */
import { FlowControl } from "../streams/flow_control.ts";
import { Protocol } from "../streams/protocol.ts";
import type { StreamReader } from "../streams/stream_reader.ts";
import type { WriterProtocol } from "../streams/stream_writer.ts";
import type { Transport } from "../streams/transport.ts";

/** Of a pipe that is written to. */
export class InputProtocol extends Protocol implements WriterProtocol {
  readonly flow: FlowControl = new FlowControl();
  readonly isServerSide = false;

  override connectionLost(error: unknown): void {
    this.flow.lose(error);
  }

  override pauseWriting(): void {
    this.flow.pause();
  }

  override resumeWriting(): void {
    this.flow.resume();
  }

  closeAtEof(): void {}
}

/**
 * Of a pipe that is read from. The host keeps the pipe, and so this, but not the
 * reader: a process of which no one holds anything any more can be collected.
 */
export class OutputProtocol extends Protocol {
  readonly #reader: WeakRef<StreamReader>;
  #transport: Transport | null = null;

  constructor(reader: StreamReader) {
    super();
    this.#reader = new WeakRef(reader);
  }

  override connectionMade(transport: Transport): void {
    this.#transport = transport;
    this.#reader.deref()?.setTransport(transport);
  }

  override dataReceived(data: Uint8Array): void {
    const reader = this.#reader.deref();
    // No one can read it, so the child waits as it would for a slow reader.
    if (reader === undefined) this.#transport?.pauseReading();
    else reader.feedData(data);
  }

  override eofReceived(): boolean {
    this.#reader.deref()?.feedEof();
    return false;
  }

  override connectionLost(error: unknown): void {
    const reader = this.#reader.deref();
    if (error === null) reader?.feedEof();
    else reader?.setException(error);
  }
}
