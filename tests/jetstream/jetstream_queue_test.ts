import {
  ConnectionError,
  createTask,
  InvalidStateError,
  OSError,
  QueueShutDown,
  run,
  sleep,
  taskGroup,
} from "@asyncio/asyncio";
import type { DurableQueue } from "@asyncio/asyncio/durable";
import {
  type JetStreamQueueOptions,
  openJetStreamQueue,
} from "@asyncio/asyncio/jetstream";
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  connect,
  NATS,
  type QueueAndServer,
  withJetStream,
  withServer,
} from "../_support/nats.ts";
import { countingSignal } from "../_support/virtual.ts";

function test<T = unknown>(
  name: string,
  fn: (given: QueueAndServer<T>) => Promise<void>,
  options: JetStreamQueueOptions<T> = {},
): void {
  Deno.test({
    name,
    ...NATS,
    fn: () => run(() => withJetStream<T>(fn, options)),
  });
}

const LIMITS = { leaseMs: 200, maxDeliveries: 2 };

async function counts(queue: DurableQueue<unknown>): Promise<string> {
  const { ready, leased, delayed, dead } = await queue.statistics();
  return `${ready} ready, ${leased} leased, ${delayed} delayed, ${dead} dead`;
}

/** Looks until there is nothing else to see: others may be about to tell. */
async function untilCounts(
  queue: DurableQueue<unknown>,
  expected: string,
): Promise<void> {
  while (await counts(queue) !== expected) await sleep(1);
}

test("an item outlives its queue", async ({ queue, connection }) => {
  await queue.put({ job: "resize" });
  await queue.close();
  const again = await openJetStreamQueue(connection, "jobs");
  assertEquals(await again.get(), { job: "resize" });
  await again.close();
});

Deno.test({
  name: "a queue on a server is used by one loop after another",
  ...NATS,
  fn: () =>
    withJetStream<number>(async ({ queue }) => {
      await queue.put(1);
      await run(async () => {
        await queue.put(2);
        assertEquals(await queue.get(), 1);
        await queue.taskDone();
      });
      // The loop ends while its item is on the way.
      const getting = run(async () => {
        createTask(() => queue.get());
        await sleep(0);
      });
      await getting;
      await run(async () => assertEquals(await queue.get(), 2));
      assertEquals(await queue.get(), 2);
      await queue.taskDone();
      await queue.join();
    }, { maxSize: 5 }),
});

test(
  "a dead letter counts the deliveries that somebody got",
  async ({ queue, server }) => {
    await queue.put("doomed");
    for (let delivery = 1; delivery <= 2; delivery++) {
      const connection = await connect(server.port);
      const other = await openJetStreamQueue<unknown>(
        connection,
        "jobs",
        LIMITS,
      );
      assertEquals(await other.get(), "doomed");
      await connection.close(); // as when a process dies
    }
    const getting = createTask(() => queue.get());
    await untilCounts(queue, "0 ready, 0 leased, 0 delayed, 1 dead");
    getting.cancel();
    const [letter] = await queue.deadLetters.list();
    assertEquals([letter!.item, letter!.deliveries], ["doomed", 2]);
  },
  LIMITS,
);

test("queues of one name share the items", async ({ queue, server }) => {
  const connection = await connect(server.port);
  const other = await openJetStreamQueue<number>(connection, "jobs");
  const getter = createTask(async () => {
    assertEquals(await other.get(), 1);
    assertEquals(await counts(queue), "0 ready, 1 leased, 0 delayed, 0 dead");
    await other.close();
  });
  await sleep(0);
  await queue.put(1);
  await getter;
  assertEquals(await queue.get(), 1);
  await connection.close();
});

test("an item of a task that fails, or is cancelled, is given back at once", async ({ queue }) => {
  await queue.put(1);
  const failing = createTask(async () => {
    await queue.get();
    throw new RangeError("not today");
  });
  await assertRejects(() => Promise.resolve(failing), RangeError);
  const cancelled = createTask(async () => {
    assertEquals(await queue.get(), 1);
    cancelled.cancel();
    await sleep(0);
  });
  await assertRejects(() => Promise.resolve(cancelled));
  assertEquals(await queue.get(), 1);
  await queue.taskDone();
  await queue.join();
});

