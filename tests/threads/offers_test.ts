import { assert, assertEquals, assertFalse } from "@std/assert";
import { claim, offer, SHARED_BYTES } from "../../threads/_offers.ts";
import { CANCELLED, SENT } from "../../threads/_messages.ts";

function memory(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(SHARED_BYTES));
}

Deno.test("an offer is claimed once, by whoever comes first", () => {
  const shared = memory();
  const number = offer(shared, 0);
  assert(claim(shared, number));
  assertFalse(claim(shared, number));
});

Deno.test("an offer has a number of its own while others stand", () => {
  const shared = memory();
  const first = offer(shared, 0);
  let last = first;
  for (let round = 0; round < 100; round++) {
    last = offer(shared, last);
    assert(claim(shared, last));
  }
  assert(claim(shared, first));
});

Deno.test("offers leave the rest of the memory alone, and none has number 0", () => {
  const shared = memory();
  shared[CANCELLED] = shared[SENT] = 7;
  let last = 2 ** 31 - 20;
  for (let round = 0; round < 40; round++) {
    last = offer(shared, last);
    assert(claim(shared, last));
  }
  assert(last < 0);
  last = offer(shared, -1);
  assertEquals(last, 1);
  assertEquals([shared[CANCELLED], shared[SENT]], [7, 7]);
});
