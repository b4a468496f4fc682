import { atCaller, forCaller } from "../_internal/caller_frame.ts";
import { checkInteger } from "../_internal/check.ts";
import { STREAM_LIMIT } from "../_internal/constants.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { CancelledError, InvalidStateError } from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import { type Kernel, kernelOf } from "../loop/kernel.ts";
import { interruption, type Scope } from "../loop/scope.ts";
import type { Runnable } from "../loop/types.ts";
import { Wait, type WaitSource } from "../loop/wait.ts";
import { END, NONE, Received } from "./received.ts";
import type { Search } from "./search.ts";
import { type Separator, UserSearch } from "./separators.ts";
import { type ReadingSide, toReadable, WebSource } from "./web.ts";

/** Options of {@linkcode StreamReader}. */
export interface StreamReaderOptions {
  /**
   * How many bytes may come before a separator, and so the length of the
   * longest line; if more than twice as many are unread, the stream stops
   * receiving.
   *
   * @default {65536}
   */
  limit?: number | undefined;
  /** The only loop in which it may wait: the first one in which it does. */
  loop?: EventLoop | undefined;
}

const READER_OPTIONS = new OptionNames<StreamReaderOptions>({
  limit: true,
  loop: true,
}, { number: "limit" });

/** Options of {@linkcode StreamReader.from}. */
export interface StreamReaderFromOptions {
  /**
   * How many bytes may come before a separator, and so the length of the
   * longest line.
   *
   * @default {65536}
   */
  limit?: number | undefined;
}

const READER_FROM_OPTIONS = new OptionNames<StreamReaderFromOptions>(
  { limit: true },
  { number: "limit" },
);

/** What {@linkcode StreamReader.statistics} gives. */
export interface StreamReaderStatistics {
  /** How many bytes came and were not read. */
  readonly size: number;
  /** How many bytes may come before a separator. */
  readonly limit: number;
  /** Whether nothing is received for now, as too much was not read. */
  readonly isPaused: boolean;
  /** Whether all there is has come. */
  readonly isEof: boolean;
  /** The method that waits for more, or `null`. */
  readonly waiting: string | null;
}

/**
 * What a read does: takes what it is for, or gives null to wait for more. If
 * null is what it has taken, it gives NONE.
 */
interface Operation<A, T> {
  readonly name: string;
  take(received: Received, argument: A): Taken<T> | null;
}

type Taken<T> = Exclude<T, null> | typeof NONE;

function valueOf<T>(taken: Taken<T>): T {
  return (taken === NONE ? null : taken) as T;
}

// Made once, as making a function for each read would cost what it does.
const READ_SOME: Operation<number, Uint8Array> = {
  name: "read",
  take: (received, n) => received.takeSome(n),
};
const READ_INTO: Operation<Uint8Array, number | null> = {
  name: "readInto",
  take: (received, buffer) => received.takeInto(buffer),
};
const READ_ALL: Operation<number, Uint8Array> = {
  name: "read",
  take: (received) => received.takeAll(),
};
const READ_FIRST: Operation<undefined, Uint8Array> = {
  name: "readable",
  take: (received) => received.takeFirst(),
};
const READ_EXACTLY: Operation<number, Uint8Array> = {
  name: "readExactly",
  take: (received, n) => received.takeExactly(n),
};
const READ_UNTIL: Operation<Search, Uint8Array> = {
  name: "readUntil",
  take: (received, search) => received.takeUntil(search),
};
const READ_LINE: Operation<undefined, Uint8Array> = {
  name: "readLine",
  take: (received) => received.takeLine(),
};
const READ_NEXT: Operation<
  undefined,
  IteratorResult<Uint8Array, undefined>
> = { name: "readLine", take: (received) => received.takeNext() };

/** What holds a reader while one of its reads waits. */
export interface ReaderKeeper {
  kept: StreamReader | null;
}

/** A read that waits, as its reader sees it. */
interface PendingRead extends Runnable {
  readonly scope: Scope;
  readonly name: string;
  /** It is in the ready queue. */
  readonly isQueued: boolean;
  enqueue(): void;
  drop(error: CancelledError): boolean;
}

