import {
  Broadcast,
  CancelledError,
  ClosedResourceError,
  createTask,
  EndOfChannel,
  InvalidStateError,
  QueueFull,
  run,
  sleep,
  Subscription,
  type Task,
  taskGroup,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { collected, outcome, outcomes, shown } from "../_support/outcome.ts";
import { turns, virtual } from "../_support/virtual.ts";

/** What is held for a subscriber. */
function drained<T>(inbox: Subscription<T>): T[] {
  const items: T[] = [];
  while (inbox.size > 0) items.push(inbox.tryReceive() as T);
  return items;
}

/** Publishes each item in a task of its own. */
function publishers<T>(hub: Broadcast<T>, items: Iterable<T>): Task<void>[] {
  return Array.from(items, (item) => createTask(() => hub.publish(item)));
}

Deno.test(
  "every subscriber gets every item that is published from when it subscribed",
  virtual(async () => {
    const hub = new Broadcast<string>();
    await hub.publish("nobody");
    const first = hub.subscribe();
    await hub.publish("a");
    const second = hub.subscribe();
    await hub.publish("b");
    first.close();
    await hub.publish("c");
    assertThrows(() => first.tryReceive(), ClosedResourceError);
    assertEquals(drained(second), ["b", "c"]);
    assertEquals(second.tryReceive(), null);
  }),
);

Deno.test(
  "subscribers that wait get the item in the order in which they subscribed",
  virtual(async () => {
    const hub = new Broadcast<string>();
    const log: string[] = [];
    for (const name of ["one", "two", "three"]) {
      const inbox = hub.subscribe();
      createTask(async () => {
        for await (const item of inbox) log.push(`${name} ${item}`);
        log.push(`${name} ends`);
      });
    }
    await turns(1);
    await hub.publish("a");
    await turns(2);
    hub.close();
    await turns(2);
    assertEquals(log, [
      "one a",
      "two a",
      "three a",
      "one ends",
      "two ends",
      "three ends",
    ]);
  }),
);

Deno.test(
  "tasks that share a subscription get an item each",
  virtual(async () => {
    const hub = new Broadcast<string>();
    using inbox = hub.subscribe();
    const tasks = [1, 2, 3].map(() => createTask(() => inbox.receive()));
    await turns(1);
    for (const item of "ab") await hub.publish(item);
    tasks[0]!.cancel();
    hub.close();
    assertEquals(await outcomes(tasks), ["CancelledError", "a", "b"]);
    await assertRejects(() => inbox.receive(), EndOfChannel);
  }),
);

// ── overflow ───────────────────────────────────────────────────────────────

Deno.test(
  'with "wait", publish() waits for the slowest, in turn',
  virtual(async () => {
    const hub = new Broadcast<string>({ capacity: 1 });
    using quick = hub.subscribe();
    using slow = hub.subscribe();
    await hub.publish("a");
    const tasks = publishers(hub, "bc");
    await turns(2);
    assertEquals(drained(quick), ["a"]);
    await turns(2);
    assertEquals(tasks.map((task) => task.done()), [false, false]);
    assertEquals(hub.statistics(), { subscribers: 2, full: 1, publishers: 2 });
    assertEquals(slow.tryReceive(), "a");
    // A newcomer is behind those that wait.
    const late = hub.publish("d");
    await tasks[0];
    assertEquals([drained(quick), drained(slow)], [["b"], ["b"]]);
    await tasks[1];
    assertEquals([drained(quick), drained(slow)], [["c"], ["c"]]);
    await late;
    assertEquals([drained(quick), drained(slow)], [["d"], ["d"]]);
  }),
);

Deno.test(
  "a cancelled publish() has published to no one, and the next may",
  virtual(async () => {
    for (const letIn of [false, true]) {
      const hub = new Broadcast<string>({ capacity: 1 });
      using one = hub.subscribe();
      using two = hub.subscribe();
      await hub.publish("a");
      const tasks = publishers(hub, "bc");
      await turns(1);
      if (letIn) drained(one), drained(two);
      tasks[0]!.cancel();
      if (!letIn) drained(one), drained(two);
      assertEquals(await outcomes(tasks), ["CancelledError", undefined]);
      assertEquals([drained(one), drained(two)], [["c"], ["c"]]);
    }
  }),
);

Deno.test(
  "a subscriber that leaves while a publisher waits for it lets it go on",
  virtual(async () => {
    const hub = new Broadcast<string>({ capacity: 1 });
    using inbox = hub.subscribe();
    const sleepy = hub.subscribe();
    await hub.publish("a");
    const tasks = publishers(hub, "bc");
    await turns(1);
    assertEquals(drained(inbox), ["a"]);
    sleepy.close();
    sleepy.close();
    await tasks[0];
    assertEquals(drained(inbox), ["b"]);
    await tasks[1];
    inbox.close();
    for (const item of "de") await hub.publish(item);
    assertEquals(hub.statistics(), { subscribers: 0, full: 0, publishers: 0 });
  }),
);

Deno.test(
  "who subscribes while a publisher waits gets its item",
  virtual(async () => {
    const hub = new Broadcast<string>({ capacity: 1 });
    const first = hub.subscribe();
    await hub.publish("a");
    const [task] = publishers(hub, "b");
    await turns(1);
    using second = hub.subscribe();
    first.close();
    await task;
    assertEquals(drained(second), ["b"]);
  }),
);

Deno.test(
  'with "dropOldest", a subscriber loses its oldest items and counts them',
  virtual(async () => {
    const hub = new Broadcast<number>({ capacity: 2, overflow: "dropOldest" });
    using slow = hub.subscribe();
    using quick = hub.subscribe();
    const seen: number[] = [];
    for (let n = 0; n < 5; n++) {
      await hub.publish(n);
      seen.push(quick.tryReceive()!);
    }
    assertEquals(drained(slow), [3, 4]);
    assertEquals([slow.dropped, quick.dropped], [3, 0]);
    assertEquals(seen, [0, 1, 2, 3, 4]);
    await hub.publish(5);
    assertEquals([drained(slow), slow.dropped], [[5], 3]);
  }),
);

Deno.test(
  'with "dropOldest", one that waits gets an item, also where it was replaced',
  virtual(async () => {
    const hub = new Broadcast<number>({ capacity: 1, overflow: "dropOldest" });
    using inbox = hub.subscribe();
    const task = createTask(() => inbox.receive());
    await turns(1);
    for (const n of [1, 2, 3]) await hub.publish(n);
    assertEquals(await task, 3);
    assertEquals([inbox.dropped, inbox.size], [2, 0]);
  }),
);

Deno.test(
  'with "error", publish() throws where a subscriber has no room, and no one gets it',
  virtual(async () => {
    const hub = new Broadcast<string>({ capacity: 1, overflow: "error" });
    using slow = hub.subscribe();
    using quick = hub.subscribe();
    await hub.publish("a");
    assertEquals(drained(quick), ["a"]);
    await assertRejects(
      () => hub.publish("b"),
      QueueFull,
      "Cannot publish an item as a subscriber has no room for it: received a call on <Broadcast subscribers=2 full=1>",
    );
    assertEquals([drained(quick), drained(slow)], [[], ["a"]]);
    await hub.publish("c");
    assertEquals([drained(quick), drained(slow)], [["c"], ["c"]]);
  }),
);

Deno.test(
  "without a capacity nothing is dropped, and no one waits",
  virtual(async () => {
    for (const overflow of ["wait", "dropOldest", "error"] as const) {
      const hub = new Broadcast<number>({ overflow });
      assertEquals(hub.capacity, Infinity);
      using inbox = hub.subscribe();
      for (let n = 0; n < 100; n++) await hub.publish(n);
      assertEquals(inbox.size, 100);
    }
  }),
);

// ── closing ────────────────────────────────────────────────────────────────

Deno.test(
  "close() ends the subscribers after what they hold",
  virtual(async () => {
    const hub = new Broadcast<string>();
    using holds = hub.subscribe();
    await hub.publish("a");
    using waits = hub.subscribe();
    const task = createTask(() => waits.receive());
    await turns(1);
    hub.close();
    hub.close();
    assertEquals(await outcome(task), "EndOfChannel");
    assertEquals(await collected(holds), ["a"]);
    await assertRejects(() => holds.receive(), EndOfChannel, "has ended");
    assertThrows(() => holds.tryReceive(), EndOfChannel);
    await assertRejects(() => hub.publish("b"), ClosedResourceError, "publish");
    assertThrows(() => hub.subscribe(), ClosedResourceError, "subscribe");
    assert(hub.isClosed);
  }),
);

Deno.test(
  "close() fails those that wait to publish, also one that was let in",
  virtual(async () => {
    for (const letIn of [false, true]) {
      const hub = new Broadcast<string>({ capacity: 1 });
      using inbox = hub.subscribe();
      await hub.publish("a");
      const tasks = publishers(hub, "bc");
      await turns(1);
      const held = letIn ? [] : ["a"];
      if (letIn) drained(inbox);
      hub.close();
      assertEquals(
        await outcomes(tasks),
        new Array(2).fill("ClosedResourceError"),
      );
      assertEquals(drained(inbox), held);
    }
  }),
);

Deno.test(
  "closing a subscription fails those that wait in it",
  virtual(async () => {
    const hub = new Broadcast<string>();
    const inbox = hub.subscribe();
    const tasks = [1, 2].map(() => createTask(() => inbox.receive()));
    await turns(1);
    await hub.publish("a");
    inbox.close();
    assert(inbox.isClosed);
    assertEquals(
      await outcomes(tasks),
      new Array(2).fill("ClosedResourceError"),
    );
    await assertRejects(() => inbox.receive(), ClosedResourceError, "Cannot");
    await assertRejects(() => collected(inbox), ClosedResourceError);
  }),
);

Deno.test(
  "subscriptions and broadcasts close with their block",
  virtual(async () => {
    const log: string[] = [];
    await taskGroup(async (group) => {
      using hub = new Broadcast<number>({ capacity: 1 });
      for (const last of [1, 3]) {
        group.createTask(async () => {
          using inbox = hub.subscribe();
          for await (const item of inbox) {
            log.push(`${last} got ${item}`);
            if (item === last) break;
          }
        });
      }
      await sleep(1);
      for (let n = 0; n < 3; n++) await hub.publish(n);
    });
    assertEquals(log, [
      "1 got 0",
      "3 got 0",
      "1 got 1",
      "3 got 1",
      "3 got 2",
    ]);
  }),
);

// ── cancellation, loops, words ─────────────────────────────────────────────

Deno.test(
  "a receive() that is woken and then cancelled leaves the item",
  virtual(async () => {
    const hub = new Broadcast<string>({ capacity: 1 });
    using inbox = hub.subscribe();
    const task = createTask(() => inbox.receive());
    await turns(1);
    await hub.publish("a");
    const [next] = publishers(hub, "b");
    task.cancel();
    assertEquals(await outcome(task), "CancelledError");
    assertFalse(next!.done());
    assertEquals(await inbox.receive() + await inbox.receive(), "ab");
  }),
);

Deno.test(
  "C17 publish() and receive() reject a remembered cancellation at once",
  virtual(async () => {
    const hub = new Broadcast<string>();
    using inbox = hub.subscribe();
    await hub.publish("a");
    for (const wait of [() => hub.publish("b"), () => inbox.receive()]) {
      const task: Task<unknown> = createTask(async () => {
        task.cancel();
        await wait();
      });
      await assertRejects(() => task, CancelledError);
    }
    assertEquals(drained(inbox), ["a"]);
  }),
);

Deno.test(
  "a timeout around publish() and receive() leaves nothing behind",
  virtual(async () => {
    const hub = new Broadcast<string>({ capacity: 1 });
    using inbox = hub.subscribe();
    await assertRejects(() => timeout(5, () => inbox.receive()), TimeoutError);
    await hub.publish("a");
    await assertRejects(() => timeout(5, () => hub.publish("b")), TimeoutError);
    assertEquals(hub.statistics().publishers, 0);
    assertEquals(drained(inbox), ["a"]);
  }),
);

Deno.test("a subscription belongs to the loop in which it was waited for", async () => {
  const inbox = new Broadcast<string>().subscribe();
  await run(() => assertRejects(() => timeout(0, () => inbox.receive())));
  await run(async () => {
    await assertRejects(
      () => inbox.receive(),
      InvalidStateError,
      "Cannot wait in Subscription.receive as it is bound to another",
    );
  });
});

Deno.test("new Broadcast() refuses what makes no sense", () => {
  for (const capacity of [0, -1, 1.5, NaN]) {
    assertThrows(
      () => new Broadcast({ capacity }),
      RangeError,
      `Cannot create a broadcast as 'capacity' must be an integer of at least 1, or Infinity: received ${capacity}`,
    );
  }
  assertThrows(
    () => new Broadcast({ capacity: "1" as never }),
    TypeError,
    'must be a number: received "1"',
  );
  assertThrows(
    () => new Broadcast({ overflow: "dropNewest" as never }),
    RangeError,
    "'overflow' must be one of wait, dropOldest, error: received \"dropNewest\"",
  );
  assertThrows(
    () => new Subscription({} as never),
    TypeError,
    "call its subscribe()",
  );
});

Deno.test(
  "a broadcast and its subscriptions say what they are doing",
  virtual(async () => {
    const hub = new Broadcast<string>({ capacity: 1, overflow: "dropOldest" });
    const inbox = hub.subscribe();
    for (const item of "abc") await hub.publish(item);
    assertEquals(`${inbox}`, "<Subscription size=1 dropped=2>");
    assertEquals(shown(inbox), `${inbox}`);
    assertEquals(`${hub}`, "<Broadcast subscribers=1 full=1>");
    assertEquals(shown(hub), `${hub}`);
    assert(Object.isFrozen(hub.statistics()));
    assertEquals(drained(inbox), ["c"]);
    const task = createTask(() => inbox.receive());
    await turns(1);
    assertEquals(`${inbox}`, "<Subscription size=0 receivers=1 dropped=2>");
    assertStringIncludes(`${task}`, "waiting for Subscription.receive");
    hub.close();
    assertEquals(await outcome(task), "EndOfChannel");
    assertEquals(`${inbox}`, "<Subscription size=0 dropped=2 ended>");
    inbox.close();
    assertEquals(`${inbox}`, "<Subscription size=0 dropped=2 closed>");
    assertEquals(`${hub}`, "<Broadcast subscribers=0 closed>");
    const text = (value: unknown) => Object.prototype.toString.call(value);
    assertEquals([hub, inbox].map(text), [
      "[object Broadcast]",
      "[object Subscription]",
    ]);
  }),
);