test("for await gives an item back that its body throws at", async ({ queue }) => {
  await queue.put(1);
  await assertRejects(async () => {
    for await (const item of queue) throw new RangeError(`not ${item}`);
  }, RangeError);
  for await (const item of queue) {
    assertEquals(item, 1);
    await queue.taskDone();
    break;
  }
  await queue.join();
});

test("giveBack() keeps an item back for its delay", async ({ queue }) => {
  await queue.put(1);
  await queue.get();
  const start = performance.now();
  await queue.giveBack({ delay: 50 });
  assertEquals(await queue.get(), 1);
  assert(performance.now() - start >= 45);
});

test("put() keeps an item back for its delay", async ({ queue }) => {
  const start = performance.now();
  await queue.put("late", { delay: 60 });
  await queue.put("soon");
  assertEquals(await counts(queue), "1 ready, 0 leased, 1 delayed, 0 dead");
  assertEquals([await queue.get(), await queue.get()], ["soon", "late"]);
  assert(performance.now() - start >= 55);
});

test("an id is in the queue once, until its job is done", async ({ queue }) => {
  await queue.put("first", { id: "a.b *" });
  await queue.put("second", { id: "a.b *" });
  await queue.put("later", { id: "a.b *", delay: 1 });
  await queue.put("other", { id: "b" });
  assertEquals(await counts(queue), "2 ready, 0 leased, 0 delayed, 0 dead");
  assertEquals(await queue.get(), "first");
  await queue.put("third", { id: "a.b *" });
  await queue.taskDone();
  await queue.put("fourth", { id: "a.b *" });
  assertEquals([await queue.get(), await queue.get()], ["other", "fourth"]);
});

test("an id of an item that is kept back is taken", async ({ queue }) => {
  await queue.put("late", { id: "a", delay: 20 });
  await queue.put("second", { id: "a" });
  await queue.put("third", { id: "a", delay: 30 });
  assertEquals(await queue.get(), "late");
  await queue.put("fourth", { id: "a" });
  await untilCounts(queue, "0 ready, 1 leased, 0 delayed, 0 dead");
});

test("an id has 512 bytes at most", async ({ queue }) => {
  await queue.put(1, { id: "x".repeat(512) });
  assertEquals(await queue.get(), 1);
  await assertRejects(
    () => queue.put(1, { id: "x".repeat(513) }),
    RangeError,
    "Cannot put an item into the queue as 'id' must have at most 512 bytes: received 513",
  );
});

test("what is delivered too often is a dead letter", async ({ queue }) => {
  await queue.put("bad", { id: "b" });
  for (let i = 0; i < 2; i++) {
    await queue.get();
    await queue.giveBack();
  }
  assertEquals(await counts(queue), "0 ready, 0 leased, 0 delayed, 1 dead");
  await queue.join();
  const [letter] = await queue.deadLetters.list();
  assertEquals(
    [letter!.item, letter!.id, letter!.deliveries],
    ["bad", "b", 2],
  );
  assertEquals(await queue.deadLetters.requeue(), 1);
  assertEquals(await queue.deadLetters.list(), []);
  assertEquals(await queue.get(), "bad");
  await queue.giveBack();
  await queue.get();
  await queue.giveBack();
  assertEquals(await queue.deadLetters.empty(), 1);
  assertEquals(await counts(queue), "0 ready, 0 leased, 0 delayed, 0 dead");
}, { maxDeliveries: 2 });

test(
  "an item of tasks that fail too often is a dead letter",
  async ({ queue }) => {
    await queue.put("bad");
    const failing = createTask(async () => {
      await queue.get();
      throw new RangeError("not today");
    });
    await assertRejects(() => Promise.resolve(failing), RangeError);
    await untilCounts(queue, "0 ready, 0 leased, 0 delayed, 1 dead");
  },
  { maxDeliveries: 1 },
);

test(
  "an item that cannot be read fails get() and is a dead letter",
  async ({ queue }) => {
    await queue.put("bad");
    await queue.put("good");
    await assertRejects(() => queue.get(), SyntaxError);
    assertEquals(await queue.get(), "good");
    await untilCounts(queue, "0 ready, 1 leased, 0 delayed, 1 dead");
    const [letter] = await queue.deadLetters.list();
    assertEquals(letter!.item, undefined);
  },
  {
    codec: {
      encode: (item) => new TextEncoder().encode(item as string),
      decode(bytes) {
        const text = new TextDecoder().decode(bytes);
        if (text === "bad") throw new SyntaxError("Cannot read it");
        return text;
      },
    },
  },
);

