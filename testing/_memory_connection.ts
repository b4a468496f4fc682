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
import { Way } from "./_way.ts";

/** What goes wrong between the two ends. */
export interface Faults {
  /** The connection breaks when this many bytes have gone in one direction. */
  readonly cutAfter: number;
  /** How long what is sent next takes, in milliseconds; null for no time. */
  readonly delayOf: (() => number) | null;
}

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
  readonly #way: Way;
  /** How many bytes may still be sent until the connection breaks. */
  #untilCut: number;
  /** Sent, and not there yet. */
  #underWay = 0;
  #isClosed = false;
  /** For which the peer has no room. */
  #unsent: Uint8Array | null = null;

  private constructor(scope: Scope, { cutAfter, delayOf }: Faults) {
    this.#way = new Way(scope.kernel, delayOf);
    this.#untilCut = cutAfter;
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
      () => this.#received.hasNews(),
    );
  }

  /** Two that are connected; what comes to one comes in its scope. */
  static pair(scopes: readonly [Scope, Scope], faults: Faults): [
    MemoryConnection,
    MemoryConnection,
  ] {
    const ends = [
      new MemoryConnection(scopes[0], faults),
      new MemoryConnection(scopes[1], faults),
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
    this.#way.send(() => this.#peer.#receiveEnd());
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#received.receiver = null;
    this.#unsent = null;
    const peer = this.#peer;
    const isUnread = this.#received.incoming.size > 0 ||
      peer.#unsent !== null || peer.#underWay > 0;
    this.#received.incoming.clear();
    this.#way.send(() => {
      if (isUnread) peer.#break();
      else peer.#receiveEnd();
    });
  }

  abort(): void {
    this.close();
  }

  /** Puts into the peer what it has room for. */
  #send(): void {
    const bytes = this.#unsent;
    if (bytes === null) return;
    if (this.#received.failure !== null) return this.#arrival.schedule();
    if (this.#untilCut === 0) return this.#cut();
    const peer = this.#peer;
    const isGone = peer.#isClosed && !peer.#way.isBusy;
    let count = bytes.length;
    if (isGone) this.#break();
    else {
      const room = CAPACITY - peer.#received.incoming.size - this.#underWay;
      count = Math.min(count, room, this.#untilCut);
      if (count === 0) return;
      const sent = new Uint8Array(count);
      sent.set(bytes.subarray(0, count));
      this.#untilCut -= count;
      this.#underWay += count;
      this.#way.send(() => peer.#receive(this, sent));
    }
    this.#unsent = count < bytes.length ? bytes.subarray(count) : null;
    if (this.#untilCut === 0) this.#cut();
    // Last, as more may be written in it, or this closed.
    this.#received.receiver?.written(count);
  }

  #receive(from: MemoryConnection, bytes: Uint8Array): void {
    from.#underWay -= bytes.length;
    // Closed meanwhile: who sent it hears of that.
    if (this.#isClosed) return this.#way.send(() => from.#break());
    this.#received.incoming.push(bytes);
    this.#arrival.schedule();
  }

  /** Both ends hear that the connection is broken, once they have the rest. */
  #cut(): void {
    const peer = this.#peer;
    this.#untilCut = peer.#untilCut = 0;
    this.#break();
    this.#way.send(() => peer.#break());
  }

  #receiveEnd(): void {
    if (this.#received.hasEnded) return;
    this.#received.end();
    this.#arrival.schedule();
  }

  /** Nothing more comes through. */
  #break(): void {
    if (this.#received.failure !== null) return;
    this.#received.failure = this.#received.hasEnded ? "EPIPE" : "ECONNRESET";
    this.#arrival.schedule();
  }
}
