import {
  createTask,
  InvalidStateError,
  OSError,
  QueueShutDown,
  run,
  sleep,
} from "@asyncio/asyncio";
import {
  type DurableQueue,
  openSqliteQueue,
  type SqliteQueueOptions,
} from "@asyncio/asyncio/durable";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { writeFileSync } from "node:fs";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { can, DATABASES } from "../../platform/limits.ts";
import { openOnSmallDisk, withPath, withQueue } from "../_support/durable.ts";
import { needs } from "../_support/runtimes.ts";
import { countingSignal } from "../_support/virtual.ts";

function test<T = unknown>(
  name: string,
  fn: (queue: DurableQueue<T>, path: string) => Promise<void>,
  options: SqliteQueueOptions<T> = {},
): void {
  Deno.test({
    name,
    ...needs(DATABASES),
    fn: () => run(() => withQueue<T>(fn, options)),
  });
}

async function counts(queue: DurableQueue<unknown>): Promise<string> {
  const { ready, leased, delayed, dead } = await queue.statistics();
  return `${ready} ready, ${leased} leased, ${delayed} delayed, ${dead} dead`;
}

test("an item outlives its queue", async (queue, path) => {
  await queue.put({ job: "resize" });
  await queue.close();
  const again = await openSqliteQueue(pathToFileURL(path));
  assertEquals(await again.get(), { job: "resize" });
  await again.close();
});

test("two queues on one file share the items", async (queue, path) => {
  const other = await openSqliteQueue<number>(path);
  const getter = createTask(() => other.get());
  await sleep(0);
  await queue.put(1);
  assertEquals(await getter, 1);
  assertEquals(await counts(queue), "0 ready, 1 leased, 0 delayed, 0 dead");
  await other.close();
  assertEquals(await counts(queue), "1 ready, 0 leased, 0 delayed, 0 dead");
});

test(
  "two queues hear from one another if the system watches no more files",
  async (queue, path) => {
    const fs = process.getBuiltinModule("node:fs");
    const { watch } = fs;
    fs.watch = () => {
      throw new Error("no space left on device");
    };
    try {
      const other = await openSqliteQueue<number>(path);
      const getter = createTask(() => other.get());
      await sleep(0);
      await queue.put(1);
      assertEquals(await getter, 1);
      await other.close();
    } finally {
      fs.watch = watch;
    }
  },
);

test(
  "put() hears from another queue that there is room",
  async (queue, path) => {
    await queue.put(1);
    const other = await openSqliteQueue(path, { maxSize: 1 });
    const put = createTask(() => queue.put(2));
    await sleep(0);
    assertEquals(put.done(), false);
    assertEquals(await other.get(), 1);
    await put;
    await other.close();
  },
  { maxSize: 1 },
);

test(
  "join() hears from another queue that all is done",
  async (queue, path) => {
    const other = await openSqliteQueue(path);
    await queue.put(1);
    const joined = createTask(() => queue.join());
    await other.get();
    await other.taskDone();
    await joined;
    await other.close();
  },
);

test("a task that fails gives its item back", async (queue) => {
  await queue.put(1);
  const task = createTask(async () => {
    await queue.get();
    throw new Error("worker");
  });
  await assertRejects(() => Promise.resolve(task), Error, "worker");
  assertEquals(await queue.get(), 1);
});

test(
  "a cancelled task gives its item back, and that is no failure",
  async (queue) => {
    await queue.put(1);
    for (let i = 0; i < 3; i++) {
      const task = createTask(async () => {
        await queue.get();
        await sleep(60_000);
      });
      await sleep(0);
      await sleep(0);
      task.cancel();
      await assertRejects(() => Promise.resolve(task));
    }
    assertEquals(await queue.get(), 1);
  },
  { maxDeliveries: 2 },
);

test("for await gives back what its body throws at", async (queue) => {
  await queue.put(1);
  await assertRejects(
    async () => {
      for await (const item of queue) throw new Error(`no ${item}`);
    },
    Error,
    "no 1",
  );
  assertEquals(await counts(queue), "1 ready, 0 leased, 0 delayed, 0 dead");
});