/** A read that waits was cancelled. */
let abandon: (reader: StreamReader) => void;
/** Its turn has come: null if it has to wait on. */
let retry: <A, T>(
  reader: StreamReader,
  operation: Operation<A, T>,
  argument: A,
) => Taken<T> | null;

/**
 * The receiving side of a stream: bytes, up to a separator, by number, or line
 * by line. Made by `openConnection` and `startServer`, or with
 * {@linkcode StreamReader.from}; one made with `new` is fed by hand. Equivalent
 * of `asyncio.StreamReader`.
 *
 * One task reads at a time. A read that is cancelled has taken nothing.
 *
 * What it gives may be a view of a larger piece of memory, which stays in use
 * as long as the view: keep a copy (`bytes.slice()`) of a little that is kept
 * for long.
 *
 * | operation                  | cost                                      |
 * | -------------------------- | ----------------------------------------- |
 * | read, readExactly          | O(1), or the bytes where they span chunks |
 * | readInto                   | the bytes                                 |
 * | readLine, readUntil        | one look at each byte, however it came    |
 * | feedData                   | O(1), or the bytes of a small chunk       |
 *
 * @example Lines, and what is left
 * ```ts
 * import { StreamReader } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const reader = new StreamReader();
 * reader.feedData(new TextEncoder().encode("one\ntwo\nrest"));
 * reader.feedEof();
 * const text = new TextDecoder();
 * assertEquals(text.decode(await reader.readLine()), "one\n");
 * assertEquals(text.decode(await reader.readLine()), "two\n");
 * assertEquals(text.decode(await reader.read()), "rest");
 * ```
 */
export class StreamReader implements AsyncIterable<Uint8Array> {
  readonly #received: Received;
  /** With more than this, and nobody waiting for it, it pauses. */
  #pauseAbove: number;
  #kernel: Kernel | null;
  #transport: ReadingSide | null = null;
  #isPaused = false;
  #wait: PendingRead | null = null;
  #search: UserSearch | null = null;
  #readable: ReadableStream<Uint8Array> | null = null;
  /** Keeps it while a read waits, where nothing else does. */
  #keeper: ReaderKeeper | null = null;

  /**
   * Makes a reader that is fed by hand.
   *
   * @param options The limit, and its loop.
   * @throws {TypeError} When `limit` is not a number, or `loop` no event loop.
   * @throws {RangeError} When `limit` is not an integer of at least 1.
   */
  constructor(options: StreamReaderOptions = {}) {
    const action = "create a stream reader";
    checkOptions(action, options, READER_OPTIONS);
    const { limit = STREAM_LIMIT, loop } = options;
    checkInteger(action, "limit", limit, 1);
    this.#received = new Received(limit);
    this.#pauseAbove = 2 * limit;
    this.#kernel = loop === undefined ? null : kernelOf(loop);
  }

  /**
   * Reads from a stream of the web: a file, the body of a response. Of such a
   * stream at most one chunk is read ahead.
   *
   * @example The lines of a body
   * ```ts
   * import { StreamReader } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const body = new Response("one\ntwo\n").body!;
   * const text = new TextDecoder();
   * const lines: string[] = [];
   * for await (const line of StreamReader.from(body)) {
   *   lines.push(text.decode(line).trimEnd());
   * }
   * assertEquals(lines, ["one", "two"]);
   * ```
   *
   * @param stream The stream, which is locked from now on.
   * @param options The limit.
   * @returns A reader. To give up the stream, cancel its
   * {@linkcode StreamReader.readable}.
   * @throws {TypeError} When `stream` is no stream, or is locked.
   * @throws {RangeError} When `limit` is not an integer of at least 1.
   */
  static from(
    stream: ReadableStream<Uint8Array>,
    options: StreamReaderFromOptions = {},
  ): StreamReader {
    checkOptions("create a stream reader", options, READER_FROM_OPTIONS);
    const { kernel } = currentScope();
    const reader = new StreamReader(options);
    reader.takeOnDemand(new WebSource(kernel, stream, reader));
    return reader;
  }

