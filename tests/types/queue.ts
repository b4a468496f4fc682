/** What a priority queue may hold. */
import { type Comparable, PriorityQueue } from "@asyncio/asyncio";
import { type Equal, expectType } from "./_expect.ts";

interface Job {
  readonly priority: number;
}

// ── What has an order of its own needs no compare ─────────────────────────────
new PriorityQueue<number>();
new PriorityQueue<bigint>({});
new PriorityQueue<string>({ maxSize: 5 });
new PriorityQueue<Date>({ maxSize: undefined, compare: undefined });
new PriorityQueue<[priority: number, job: Job]>();
new PriorityQueue<readonly [Date, number, Job]>();
new PriorityQueue<[[number, string], Job]>({ maxSize: 1 });
new PriorityQueue<readonly number[]>();
new PriorityQueue<1 | 2 | 3>();

const any = new PriorityQueue();
expectType<Equal<typeof any, PriorityQueue<Comparable>>>();
any.putNowait([1, "eat"]);
// @ts-expect-error -- it has no order
any.putNowait({ priority: 1 });

export class Scheduler<T> {
  readonly queue: PriorityQueue<[when: number, what: T]> = new PriorityQueue<
    [when: number, what: T]
  >();
}
expectType<
  Equal<Scheduler<Job>["queue"], PriorityQueue<[when: number, what: Job]>>
>();

// ── The rest does ─────────────────────────────────────────────────────────────
new PriorityQueue<Job>({ compare: (a, b) => a.priority - b.priority });
const inferred = new PriorityQueue({
  maxSize: 5,
  compare: (a: Job, b: Job) => a.priority - b.priority,
});
expectType<Equal<typeof inferred, PriorityQueue<Job>>>();
new PriorityQueue<number>({ compare: (a, b) => b - a });

// @ts-expect-error -- no order
new PriorityQueue<Job>();
// @ts-expect-error -- no order
new PriorityQueue<Job>({ maxSize: 5 });
// @ts-expect-error -- no order
new PriorityQueue<boolean>();
// @ts-expect-error -- no order in the first place of the tuple
new PriorityQueue<[Job, number]>();
// @ts-expect-error -- only some of them
new PriorityQueue<number | Job>();
// @ts-expect-error -- who knows
new PriorityQueue<unknown>();
