// A child that only returns a value is the point here.
// deno-lint-ignore-file require-yield

import type { TimedRow } from "../types.ts";

/** Start `size` tasks at once and collect what they return. */
export function gather(size: number): TimedRow {
  return {
    kind: "timed",
    id: `gather_${size}`,
    title: `gather ${size.toLocaleString("en")} tasks, each`,
    size,
    python: true,
    targets: [
      { peer: "uvloop", atLeast: 2.5 },
      { peer: "effection", atLeast: 1 },
      { peer: "effect", atLeast: 1 },
    ],
    notes: {
      bare: "Promise.all of async functions: no tasks, no cancellation",
      effection: "all()",
      effect: "Effect.all with unbounded concurrency",
    },
    peers: {
      async ours() {
        const { gather, run } = await import("@asyncio/asyncio");
        return (rounds, size) =>
          run(async () => {
            for (let round = rounds; round > 0; round--) {
              const children = Array.from(
                { length: size },
                (_, i) => async () => i,
              );
              check((await gather(children)).length, size);
            }
          });
      },
      bare() {
        return Promise.resolve(async (rounds, size) => {
          for (let round = rounds; round > 0; round--) {
            const children = Array.from(
              { length: size },
              (_, i) => async () => i,
            );
            const all = await Promise.all(children.map((child) => child()));
            check(all.length, size);
          }
        });
      },
      async effection() {
        const { all, run } = await import("effection");
        function* child(i: number) {
          return i;
        }
        return (rounds, size) =>
          run(function* () {
            for (let round = rounds; round > 0; round--) {
              const children = Array.from(
                { length: size },
                (_, i) => child(i),
              );
              check((yield* all(children)).length, size);
            }
          });
      },
      async effect() {
        const { Effect } = await import("effect");
        // Not Effect.succeed(i): that is a value already, and would start no fiber.
        const child = (i: number) =>
          Effect.gen(function* () {
            return i;
          });
        return (rounds, size) =>
          Effect.runPromise(Effect.gen(function* () {
            for (let round = rounds; round > 0; round--) {
              const children = Array.from(
                { length: size },
                (_, i) => child(i),
              );
              const results = yield* Effect.all(children, {
                concurrency: "unbounded",
              });
              check(results.length, size);
            }
          }));
      },
    },
  };
}

function check(count: number, size: number): void {
  if (count !== size) throw new Error(`${count} results of ${size} tasks`);
}
