/** What race and select are said to give. */
import {
  Event,
  Queue,
  race,
  select,
  type Selected,
  sleep,
} from "@asyncio/asyncio";
import { type Equal, expectType } from "./_expect.ts";

const queue = new Queue<string>();
const stop = new Event();

// ── race ──────────────────────────────────────────────────────────────────────
const mixed = await race([() => queue.get(), () => sleep(1, 5), () => true]);
expectType<Equal<typeof mixed, string | number | boolean>>();

const alike = await race([() => sleep(1, 1), () => sleep(2, 2)]);
expectType<Equal<typeof alike, number>>();

const list: (() => Promise<number>)[] = [() => sleep(1, 1)];
const any = await race(list, { until: "success" });
expectType<Equal<typeof any, number>>();

const said = await race<string>([() => queue.get(), () => "plain"]);
expectType<Equal<typeof said, string>>();

// @ts-expect-error -- a promise has started already
race([queue.get()]);
// @ts-expect-error -- there is no such end
race([() => queue.get()], { until: "done" });

// ── select ────────────────────────────────────────────────────────────────────
const selected = await select({
  item: () => queue.get(),
  stop: () => stop.wait(),
  tick: () => sleep(1000),
  plain: () => 5,
});
expectType<
  Equal<
    typeof selected,
    Selected<{ item: string; stop: true; tick: void; plain: number }>
  >
>();
switch (selected.key) {
  case "item":
    expectType<Equal<typeof selected.value, string>>();
    break;
  case "stop":
    expectType<Equal<typeof selected.value, true>>();
    break;
  case "plain":
    expectType<Equal<typeof selected.value, number>>();
    break;
  default:
    expectType<Equal<typeof selected.key, "tick">>();
    expectType<Equal<typeof selected.value, void>>();
}
// @ts-expect-error -- there is no such case
if (selected.key === "other") stop.set();

const cases: Record<string, () => Promise<number>> = { a: () => sleep(1, 1) };
const anyOf = await select(cases, { biased: true });
expectType<Equal<typeof anyOf.value, number>>();

// @ts-expect-error -- a promise has started already
select({ item: queue.get() });
