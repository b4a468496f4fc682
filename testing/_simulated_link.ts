/** The way from one simulated host to another, in one direction. */
import { RingBuffer } from "../_internal/ring_buffer.ts";
import type { Happening } from "./_happening.ts";
import { GIVE_UP_MS, type Wires } from "./_wires.ts";

/** What a connection sends. */
export interface Sent {
  /** How many bytes of it need bandwidth. */
  readonly size: number;
  arrive(): void;
  /** It never will. */
  giveUp(): void;
}

/** What was sent and has not been taken. */
interface Packet {
  readonly sent: Sent;
  state: "travelling" | "held" | "here";
  timer: Happening | null;
}

/**
 * Packets that are taken in the order in which they were sent, as a connection
 * has them: one that is early waits for those before it. What is lost is sent
 * again, if it meets a partition once that is healed, and given up when TCP
 * gives up.
 */
export class SimulatedLink {
  readonly #wires: Wires;
  readonly #from: string;
  readonly #to: string;
  #packets = new RingBuffer<Packet>();
  #isGivenUp = false;
  /** Nobody sends again what is lost. */
  #isAbandoned = false;

  constructor(wires: Wires, ends: { from: string; to: string }) {
    this.#wires = wires;
    this.#from = ends.from;
    this.#to = ends.to;
  }

  send(sent: Sent): void {
    // A loop that is closed closes what it had open, and nothing is told.
    if (this.#isGivenUp || this.#wires.kernel.closed) return;
    const packet: Packet = { sent, state: "travelling", timer: null };
    this.#packets.push(packet);
    this.#sendOff(packet);
  }

  /** The partition between the two is over. */
  heal(): void {
    // That of others changes nothing, nor does it give more time.
    if (this.#isStopped()) return;
    this.#wires.stopped.delete(this);
    for (const packet of this.#packets) {
      if (packet.state !== "held") continue;
      packet.timer?.cancel();
      this.#sendOff(packet);
    }
  }

  /** The sender has crashed: no more arrives than what is on its way. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#wires.stopped.delete(this);
    this.#dropFrom((packet) => packet.state === "held");
  }

  #sendOff(packet: Packet): void {
    if (this.#isStopped()) return this.#hold(packet);
    const wires = this.#wires;
    const late = wires.resending(this.#from, this.#to);
    if (late === Infinity) return this.#lose(packet);
    packet.state = "travelling";
    const ms = wires.journey(this.#from, this.#to, packet.sent.size);
    packet.timer = wires.after(late + ms, () => {
      packet.timer = null;
      // It is lost if a partition came while it was on its way.
      if (!this.#isStopped()) this.#arrive(packet);
      else if (this.#isAbandoned) this.#dropFrom((each) => each === packet);
      else this.#hold(packet);
    });
  }

  #isCut(): boolean {
    return this.#wires.isCut(this.#from, this.#to);
  }

  #isStopped(): boolean {
    return this.#isCut() || this.#wires.isHeld(this.#from, this.#to);
  }

  #arrive(packet: Packet): void {
    packet.state = "here";
    while (this.#packets.peek()?.state === "here") {
      this.#packets.shift()!.sent.arrive();
    }
  }

  #hold(packet: Packet): void {
    packet.state = "held";
    this.#wires.stopped.add(this);
    if (this.#isCut()) this.#lose(packet);
  }

  /** It is sent in vain until its sender gives up. */
  #lose(packet: Packet): void {
    packet.state = "held";
    packet.timer = this.#wires.after(
      GIVE_UP_MS,
      () => this.#giveUp(packet),
    );
  }

  /** Nothing that was sent after it is ever taken. */
  #giveUp(packet: Packet): void {
    if (this.#isGivenUp) return;
    this.#isGivenUp = true;
    this.#wires.stopped.delete(this);
    for (const { timer } of this.#packets) timer?.cancel();
    packet.sent.giveUp();
  }

  /** The first such packet and all that follow never arrive. */
  #dropFrom(isFirst: (packet: Packet) => boolean): void {
    const kept = new RingBuffer<Packet>();
    let isDropping = false;
    for (const packet of this.#packets) {
      isDropping ||= isFirst(packet);
      if (isDropping) packet.timer?.cancel();
      else kept.push(packet);
    }
    this.#packets = kept;
  }
}
