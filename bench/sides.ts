/**
 * How each peer runs a round of a timed row: what the implementations of nearly all rows would repeat. A row gives the
 * body of one round, in the peer's own idiom; this goes round with it, inside the peer's own `run()`.
 */

import type { Operation } from "effection";
import type { Effect } from "effect";
import type { Load, Row, Work } from "./types.ts";

type Asyncio = typeof import("@asyncio/asyncio");
type Effection = typeof import("effection");
type EffectModule = typeof import("effect");
type PQueue = typeof import("p-queue").default;
type PMap = typeof import("p-map");
type PLimit = typeof import("p-limit").default;
type PRetry = typeof import("p-retry").default;
type AsyncMutex = typeof import("async-mutex");

/** One round, `size` operations, of a peer that awaits. */
type Round = (size: number) => PromiseLike<unknown>;

/** A round of ours, in a task. */
export function ours(make: (asyncio: Asyncio) => Round): Load<Work> {
  return async () => {
    const asyncio = await import("@asyncio/asyncio");
    const work = repeat(make(asyncio));
    return (rounds, size) => asyncio.run(() => work(rounds, size));
  };
}

/** A round of promises and host functions. */
export function bare(round: Round): Load<Work> {
  return () => Promise.resolve(repeat(round));
}

/** A round that is an operation of Effection. */
export function effection(
  make: (effection: Effection) => (size: number) => Operation<unknown>,
): Load<Work> {
  return async () => {
    const effection = await import("effection");
    const round = make(effection);
    return (rounds, size) =>
      effection.run(function* () {
        for (let left = rounds; left > 0; left--) yield* round(size);
      });
  };
}

/** A round that is an effect. */
export function effect(
  make: (
    effect: EffectModule,
  ) => (size: number) => Effect.Effect<unknown, unknown>,
): Load<Work> {
  return async () => {
    const effect = await import("effect");
    const { Effect } = effect;
    const round = make(effect);
    return (rounds, size) =>
      Effect.runPromise(Effect.gen(function* () {
        for (let left = rounds; left > 0; left--) yield* round(size);
      }));
  };
}

/** A round of p-queue. */
export function pQueue(make: (PQueue: PQueue) => Round): Load<Work> {
  return async () => repeat(make((await import("p-queue")).default));
}

/** A round of p-map. */
export function pMap(make: (module: PMap) => Round): Load<Work> {
  return async () => repeat(make(await import("p-map")));
}

/** A round of p-limit. */
export function pLimit(make: (pLimit: PLimit) => Round): Load<Work> {
  return async () => repeat(make((await import("p-limit")).default));
}

/** A round of p-retry. */
export function pRetry(make: (pRetry: PRetry) => Round): Load<Work> {
  return async () => repeat(make((await import("p-retry")).default));
}

/** A round of async-mutex. */
export function asyncMutex(make: (module: AsyncMutex) => Round): Load<Work> {
  return async () => repeat(make(await import("async-mutex")));
}

function repeat(round: Round): Work {
  return async (rounds, size) => {
    for (let left = rounds; left > 0; left--) await round(size);
  };
}

/** Bounds a row's time: the items that some peers do at most, and the rounds where there are a million items. */
export function limits(
  size: number,
  atMost: Readonly<Record<string, number>> = {},
): Pick<Row, "sizes" | "maxRounds"> {
  return {
    sizes: Object.fromEntries(
      Object.entries(atMost).map((
        [peer, most],
      ) => [peer, Math.min(size, most)]),
    ),
    ...(size >= 1_000_000 && { maxRounds: 3 }),
  };
}

/** Fails a row whose work was not done. */
export function check(found: number, expected: number): void {
  if (found !== expected) {
    throw new Error(`The work came to ${found} instead of ${expected}`);
  }
}
