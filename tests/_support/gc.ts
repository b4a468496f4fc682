/** The garbage collector, on call; the test tasks pass `--expose-gc`. */

const { gc } = globalThis as { gc?: () => void };

/** Whether it can be called. */
export const hasGc: boolean = gc !== undefined;

/**
 * So many objects more have to be let go of for one to be collected. Bun's engine
 * takes whatever looks like an address on the stack for one.
 */
export const SPARE: number = "Bun" in globalThis ? 3 : 0;

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Collects until `isDone`, for a limited number of times: what a finalization
 * registry calls back, it calls in a turn of its own. Where that has to go over a
 * socket, `wait` is a turn with a timer: to Deno's sockets, `setImmediate` callbacks alone give
 * one turn in dozens.
 */
export async function collectUntil(
  isDone: () => boolean,
  wait: () => Promise<void> = turn,
): Promise<void> {
  for (let round = 0; round < 100 && !isDone(); round++) {
    await turn();
    gc!();
    await wait();
  }
}

/** The size of the live heap in bytes. */
export async function heapUsed(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    await turn();
    gc!();
  }
  const { process } = globalThis as unknown as {
    process: { memoryUsage(): { heapUsed: number } };
  };
  return process.memoryUsage().heapUsed;
}

/** What live objects hold in bytes, in the heap and in buffers outside of it. */
export async function heldMemory(): Promise<number> {
  const heap = await heapUsed();
  const { process } = globalThis as unknown as {
    process: { memoryUsage(): { external: number } };
  };
  return heap + process.memoryUsage().external;
}

/**
 * What waiting leaves behind, in bytes a round: a leak does so each time. Where
 * one thousand rounds leave more than `little`, more of them are tried, as the
 * engine's own tables grow by steps.
 */
export async function leftBehind(
  round: () => unknown,
  little: number,
): Promise<number> {
  const rounds = 1000;
  let least = Infinity;
  let before = Infinity;
  for (let batch = 0; batch < 6 && least > little; batch++) {
    for (let n = 0; n < rounds; n++) await round();
    const after = await heapUsed();
    if (batch > 0) least = Math.min(least, (after - before) / rounds);
    before = after;
  }
  return least;
}
