/**
 * What lies between the hosts of a simulation: for each pair how long a packet
 * takes and what becomes of it, and what is cut off or held.
 */
import type { Kernel } from "../loop/kernel.ts";
import { Happening } from "./_happening.ts";

/** What TCP gives up after: Linux's tcp_retries2 of 15, in milliseconds. */
export const GIVE_UP_MS = 924_600;
/** When a packet that was lost is sent again, and then after twice as long. */
const RESEND_MS = 200;

/** The ways between two hosts; the same there and back. */
export interface Way {
  /** The least and the most, in milliseconds. */
  readonly latency: readonly [number, number];
  /** Bytes a second. */
  readonly bandwidth: number;
  /** From 0 to 1: of how many packets one is lost. */
  readonly loss: number;
  /** From 0 to 1: of how many datagrams one comes twice. */
  readonly duplication: number;
}

export class Wires {
  readonly kernel: Kernel;
  /** The links that have packets for when it is healed. */
  readonly stopped: Set<{ heal(): void }> = new Set();
  readonly #random: () => number;
  readonly #usual: Way;
  readonly #ways = new Map<string, Way>();
  /** By direction: until when earlier packets need all of its bandwidth. */
  readonly #busy = new Map<string, number>();
  readonly #cuts = new Set<string>();
  readonly #holds = new Set<string>();
  readonly #down = new Set<string>();
  #waiting: (() => void)[] = [];

  /** @param usual The ways between hosts of which nothing else was said. */
  constructor(kernel: Kernel, parts: { random: () => number; usual: Way }) {
    this.kernel = kernel;
    this.#random = parts.random;
    this.#usual = parts.usual;
  }

  after(ms: number, happen: () => void): Happening {
    return new Happening(this.kernel, ms, happen);
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  // -- what the ways are like -------------------------------------------------

  /** Changes what is given of the way between two hosts. */
  setWay(a: string, b: string, way: Partial<Way>): void {
    this.#ways.set(pairOf(a, b), { ...this.#way(a, b), ...way });
  }

  /** How long the next packet takes, in milliseconds. */
  journey(from: string, to: string, size: number): number {
    if (from === to) return 0;
    const { latency: [least, most], bandwidth } = this.#way(from, to);
    const ms = least + (most - least) * this.#random();
    if (bandwidth === Infinity || size === 0) return ms;
    const direction = JSON.stringify([from, to]);
    const now = this.kernel.now();
    const start = Math.max(now, this.#busy.get(direction) ?? 0);
    const end = start + size * 1000 / bandwidth;
    this.#busy.set(direction, end);
    return end - now + ms;
  }

  isLost(from: string, to: string): boolean {
    if (from === to) return false;
    const { loss } = this.#way(from, to);
    return loss > 0 && this.#random() < loss;
  }

  isDoubled(from: string, to: string): boolean {
    if (from === to) return false;
    const { duplication } = this.#way(from, to);
    return duplication > 0 && this.#random() < duplication;
  }

  /** How late a packet is that is sent again for as long as it is lost. */
  resending(from: string, to: string): number {
    let late = 0;
    for (let ms = RESEND_MS; this.isLost(from, to); ms *= 2) {
      late += ms;
      if (late >= GIVE_UP_MS) return Infinity;
    }
    return late;
  }

  #way(a: string, b: string): Way {
    if (this.#ways.size === 0) return this.#usual;
    return this.#ways.get(pairOf(a, b)) ?? this.#usual;
  }

  // -- what is cut off --------------------------------------------------------

  cut(a: string, b: string): void {
    this.#cuts.add(pairOf(a, b));
  }

  hold(a: string, b: string): void {
    this.#holds.add(pairOf(a, b));
  }

  /** A host hears nothing more, until it is up again. */
  takeDown(host: string): void {
    this.#down.add(host);
  }

  bringUp(host: string): void {
    this.#down.delete(host);
    this.#goOn();
  }

  isDown(host: string): boolean {
    return this.#down.has(host);
  }

  /** Whether nothing comes through from one host to the other. */
  isCut(from: string, to: string): boolean {
    return (this.#cuts.size > 0 && this.#cuts.has(pairOf(from, to))) ||
      (this.#down.size > 0 && this.#down.has(to));
  }

  /** Whether what goes from one to the other waits, and is not lost. */
  isHeld(a: string, b: string): boolean {
    return this.#holds.size > 0 && this.#holds.has(pairOf(a, b));
  }

  /**
   * Ends the cuts and holds between the hosts of which all `names` are one.
   *
   * @returns The pairs that were cut off or held.
   */
  heal(names: readonly string[]): [string, string][] {
    const healed: [string, string][] = [];
    for (const pair of new Set([...this.#cuts, ...this.#holds])) {
      const ends = JSON.parse(pair) as [string, string];
      if (!names.every((name) => ends.includes(name))) continue;
      this.#cuts.delete(pair);
      this.#holds.delete(pair);
      healed.push(ends);
    }
    this.#goOn();
    return healed;
  }

  /** Calls back once nothing is held between the two; at once if so it is. */
  whenReleased(from: string, to: string, goOn: () => void): void {
    if (!this.isHeld(from, to)) goOn();
    // What is healed may be another pair.
    else this.#waiting.push(() => this.whenReleased(from, to, goOn));
  }

  released(from: string, to: string): Promise<void> {
    return new Promise((resolve) => this.whenReleased(from, to, resolve));
  }

  /** What was held up goes on. */
  #goOn(): void {
    for (const link of [...this.stopped]) link.heal();
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const goOn of waiting) goOn();
  }
}

/** One name for both directions. */
function pairOf(a: string, b: string): string {
  return JSON.stringify(a < b ? [a, b] : [b, a]);
}
