import { fail } from "@std/assert";
import { explain, faultsOf, makeProgram } from "./_support/random_programs.ts";

/** Fewer on Node, whose versions 20 and 22 track contexts slowly. */
const PROGRAMS = "Deno" in globalThis ? 10_000 : 3_000;
/** Programs a test, so that a failure says roughly where and none takes long. */
const BATCH = 1_000;

for (let first = 0; first < PROGRAMS; first += BATCH) {
  Deno.test(`random programs ${first} to ${first + BATCH - 1} lose nothing and end`, async () => {
    for (let seed = first; seed < first + BATCH; seed++) {
      const faults = await faultsOf(makeProgram(seed));
      if (faults.length > 0) fail(await explain(seed));
    }
  });
}