  /**
   * Reads what is there, waiting if that is nothing.
   *
   * @param n How many bytes at most; a negative number for all until the end.
   * @returns The bytes, at least one; none at the end, and none for `n` of 0.
   * @throws {TypeError} When `n` is not a number.
   * @throws {RangeError} When `n` is not an integer.
   * @throws {InvalidStateError} When another read waits, or when it has to wait
   * in another loop than before.
   * @throws {CancelledError} When the task is cancelled; nothing is then read.
   * @throws Its error, if the stream failed.
   */
  read(n: number = -1): Promise<Uint8Array> {
    if (!Number.isInteger(n)) return refuse("read", "an integer", n);
    return n < 0 ? this.#read(READ_ALL, n) : this.#read(READ_SOME, n);
  }

  /**
   * Reads what is there into memory of the caller, waiting if that is
   * nothing. A reader that is only read in this way needs no memory of its own.
   *
   * @example Into the same buffer, over and over
   * ```ts
   * import { StreamReader } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const reader = new StreamReader();
   * reader.feedData(new Uint8Array([1, 2, 3]));
   * reader.feedEof();
   * const buffer = new Uint8Array(2);
   * let sum = 0;
   * for (;;) {
   *   const count = await reader.readInto(buffer);
   *   if (count === null) break;
   *   for (const byte of buffer.subarray(0, count)) sum += byte;
   * }
   * assertEquals(sum, 6);
   * ```
   *
   * @param buffer Where to put the bytes, from its beginning.
   * @returns How many bytes, at least one; 0 for a buffer of no length, and
   * `null` at the end.
   * @throws {TypeError} When `buffer` is not a Uint8Array.
   * @throws {InvalidStateError} When another read waits, or when it has to wait
   * in another loop than before.
   * @throws {CancelledError} When the task is cancelled; nothing is then read,
   * and the buffer is as it was.
   * @throws Its error, if the stream failed.
   */
  readInto(buffer: Uint8Array): Promise<number | null> {
    if (!(buffer instanceof Uint8Array)) {
      return Promise.reject(
        new TypeError(
          `Cannot read into as 'buffer' must be a Uint8Array: received ${
            show(buffer)
          }`,
        ),
      );
    }
    return this.#read(READ_INTO, buffer);
  }

  /**
   * Reads a line: all up to and with the next `\n`.
   *
   * @returns The line; at the end what is left, without a `\n`, then no bytes.
   * @throws {LimitOverrunError} When more bytes than the limit come before the
   * `\n`. That line is gone, or what has come of it so far.
   * @throws {InvalidStateError} When another read waits, or when it has to wait
   * in another loop than before.
   * @throws {CancelledError} When the task is cancelled; nothing is then read.
   * @throws Its error, if the stream failed.
   */
  readLine(): Promise<Uint8Array> {
    return this.#read(READ_LINE, undefined);
  }

  /**
   * Reads that many bytes, also more than the limit.
   *
   * @param n How many.
   * @returns The bytes.
   * @throws {TypeError} When `n` is not a number.
   * @throws {RangeError} When `n` is not an integer of at least 0.
   * @throws {IncompleteReadError} When the stream ends before; what had come is
   * on the error.
   * @throws {InvalidStateError} When another read waits, or when it has to wait
   * in another loop than before.
   * @throws {CancelledError} When the task is cancelled; nothing is then read.
   * @throws Its error, if the stream failed.
   */
  readExactly(n: number): Promise<Uint8Array> {
    if (!(Number.isInteger(n) && n >= 0)) {
      return refuse("read exactly", "an integer of at least 0", n);
    }
    return this.#read(READ_EXACTLY, n);
  }