test("for await gives back what it is left with, and ends the rest", async (queue) => {
  for (const item of [1, 2]) await queue.put(item);
  for await (const item of queue) if (item === 2) break;
  assertEquals(await counts(queue), "1 ready, 0 leased, 0 delayed, 0 dead");
  assertEquals(await queue.get(), 2);
});

test("for await lets its body call taskDone()", async (queue) => {
  for (const item of [1, 2]) await queue.put(item);
  queue.shutdown();
  for await (const _ of queue) await queue.taskDone();
  assertEquals(await counts(queue), "0 ready, 0 leased, 0 delayed, 0 dead");
});

test("taskDone() ends no lease of another task", async (queue) => {
  await queue.put(1);
  await queue.get();
  await createTask(() =>
    assertRejects(() => queue.taskDone(), InvalidStateError)
  );
  await queue.taskDone();
});

test("an item that fails too often is a dead letter", async (queue) => {
  await queue.put("bad", { id: "x" });
  for (let i = 0; i < 2; i++) {
    assertEquals(await queue.get(), "bad");
    await queue.giveBack();
  }
  const letters = await queue.deadLetters.list();
  assertEquals(letters, [{ number: 1, item: "bad", id: "x", deliveries: 2 }]);
  assertEquals(await queue.deadLetters.requeue(), 1);
  assertEquals(await queue.get(), "bad");
}, { maxDeliveries: 2 });

test("deadLetters.empty() throws them away", async (queue) => {
  await queue.put("bad");
  await queue.get();
  await queue.giveBack();
  await queue.join();
  assertEquals(await queue.deadLetters.empty(), 1);
  assertEquals(await counts(queue), "0 ready, 0 leased, 0 delayed, 0 dead");
}, { maxDeliveries: 1 });

test("an id is in the queue once, until its job is done", async (queue) => {
  await queue.put(1, { id: "a" });
  await queue.put(2, { id: "a" });
  assertEquals(await queue.get(), 1);
  await queue.put(3, { id: "a" });
  await queue.taskDone();
  await queue.put(4, { id: "a" });
  assertEquals(await queue.get(), 4);
});

test("the least priority comes first", async (queue) => {
  for (const priority of [1, 0, -1, 0]) await queue.put(priority, { priority });
  const got: unknown[] = [];
  for (let i = 0; i < 4; i++) got.push(await queue.get());
  assertEquals(got, [-1, 0, 0, 1]);
});

test("a delayed item comes when it is due", async (queue) => {
  await queue.put("later", { delay: 20 });
  assertEquals(await counts(queue), "0 ready, 0 leased, 1 delayed, 0 dead");
  assertEquals(await queue.get(), "later");
});

test("giveBack() keeps an item back", async (queue) => {
  await queue.put(1);
  await queue.get();
  await queue.giveBack({ delay: 60_000 });
  assertEquals(await counts(queue), "0 ready, 0 leased, 1 delayed, 0 dead");
});

test<Date>("a codec stores what JSON has not", async (queue) => {
  await queue.put(new Date(5));
  assertEquals(await queue.get(), new Date(5));
}, {
  codec: {
    encode: (date) => new Uint8Array([date.getTime()]),
    decode: ([ms]) => new Date(ms!),
  },
});

test("an item that cannot be read is a dead letter", async (queue, path) => {
  await queue.put("text");
  const decode = () => {
    throw new RangeError("no such format");
  };
  const other = await openSqliteQueue(path, {
    codec: { encode: () => new Uint8Array(), decode },
  });
  await assertRejects(() => other.get(), RangeError, "no such format");
  const [letter] = await other.deadLetters.list();
  assertEquals(letter?.item, undefined);
  await other.close();
});

test("put() refuses what JSON has not, and bad options", async (queue) => {
  await assertRejects(() => queue.put(undefined), TypeError, "'codec'");
  await assertRejects(() => queue.put(1n), TypeError, "received 1n");
  await assertRejects(
    () => queue.put(1, { delay: NaN }),
    RangeError,
    "'delay'",
  );
  await assertRejects(
    () => queue.put(1, { priority: 0.5 }),
    RangeError,
    "'priority'",
  );
  assertEquals(await counts(queue), "0 ready, 0 leased, 0 delayed, 0 dead");
});

