/** Numbers that look random and are the same in every run (mulberry32). */
export function makeRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6D2B79F5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) % below;
  };
}

/** The same as `Math.random` has them: from 0 up to, and without, 1. */
export function makeFractions(seed: number): () => number {
  const random = makeRandom(seed);
  return () => random(2 ** 32) / 2 ** 32;
}
