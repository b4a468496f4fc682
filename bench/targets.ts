/** The targets that most rows have: how many times cheaper ours must be than each peer. */
import type { Target } from "./types.ts";

/** One target a peer, as in `atLeast({ uvloop: 1, effect: 2 })`. */
export function atLeast(
  ratios: Readonly<Record<string, number>>,
): readonly Target[] {
  return Object.entries(ratios).map(([peer, ratio]) => ({
    peer,
    atLeast: ratio,
  }));
}