const GARBAGE = [
  "",
  "no frame",
  "1\nbody",
  "null\nbody",
  '{"due":"soon","deliveries":1}\nbody',
  '{"due":1,"id":5,"deliveries":1}\nbody',
  new Uint8Array([255, 0, 10, 1]),
];

test("a message that is no delayed item becomes a dead letter", async ({ queue, connection }) => {
  for (const each of GARBAGE.filter((each) => !`${each}`.includes('"due":1'))) {
    connection.publish("jobs.later.x", each);
  }
  await queue.put("a job");
  assertEquals(await queue.get(), "a job");
  await untilCounts(queue, "0 ready, 1 leased, 0 delayed, 6 dead");
  const [letter] = await queue.deadLetters.list();
  const { item, id, deliveries } = letter!;
  assertEquals([item, id, deliveries], [undefined, null, 0]);
});

test(
  "dead letters are told, and put back, beside messages that are none",
  async ({ queue, connection }) => {
    for (const each of GARBAGE) connection.publish("jobs.dead", each);
    await queue.put("bad");
    await queue.get();
    await queue.giveBack();
    const letters = await queue.deadLetters.list();
    assertEquals(
      letters.map(({ item }) => item),
      [...GARBAGE.map(() => undefined), "bad"],
    );
    assertEquals(await queue.deadLetters.requeue(), GARBAGE.length + 1);
    for (const _ of GARBAGE) {
      await assertRejects(() => queue.get(), SyntaxError);
    }
    assertEquals(await queue.get(), "bad");
  },
  { maxDeliveries: 1 },
);

test("statistics() tells the age of the oldest item", async ({ queue }) => {
  assertEquals((await queue.statistics()).oldestAge, 0);
  await queue.put(1);
  while ((await queue.statistics()).oldestAge < 5) await sleep(1);
  await queue.get();
  assert((await queue.statistics()).oldestAge >= 5);
  await queue.taskDone();
  assertEquals((await queue.statistics()).oldestAge, 0);
});

test(
  "put() hears from another process that there is room",
  async ({ queue, server }) => {
    const connection = await connect(server.port);
    const other = await openJetStreamQueue<unknown>(connection, "jobs");
    await queue.put(1);
    const putting = createTask(() => queue.put(2));
    while (
      !putting.done() &&
      await counts(other) !== "1 ready, 0 leased, 0 delayed, 0 dead"
    );
    assertEquals(await other.get(), 1);
    await putting;
    assertEquals(await other.get(), 2);
    await other.close();
    await connection.close();
  },
  { maxSize: 1 },
);

test("join() hears from another process that all is done", async ({ queue, server }) => {
  const connection = await connect(server.port);
  const other = await openJetStreamQueue<unknown>(connection, "jobs");
  await queue.put(1);
  const joining = createTask(() => queue.join());
  await other.get();
  assertEquals(joining.done(), false);
  await other.taskDone();
  await joining;
  await other.close();
  await connection.close();
});

test(
  "queues that put at the same time keep to their maxSize",
  async ({ queue, server }) => {
    const connection = await connect(server.port);
    const options = { maxSize: 3 };
    const other = await openJetStreamQueue<unknown>(
      connection,
      "jobs",
      options,
    );
    const most = { ready: 0 };
    await taskGroup(async (group) => {
      for (const each of [queue, other]) {
        for (let i = 0; i < 10; i++) group.createTask(() => each.put(i));
      }
      for (let i = 0; i < 20; i++) {
        const { ready } = await queue.statistics();
        most.ready = Math.max(most.ready, ready);
        await queue.get();
        await queue.taskDone();
      }
    });
    assert(most.ready <= 3, `${most.ready}`);
    await other.close();
    await connection.close();
  },
  { maxSize: 3 },
);

test("get() fails when all is taken and the queue is shut down", async ({ queue }) => {
  for (const item of [1, 2]) await queue.put(item);
  const tasks = Array.from({ length: 3 }, () =>
    createTask(async () => {
      await queue.get();
      await queue.taskDone();
    }));
  await sleep(0);
  queue.shutdown();
  const results = await Promise.allSettled(tasks);
  const failed = results.filter(({ status }) => status === "rejected");
  assertEquals(failed.length, 1);
  assert((failed[0] as PromiseRejectedResult).reason instanceof QueueShutDown);
});

