import { check, effect, ours, pLimit, pMap } from "../sides.ts";
import { atLeast } from "../targets.ts";
import type { TimedRow } from "../types.ts";

const LIMIT = 10;

const inOrder = ours(({ pooledMap }) => async (size) => {
  let sum = 0;
  const results = pooledMap(numbers(size), next, { limit: LIMIT });
  for await (const result of results) sum += result;
  check(sum, sumOf(size));
});

/** Numbers through an `async` function that has nothing to wait for, ten at a time: what is left is the pool. */
export const pooledMap: TimedRow = {
  kind: "timed",
  id: "pooled_map",
  title: "pooledMap item, 10 at a time",
  size: 10_000,
  python: false,
  guests: ["aiostream"],
  targets: atLeast({ aiostream: 1, "p-map": 1, "p-limit": 1, effect: 1 }),
  notes: {
    ours: "for await, results in order",
    aiostream: "stream.map with a task_limit",
    "p-map": "pMap: an array, at the end",
    "p-limit": "Promise.all of limit(…)",
    effect: "Effect.forEach with concurrency",
  },
  peers: {
    ours: inOrder,
    "p-map": pMap(({ default: pMap }) => async (size) => {
      let sum = 0;
      const results = await pMap(numbers(size), next, { concurrency: LIMIT });
      for (const result of results) sum += result;
      check(sum, sumOf(size));
    }),
    "p-limit": pLimit((pLimit) => async (size) => {
      let sum = 0;
      const limit = pLimit(LIMIT);
      const results = await Promise.all(
        numbers(size).map((number) => limit(next, number)),
      );
      for (const result of results) sum += result;
      check(sum, sumOf(size));
    }),
    effect: effect(({ Effect }) => (size) =>
      Effect.gen(function* () {
        let sum = 0;
        const results = yield* Effect.forEach(
          numbers(size),
          (number) => Effect.promise(() => next(number)),
          { concurrency: LIMIT },
        );
        for (const result of results) sum += result;
        check(sum, sumOf(size));
      })
    ),
  },
};

/** The same beside the other form of p-map, which gives the results as they are asked for, as ours does. */
export const pooledMapIterable: TimedRow = {
  kind: "timed",
  id: "pooled_map_iterable",
  title: "pooledMap item, for await",
  size: 10_000,
  python: false,
  guests: ["aiostream"],
  targets: atLeast({ aiostream: 1, "p-map": 1 }),
  notes: {
    aiostream: "stream.map with a task_limit",
    "p-map": "pMapIterable",
  },
  peers: {
    ours: inOrder,
    "p-map": pMap(({ pMapIterable }) => async (size) => {
      let sum = 0;
      const results = pMapIterable(numbers(size), next, {
        concurrency: LIMIT,
      });
      for await (const result of results) sum += result;
      check(sum, sumOf(size));
    }),
  },
};

function numbers(size: number): number[] {
  return Array.from({ length: size }, (_, index) => index);
}

const next = async (number: number) => number + 1;

function sumOf(size: number): number {
  return size * (size + 1) / 2;
}
