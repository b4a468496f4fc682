/** What docs/errors.md says of each class, by a call that throws it. */
import * as library from "@asyncio/asyncio";
import { assertEquals } from "@std/assert";
import { THROWN } from "./_support/thrown_errors.ts";
import { collectReports } from "./_support/virtual.ts";

/** These end the run around them, or make one of their own: they want none around. */
const OF_RUN = ["SystemExit", "ScheduleError"];

for (const [name, calls] of Object.entries(THROWN)) {
  for (const [what, provoke] of Object.entries(calls)) {
    Deno.test(`${name} comes of: ${what}`, async () => {
      const outcome = async () => {
        try {
          return await provoke();
        } catch (error) {
          return error;
        }
      };
      const thrown =
        await (OF_RUN.includes(name) ? outcome() : library.run(() => {
          collectReports();
          return outcome();
        }));
      const { [name]: expected } = library as Record<string, unknown>;
      assertEquals(
        (thrown as { constructor?: unknown })?.constructor,
        expected,
        `${thrown}`,
      );
    });
  }
}
