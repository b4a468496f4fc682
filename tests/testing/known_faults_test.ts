import {
  exploreCancellations,
  exploreSchedules,
  runVirtual,
  ScheduleError,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { faultsOfCancellation } from "../_support/faults_of_cancellation.ts";
import { faultsOfOrder } from "../_support/faults_of_order.ts";

const MAX_RUNS = 1000;
/** A twin has no fault to find, so this many random orders are enough. */
const TWIN_RUNS = 50;
const STRATEGIES = ["random", "pct", "exhaustive"] as const;
type Strategy = typeof STRATEGIES[number];

/** The run in which it fails in another order, from 1; null if in none. */
async function runsToFind(
  fn: () => Promise<void>,
  strategy: Strategy,
): Promise<number | null> {
  try {
    await exploreSchedules(fn, { strategy, runs: MAX_RUNS });
    return null;
  } catch (error) {
    assert(error instanceof ScheduleError, `${error}`);
    return Number(/\(run (\d+) of/.exec(error.message)![1]);
  }
}

/** The run in which it fails as a task is cancelled; the first cancels none. */
async function cancellationsToFind(fn: () => Promise<void>): Promise<number> {
  try {
    await exploreCancellations(fn);
  } catch (error) {
    assert(error instanceof ScheduleError, `${error}`);
    const parts = /^cancel:(\d+)$/.exec(error.replay ?? "");
    assert(parts !== null, error.message);
    return Number(parts[1]) + 2;
  }
  throw new Error("No run fails");
}

for (const [fault, { program, found }] of Object.entries(faultsOfOrder)) {
  Deno.test(`a strategy finds what the natural order hides: ${fault}`, async () => {
    await runVirtual(() => program(false));
    const runs = [];
    for (const strategy of STRATEGIES) {
      // deno-lint-ignore no-await-in-loop -- one after the other
      runs.push(await runsToFind(() => program(false), strategy));
    }
    assertEquals(runs, found);
    assert(runs.some((run) => run !== null));
  });

  Deno.test(`no order makes the mended twin fail: ${fault}`, async () => {
    const twin = () => program(true);
    const every = { strategy: "exhaustive" } as const;
    const { complete } = await exploreSchedules(twin, every);
    assert(complete);
    await exploreSchedules(twin, { runs: TWIN_RUNS });
    await exploreSchedules(twin, { strategy: "pct", runs: TWIN_RUNS });
  });
}

for (
  const [fault, { program, found }] of Object.entries(faultsOfCancellation)
) {
  Deno.test(`a cancellation finds what no order does: ${fault}`, async () => {
    await exploreSchedules(() => program(false), { runs: TWIN_RUNS });
    const runs = await cancellationsToFind(() => program(false));
    assertEquals([runs], found);
    assertLessOrEqual(runs, MAX_RUNS);
  });

  Deno.test(`no cancellation makes the mended twin fail: ${fault}`, async () => {
    const { complete } = await exploreCancellations(() => program(true));
    assert(complete);
  });
}
