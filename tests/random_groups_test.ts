import {
  exploreSchedules,
  newEventLoop,
  run,
  VirtualClock,
} from "@asyncio/asyncio";
import { assertEquals } from "@std/assert";
import { faultsOf } from "./_support/random_groups.ts";
import { virtual } from "./_support/virtual.ts";

/** Fewer on Node, whose versions 20 and 22 track contexts slowly. */
const PROGRAMS = "Deno" in globalThis ? 5_000 : 1_000;
/** Programs a test. */
const BATCH = 1_000;

for (let first = 0; first < PROGRAMS; first += BATCH) {
  Deno.test(`random groups ${first} to ${first + BATCH - 1} lose neither a task nor an error`, async () => {
    for (let seed = first; seed < first + BATCH; seed++) {
      await virtual(async () => {
        assertEquals(await faultsOf(seed), [], `seed ${seed}`);
      })();
    }
  });
}

/** Programs keep a cancellation now and then, which debug mode reports. */
const ON_PURPOSE = "The task was cancelled but ended as if it were not";

Deno.test("random groups lose nothing in debug mode", async () => {
  for (let seed = 0; seed < 100; seed++) {
    const loop = newEventLoop({ clock: new VirtualClock(), debug: true });
    loop.slowCallbackDuration = Infinity;
    const reports: string[] = [];
    loop.setExceptionHandler(({ message }) => {
      if (!message.startsWith(ON_PURPOSE)) reports.push(message);
    });
    const faults = await run(() => faultsOf(seed), { loop });
    assertEquals([...faults, ...reports], [], `seed ${seed}`);
  }
});

Deno.test("random groups lose nothing, whatever comes first", async () => {
  for (let seed = 0; seed < 100; seed++) {
    await exploreSchedules(async () => {
      const faults = await faultsOf(seed, { isReordered: true });
      assertEquals(faults, [], `seed ${seed}`);
    }, { runs: 20 });
  }
});
