/** What gather, wait and asCompleted are said to give. */
import {
  asCompleted,
  createTask,
  type Future,
  gather,
  sleep,
  type Task,
  wait,
} from "@asyncio/asyncio";
import { type Equal, expectType } from "./_expect.ts";

const line: Task<string> = createTask(() => sleep(1, "a line"));
const tick: Task<number> = createTask(() => sleep(1, 1));
const list: Task<number>[] = [tick];

// ── gather ────────────────────────────────────────────────────────────────────
const both = await gather([line, () => 5, Promise.resolve(true)]);
expectType<Equal<typeof both, [string, number, boolean]>>();

const all = await gather(list);
expectType<Equal<typeof all, number[]>>();

const settled = await gather([line, () => sleep(1, 1)], {
  returnExceptions: true,
});
expectType<Equal<typeof settled, [string | Error, number | Error]>>();
// @ts-expect-error -- it may be an error
settled[0].toUpperCase();
if (!(settled[0] instanceof Error)) settled[0].toUpperCase();

const many = await gather(list, { returnExceptions: true });
expectType<Equal<typeof many, (number | Error)[]>>();

const thrown = await gather(list, { returnExceptions: false });
expectType<Equal<typeof thrown, number[]>>();

const either = await gather(list, { returnExceptions: Math.random() < 0.5 });
expectType<Equal<typeof either, (number | Error)[]>>();

// @ts-expect-error -- a value is nothing to wait for
gather([5]);

// ── wait ──────────────────────────────────────────────────────────────────────
const { done, pending } = await wait([line, tick], {
  returnWhen: "FIRST_COMPLETED",
});
expectType<Equal<typeof done, Set<Future<string | number>>>>();
expectType<Equal<typeof done, typeof pending>>();
done.has(line);
for (const each of done) {
  const result = each.result();
  expectType<Equal<typeof result, string | number>>();
}

const one = await wait(list);
expectType<Equal<typeof one.done, Set<Future<number>>>>();

const mixed = await wait([line, () => sleep(1, true), Promise.resolve(1n)]);
expectType<Equal<typeof mixed.done, Set<Future<string | boolean | bigint>>>>();

// @ts-expect-error -- a value is nothing to wait for
wait([line, 5]);

// ── asCompleted ───────────────────────────────────────────────────────────────
for await (const each of asCompleted([line, tick])) {
  const result = each.result();
  expectType<Equal<typeof result, string | number>>();
}
for (const each of asCompleted(new Set([line, tick]))) {
  const result = await each;
  expectType<Equal<typeof result, string | number>>();
}
for await (const each of asCompleted(list)) {
  const result = each.result();
  expectType<Equal<typeof result, number>>();
}
// @ts-expect-error -- a value is nothing to wait for
asCompleted([line, 5]);
