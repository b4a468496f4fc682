import { createTask, Queue, sleep } from "@asyncio/asyncio";
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { untilAborted } from "../../tasks/until_aborted.ts";
import { countingSignal, virtual } from "../_support/virtual.ts";

Deno.test(
  "untilAborted() ends a wait with the signal's reason, and leaves no listener",
  virtual(async () => {
    const { signal, abort, listeners } = countingSignal();
    const reason = new Error("gone");
    const queue = new Queue<number>();
    const waiting = createTask(() => untilAborted(signal, () => queue.get()));
    await sleep(1);
    abort(reason);
    assertStrictEquals(await assertRejects(() => waiting), reason);
    assertEquals(listeners(), 0);
    queue.putNowait(1);
    assertEquals(queue.getNowait(), 1);
  }),
);

Deno.test(
  "untilAborted() gives what has come when the signal is aborted",
  virtual(async () => {
    const controller = new AbortController();
    const queue = new Queue<number>();
    queue.putNowait(7);
    const waiting = untilAborted(controller.signal, async () => {
      const item = await queue.get();
      controller.abort();
      return item;
    });
    assertEquals(await waiting, 7);
  }),
);

Deno.test(
  "untilAborted() does not begin to wait for a signal that is aborted",
  virtual(async () => {
    let began = 0;
    const reason = new Error("gone");
    const error = await assertRejects(() =>
      untilAborted(AbortSignal.abort(reason), () => {
        began++;
        return Promise.resolve();
      })
    );
    assertStrictEquals(error, reason);
    assertEquals(began, 0);
  }),
);
