/**
 * A connection between two simulated hosts, or inside of one. Each end has sent what the other
 * one has room for (64 KiB), and hears of more room as of everything: by a packet
 * that takes its time.
 *
 * ```text
 *   write --> unsent --while there is room--> link --> incoming --> data
 *               ^--------- room, once it was read <----- link <-------'
 * ```
 */
import type {
  Address,
  HostConnection,
  HostReceiver,
} from "../platform/types/net.ts";
import { Arrival } from "./_arrival.ts";
import { ReceivingHalf } from "./_receiving_half.ts";
import { SimulatedLink } from "./_simulated_link.ts";
import type { Wires } from "./_wires.ts";

/** What a host takes of what its program does not read. */
const CAPACITY = 65_536;

type Failure = "ECONNRESET" | "EPIPE" | "ETIMEDOUT";

const REASONS: Readonly<Record<Failure, string>> = {
  ECONNRESET: "The other end of the simulated connection sent a reset",
  EPIPE: "The other end of the simulated connection is closed",
  ETIMEDOUT: "The other end of the simulated connection is silent",
};

/** Where an end is. */
export interface SimulatedEnd {
  readonly host: string;
  readonly address: Address;
  /** Those of the host that it may still use. */
  readonly open: Set<SimulatedConnection>;
}

/** How the other end of a connection hears of the crash of a host. */
export type CrashWay = "close" | "reset" | "silent";

export class SimulatedConnection implements HostConnection {
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly isTls = false;
  readonly alpnProtocol = null;
  readonly #arrival: Arrival;
  readonly #open: Set<SimulatedConnection>;
  readonly #link: SimulatedLink;
  readonly #received: ReceivingHalf<Failure>;
  #peer: SimulatedConnection = this;
  #room = CAPACITY;
  #unsent: Uint8Array | null = null;
  #isClosed = false;
  #hasSentEnd = false;
  /** Its host has crashed, and no longer knows of it. */
  #isForgotten = false;

  private constructor(
    wires: Wires,
    { local, remote }: { local: SimulatedEnd; remote: SimulatedEnd },
  ) {
    this.localAddress = local.address;
    this.remoteAddress = remote.address;
    this.#open = local.open;
    this.#open.add(this);
    // In no host's scope: the receiver enters its own.
    this.#arrival = new Arrival(
      wires.kernel.root,
      "an arrival on the simulated network",
      () => this.#received.deliver(),
    );
    this.#received = new ReceivingHalf<Failure>({
      isSending: () => this.#unsent !== null,
      taken: (count) => {
        if (this.#received.failure === null) {
          this.#send(0, (peer) => peer.#takeRoom(count));
        }
        this.#arrival.schedule();
      },
      reason: (failure) => REASONS[failure],
      close: () => this.close(),
    });
    this.#link = new SimulatedLink(wires, {
      from: local.host,
      to: remote.host,
    });
  }

  /** The two ends of a new one. */
  static pair(
    wires: Wires,
    [first, second]: readonly [SimulatedEnd, SimulatedEnd],
  ): [SimulatedConnection, SimulatedConnection] {
    const a = new SimulatedConnection(wires, { local: first, remote: second });
    const b = new SimulatedConnection(wires, { local: second, remote: first });
    a.#peer = b;
    b.#peer = a;
    return [a, b];
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
    this.#sendUnsent();
  }

  closeWrite(): void {
    this.#sendEnd();
  }

  close(): void {
    if (this.#isClosed) return;
    const isUnread = this.#received.incoming.size > 0;
    this.#shut();
    if (this.#received.failure === null) {
      if (isUnread) this.#sendReset();
      else this.#sendEnd();
    }
  }

  abort(): void {
    this.close();
  }

  /** The end of one that no program has seen. */
  reset(): void {
    if (this.#isClosed) return;
    this.#shut();
    this.#sendReset();
  }

  /** Its host has crashed; if that is silent, it answers once it is up again. */
  crash(way: CrashWay): void {
    if (this.#isClosed) return;
    // The system closes what its program leaves behind.
    if (way === "close") return this.close();
    this.#shut();
    this.#isForgotten = true;
    this.#link.abandon();
    if (way === "reset" && this.#received.failure === null) this.#sendReset();
  }

  #shut(): void {
    this.#isClosed = true;
    this.#open.delete(this);
    this.#received.receiver = null;
    this.#unsent = null;
    this.#received.incoming.clear();
  }

  #send(size: number, arrive: (peer: SimulatedConnection) => void): void {
    const peer = this.#peer;
    this.#link.send({
      size,
      arrive: () => arrive(peer),
      giveUp: () => this.#fail("ETIMEDOUT"),
    });
  }

  #sendUnsent(): void {
    const bytes = this.#unsent;
    if (bytes === null) return;
    if (this.#received.failure !== null) return this.#arrival.schedule();
    const count = Math.min(bytes.length, this.#room);
    if (count === 0) return;
    this.#room -= count;
    const sent = bytes.slice(0, count);
    this.#unsent = count < bytes.length ? bytes.subarray(count) : null;
    this.#send(count, (peer) => peer.#takeData(sent));
    // Last, as more may be written in it, or this closed.
    this.#received.receiver?.written(count);
  }

  #sendEnd(): void {
    if (this.#hasSentEnd || this.#received.failure !== null) return;
    this.#hasSentEnd = true;
    this.#send(0, (peer) => peer.#takeEnd());
  }

  #sendReset(): void {
    this.#send(0, (peer) => peer.#takeReset());
  }

  // -- what comes from the peer ---------------------------------------------

  #takeData(bytes: Uint8Array): void {
    if (this.#received.failure !== null) return;
    if (this.#isClosed) return this.#sendReset();
    this.#received.incoming.push(bytes);
    this.#received.deliver();
  }

  #takeEnd(): void {
    if (this.#isForgotten) return this.#sendReset();
    if (this.#received.hasEnded) return;
    this.#received.end();
    this.#received.deliver();
  }

  #takeReset(): void {
    this.#fail(this.#received.hasEnded ? "EPIPE" : "ECONNRESET");
  }

  #takeRoom(count: number): void {
    if (this.#isForgotten) return this.#sendReset();
    this.#room += count;
    this.#sendUnsent();
  }

  #fail(failure: Failure): void {
    if (this.#received.failure !== null) return;
    this.#received.failure = failure;
    this.#received.deliver();
  }
}
