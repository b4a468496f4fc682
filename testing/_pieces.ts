import { checkInteger } from "../_internal/check.ts";
import type { Scope } from "../loop/scope.ts";
import { ByteBuffer } from "../streams/byte_buffer.ts";
import type { StreamInlet } from "../streams/stream_protocol.ts";
import type { StreamReader } from "../streams/stream_reader.ts";
import type { ReadingSide } from "../streams/web.ts";
import { Arrival } from "./_arrival.ts";

/**
 * Feeds a reader what comes in pieces: one, and the next when it asks for more.
 * So no read finds two of them where it takes what there is.
 */
export class Pieces implements StreamInlet, ReadingSide {
  readonly #reader: StreamReader;
  readonly #limit: number;
  readonly #sizeOfNext: () => number;
  readonly #held = new ByteBuffer();
  readonly #arrival: Arrival;
  #transport: ReadingSide | null = null;
  #isHeldUp = false;
  #isWanted = false;
  #hasEnded = false;

  constructor(scope: Scope, reader: StreamReader, sizeOfNext: () => number) {
    this.#reader = reader;
    this.#limit = reader.statistics().limit;
    this.#sizeOfNext = sizeOfNext;
    this.#arrival = new Arrival(scope, "a piece", () => this.#feed());
    reader.takeOnDemand(this);
  }

  setTransport(transport: ReadingSide): void {
    this.#transport = transport;
  }

  receive(data: Uint8Array): boolean {
    this.#held.push(data);
    if (!this.#isHeldUp && this.#held.size > 2 * this.#limit) {
      this.#isHeldUp = true;
      this.#transport?.pauseReading();
    }
    this.#feedSoon();
    return false;
  }

  feedEof(): void {
    this.#hasEnded = true;
    this.#feedSoon();
  }

  setException(error: unknown): void {
    this.#reader.setException(error);
  }

  pauseReading(): void {
    this.#isWanted = false;
  }

  resumeReading(): void {
    this.#isWanted = true;
    this.#feedSoon();
  }

  #feedSoon(): void {
    if (!this.#isWanted) return;
    if (this.#held.size > 0 || this.#hasEnded) this.#arrival.schedule();
  }

  #feed(): void {
    const held = this.#held;
    if (!this.#isWanted) return;
    if (held.size === 0) return this.#reader.feedEof();
    let size: number;
    try {
      size = this.#sizeOfNext();
      checkInteger("read in pieces", "chunkSize()", size, 1);
    } catch (error) {
      this.#isWanted = false;
      return this.#reader.setException(error);
    }
    this.#reader.receive(held.take(Math.min(size, held.size)));
    if (this.#isHeldUp && held.size <= this.#limit) {
      this.#isHeldUp = false;
      this.#transport?.resumeReading();
    }
    this.#feedSoon();
  }
}