test("a worker that is slow renews its lease", async ({ queue, server }) => {
  const connection = await connect(server.port);
  const options = { leaseMs: 200 };
  const other = await openJetStreamQueue<unknown>(connection, "jobs", options);
  await queue.put("slow");
  await queue.get();
  const getter = createTask(() => other.get());
  await sleep(800);
  assertEquals(getter.done(), false);
  await queue.taskDone();
  await queue.put("next");
  assertEquals(await getter, "next");
  await other.close();
  await connection.close();
}, { leaseMs: 200 });

test("taskDone() tells of a lease that ran out", async ({ queue }) => {
  await queue.put(1);
  await queue.get();
  const cell = new Int32Array(new SharedArrayBuffer(4));
  // As a process that is stopped, or computes.
  Atomics.wait(cell, 0, 0, 400);
  await assertRejects(
    () => queue.taskDone(),
    InvalidStateError,
    "Cannot end a lease as it ran out",
  );
  assertEquals(await queue.get(), 1);
  await queue.taskDone();
}, { leaseMs: 200 });

test(
  "whenever a task is cancelled, no lease and no item is lost",
  async ({ queue }) => {
    const turn = () => new Promise((resolve) => setTimeout(resolve));
    for (let turns = 0; turns < 12; turns++) {
      await queue.put("job");
      let isDone = false;
      const task = createTask(async () => {
        await queue.get();
        await queue.taskDone();
        isDone = true;
        await queue.put("more");
      });
      for (let i = 0; i < turns; i++) await turn();
      task.cancel();
      await Promise.allSettled([task]);
      let left = 0;
      const worker = createTask(async () => {
        for await (const _ of queue) left++;
      });
      await queue.join();
      worker.cancel();
      await Promise.allSettled([worker]);
      // The item itself, or the one that the task put after it.
      assert(isDone ? left <= 1 : left === 1, `${left} after ${turns} turns`);
    }
  },
  { maxDeliveries: 1000 },
);

test("a closed connection fails those that wait", async ({ queue, connection }) => {
  const getter = createTask(() => queue.get());
  const joiner = createTask(async () => {
    await queue.put(1, { delay: 60_000 });
    await queue.join();
  });
  await untilCounts(queue, "0 ready, 0 leased, 1 delayed, 0 dead");
  await connection.close();
  await assertRejects(() => Promise.resolve(getter), ConnectionError);
  await assertRejects(() => Promise.resolve(joiner), ConnectionError);
});

test("put() tells of a connection that is closed", async ({ queue, connection }) => {
  await connection.close();
  await assertRejects(
    () => queue.put(1),
    ConnectionError,
    "Cannot put as the connection to NATS is closed: connect and open the queue again",
  );
  await assertRejects(() => queue.get(), ConnectionError);
  await assertRejects(() => queue.statistics(), ConnectionError);
});

test("put() tells of what JetStream has not, and of what is too large", async ({ queue }) => {
  await assertRejects(
    () => queue.put(1, { priority: 1 }),
    RangeError,
    "Cannot put an item into the queue as JetStream has no priorities, so 'priority' must be 0: received 1; open a queue for each priority",
  );
  await assertRejects(() => queue.put(undefined), TypeError, "'codec'");
  await assertRejects(
    () => queue.put("x".repeat(2_000_000)),
    OSError,
    "Cannot put an item into the queue as the server refused",
  );
});

Deno.test({
  name: "openJetStreamQueue() tells of a server without JetStream",
  ...NATS,
  fn: () =>
    withServer(async ({ port }) => {
      const connection = await connect(port);
      await assertRejects(
        () => openJetStreamQueue(connection, "jobs"),
        OSError,
        "Cannot open a queue as the server has no JetStream, or no leader for it: start it with `nats-server -js`",
      );
      await connection.close();
      await assertRejects(
        () => openJetStreamQueue(connection, "jobs"),
        ConnectionError,
        "Cannot open a queue as the connection to NATS is closed: connect and open the queue again",
      );
    }, []),
});

