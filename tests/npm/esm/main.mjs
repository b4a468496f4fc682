// An ES module imports every entry, and what it finds is one copy.
import assert from "node:assert/strict";
import { findSourceMap } from "node:module";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import * as root from "@asyncio/asyncio";
import * as loop from "@asyncio/asyncio/loop";
import * as queue from "@asyncio/asyncio/queue";

const name = "@asyncio/asyncio";
const manifest = JSON.parse(
  await readFile(
    fileURLToPath(import.meta.resolve(`${name}/package.json`)),
    "utf8",
  ),
);

assert.ok(Object.keys(manifest.exports).length > 2);
/** Entries whose names the root does not have. */
const APART = ["./cli", "./durable", "./jetstream"];

for (const entry of Object.keys(manifest.exports)) {
  if (entry.endsWith(".json")) continue;
  const module = await import(name + entry.slice(1));
  assert.ok(Object.keys(module).length > 0, `${entry} exports nothing`);
  if (APART.includes(entry)) continue;
  for (const [key, value] of Object.entries(module)) {
    assert.equal(root[key], value, `${entry} has its own ${key}`);
  }
}
assert.ok(loop.EventLoop);

const items = new queue.Queue();
const result = await root.run(async () => {
  await root.sleep(1);
  await items.put("item");
  return await items.get();
});
assert.equal(result, "item");

// A worker finds its file in the package.
assert.equal(await root.toThread((n) => n + 1, 41), 42);

// The source maps lead to sources that are in the package.
const path = fileURLToPath(import.meta.resolve(`${name}/queue`));
const map = findSourceMap(path);
// Bun follows them for stacks, and keeps them to itself.
if (!("Bun" in globalThis)) {
  assert.ok(map, `${path} has no source map`);
  const entry = map.findEntry(path.length, 0);
  assert.ok(entry === undefined || typeof entry === "object");
  for (const source of map.payload.sources) {
    const url = new URL(source, `file://${path}`);
    assert.ok((await readFile(url, "utf8")).includes("Queue"), url.href);
  }
}
