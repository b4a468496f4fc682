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
import { systemError } from "../platform/system_errors.ts";
import { ByteBuffer } from "../streams/byte_buffer.ts";
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
  readonly #incoming = new ByteBuffer();
  #peer: SimulatedConnection = this;
  #receiver: HostReceiver | null = null;
  #room = CAPACITY;
  #unsent: Uint8Array | null = null;
  #isPaused = false;
  #isClosed = false;
  #hasSentEnd = false;
  #isStepDue = false;
  #end: "none" | "come" | "told" = "none";
  #failure: Failure | null = null;

  private constructor(
    wires: Wires,
    { local, remote }: { local: SimulatedEnd; remote: SimulatedEnd },
  ) {
    this.localAddress = local.address;
    this.remoteAddress = remote.address;
    this.#loop = wires.loop;
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
    this.#receiver = receiver;
    this.#stepSoon();
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
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
    this.#receiver = null;
    this.#unsent = null;
    const isUnread = this.#incoming.size > 0;
    this.#incoming.clear();
    if (this.#failure === null) {
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
    if (this.#failure !== null) return this.#stepSoon();
    const count = Math.min(bytes.length, this.#room);
    if (count === 0) return;
    this.#room -= count;
    const sent = bytes.slice(0, count);
    this.#unsent = count < bytes.length ? bytes.subarray(count) : null;
    this.#send((peer) => peer.#takeData(sent));
    // Last, as more may be written in it, or this closed.
    this.#receiver?.written(count);
  }

  #sendEnd(): void {
    if (this.#hasSentEnd || this.#failure !== null) return;
    this.#hasSentEnd = true;
    this.#send((peer) => peer.#takeEnd());
  }

  #sendReset(): void {
    this.#send((peer) => peer.#takeReset());
  }

  // -- what comes from the peer ---------------------------------------------

  #takeData(bytes: Uint8Array): void {
    if (this.#failure !== null) return;
    if (this.#isClosed) return this.#sendReset();
    this.#incoming.push(bytes);
    this.#step();
  }

  #takeEnd(): void {
    if (this.#end !== "none") return;
    this.#end = "come";
    this.#step();
  }

  #takeReset(): void {
    this.#fail(this.#end === "none" ? "ECONNRESET" : "EPIPE");
  }

  #takeRoom(count: number): void {
    this.#room += count;
    this.#sendUnsent();
  }

  #fail(failure: Failure): void {
    if (this.#failure !== null) return;
    this.#failure = failure;
    this.#step();
  }

  // -- what the program hears -----------------------------------------------

  #stepSoon(): void {
    if (this.#isStepDue || this.#loop.isClosed()) return;
    this.#isStepDue = true;
    this.#loop.callSoon(() => {
      this.#isStepDue = false;
      this.#step();
    });
  }

  #step(): void {
    const receiver = this.#receiver;
    if (receiver === null) return;
    // A write hears of it at once, a read once it has what came before.
    if (this.#failure !== null && this.#unsent !== null) return this.#lose();
    if (this.#isPaused) return;
    const incoming = this.#incoming;
    if (incoming.size > 0) {
      const bytes = incoming.take(incoming.size);
      const count = bytes.length;
      if (this.#failure === null) this.#send((peer) => peer.#takeRoom(count));
      this.#stepSoon();
      receiver.data(bytes);
    } else if (this.#failure !== null && this.#failure !== "EPIPE") {
      this.#lose();
    } else if (this.#end === "come") {
      this.#end = "told";
      receiver.end();
    }
  }

  #lose(): void {
    const receiver = this.#receiver;
    const failure = this.#failure!;
    const cause = new Error(REASONS[failure]);
    const error = systemError(failure, "use the connection", cause);
    this.close();
    receiver?.lost(error);
  }
}