test("openJetStreamQueue() tells of a queue that was opened otherwise", async ({ connection }) => {
  const open = (options: JetStreamQueueOptions<unknown>) => () =>
    openJetStreamQueue(connection, "jobs", options);
  await assertRejects(
    open({ leaseMs: 1_000 }),
    OSError,
    "open it with the same 'leaseMs' in every process",
  );
  await assertRejects(
    open({ replicas: 3 }),
    OSError,
    "open it with the same 'replicas' in every process",
  );
});

test("openJetStreamQueue() tells of a stream that is no queue", async ({ connection }) => {
  const { jetstreamManager } = await import("@nats-io/jetstream");
  const manager = await jetstreamManager(connection as never);
  await manager.streams.add({ name: "logs", subjects: ["logs.*"] });
  await assertRejects(
    () => openJetStreamQueue(connection, "logs"),
    OSError,
    'Cannot open a queue as the stream "logs" has another configuration: ',
  );
  await manager.streams.delete("jobs");
});

test("get() tells of a stream that was deleted", async ({ queue, connection }) => {
  const getter = createTask(() => queue.get());
  await untilCounts(queue, "0 ready, 0 leased, 0 delayed, 0 dead");
  const { jetstreamManager } = await import("@nats-io/jetstream");
  const manager = await jetstreamManager(connection as never);
  await manager.streams.delete("jobs");
  await assertRejects(() => Promise.resolve(getter), OSError, "not found");
});

Deno.test("openJetStreamQueue() checks its arguments", async () => {
  const connection = {
    isClosed: () => true,
    closed: () => Promise.resolve(undefined),
    publish: () => {},
    request: () => Promise.resolve(undefined),
    subscribe: () => ({ unsubscribe() {}, drain: () => Promise.resolve() }),
    flush: () => Promise.resolve(),
    status: async function* () {},
  };
  await assertRejects(
    () => openJetStreamQueue({} as never, "jobs"),
    TypeError,
    "Cannot open a queue as 'connection' must be a connection to NATS, which has closed(): received an object",
  );
  for (const name of ["", "a.b", "a b", "a>"]) {
    await assertRejects(
      () => openJetStreamQueue(connection, name),
      RangeError,
      "Cannot open a queue as 'name' must be of letters, digits",
    );
  }
  for (
    const options of [
      { leaseMs: 99 },
      { maxSize: -1 },
      { maxDeliveries: 0 },
      { replicas: 0 },
      { replicas: 6 },
    ]
  ) {
    await assertRejects(
      () => openJetStreamQueue(connection, "jobs", options),
      RangeError,
      `'${Object.keys(options)}' must`,
    );
  }
  await assertRejects(
    () => openJetStreamQueue(connection, "jobs", { lease: 1 } as never),
    TypeError,
    "lease",
  );
  await assertRejects(
    () => openJetStreamQueue(connection, "jobs", { codec: {} as never }),
    TypeError,
    "Cannot open a queue as 'codec.encode' must be a function",
  );
});

test<number>(
  "an aborted signal ends a put() that waits for room, and nothing is put",
  async ({ queue }) => {
    const { signal, abort, listeners } = countingSignal();
    await queue.put(1, { signal });
    assertEquals(listeners(), 0);
    const waiting = createTask(() => queue.put(2, { signal }));
    await sleep(50);
    const reason = new Error("no longer needed");
    abort(reason);
    assertEquals(await assertRejects(() => waiting), reason);
    assertEquals(listeners(), 0);
    assertEquals(await assertRejects(() => queue.put(3, { signal })), reason);
    assertEquals(await queue.get(), 1);
    await queue.put(4);
    assertEquals(await queue.get(), 4);
  },
  { maxSize: 1 },
);

test("an aborted signal ends openJetStreamQueue(), and the next call opens it", async ({ connection }) => {
  const { signal, abort, listeners } = countingSignal();
  const opening = createTask(() =>
    openJetStreamQueue(connection, "others", { signal })
  );
  await sleep(0);
  const reason = new Error("no longer needed");
  abort(reason);
  assertEquals(await assertRejects(() => opening), reason);
  assertEquals(listeners(), 0);
  const late = await assertRejects(() =>
    openJetStreamQueue(connection, "others", { signal })
  );
  assertEquals(late, reason);
  await (await openJetStreamQueue(connection, "others")).close();
});
