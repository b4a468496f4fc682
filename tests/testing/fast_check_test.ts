// node: skip fast-check is in deno.json
/** The scheduler of fast-check, for the column in docs/testing.md. */
import { createTask, runVirtual, VirtualClock } from "@asyncio/asyncio";
import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { faultsOfOrder } from "../_support/faults_of_order.ts";
import { sleepingBy } from "../_support/known_fault.ts";

const MAX_RUNS = 1000;

/** The first run that fails when fast-check ends the sleeps, one by one. */
async function runsToFind(
  program: () => Promise<void>,
): Promise<number | null> {
  let clock = new VirtualClock();
  const scheduler = fc.scheduler({
    act: async (release) => {
      await release();
      await clock.settled();
    },
  });
  const property = fc.asyncProperty(scheduler, (schedule) => {
    clock = new VirtualClock();
    const test = async () => {
      const task = createTask(program);
      await clock.settled();
      await schedule.waitAll();
      await task;
    };
    return sleepingBy(
      () => schedule.schedule(Promise.resolve()),
      () => runVirtual(test, { clock }),
    );
  });
  const seen = await fc.check(property, {
    seed: 0,
    numRuns: MAX_RUNS,
    endOnFailure: true,
  });
  return seen.failed ? seen.numRuns : null;
}

for (const [fault, { program, fastCheck }] of Object.entries(faultsOfOrder)) {
  Deno.test(`what fast-check finds: ${fault}`, async () => {
    assertEquals(await runsToFind(() => program(false)), fastCheck);
    assertEquals(await runsToFind(() => program(true)), null);
  });
}
