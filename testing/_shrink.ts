/** How many runs a failure may take to be told in fewer choices. */
const SHRINKING_RUNS = 200;

/**
 * The fewest choices that still fail: what differs from the natural order is
 * put back, first in large pieces, then choice by choice.
 *
 * @param choices Those of the run that failed.
 * @param fails Runs the test with others, and says whether it fails alike.
 */
export async function shrink(
  choices: readonly number[],
  fails: (choices: readonly number[]) => Promise<boolean>,
): Promise<readonly number[]> {
  let best = choices;
  let budget = SHRINKING_RUNS;
  let size = oddOnes(best).length;
  while (size >= 1 && budget > 0) {
    let gained = false;
    const odd = oddOnes(best);
    for (let from = 0; from < odd.length && budget > 0; from += size) {
      const piece = new Set(odd.slice(from, from + size));
      const candidate = best.map((choice, place) =>
        piece.has(place) ? 0 : choice
      );
      budget--;
      // deno-lint-ignore no-await-in-loop -- each goes on from the last
      if (await fails(candidate)) {
        best = candidate;
        gained = true;
      }
    }
    if (size === 1 && !gained) break;
    size = Math.max(1, Math.floor(size / 2));
  }
  return best;
}

/** The places at which the order is not the natural one. */
export function oddOnes(choices: readonly number[]): number[] {
  return choices.flatMap((choice, place) => choice === 0 ? [] : [place]);
}
