import { fail } from "@std/assert";
import process from "node:process";
import { explain, faultsOf, makeProgram } from "./_support/random_programs.ts";

/** Programs a test, so that a failure says roughly where and none takes long. */
const BATCH = 1_000;

/**
 * The seeds to start at. All run on Deno; Node, whose versions 20 and 22 track
 * contexts slowly, and Bun run a batch each, every version another one.
 */
function batches(): readonly number[] {
  const all = Array.from({ length: 10 }, (_, index) => index * BATCH);
  if ("Deno" in globalThis) return all;
  const [major = ""] = process.versions.node.split(".");
  return "Bun" in globalThis ? [0] : [all[Number(major) / 2 % 10]!];
}

for (const first of batches()) {
  Deno.test(`random programs ${first} to ${first + BATCH - 1} lose nothing and end`, async () => {
    for (let seed = first; seed < first + BATCH; seed++) {
      const faults = await faultsOf(makeProgram(seed));
      if (faults.length > 0) fail(await explain(seed));
    }
  });
}
