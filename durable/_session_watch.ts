/**
 * Which sessions have stood still for longer than their lease. A look at a
 * session adds no more to its silence than the time between two looks should
 * be: if this process was stopped, so may have been the whole machine, and the
 * others are owed the time to count on.
 */
import type { SeenSession } from "./_job_table.ts";

interface Silence {
  beat: number;
  ms: number;
}

export class SessionWatch {
  readonly #everyMs: number;
  #silences = new Map<number, Silence>();
  #lookedAt: number | null = null;

  /** @param everyMs How often it is meant to look. */
  constructor(everyMs: number) {
    this.#everyMs = everyMs;
  }

  /** Those that are silent for too long, of all that there are. */
  look(sessions: readonly SeenSession[], now: number): SeenSession[] {
    const passed = Math.min(now - (this.#lookedAt ?? now), this.#everyMs * 1.5);
    this.#lookedAt = now;
    const silences = new Map<number, Silence>();
    const dead: SeenSession[] = [];
    for (const seen of sessions) {
      const last = this.#silences.get(seen.session);
      const isSilent = last !== undefined && last.beat === seen.beat;
      const ms = isSilent ? last.ms + passed : 0;
      silences.set(seen.session, { beat: seen.beat, ms });
      if (ms >= seen.leaseMs) dead.push(seen);
    }
    this.#silences = silences;
    return dead;
  }
}