  /**
   * Reads up to and with a separator. Of several, the one that ends first
   * counts, and of two that end together the shorter one.
   *
   * @example Either end of line
   * ```ts
   * import { StreamReader } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const reader = new StreamReader();
   * reader.feedData(new TextEncoder().encode("one\r\ntwo\r"));
   * const text = new TextDecoder();
   * const ends = ["\r\n", "\r\0"];
   * assertEquals(text.decode(await reader.readUntil(ends)), "one\r\n");
   * ```
   *
   * @param separator One, or several; a text stands for its bytes in UTF-8.
   * @returns The bytes, with the separator.
   * @throws {TypeError} When a separator is neither bytes nor a text.
   * @throws {RangeError} When a separator is empty, or there is none.
   * @throws {LimitOverrunError} When more bytes than the limit come before the
   * separator. They stay in the stream.
   * @throws {IncompleteReadError} When the stream ends before; what had come is
   * on the error.
   * @throws {InvalidStateError} When another read waits, or when it has to wait
   * in another loop than before.
   * @throws {CancelledError} When the task is cancelled; nothing is then read.
   * @throws Its error, if the stream failed.
   */
  readUntil(
    separator: Uint8Array | string | readonly (Uint8Array | string)[],
  ): Promise<Uint8Array> {
    let search: Search;
    try {
      search = this.#searchFor(separator);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#read(READ_UNTIL, search);
  }

  /**
   * Whether there is nothing more to read.
   *
   * @returns True when the stream has ended and all of it was read.
   */
  atEof(): boolean {
    return this.#received.isEnded && this.#received.size === 0;
  }

  /**
   * Adds bytes at the end. For those that make a stream by hand; a connection
   * does it by itself.
   *
   * @param data The bytes. They are not copied: leave them as they are.
   * @throws {TypeError} When `data` is not a Uint8Array.
   * @throws {InvalidStateError} When the stream has ended.
   */
  feedData(data: Uint8Array): void {
    this.#received.feed(data);
    const wait = this.#wait;
    if (wait === null || wait.isQueued) this.#pauseOrResume();
    else this.#wake();
  }

  /**
   * Adds bytes that came from the host, in a callback of its own. A read that
   * waits for them need not wait for its turn in the ready queue as well.
   *
   * @internal
   * @returns Whether all bytes were copied, so that their memory is free again.
   */
  receive(data: Uint8Array): boolean {
    const isCopied = this.#received.feed(data);
    const wait = this.#wait;
    // A read whose turn is still to come holds up no more than nobody does.
    if (wait === null || wait.isQueued) {
      this.#pauseOrResume();
      return isCopied;
    }
    if (wait.scope.kernel.tryRun(wait)) {
      return isCopied ||
        wait.name === READ_INTO.name && this.#received.size === 0;
    }
    this.#wake();
    return isCopied;
  }

  /** Ends the stream: nothing more comes. Can be called again. */
  feedEof(): void {
    this.#received.isEnded = true;
    this.#wake();
  }

  /**
   * Ends the stream with an error: every read throws it from now on, even if
   * bytes are left.
   *
   * @param error The error.
   */
  setException(error: unknown): void {
    this.#received.failure = { error };
    this.#wake();
  }

  /**
   * What feeds the reader from now on: it is told to pause and to resume.
   *
   * @internal
   */
  setTransport(transport: ReadingSide): void {
    this.#transport = transport;
    if (this.#isPaused) transport.pauseReading();
    else this.#pauseOrResume();
  }

  /**
   * What feeds the reader: it is told to resume when a read waits, and to pause
   * when something is left behind a read. To be called before any read.
   *
   * @internal
   * @ignore
   */
  takeOnDemand(source: ReadingSide): void {
    this.#pauseAbove = 0;
    this.#isPaused = true;
    this.#transport = source;
  }

  /**
   * What feeds it holds it no more; `keeper` is to, while a read waits.
   *
   * @internal
   * @ignore
   */
  keepBy(keeper: ReaderKeeper): void {
    this.#keeper = keeper;
    if (this.#wait !== null) keeper.kept = this;
  }

  /**
   * Gives up all that was not read, for a protocol below this one.
   *
   * @internal
   * @ignore
   */
  takeChunks(): Uint8Array[] {
    const chunks = this.#received.takeChunks();
    this.#resumeIfTaken();
    return chunks;
  }

  /**
   * The error the stream ended with.
   *
   * @returns The error; `null` while there is none.
   */
  exception(): unknown {
    const { failure } = this.#received;
    return failure === null ? null : failure.error;
  }

  /**
   * The same bytes as a stream of the web. Each goes to whoever reads first:
   * what is read there is gone from here. It reads nothing before it is asked to
   * and can be given to a `Response`, or piped.
   *
   * Cancelling it leaves the rest to be read here; of a reader that
   * {@linkcode StreamReader.from} made, it cancels the stream below.
   *
   * @example A response of the rest of a connection
   * ```ts
   * import { StreamReader } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const reader = new StreamReader();
   * reader.feedData(new TextEncoder().encode("head\nbody"));
   * reader.feedEof();
   * await reader.readLine();
   * assertEquals(await new Response(reader.readable).text(), "body");
   * ```
   *
   * @returns Always the same stream.
   */
  get readable(): ReadableStream<Uint8Array> {
    if (this.#readable === null) {
      const { root } = this.#kernel ?? currentScope().kernel;
      this.#readable = toReadable(
        () => this.#readIn(root, READ_FIRST, undefined),
        async (reason) => {
          // Its read, if it waits, is to take nothing, and not to be in the way.
          if (this.#wait?.name === READ_FIRST.name) {
            this.#wait.drop(new CancelledError("The stream was cancelled"));
          }
          const transport = this.#transport;
          if (transport instanceof WebSource) await transport.cancel(reason);
        },
      );
    }
    return this.#readable;
  }

  /**
   * Its state, for logs and tests.
   *
   * @returns A frozen object; not a live view.
   */
  statistics(): StreamReaderStatistics {
    return Object.freeze({
      size: this.#received.size,
      limit: this.#received.limit,
      isPaused: this.#isPaused,
      isEof: this.#received.isEnded,
      waiting: this.#wait === null ? null : this.#wait.name,
    });
  }

  /**
   * The lines as they come, each with its `\n`, to the end. Leaving the loop
   * leaves the rest to be read.
   *
   * @example To the end
   * ```ts
   * import { StreamReader } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const reader = new StreamReader();
   * reader.feedData(new TextEncoder().encode("a\n\nb"));
   * reader.feedEof();
   * const lengths: number[] = [];
   * for await (const line of reader) lengths.push(line.length);
   * assertEquals(lengths, [2, 1, 1]);
   * ```
   *
   * @returns An iterator. A task that is cancelled while it waits for a line
   * reads nothing.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array, undefined> {
    return {
      next: () => this.#read(READ_NEXT, undefined),
      return: () => Promise.resolve(END),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /**
   * The reader and its state.
   *
   * @returns For example `<StreamReader 12 bytes, waiting in readLine>`.
   */
  toString(): string {
    const { size, limit, isPaused, isEof, waiting } = this.statistics();
    const parts = [`${size} bytes`];
    if (limit !== STREAM_LIMIT) parts.push(`limit ${limit}`);
    if (isPaused) parts.push("paused");
    if (isEof) parts.push("at its end");
    if (this.#received.failure !== null) parts.push("failed");
    if (waiting !== null) parts.push(`waiting in ${waiting}`);
    return `<StreamReader ${parts.join(", ")}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "StreamReader";
  }

  #searchFor(separator: Separator | readonly Separator[]): Search {
    if (this.#search === null || !this.#search.isFor(separator)) {
      this.#search = new UserSearch(separator);
    }
    return this.#search;
  }

  // -- waiting --------------------------------------------------------------

  #read<A, T>(operation: Operation<A, T>, argument: A): Promise<T> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    return this.#readIn(scope, operation, argument);
  }

  #readIn<A, T>(
    scope: Scope,
    operation: Operation<A, T>,
    argument: A,
  ): Promise<T> {
    let taken: Taken<T> | null;
    try {
      if (this.#wait !== null) {
        throw this.#busy(scope, operation.name, this.#wait);
      }
      const { failure } = this.#received;
      if (failure !== null) throw atCaller(failure.error);
      taken = operation.take(this.#received, argument);
      if (taken === null) return this.#await(scope, operation, argument);
    } catch (error) {
      this.#resumeIfTaken();
      return Promise.reject(error);
    }
    this.#resumeIfTaken();
    return scope.kernel.succeed(scope, valueOf<T>(taken));
  }

  #await<A, T>(
    scope: Scope,
    operation: Operation<A, T>,
    argument: A,
  ): Promise<T> {
    const { kernel } = scope;
    this.#kernel ??= kernel;
    if (this.#kernel !== kernel) {
      throw new InvalidStateError(
        `Cannot wait in StreamReader.${operation.name} as it is bound to another event loop: received a call from ${kernel}`,
      );
    }
    const wait = new ReadWait<A, T>(scope, this, operation, argument);
    this.#wait = wait;
    if (this.#keeper !== null) this.#keeper.kept = this;
    // What it waits for may be more than what makes a stream pause.
    if (this.#isPaused) this.#resume();
    return wait.promise;
  }

  /** The turn of a read that waits: null if it has to wait on. */
  #retry<A, T>(operation: Operation<A, T>, argument: A): Taken<T> | null {
    let isOver = true;
    const { failure } = this.#received;
    try {
      if (failure !== null) throw failure.error;
      const taken = operation.take(this.#received, argument);
      isOver = taken !== null;
      return taken;
    } catch (error) {
      throw failure === null ? forCaller(error) : error;
    } finally {
      if (isOver) this.#endWait();
      // What it waits for may be more than what makes a stream pause.
      else if (this.#isPaused) this.#resume();
    }
  }

  #endWait(): void {
    this.#wait = null;
    if (this.#keeper !== null) this.#keeper.kept = null;
    this.#pauseOrResume();
  }

  /** Gives the read that waits its turn. */
  #wake(): void {
    const wait = this.#wait;
    if (wait === null || wait.scope.kernel.closed) return;
    wait.enqueue();
  }

  #pauseOrResume(): void {
    if (this.#transport === null) return;
    const { size, limit } = this.#received;
    if (this.#isPaused) {
      if (size <= limit && this.#pauseAbove > 0) this.#resume();
    } else if (size > this.#pauseAbove) {
      this.#isPaused = true;
      this.#transport.pauseReading();
    }
  }

  /** Something may have been taken, also by a read that failed. */
  #resumeIfTaken(): void {
    if (this.#isPaused) this.#pauseOrResume();
  }

  #resume(): void {
    this.#isPaused = false;
    this.#transport?.resumeReading();
  }

  #busy(
    scope: Scope,
    name: string,
    wait: PendingRead,
  ): InvalidStateError {
    return new InvalidStateError(
      `Cannot read in StreamReader.${name} as only one may read at a time and ${
        wait.scope.task ?? wait.describe()
      } waits: received a call from ${scope.task ?? scope.kernel}`,
    );
  }

  static {
    inspectByToString(this.prototype);
    abandon = (reader) => reader.#endWait();
    retry = (reader, operation, argument) => reader.#retry(operation, argument);
  }
}

function refuse(action: string, what: string, n: unknown): Promise<never> {
  const ErrorClass = typeof n === "number" ? RangeError : TypeError;
  return Promise.reject(
    new ErrorClass(
      `Cannot ${action} as 'n' must be ${what}: received ${show(n)}`,
    ),
  );
}

const readSource: WaitSource = {
  abandon: (wait) => abandon((wait as ReadWait<never, unknown>).reader),
  describe: (wait) => `StreamReader.${(wait as ReadWait<never, unknown>).name}`,
};

/**
 * A read that waits. When something has come it gets its turn in the ready
 * queue, takes what it can, or waits on; cancelled before that turn, it has
 * taken nothing.
 */
class ReadWait<A, T> extends Wait<T> implements PendingRead {
  readonly reader: StreamReader;
  readonly #operation: Operation<A, T>;
  readonly #argument: A;

  constructor(
    scope: Scope,
    reader: StreamReader,
    operation: Operation<A, T>,
    argument: A,
  ) {
    super(scope, readSource);
    this.reader = reader;
    this.#operation = operation;
    this.#argument = argument;
    this.started();
  }

  get name(): string {
    return this.#operation.name;
  }

  protected override take(): void {
    let taken: Taken<T> | null;
    try {
      taken = retry(this.reader, this.#operation, this.#argument);
    } catch (error) {
      return this.throwIn(error);
    }
    if (taken !== null) this.finish(valueOf<T>(taken));
  }
}
