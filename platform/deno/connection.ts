import { freshBytes } from "../../_internal/fresh_bytes.ts";
import { copyOf } from "../shared/bytes.ts";
import type {
  Address,
  HostConnection,
  HostReceiver,
  HostSocketOptions,
} from "../types/net.ts";
import { mapError } from "./errors.ts";
import { Pause } from "./pause.ts";
import { Turns } from "./turns.ts";

/** What an idle connection keeps for what may come. */
const SMALLEST_READ = 4096;
const MIDDLE_READ = 16_384;
/** Larger reads bring no more. */
const LARGEST_READ = 65_536;
/** Who has taken so much keeps up, and gets it in large pieces. */
const TAKEN_BY_READERS = 3 * LARGEST_READ;
/** How many microtasks a handler that answers at once takes at most. */
const HOPS_TO_ANSWER = 8;

/** The address of a socket; `null` if it is of another kind. */
export function addressOf(addr: Deno.Addr): Address | null {
  switch (addr.transport) {
    case "tcp":
    case "udp":
      return {
        transport: addr.transport,
        hostname: addr.hostname,
        port: addr.port,
      };
    case "unix":
      return { transport: "unix", path: addr.path ?? "" };
    default:
      return null;
  }
}

let waiting: (() => void)[] = [];
let hops = 0;
const microtask = Promise.resolve();

/** Calls back once what came with it was answered: for all that came together. */
const afterAnswers = (callback: () => void): void => {
  waiting.push(callback);
  if (waiting.length > 1) return;
  hops = HOPS_TO_ANSWER;
  hop();
};

const hop = (): void => {
  if (hops-- > 0) {
    microtask.then(hop);
    return;
  }
  const callbacks = waiting;
  waiting = [];
  for (const each of callbacks) each();
};

/** One of Deno's sockets. One pump reads, from start to end. */
export class DenoConnection implements HostConnection {
  readonly localAddress: Address | null;
  readonly remoteAddress: Address | null;
  readonly isTls = false;
  readonly alpnProtocol = null;
  readonly #conn: Deno.Conn;
  readonly #pause = new Pause();
  #receiver: HostReceiver | null = null;
  #writing: Uint8Array | null = null;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
    this.localAddress = addressOf(conn.localAddr);
    this.remoteAddress = addressOf(conn.remoteAddr);
  }

  start(receiver: HostReceiver): void {
    const isFirst = this.#receiver === null;
    this.#receiver = receiver;
    if (isFirst) this.#pump();
  }

  pause(): void {
    this.#pause.pause();
  }

  resume(): void {
    this.#pause.resume();
  }

  write(bytes: Uint8Array): void {
    this.#writing = bytes;
    this.#conn.write(bytes).then(this.#onWritten, this.#onFailure);
  }

  closeWrite(): void {
    this.#conn.closeWrite().catch(this.#onFailure);
  }

  close(): void {
    if (!this.#pause.close()) return;
    this.#receiver = null;
    try {
      this.#conn.close();
    } catch {
      // The host has closed it after an error.
    }
  }

  abort(): void {
    this.close();
  }

  async #pump(): Promise<void> {
    const conn = this.#conn;
    const pause = this.#pause;
    let size = SMALLEST_READ;
    let taken = 0;
    const turns = new Turns();
    // Taken just before a read: whoever is paused holds none, except to use
    // again what the receiver has copied.
    let slab: Uint8Array | null = null;
    // Whether the receiver has copied what it got last, as it may again.
    let isSpent = false;
    try {
      for (;;) {
        slab ??= freshBytes(size);
        const count = await conn.read(slab);
        if (pause.isPaused) await pause.over();
        if (pause.isClosed) return;
        if (count === null) return this.#receiver?.end();
        const room: number = slab.length;
        const isFull = count === room;
        let bytes: Uint8Array;
        let isCopy = false;
        if (count * 2 >= room || isSpent) {
          bytes = isFull ? slab : slab.subarray(0, count);
        } else {
          // A copy costs less than another slab, and a view would keep alive
          // many times what it shows.
          bytes = copyOf(slab, count);
          isCopy = true;
        }
        isSpent = this.#receiver?.data(bytes) === true;
        if (!isSpent && !isCopy) slab = null;
        if (count * 8 < room && size > SMALLEST_READ) {
          size /= 4;
          slab = null;
        } else if (count * 2 >= room) {
          taken += count;
          if (isFull && size < LARGEST_READ) {
            if (size < MIDDLE_READ || taken > TAKEN_BY_READERS) {
              size *= 4;
              slab = null;
            }
          }
        }
        if (pause.isPaused) {
          if (!isSpent) slab = null;
          await pause.over();
        }
        if (pause.isClosed) return;
        // The answer first: the peer can go on with it, while a read so soon
        // would only find that it has to wait. Whoever sends without end lets
        // all others have their turn.
        if (turns.isDue(count)) {
          await new Promise<void>(setImmediate);
          turns.taken();
        } else await new Promise<void>(afterAnswers);
        if (pause.isClosed) return;
      }
    } catch (error) {
      this.#fail(error, "read from the connection");
    }
  }

  readonly #onWritten = (count: number): void => {
    const bytes = this.#writing;
    if (this.#pause.isClosed || bytes === null) return;
    if (count < bytes.length) {
      this.#receiver?.written(count);
      if (!this.#pause.isClosed) this.write(bytes.subarray(count));
      return;
    }
    this.#writing = null;
    this.#receiver?.written(count);
  };

  readonly #onFailure = (error: unknown): void => {
    this.#fail(error, "write to the connection");
  };

  #fail(error: unknown, action: string): void {
    const receiver = this.#receiver;
    if (this.#pause.isClosed || receiver === null) return;
    this.close();
    receiver.lost(mapError(error, action));
  }
}

/** Sets what a socket is told of itself. */
export function setOptions(conn: Deno.Conn, options: HostSocketOptions): void {
  const tcp = conn as Partial<Deno.TcpConn>;
  try {
    if (options.noDelay) tcp.setNoDelay?.(true);
    if (options.keepAlive) tcp.setKeepAlive?.(true);
  } catch {
    // The peer has gone already; reading will tell.
  }
}
