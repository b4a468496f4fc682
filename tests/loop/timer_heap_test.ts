import { assert, assertEquals, assertFalse } from "@std/assert";
import { type Timer, TimerHeap } from "../../loop/timer_heap.ts";
import { makeRandom } from "../../_internal/random.ts";

let made = 0;

function timer(deadline: number): Timer {
  return { deadline, order: made++, heapIndex: -1, due() {} };
}

/** Takes all out, the earliest first. */
function drain(heap: TimerHeap): Timer[] {
  const timers: Timer[] = [];
  for (let top = heap.peek(); top !== undefined; top = heap.peek()) {
    assert(heap.remove(top));
    assertEquals(top.heapIndex, -1);
    timers.push(top);
  }
  return timers;
}

Deno.test("TimerHeap has the earliest timer on top, and of one instant the first", () => {
  const heap = new TimerHeap();
  const [late, soon, soonToo, never] = [5.5, 1, 1, Infinity].map(timer);
  for (const each of [never!, late!, soonToo!, soon!]) heap.push(each);
  assertEquals(heap.size, 4);
  assertEquals(drain(heap), [soon!, soonToo!, late!, never!]);
  assertEquals([heap.size, heap.peek()], [0, undefined]);
});

Deno.test("TimerHeap.remove() takes a timer out once, and only its own", () => {
  const [one, two] = [new TimerHeap(), new TimerHeap()];
  const [mine, other] = [timer(1), timer(2)];
  one.push(mine);
  two.push(other);
  assertFalse(one.remove(other));
  assertFalse(one.remove(timer(1)));
  assert(one.remove(mine));
  assertFalse(one.remove(mine));
  assertEquals([one.size, two.size], [0, 1]);
});

Deno.test("TimerHeap.clear() leaves each timer outside of it", () => {
  const heap = new TimerHeap();
  const timers = [2, 1].map(timer);
  for (const each of timers) heap.push(each);
  heap.clear();
  assertEquals([heap.size, heap.peek()], [0, undefined]);
  assert(timers.every((each) => each.heapIndex === -1));
  heap.push(timers[0]!);
  assertEquals(drain(heap), [timers[0]!]);
});

Deno.test.each([1, 2, 3, 4, 5])(
  "TimerHeap does what a sorted list does, at random (seed %i)",
  (seed: number) => {
    const random = makeRandom(seed);
    const heap = new TimerHeap();
    const model: Timer[] = [];
    for (let step = 0; step < 3000; step++) {
      const choice = random(10);
      if (choice < 5) {
        // Whole and broken, as virtual and real clocks give them.
        const each = timer(random(50) / (1 + random(2)));
        heap.push(each);
        model.push(each);
        model.sort((a, b) => a.deadline - b.deadline || a.order - b.order);
      } else if (model.length > 0) {
        const index = choice < 7 ? 0 : random(model.length);
        const [each] = model.splice(index, 1);
        assert(heap.remove(each!));
      }
      assertEquals(heap.size, model.length);
      assert(heap.peek() === model[0]);
    }
    assertEquals(drain(heap), model);
  },
);
