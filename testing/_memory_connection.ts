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
import { Arrival } from "./_arrival.ts";
import { ReceivingHalf } from "./_receiving_half.ts";

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
  readonly #received: ReceivingHalf<"ECONNRESET" | "EPIPE">;
  #peer: MemoryConnection = this;
  #isClosed = false;
  /** For which the peer has no room. */
  #unsent: Uint8Array | null = null;

  private constructor(scope: Scope) {
    this.#received = new ReceivingHalf({
      isSending: () => this.#unsent !== null,
      taken: () => {
        this.#peer.#send();
        this.#arrival.schedule();
      },
      reason: () => "The other end of the pair is closed",
      close: () => this.close(),
    });
    this.#arrival = new Arrival(
      scope,
      "an arrival in memory",
      () => this.#received.deliver(),
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
    this.#received.receiver = receiver;
    this.#arrival.schedule();
  }

  pause(): void {
    this.#received.isPaused = true;
  }

  resume(): void {
    this.#received.isPaused = false;
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
    this.#received.receiver = null;
    this.#unsent = null;
    const peer = this.#peer;
    const isUnread = this.#received.incoming.size > 0 || peer.#unsent !== null;
    this.#received.incoming.clear();
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
    if (this.#received.failure !== null) return this.#arrival.schedule();
    const peer = this.#peer;
    let count = bytes.length;
    if (peer.#isClosed) this.#break();
    else {
      count = Math.min(count, CAPACITY - peer.#received.incoming.size);
      if (count === 0) return;
      const sent = new Uint8Array(count);
      sent.set(bytes.subarray(0, count));
      peer.#received.incoming.push(sent);
      peer.#arrival.schedule();
    }
    this.#unsent = count < bytes.length ? bytes.subarray(count) : null;
    // Last, as more may be written in it, or this closed.
    this.#received.receiver?.written(count);
  }

  #receiveEnd(): void {
    if (this.#received.hasEnded) return;
    this.#received.end();
    this.#arrival.schedule();
  }

  /** The peer is closed, and something is on its way to it. */
  #break(): void {
    this.#received.failure = this.#received.hasEnded ? "EPIPE" : "ECONNRESET";
    this.#arrival.schedule();
  }
}
