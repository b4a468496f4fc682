/** What pooledMap, retry, shared and their kin are said to give. */
import {
  cancelOn,
  currentDeadline,
  type Hold,
  interval,
  Lock,
  pooledMap,
  RateLimiter,
  retry,
  Semaphore,
  shared,
  sleep,
} from "@asyncio/asyncio";
import { type Equal, expectType } from "./_expect.ts";

// ── pooledMap ─────────────────────────────────────────────────────────────────
const names = pooledMap([1, 2], (n) => sleep(1, `${n}`), { limit: 2 });
for await (const name of names) expectType<Equal<typeof name, string>>();

const lengths = pooledMap(names, (name, index) => name.length + index, {
  limit: 2,
  ordered: false,
});
for await (const each of lengths) expectType<Equal<typeof each, number>>();

// @ts-expect-error -- there is no default limit
pooledMap([1], (n) => n);

// @ts-expect-error -- a number is not iterable
pooledMap(1, (n) => n, { limit: 1 });

// ── retry, cancelOn, currentDeadline, interval ────────────────────────────────
const once = await retry((attempt) => sleep(1, attempt), {
  attempts: 2,
  when: (error, attempt) => error instanceof Error && attempt < 2,
});
expectType<Equal<typeof once, number>>();

const stopped = await cancelOn(new AbortController().signal, () => "text");
expectType<Equal<typeof stopped, string>>();
const deadline = currentDeadline();
expectType<Equal<typeof deadline, number | null>>();

for await (const tick of interval(1, { missed: "burst" })) {
  expectType<Equal<typeof tick, number>>();
  break;
}

// @ts-expect-error -- there are three ways
interval(1, { missed: "drop" });

// ── shared ────────────────────────────────────────────────────────────────────
const load = shared((id: number) => sleep(1, `${id}`));
expectType<Equal<typeof load, (key: number) => Promise<string>>>();

const token = shared(() => sleep(1, "token"));
expectType<Equal<Awaited<ReturnType<typeof token>>, string>>();
await token();

// @ts-expect-error -- the key is a number
await load("1");

// ── tryAcquire ────────────────────────────────────────────────────────────────
const hold = new Semaphore(1).tryAcquire(1) ?? new Lock().tryAcquire();
expectType<Equal<typeof hold, Hold | null>>();
const mayBegin = new RateLimiter(1, 1).tryAcquire();
expectType<Equal<typeof mayBegin, boolean>>();
