/** The way from one simulated host to another, in one direction. */
import { RingBuffer } from "../_internal/ring_buffer.ts";
import type { EventLoop } from "../loop/event_loop.ts";

/** What TCP gives up after: Linux's tcp_retries2 of 15, in milliseconds. */
export const GIVE_UP_MS = 924_600;

/** What the ways of a simulation have in common. */
export interface Wires {
  readonly loop: EventLoop;
  /** The links that have packets for when it is healed. */
  readonly stopped: Set<SimulatedLink>;
  /** How long the next packet takes, in milliseconds. */
  latency(from: string, to: string): number;
  /** Whether nothing comes through between the two. */
  isCut(a: string, b: string): boolean;
  /** Whether what goes from one to the other waits, and is not lost. */
  isHeld(a: string, b: string): boolean;
}

/** What was sent and has not been taken. */
interface Packet {
  readonly arrive: () => void;
  readonly giveUp: () => void;
  state: "travelling" | "held" | "here";
  timer: { cancel(): void } | null;
}

/**
 * Packets that are taken in the order in which they were sent, as a connection
 * has them: one that is early waits for those before it. What meets a partition
 * is sent again once that is healed, and given up when TCP gives up.
 */
export class SimulatedLink {
  readonly #wires: Wires;
  readonly #from: string;
  readonly #to: string;
  readonly #packets = new RingBuffer<Packet>();
  #isGivenUp = false;

  constructor(wires: Wires, ends: { from: string; to: string }) {
    this.#wires = wires;
    this.#from = ends.from;
    this.#to = ends.to;
  }

  send(arrive: () => void, giveUp: () => void): void {
    // A loop that is closed closes what it had open, and nothing is told.
    if (this.#isGivenUp || this.#wires.loop.isClosed()) return;
    const packet: Packet = { arrive, giveUp, state: "travelling", timer: null };
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

  #sendOff(packet: Packet): void {
    if (this.#isStopped()) return this.#hold(packet);
    packet.state = "travelling";
    const latency = this.#wires.latency(this.#from, this.#to);
    this.#wires.loop.callLater(latency, () => {
      // It is lost where a partition came while it was on its way.
      if (this.#isStopped()) this.#hold(packet);
      else this.#arrive(packet);
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
      this.#packets.shift()!.arrive();
    }
  }

  #hold(packet: Packet): void {
    packet.state = "held";
    this.#wires.stopped.add(this);
    if (!this.#isCut()) return;
    packet.timer = this.#wires.loop.callLater(
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
    packet.giveUp();
  }
}