test("close() fails those that wait", async (queue) => {
  const getter = createTask(() => queue.get());
  await sleep(0);
  await queue.close();
  await assertRejects(() => Promise.resolve(getter), QueueShutDown, "closed");
  await assertRejects(() => queue.statistics(), QueueShutDown);
});

test("put() takes priorities that are safe integers, and no others", async (queue) => {
  const { MAX_SAFE_INTEGER: most, MIN_SAFE_INTEGER: least } = Number;
  for (const priority of [most, least]) await queue.put(priority, { priority });
  for (const priority of [2 ** 60, most + 1, least - 1, 1.5, NaN, Infinity]) {
    await assertRejects(
      () => queue.put(0, { priority }),
      RangeError,
      "Cannot put an item into the queue as 'priority' must be ",
    );
  }
  assertEquals([await queue.get(), await queue.get()], [least, most]);
});

test("put() takes a maxSize that is no integer of SQLite's", async (queue) => {
  await queue.put(1);
  assertEquals(await queue.get(), 1);
}, { maxSize: 1e300 });

Deno.test({
  name: "openSqliteQueue() refuses what is no queue",
  ...needs(DATABASES),
  fn: () =>
    withPath(async (path) => {
      writeFileSync(
        path,
        "no database, but a text that is long enough".repeat(40),
      );
      const error = await assertRejects(() => openSqliteQueue(path), OSError);
      const { message } = error as Error;
      assert(message.includes(path), message);
      assert(message.includes("take the path of a database"), message);
    }),
});

Deno.test({
  name: "openSqliteQueue() says what is wrong with a path in no folder",
  ...needs(DATABASES),
  fn: () =>
    withPath(async (path) => {
      const error = await assertRejects(
        () => openSqliteQueue(`${path}/jobs.db`),
        OSError,
        "its folder must be there",
      );
      assertEquals((error as OSError).code, "ENOENT");
    }),
});

Deno.test({
  name:
    "openSqliteQueue() refuses another program's database, and leaves it as it is",
  ...needs(DATABASES),
  fn: () =>
    withPath(async (path) => {
      const { DatabaseSync } = await import("node:sqlite");
      const database = new DatabaseSync(path);
      database.exec("CREATE TABLE mine (a)");
      await assertRejects(
        () => openSqliteQueue(path),
        OSError,
        "another program's database",
      );
      database.close();
    }),
});

Deno.test({
  name: "openSqliteQueue() refuses a newer version",
  ...needs(DATABASES),
  fn: () =>
    withPath(async (path) => {
      await (await openSqliteQueue(path)).close();
      const { DatabaseSync } = await import("node:sqlite");
      const database = new DatabaseSync(path);
      database.exec("PRAGMA user_version = 2");
      database.close();
      await assertRejects(() => openSqliteQueue(path), OSError, "version 2");
    }),
});

Deno.test({
  name: "openSqliteQueue() waits for another that makes the same file",
  ...needs(DATABASES),
  fn: () =>
    withPath(async (path) => {
      const { DatabaseSync } = await import("node:sqlite");
      const other = new DatabaseSync(path);
      other.exec("BEGIN EXCLUSIVE");
      const opening = openSqliteQueue(path);
      other.exec("COMMIT");
      await (await opening).close();
      other.close();
    }),
});

Deno.test({
  name: "openSqliteQueue() takes what another makes while it looks for a queue",
  ...needs(DATABASES),
  fn: () =>
    withPath(async (path) => {
      const { DatabaseSync } = await import("node:sqlite");
      const { prepare } = DatabaseSync.prototype;
      const opened: Promise<DurableQueue<unknown>>[] = [];
      DatabaseSync.prototype.prepare = function (sql, ...rest) {
        // Between what it looks at first and what it looks at next.
        if (sql === "PRAGMA user_version") {
          DatabaseSync.prototype.prepare = prepare;
          opened.push(openSqliteQueue(path));
        }
        return prepare.call(this, sql, ...rest);
      };
      opened.push(openSqliteQueue(path));
      const queues = await Promise.all(opened)
        .finally(() => DatabaseSync.prototype.prepare = prepare);
      assertEquals(queues.length, 2);
      for (const queue of queues) await queue.close();
    }),
});

