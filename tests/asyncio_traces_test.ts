// Random programs do here what they did on CPython's asyncio, in the same order:
// who is woken first, who is cancelled, what is thrown where.
import { assertEquals, assertGreater } from "@std/assert";
import { digest } from "./conformance/digest.ts";
import { trace } from "./conformance/interpreter.ts";
import { makeProgram } from "./conformance/programs.ts";
import { DIGESTS, VERSION } from "./conformance/recorded.ts";

const BATCH = 250;

const recorded = [...DIGESTS.entries()].filter(([, theirs]) => theirs !== "");

for (let start = 0; start < DIGESTS.length; start += BATCH) {
  const batch = recorded.filter(([seed]) =>
    seed >= start && seed < start + BATCH
  );
  for (const debug of [false, true]) {
    Deno.test(
      `programs from ${start} on do what they did on CPython ${VERSION}${
        debug ? ", in debug mode too" : ""
      }`,
      async () => {
        const different: number[] = [];
        for (const [seed, theirs] of batch) {
          const ours = await trace(makeProgram(seed), debug);
          if (digest(ours) !== theirs) different.push(seed);
        }
        assertEquals(
          different,
          [],
          "see `deno task traces` and these numbers for both traces",
        );
      },
    );
  }
}

Deno.test("most programs can be compared", () => {
  assertGreater(recorded.length, DIGESTS.length * 0.75);
});
