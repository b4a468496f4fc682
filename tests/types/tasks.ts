/** What gather, wait, asCompleted and task groups are said to give. */
import {
  asCompleted,
  createTask,
  type DoneTask,
  type Future,
  gather,
  sleep,
  type Task,
  type TaskGroup,
  taskGroup,
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

// ── taskGroup ─────────────────────────────────────────────────────────────────
const [user, posts] = await taskGroup((group) => [
  group.createTask(() => sleep(1, { name: "ada" })),
  group.createTask(() => 7),
]);
expectType<Equal<typeof user, Task<{ name: string }>>>();
expectType<Equal<typeof posts, Task<number>>>();
user.result().name.toUpperCase();

const [first, second] = await taskGroup(async (group) => {
  const text = group.createTask(() => sleep(1, "a text"));
  const size = group.createTask(async () => (await text).length);
  await sleep(1);
  return [text, size];
}, { limit: 1, onError: "collect" });
expectType<Equal<typeof first, Task<string>>>();
expectType<Equal<typeof second, Task<number>>>();

const named = await taskGroup((group) => ({
  text: group.createTask(() => sleep(1, "a text")),
}));
expectType<Equal<typeof named, { text: Task<string> }>>();

const mapped = await taskGroup((group) =>
  [1, 2, 3].map((n) => group.createTask(() => sleep(n, n)))
);
expectType<Equal<typeof mapped, Task<number>[]>>();

const awaited = await taskGroup((group) => group.createTask(() => 7));
expectType<Equal<typeof awaited, number>>();
const plain = await taskGroup(() => "text");
expectType<Equal<typeof plain, string>>();
const nothing = await taskGroup(async (group) => {
  await group.createTask(() => {});
});
expectType<Equal<typeof nothing, void>>();
const declared: string[] = await taskGroup(() => []);
declared.push("text");

await taskGroup(async (group: TaskGroup) => {
  const serve = async (started: (port: number) => void) => {
    started(await sleep(1, 8080));
    // @ts-expect-error -- it starts with a number
    started("8080");
  };
  const port = await group.start(serve);
  expectType<Equal<typeof port, number>>();
  const told = await group.start<string>((started) => started("up"));
  expectType<Equal<typeof told, string>>();
  for await (const task of group) {
    expectType<Equal<typeof task, DoneTask>>();
    const result = task.result();
    expectType<Equal<typeof result, unknown>>();
  }
}, {
  onError: (error, task) => {
    expectType<Equal<typeof error, unknown>>();
    task.name.toUpperCase();
  },
});

// @ts-expect-error -- there is no such way
taskGroup(() => {}, { onError: "ignore" });
