/**
 * A TCP connection between two simulated hosts. Each end has sent what the other
 * one has room for (64 KiB), and hears of more room as of everything: by a packet
 * that takes its time.
 *
 * ```text
 *   write --> unsent --while there is room--> link --> incoming --> data
 *               ^--------- room, once it was read <----- link <-------'
 * ```
 */
import type {
  HostConnection,
  HostReceiver,
  NetAddress,
} from "../platform/types/net.ts";
import { ReceivingHalf } from "./_receiving_half.ts";
import { SimulatedLink, type Wires } from "./_simulated_link.ts";

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
  readonly address: NetAddress;
}

export class SimulatedConnection implements HostConnection {
  readonly localAddress: NetAddress;
  readonly remoteAddress: NetAddress;
  readonly isTls = false;
  readonly alpnProtocol = null;
  readonly takesTls = false;
  readonly #loop: Wires["loop"];
  readonly #link: SimulatedLink;
  readonly #received: ReceivingHalf<Failure>;
  #peer: SimulatedConnection = this;
  #room = CAPACITY;
  #unsent: Uint8Array | null = null;
  #isClosed = false;
  #hasSentEnd = false;
  #isStepDue = false;

  private constructor(
    wires: Wires,
    { local, remote }: { local: SimulatedEnd; remote: SimulatedEnd },
  ) {
    this.localAddress = local.address;
    this.remoteAddress = remote.address;
    this.#loop = wires.loop;
    this.#received = new ReceivingHalf<Failure>({
      isSending: () => this.#unsent !== null,
      taken: (count) => {
        if (this.#received.failure === null) {
          this.#send((peer) => peer.#takeRoom(count));
        }
        this.#stepSoon();
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
    this.#stepSoon();
  }

  pause(): void {
    this.#received.isPaused = true;
  }

  resume(): void {
    this.#received.isPaused = false;
    this.#stepSoon();
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
    this.#isClosed = true;
    this.#received.receiver = null;
    this.#unsent = null;
    const isUnread = this.#received.incoming.size > 0;
    this.#received.incoming.clear();
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
    this.#isClosed = true;
    this.#sendReset();
  }

  #send(arrive: (peer: SimulatedConnection) => void): void {
    const peer = this.#peer;
    this.#link.send(
      () => arrive(peer),
      () => this.#fail("ETIMEDOUT"),
    );
  }

  #sendUnsent(): void {
    const bytes = this.#unsent;
    if (bytes === null) return;
    if (this.#received.failure !== null) return this.#stepSoon();
    const count = Math.min(bytes.length, this.#room);
    if (count === 0) return;
    this.#room -= count;
    const sent = bytes.slice(0, count);
    this.#unsent = count < bytes.length ? bytes.subarray(count) : null;
    this.#send((peer) => peer.#takeData(sent));
    // Last, as more may be written in it, or this closed.
    this.#received.receiver?.written(count);
  }

  #sendEnd(): void {
    if (this.#hasSentEnd || this.#received.failure !== null) return;
    this.#hasSentEnd = true;
    this.#send((peer) => peer.#takeEnd());
  }

  #sendReset(): void {
    this.#send((peer) => peer.#takeReset());
  }

  // -- what comes from the peer ---------------------------------------------

  #takeData(bytes: Uint8Array): void {
    if (this.#received.failure !== null) return;
    if (this.#isClosed) return this.#sendReset();
    this.#received.incoming.push(bytes);
    this.#received.deliver();
  }

  #takeEnd(): void {
    if (this.#received.hasEnded) return;
    this.#received.end();
    this.#received.deliver();
  }

  #takeReset(): void {
    this.#fail(this.#received.hasEnded ? "EPIPE" : "ECONNRESET");
  }

  #takeRoom(count: number): void {
    this.#room += count;
    this.#sendUnsent();
  }

  #fail(failure: Failure): void {
    if (this.#received.failure !== null) return;
    this.#received.failure = failure;
    this.#received.deliver();
  }

  // -- what the program hears -----------------------------------------------

  #stepSoon(): void {
    if (this.#isStepDue || this.#loop.isClosed()) return;
    this.#isStepDue = true;
    this.#loop.callSoon(() => {
      this.#isStepDue = false;
      this.#received.deliver();
    });
  }
}