Deno.test({
  name:
    "openSqliteQueue() tries a busy file again, also if the error has no number",
  ...needs(DATABASES),
  fn: () =>
    withPath(async (path) => {
      const { DatabaseSync } = await import("node:sqlite");
      const { exec } = DatabaseSync.prototype;
      DatabaseSync.prototype.exec = function () {
        DatabaseSync.prototype.exec = exec;
        throw Object.assign(new Error("database is locked"), {
          code: "ERR_SQLITE_ERROR",
        });
      };
      await (await openSqliteQueue(path)).close();
    }),
});

Deno.test({
  name: "a full disk is an error of put(), and loses nothing",
  ...needs(DATABASES),
  fn: () =>
    withPath(async (path) => {
      const queue = await openOnSmallDisk<string>(path);
      await queue.put("kept");
      const big = "x".repeat(100_000);
      const error = await assertRejects(() => queue.put(big), OSError, "full");
      assertEquals((error as OSError).code, "ENOSPC");
      assertEquals(await queue.get(), "kept");
      await queue.taskDone();
      assertEquals(await counts(queue), "0 ready, 0 leased, 0 delayed, 0 dead");
      await queue.close();
    }),
});

test(
  "an item of which a codec makes no bytes is refused, and not stored",
  async (queue) => {
    await assertRejects(
      () => queue.put("a"),
      TypeError,
      "'codec.encode' must return a Uint8Array: received \"a\"",
    );
    assertEquals(await counts(queue), "0 ready, 0 leased, 0 delayed, 0 dead");
  },
  { codec: { encode: (item) => item as never, decode: String } },
);

Deno.test("openSqliteQueue() refuses bad arguments", async () => {
  const open = openSqliteQueue as (...args: unknown[]) => Promise<unknown>;
  await assertRejects(() => open(5), TypeError, "'path'");
  await assertRejects(() => open(":memory:"), RangeError, "file");
  await assertRejects(() => open("a", { max_size: 1 }), TypeError, "maxSize");
  await assertRejects(() => open("a", { leaseMs: 1 }), RangeError, "'leaseMs'");
  await assertRejects(() => open("a", { maxDeliveries: 0 }), RangeError);
  await assertRejects(
    () => open(new URL("https://example.com/a.db")),
    TypeError,
    `'path' must be the URL of a file: received "https:"`,
  );
  const encode = () => new Uint8Array();
  for (const codec of [5, null, { encode }]) {
    await assertRejects(
      () => open("a", { codec }),
      TypeError,
      "Cannot open a queue as 'codec.",
    );
  }
});

Deno.test({
  name: "openSqliteQueue() is refused where the runtime has no SQLite",
  ignore: can(DATABASES),
  async fn() {
    const error = await assertRejects(() => openSqliteQueue("a.db"), OSError);
    assertEquals((error as OSError).code, "ENOTSUP");
  },
});

test<number>(
  "an aborted signal ends a put() that waits for room, and nothing is put",
  async (queue) => {
    const { signal, abort, listeners } = countingSignal();
    await queue.put(1, { signal });
    assertEquals(listeners(), 0);
    const waiting = createTask(() => queue.put(2, { signal }));
    await sleep(0);
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

Deno.test({
  name:
    "an aborted signal ends openSqliteQueue() while the file is in use, or before",
  ...needs(DATABASES),
  fn: () =>
    withPath(async (path) => {
      const { DatabaseSync } = await import("node:sqlite");
      const other = new DatabaseSync(path);
      other.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;");
      const controller = new AbortController();
      const { signal } = controller;
      const opening = openSqliteQueue(path, { signal });
      const reason = new Error("out of patience");
      controller.abort(reason);
      assertEquals(await assertRejects(() => opening), reason);
      other.close();
      const late = await assertRejects(() => openSqliteQueue(path, { signal }));
      assertEquals(late, reason);
      await (await openSqliteQueue(path)).close();
    }),
});
