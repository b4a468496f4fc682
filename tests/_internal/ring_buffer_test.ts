import { assertEquals } from "@std/assert";
import { RingBuffer } from "../../_internal/ring_buffer.ts";
import { makeRandom } from "../../_internal/random.ts";

Deno.test("RingBuffer is first in, first out", () => {
  const ring = new RingBuffer<number>();
  for (let i = 0; i < 100; i++) ring.push(i);
  assertEquals(ring.size, 100);
  assertEquals([ring.peek(), ring.last()], [0, 99]);
  for (let i = 0; i < 100; i++) assertEquals(ring.shift(), i);
  assertEquals(ring.size, 0);
});

Deno.test("RingBuffer that is empty gives undefined", () => {
  const ring = new RingBuffer<number>();
  assertEquals(ring.shift(), undefined);
  assertEquals(ring.pop(), undefined);
  assertEquals(ring.peek(), undefined);
  assertEquals(ring.last(), undefined);
  assertEquals([...ring], []);
});

Deno.test("RingBuffer.pop() takes from the end", () => {
  const ring = new RingBuffer<number>();
  for (let i = 0; i < 20; i++) ring.push(i);
  assertEquals([ring.pop(), ring.shift(), ring.pop()], [19, 0, 18]);
  assertEquals(ring.last(), 17);
});

Deno.test("RingBuffer holds undefined and is iterated without being emptied", () => {
  const ring = new RingBuffer<number | undefined>();
  for (const each of [1, undefined, 3]) ring.push(each);
  assertEquals([...ring], [1, undefined, 3]);
  assertEquals(ring.size, 3);
  ring.clear();
  assertEquals(ring.size, 0);
});

Deno.test("RingBuffer keeps its order while a burst fills and empties it", () => {
  const ring = new RingBuffer<number>();
  let pushed = 0;
  let shifted = 0;
  for (const burst of [10_000, 3, 20_000, 1]) {
    for (let i = 0; i < burst; i++) ring.push(pushed++);
    while (ring.size > 2) assertEquals(ring.shift(), shifted++);
  }
  assertEquals([...ring], [pushed - 2, pushed - 1]);
});

Deno.test.each([1, 2, 3, 4, 5])(
  "RingBuffer does what an array does, at random (seed %i)",
  (seed: number) => {
    const random = makeRandom(seed);
    const ring = new RingBuffer<number>();
    const model: number[] = [];
    for (let step = 0; step < 5000; step++) {
      // It grows for a while, then shrinks for a while.
      const growing = Math.floor(step / 500) % 2 === 0;
      const choice = random(10);
      if (choice < (growing ? 7 : 3)) {
        ring.push(step);
        model.push(step);
      } else if (choice < 9) assertEquals(ring.shift(), model.shift());
      else assertEquals(ring.pop(), model.pop());
      assertEquals(ring.size, model.length);
      assertEquals(ring.peek(), model[0]);
      assertEquals(ring.last(), model.at(-1));
      if (step % 100 === 0) assertEquals([...ring], model);
    }
  },
);

Deno.test("unshift puts an item in front, also where the buffer is full", () => {
  const buffer = new RingBuffer<number>();
  for (let i = 0; i < 16; i++) buffer.push(i);
  buffer.unshift(-1);
  buffer.unshift(-2);
  assertEquals([...buffer].slice(0, 4), [-2, -1, 0, 1]);
  assertEquals(buffer.size, 18);
  assertEquals(buffer.last(), 15);
});

Deno.test("an item is taken out of the middle, and those around it stay in order", () => {
  for (let start = 0; start < 16; start++) {
    const buffer = new RingBuffer<number>();
    // So that it wraps around, wherever that may be.
    for (let i = 0; i < start; i++) buffer.push(i);
    for (let i = 0; i < start; i++) buffer.shift();
    for (let i = 0; i < 5; i++) buffer.push(i);
    assertEquals(buffer.at(3), 3);
    assertEquals(buffer.removeAt(3), 3);
    assertEquals([...buffer], [0, 1, 2, 4]);
    assertEquals(buffer.removeAt(0), 0);
    assertEquals(buffer.removeAt(2), 4);
    assertEquals(buffer.removeAt(2), undefined);
    assertEquals(buffer.at(2), undefined);
    assertEquals([...buffer], [1, 2]);
  }
});
