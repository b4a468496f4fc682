/** Transports without a connection: tests see what is written, and say what comes. */
import { getRunningLoop, InvalidStateError } from "@asyncio/asyncio";
import type { Protocol } from "../../streams/protocol.ts";
import type { StreamingProtocol, Transport } from "../../streams/transport.ts";
import type { ReadingSide } from "../../streams/web.ts";
import { text } from "./bytes.ts";

/** Feeds a reader, and notes when it is told to pause and to resume. */
export class MemorySource implements ReadingSide {
  readonly log: string[] = [];
  #isReading = true;

  isReading(): boolean {
    return this.#isReading;
  }

  pauseReading(): void {
    this.#isReading = false;
    this.log.push("pause");
  }

  resumeReading(): void {
    this.#isReading = true;
    this.log.push("resume");
  }
}

type TransportLike = Pick<Transport, keyof Transport>;

/**
 * Holds what is written until the test says that the peer has taken it:
 * {@linkcode flush}. The rest is as in `Transport`.
 */
export class MemoryTransport extends MemorySource implements TransportLike {
  readonly [Symbol.toStringTag] = "MemoryTransport";
  /** What the peer has taken, in the pieces in which it was written. */
  readonly sent: string[] = [];
  readonly extra: Record<string, unknown> = { peername: "memory" };
  halfCloses = true;
  #protocol: Protocol;
  #pieces: Uint8Array[] = [];
  #high = 65_536;
  #low = 16_384;
  #isPaused = false;
  #state: "open" | "closing" | "closed" | "lost" = "open";
  #isEnded = false;
  readonly #loop = getRunningLoop();

  constructor(protocol: Protocol) {
    super();
    this.#protocol = protocol;
  }

  /** As the type that `StreamWriter` takes, whose private parts none else has. */
  get asTransport(): Transport {
    return this as unknown as Transport;
  }

  connect(): this {
    this.#protocol.connectionMade(this.asTransport);
    return this;
  }

  /** The peer takes all that waits. */
  flush(): void {
    this.sent.push(...this.#pieces.map(text));
    this.#pieces = [];
    if (this.#isPaused) {
      this.#isPaused = false;
      this.#protocol.resumeWriting();
    }
    if (this.#state === "closing") this.#end("closed", null);
  }

  /** The peer has gone. */
  lose(error: unknown): void {
    this.#end("lost", error);
  }

  write(data: Uint8Array): void {
    if (this.#state === "lost") return;
    if (this.#state !== "open" || this.#isEnded) {
      throw new InvalidStateError("Cannot write");
    }
    this.#pieces.push(data);
    if (this.getWriteBufferSize() > this.#high && !this.#isPaused) {
      this.#isPaused = true;
      this.#protocol.pauseWriting();
    }
  }

  writeLines(list: Iterable<Uint8Array>): void {
    for (const data of list) this.write(data);
  }

  writeEof(): void {
    if (!this.halfCloses) throw new InvalidStateError("Cannot write the end");
    this.#isEnded = true;
    this.log.push("eof");
  }

  canWriteEof(): boolean {
    return this.halfCloses;
  }

  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.log.push("close");
    if (this.#pieces.length === 0) this.#end("closed", null);
  }

  abort(): void {
    this.log.push("abort");
    this.#end("closed", null);
  }

  isClosing(): boolean {
    return this.#state !== "open";
  }

  setWriteBufferLimits(limits: { high?: number; low?: number } = {}): void {
    this.#high = limits.high ?? 65_536;
    this.#low = limits.low ?? this.#high / 4;
  }

  getWriteBufferLimits(): { high: number; low: number } {
    return { high: this.#high, low: this.#low };
  }

  getWriteBufferSize(): number {
    return this.#pieces.reduce((size, piece) => size + piece.length, 0);
  }

  getExtraInfo(name: string, fallback: unknown = null): unknown {
    return this.extra[name] ?? fallback;
  }

  setProtocol(protocol: StreamingProtocol): void {
    this.#protocol = protocol as Protocol;
  }

  getProtocol(): Protocol {
    return this.#protocol;
  }

  override toString(): string {
    return `<MemoryTransport ${this.#state}>`;
  }

  #end(state: "closed" | "lost", error: unknown): void {
    if (this.#state === "closed" || this.#state === "lost") return;
    this.#state = this.#state === "closing" ? "closed" : state;
    this.#pieces = [];
    this.#loop.callSoon(() => this.#protocol.connectionLost(error));
  }
}
