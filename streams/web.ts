/**
 * Between this library's streams and those of the web.
 *
 * The web's streams call back from wherever the host likes. What waits for them
 * does so in the scope of the loop itself, so that the cancellation of the task
 * that happened to look at a stream first does not break it for the others.
 */
import { show } from "../_internal/show.ts";
import { runIn } from "../loop/current.ts";
import type { Kernel } from "../loop/kernel.ts";

/** What a reader asks of whatever feeds it. */
export interface ReadingSide {
  pauseReading(): void;
  resumeReading(): void;
}

/** What feeds a reader asks of it. */
export interface ReaderSink {
  feedData(data: Uint8Array): void;
  feedEof(): void;
  setException(error: unknown): void;
}

/**
 * A readable stream that takes nothing before it is asked for something.
 *
 * @param read Gives the next bytes; none at the end.
 * @param cancel Called when the stream is cancelled.
 */
export function toReadable(
  read: () => Promise<Uint8Array>,
  cancel: (reason: unknown) => Promise<void>,
): ReadableStream<Uint8Array> {
  // Not a stream of type "bytes": that one takes the memory of each chunk away,
  // and chunks share theirs.
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const data = await read();
      if (data.length === 0) controller.close();
      else controller.enqueue(data);
    },
    cancel,
  }, { highWaterMark: 0 });
}

/** Reads a stream of the web while a reader wants more. */
export class WebSource implements ReadingSide {
  readonly #kernel: Kernel;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #sink: ReaderSink;
  #isPaused = true;
  #isPumping = false;

  constructor(
    kernel: Kernel,
    stream: ReadableStream<Uint8Array>,
    sink: ReaderSink,
  ) {
    if (
      typeof (stream as { getReader?: unknown } | null)?.getReader !==
        "function"
    ) {
      throw new TypeError(
        `Cannot create a reader as 'stream' must be a ReadableStream: received ${
          show(stream)
        }`,
      );
    }
    if (stream.locked) {
      throw new TypeError(
        "Cannot create a reader as 'stream' has another reader: received a locked ReadableStream",
      );
    }
    this.#kernel = kernel;
    this.#reader = stream.getReader();
    this.#sink = sink;
  }

  pauseReading(): void {
    this.#isPaused = true;
  }

  resumeReading(): void {
    this.#isPaused = false;
    if (this.#isPumping) return;
    this.#isPumping = true;
    runIn(this.#kernel.root, () => this.#pump());
  }

  cancel(reason: unknown): Promise<void> {
    return this.#reader.cancel(reason);
  }

  async #pump(): Promise<void> {
    try {
      while (!this.#isPaused) {
        const { done, value } = await this.#reader.read();
        if (done) return this.#sink.feedEof();
        this.#sink.feedData(value);
      }
    } catch (error) {
      this.#sink.setException(error);
      // Of a chunk that is none, the stream knows nothing: nobody takes the rest.
      this.#reader.cancel(error).catch(() => {});
    } finally {
      this.#isPumping = false;
    }
  }
}

/** What a writable stream does with the writer it belongs to. */
export interface WritableSide {
  /** Sends a chunk, and waits while too much is on its way. */
  write(chunk: Uint8Array | string): Promise<void>;
  /** Nothing more comes. */
  end(): Promise<void>;
  abort(): void;
}

/** A writable stream that writes to `side`. */
export function toWritable(
  side: WritableSide,
): WritableStream<Uint8Array | string> {
  return new WritableStream<Uint8Array | string>({
    write: (chunk) => side.write(chunk),
    close: () => side.end(),
    abort: () => side.abort(),
  });
}
