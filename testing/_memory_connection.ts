/**
 * A connection without a host: what the one end writes lies in the other until
 * that takes it. It behaves as TCP does on one machine, with a system that takes
 * 64 KiB of what is not read.
 *
 * ```text
 *   write --> unsent --as there is room--> incoming --while not paused--> data
 *             of this end                  of the other end
 * ```
 *
 * Whoever closes an end in which unread bytes lie, or to which some are on
 * their way, breaks the connection (a reset); otherwise the other end reads its
 * end. To one that was closed the first write is lost, and the next one fails.
 */
import type { Scope } from "../loop/scope.ts";
import type {
  Address,
  HostConnection,
  HostReceiver,
} from "../platform/types/net.ts";
import { systemError } from "../platform/system_errors.ts";
import { ByteBuffer } from "../streams/byte_buffer.ts";
import { Arrival } from "./_arrival.ts";

/** What lies between the two ends of a pipe of Linux. */
const CAPACITY = 65_536;
const ADDRESS: Address = Object.freeze({ transport: "unix", path: "memory" });

export class MemoryConnection implements HostConnection {
  readonly localAddress: Address = ADDRESS;
  readonly remoteAddress: Address = ADDRESS;
  readonly isTls = false;
  readonly alpnProtocol = null;
  readonly takesTls = false;
  readonly #arrival: Arrival;
  readonly #incoming = new ByteBuffer();
  #peer: MemoryConnection = this;
  #receiver: HostReceiver | null = null;
  #isPaused = false;
  #isClosed = false;
  #end: "none" | "come" | "told" = "none";
  /** Why the connection is broken. */
  #failure: "ECONNRESET" | "EPIPE" | null = null;
  /** For which the peer has no room. */
  #unsent: Uint8Array | null = null;

  private constructor(scope: Scope) {
    this.#arrival = new Arrival(
      scope,
      "an arrival in memory",
      () => this.#arrive(),
    );
  }

  /** Two that are connected; what comes to one comes in its scope. */
  static pair(scopes: readonly [Scope, Scope]): [
    MemoryConnection,
    MemoryConnection,
  ] {
    const ends = [
      new MemoryConnection(scopes[0]),
      new MemoryConnection(scopes[1]),
    ] as [MemoryConnection, MemoryConnection];
    ends[0].#peer = ends[1];
    ends[1].#peer = ends[0];
    return ends;
  }

  start(receiver: HostReceiver): void {
    this.#receiver = receiver;
    this.#arrival.schedule();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#arrival.schedule();
  }

  write(bytes: Uint8Array): void {
    this.#unsent = bytes;
    this.#send();
  }

  closeWrite(): void {
    this.#peer.#receiveEnd();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#receiver = null;
    this.#unsent = null;
    const peer = this.#peer;
    const isUnread = this.#incoming.size > 0 || peer.#unsent !== null;
    this.#incoming.clear();
    if (isUnread) peer.#break();
    else peer.#receiveEnd();
  }

  abort(): void {
    this.close();
  }

  /** Puts into the peer what it has room for. */
  #send(): void {
    const bytes = this.#unsent;
    if (bytes === null) return;
    if (this.#failure !== null) return this.#arrival.schedule();
    const peer = this.#peer;
    let count = bytes.length;
    if (peer.#isClosed) this.#break();
    else {
      count = Math.min(count, CAPACITY - peer.#incoming.size);
      if (count === 0) return;
      const sent = new Uint8Array(count);
      sent.set(bytes.subarray(0, count));
      peer.#incoming.push(sent);
      peer.#arrival.schedule();
    }
    this.#unsent = count < bytes.length ? bytes.subarray(count) : null;
    // Last, as more may be written in it, or this closed.
    this.#receiver?.written(count);
  }

  #receiveEnd(): void {
    if (this.#end !== "none") return;
    this.#end = "come";
    this.#arrival.schedule();
  }

  /** The peer is closed, and something is on its way to it. */
  #break(): void {
    this.#failure = this.#end === "none" ? "ECONNRESET" : "EPIPE";
    this.#arrival.schedule();
  }

  #arrive(): void {
    const receiver = this.#receiver;
    if (receiver === null) return;
    // A write hears of it at once, a read once it has what came before.
    if (this.#failure !== null && this.#unsent !== null) return this.#lose();
    if (this.#isPaused) return;
    const incoming = this.#incoming;
    if (incoming.size > 0) {
      const bytes = incoming.take(incoming.size);
      this.#peer.#send();
      this.#arrival.schedule();
      receiver.data(bytes);
    } else if (this.#failure === "ECONNRESET") this.#lose();
    else if (this.#end === "come") {
      this.#end = "told";
      receiver.end();
    }
  }

  #lose(): void {
    const receiver = this.#receiver;
    const cause = new Error("The other end of the pair is closed");
    const error = systemError(this.#failure!, "use the connection", cause);
    this.close();
    receiver?.lost(error);
  }
}
