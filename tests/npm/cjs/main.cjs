// A CommonJS module requires every entry, and what it finds is the one copy that
// an import finds, too.
"use strict";

const assert = require("node:assert/strict");
const root = require("@asyncio/asyncio");
const { EventLoop } = require("@asyncio/asyncio/loop");
const { Queue } = require("@asyncio/asyncio/queue");
const manifest = require("@asyncio/asyncio/package.json");

/** Entries whose names the root does not have. */
const APART = ["./cli", "./durable", "./jetstream"];

for (const entry of Object.keys(manifest.exports)) {
  if (entry.endsWith(".json")) continue;
  const module = require("@asyncio/asyncio" + entry.slice(1));
  assert.ok(Object.keys(module).length > 0, `${entry} exports nothing`);
  if (APART.includes(entry)) continue;
  for (const [key, value] of Object.entries(module)) {
    assert.equal(root[key], value, `${entry} has its own ${key}`);
  }
}
assert.ok(EventLoop);

const items = new Queue();
root.run(async () => {
  await root.sleep(1);
  await items.put("item");
  return await items.get();
}).then((result) => {
  assert.equal(result, "item");
});

// A worker finds its file in the package, and the module its one copy.
const executor = new root.WorkerPoolExecutor({ maxWorkers: 1 });
const path = executor.module("node:path");
root.gather([
  root.toThread((n) => n + 1, 41),
  path.basename("/tmp/one.txt"),
]).then((results) => {
  assert.deepEqual(results, [42, "one.txt"]);
});

// A task of the one is the current task of the other, which cancels it.
import("@asyncio/asyncio").then((imported) =>
  root.run(async () => {
    assert.equal(imported.currentTask, root.currentTask);
    assert.equal(imported.currentTask(), root.currentTask());
    const task = imported.createTask(() => root.sleep(60_000));
    assert.ok(root.isFuture(task));
    task.cancel();
    await assert.rejects(task, root.CancelledError);
    await assert.rejects(task, imported.isCancelledError);
  })
);
