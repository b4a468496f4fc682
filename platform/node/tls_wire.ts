/**
 * What a TLS socket of Node's module has in place of a TCP socket: a connection
 * of ours, as far as such a socket looks at a stream. So the same code speaks
 * TLS over all connections and on both runtimes, sees how the connection
 * beneath ends, holds up the peer when its owner is paused, and can close it at
 * any time, in a handshake, too.
 */
import { isBun } from "../runtime.ts";
import { builtin } from "../shared/builtin.ts";
import { systemError } from "../system_errors.ts";
import type { HostConnection } from "../types/net.ts";

type Duplex = import("node:stream").Duplex;
type EventEmitter = import("node:events").EventEmitter;
type Done = (error?: Error | null) => void;

/** What happens beneath TLS. */
export interface WireOwner {
  /** The peer sends nothing more; TLS hears of it afterwards. */
  ended(): void;
  /** The connection broke. */
  lost(error: Error): void;
}

/** What a TLS socket is made over, and how what has come gets there. */
interface Side {
  readonly stream: Duplex;
  deliver(bytes: Uint8Array | null): void;
}

/** A connection, as a TLS socket wants it. */
export class Wire {
  /** What a TLS socket is made over. */
  readonly stream: Duplex;
  readonly #connection: HostConnection;
  readonly #owner: WireOwner;
  /** Gives TLS what has come; `null` for the end. */
  readonly #deliver: (bytes: Uint8Array | null) => void;
  /** What came before TLS was ready for it. */
  #early: Uint8Array[];
  #isOpen = false;
  #isReading = false;
  #isHeldUp = false;
  #isEnded = false;
  #isLost = false;
  /** What is with the connection, and what waits for that. */
  #left = 0;
  #dones: Done[] = [];
  #queue: Uint8Array[] = [];
  #queued: Done[] = [];
  #isCorked = false;
  #onIdle: (() => void) | null = null;

  /**
   * @param received What had come for TLS before; the connection may have been
   * started.
   */
  constructor(
    connection: HostConnection,
    received: readonly Uint8Array[],
    owner: WireOwner,
  ) {
    this.#connection = connection;
    this.#owner = owner;
    this.#early = [...received];
    // Bun takes nothing but a stream of its own.
    const { stream, deliver } = isBun ? this.#makeDuplex() : this.#makeLight();
    this.stream = stream;
    this.#deliver = deliver;
    connection.start({
      data: (bytes) => {
        this.#receive(bytes);
        return false;
      },
      end: () => this.#end(),
      written: (count) => this.#written(count),
      lost: (error) =>
        this.#lose(error ?? systemError("EPIPE", "use the connection", null)),
    });
    connection.pause();
  }

  /** What a TLS socket uses of a stream, and no more. */
  #makeLight(): Side {
    const { EventEmitter } = builtin("node:events");
    const emitter: EventEmitter = new EventEmitter();
    const stream = Object.assign(emitter, {
      readable: true,
      writable: true,
      allowHalfOpen: true,
      pause: () => this.#read(false, stream),
      resume: () => this.#read(true, stream),
      cork: () => {
        this.#isCorked = true;
      },
      uncork: () => {
        this.#isCorked = false;
        this.#flush();
      },
      write: (chunk: Uint8Array, done: Done) => this.#write(chunk, done),
      // The end of TLS is its close_notify; its owner closes the connection.
      end: (done?: Done) => done?.(),
      destroy: () => stream,
    }) as unknown as Duplex;
    return {
      stream,
      deliver(bytes) {
        if (bytes === null) emitter.emit("end");
        else emitter.emit("data", bytes);
      },
    };
  }

  #makeDuplex(): Side {
    const { Duplex } = builtin("node:stream");
    const stream: Duplex = new Duplex({
      autoDestroy: false,
      emitClose: false,
      read: () => void this.#read(true, stream),
      write: (chunk, _encoding, done) => void this.#write(chunk, done),
      destroy: (_error, done) => done(null),
    });
    return { stream, deliver: (bytes) => void stream.push(bytes) };
  }

  /**
   * Begins to read, a turn after the TLS socket was made: what it hears before
   * it has started, a peer could end the program with on Deno.
   */
  open(): void {
    this.#isOpen = true;
    const early = this.#early;
    this.#early = [];
    for (const bytes of early) this.#receive(bytes);
    this.#turnOnOrOff();
  }

  /** Lets nothing more come, whatever the TLS socket wants. */
  holdUp(): void {
    this.#isHeldUp = true;
    this.#connection.pause();
  }

  /** Ends {@linkcode Wire.holdUp}. */
  letCome(): void {
    this.#isHeldUp = false;
    this.#turnOnOrOff();
  }

  /** Calls back once all is with the system. */
  whenIdle(callback: () => void): void {
    if (this.#left === 0 && this.#queue.length === 0) callback();
    else this.#onIdle = callback;
  }

  #read(isReading: boolean, stream: Duplex): Duplex {
    this.#isReading = isReading;
    this.#turnOnOrOff();
    return stream;
  }

  #turnOnOrOff(): void {
    if (!this.#isOpen) return;
    if (this.#isReading && !this.#isHeldUp) this.#connection.resume();
    else this.#connection.pause();
  }

  #receive(bytes: Uint8Array): void {
    if (!this.#isOpen) {
      this.#early.push(bytes);
      return;
    }
    if (bytes.length === 0 || this.#isLost) return;
    try {
      this.#deliver(bytes);
    } catch (error) {
      // What a peer sends must not end the program, whatever TLS makes of it.
      this.#lose(systemError("ERR_TLS", "use the connection", error));
    }
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#owner.ended();
    this.#deliver(null);
  }

  /** Nothing is on its way any more. */
  #lose(error: Error): void {
    this.#isLost = true;
    this.#left = 0;
    this.#queue = [];
    this.#owner.lost(error);
    this.#tellIdle();
  }

  #tellIdle(): void {
    if (this.#left > 0 || this.#queue.length > 0) return;
    const onIdle = this.#onIdle;
    this.#onIdle = null;
    onIdle?.();
  }

  #write(chunk: Uint8Array, done: Done): boolean {
    if (this.#isLost) return false;
    this.#queue.push(chunk);
    this.#queued.push(done);
    this.#flush();
    return true;
  }

  #flush(): void {
    if (this.#isCorked || this.#left > 0 || this.#queue.length === 0) return;
    const chunks = this.#queue;
    this.#dones = this.#queued;
    this.#queue = [];
    this.#queued = [];
    const bytes = chunks.length === 1 ? chunks[0]! : joined(chunks);
    this.#left = bytes.length;
    if (bytes.length === 0) this.#written(0);
    else this.#connection.write(bytes);
  }

  #written(count: number): void {
    this.#left -= count;
    if (this.#left > 0) return;
    const dones = this.#dones;
    this.#dones = [];
    for (const done of dones) done();
    this.#flush();
    this.#tellIdle();
  }
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const size = chunks.reduce((sum, each) => sum + each.length, 0);
  const all = new Uint8Array(size);
  let offset = 0;
  for (const each of chunks) {
    all.set(each, offset);
    offset += each.length;
  }
  return all;
}
