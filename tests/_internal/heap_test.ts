import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { Heap, type HeapItem } from "../../_internal/heap.ts";
import { makeRandom } from "../../_internal/random.ts";

interface Item extends HeapItem {
  readonly key: number;
  readonly order: number;
}

let made = 0;

function item(key: number): Item {
  return { key, order: made++, heapIndex: -1 };
}

function isBefore(a: Item, b: Item): boolean {
  return a.key < b.key || (a.key === b.key && a.order < b.order);
}

/** Takes all out, in the heap's order. */
function drain(heap: Heap<Item>): number[] {
  const keys: number[] = [];
  for (let top = heap.pop(); top !== undefined; top = heap.pop()) {
    assertEquals(top.heapIndex, -1);
    keys.push(top.key);
  }
  return keys;
}

Deno.test("Heap gives its items smallest first", () => {
  const heap = new Heap<Item>(isBefore);
  for (const key of [5, 1, 4, 1, 3]) heap.push(item(key));
  assertEquals(heap.size, 5);
  assertEquals(heap.peek()?.key, 1);
  assertEquals(drain(heap), [1, 1, 3, 4, 5]);
  assertEquals(heap.peek(), undefined);
  assertEquals(heap.pop(), undefined);
});

Deno.test("Heap.remove() takes any item out, once", () => {
  const heap = new Heap<Item>(isBefore);
  const items = [5, 1, 4, 2, 3].map(item);
  for (const each of items) heap.push(each);
  assert(heap.remove(items[2]!));
  assertFalse(heap.remove(items[2]!));
  assertEquals(drain(heap), [1, 2, 3, 5]);
});

Deno.test("Heap.remove() of an item of another heap does nothing", () => {
  const [one, two] = [new Heap<Item>(isBefore), new Heap<Item>(isBefore)];
  const [mine, other] = [item(1), item(2)];
  one.push(mine);
  two.push(other);
  assertFalse(one.remove(other));
  assertFalse(one.remove(item(1)));
  assertEquals([one.size, two.size], [1, 1]);
});

Deno.test("Heap.clear() gives what it held, each item outside of it", () => {
  const heap = new Heap<Item>(isBefore);
  const items = [2, 1].map(item);
  for (const each of items) heap.push(each);
  assertEquals(new Set(heap.clear()), new Set(items));
  assertEquals(heap.size, 0);
  assert(items.every((each) => each.heapIndex === -1));
});

Deno.test.each([1, 2, 3, 4, 5])(
  "Heap does what a sorted list does, at random (seed %i)",
  (seed: number) => {
    const random = makeRandom(seed);
    const heap = new Heap<Item>(isBefore);
    const model: Item[] = [];
    for (let step = 0; step < 2000; step++) {
      const choice = random(10);
      if (choice < 5) {
        const each = item(random(50));
        heap.push(each);
        model.push(each);
        model.sort((a, b) => a.key - b.key || a.order - b.order);
      } else if (choice < 7) {
        assertEquals(heap.pop(), model.shift());
      } else if (model.length > 0) {
        const [each] = model.splice(random(model.length), 1);
        assert(heap.remove(each!));
      }
      assertEquals(heap.size, model.length);
      assert(heap.peek() === model[0]);
      assert(heap.items().every((each, i) => each.heapIndex === i));
    }
    assertEquals(drain(heap), model.map((each) => each.key));
  },
);

Deno.test("a comparison that throws leaves a Heap as it was", () => {
  let comparisons = Infinity;
  const heap = new Heap<Item>((a, b) => {
    if (--comparisons < 0) throw new Error("cannot compare");
    return isBefore(a, b);
  });
  const items = [5, 3, 8, 1, 9, 7, 2, 6, 4].map(item);
  for (const each of items) heap.push(each);
  const before = [...heap.items()];
  const attempts = [
    () => heap.push(item(0)),
    () => heap.pop(),
    () => heap.remove(heap.items()[1]!),
  ];
  for (const attempt of attempts) {
    for (let allowed = 0; allowed < 2; allowed++) {
      comparisons = allowed;
      assertThrows(attempt, Error, "cannot compare");
      assertEquals(
        heap.items().map(({ key }) => key),
        before.map(({ key }) => key),
      );
      assertEquals(heap.items().map(({ heapIndex }) => heapIndex), [
        ...before.keys(),
      ]);
    }
  }
  comparisons = Infinity;
  assertEquals(drain(heap), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
});
