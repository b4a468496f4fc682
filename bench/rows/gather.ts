// A child that only returns a value is the point here.
// deno-lint-ignore-file require-yield

import { bare, check, effect, effection, limits, ours } from "../sides.ts";
import { atLeast } from "../targets.ts";
import type { TimedRow } from "../types.ts";

/** Start `size` tasks at once and collect what they return. */
export function gather(size: number): TimedRow {
  return {
    kind: "timed",
    id: `gather_${size}`,
    title: `gather ${size.toLocaleString("en")} tasks, each`,
    size,
    ...limits(size, { effection: 10_000, effect: 100_000 }),
    python: true,
    targets: atLeast({ uvloop: 2.5, effection: 1, effect: 1 }),
    notes: {
      bare: "Promise.all of async functions: no tasks, no cancellation",
      effection: "all(); 10,000 tasks at most",
      effect: "Effect.all with unbounded concurrency",
    },
    peers: {
      ours: ours(({ gather }) => async (size) => {
        const children = Array.from({ length: size }, (_, i) => async () => i);
        check((await gather(children)).length, size);
      }),
      bare: bare(async (size) => {
        const children = Array.from({ length: size }, (_, i) => async () => i);
        const all = await Promise.all(children.map((child) => child()));
        check(all.length, size);
      }),
      effection: effection(({ all }) => {
        function* child(i: number) {
          return i;
        }
        return function* (size) {
          const children = Array.from({ length: size }, (_, i) => child(i));
          check((yield* all(children)).length, size);
        };
      }),
      effect: effect(({ Effect }) => {
        // Not Effect.succeed(i): that is a value already, and would start no fiber.
        const child = (i: number) =>
          Effect.gen(function* () {
            return i;
          });
        return (size) =>
          Effect.gen(function* () {
            const children = Array.from({ length: size }, (_, i) => child(i));
            const results = yield* Effect.all(children, {
              concurrency: "unbounded",
            });
            check(results.length, size);
          });
      }),
    },
  };
}
