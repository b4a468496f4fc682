// What a reader holds, without a reader and without a loop.
import {
  IncompleteReadError,
  InvalidStateError,
  LimitOverrunError,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Received } from "../../streams/received.ts";
import { Search, Separators } from "../../streams/search.ts";
import { makeRandom } from "../../_internal/random.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

function received(...pieces: string[]): Received {
  const received = new Received(8);
  for (const piece of pieces) received.feed(encoder.encode(piece));
  return received;
}

function searchFor(...separators: string[]): Search {
  return new Search(
    new Separators(separators.map((each) => encoder.encode(each))),
  );
}

/** As text; null stays null. */
function text(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : decoder.decode(bytes);
}

Deno.test("takeSome() gives what there is, and nothing only at the end", () => {
  const some = received("abc");
  assertEquals(text(some.takeSome(2)), "ab");
  assertEquals(text(some.takeSome(9)), "c");
  assertEquals(some.takeSome(9), null);
  assertEquals(text(some.takeSome(0)), "");
  some.isEnded = true;
  assertEquals(text(some.takeSome(9)), "");
});

Deno.test("takeAll() waits for the end", () => {
  const all = received("ab", "c");
  assertEquals(all.takeAll(), null);
  assertEquals(all.size, 3);
  all.isEnded = true;
  assertEquals(text(all.takeAll()), "abc");
});

Deno.test("takeFirst() and takeChunks() give pieces as they came", () => {
  const large = "x".repeat(5000);
  const pieces = received(large, large, large);
  assertEquals(text(pieces.takeFirst()), large);
  assertEquals(pieces.takeChunks().map((each) => each.length), [5000, 5000]);
  assertEquals(pieces.takeFirst(), null);
});

Deno.test("takeExactly() takes all or nothing, and the rest with the error", () => {
  const exactly = received("abc");
  assertEquals(exactly.takeExactly(4), null);
  assertEquals(text(exactly.takeExactly(2)), "ab");
  exactly.isEnded = true;
  const error = assertThrows(
    () => exactly.takeExactly(2),
    IncompleteReadError,
  );
  assertEquals(text(error.partial), "c");
  assertEquals(exactly.size, 0);
});

Deno.test("takeUntil() finds a separator that came in two pieces", () => {
  const until = received("ab\r");
  const search = searchFor("\r\n");
  assertEquals(until.takeUntil(search), null);
  until.feed(encoder.encode("\ncd"));
  assertEquals(text(until.takeUntil(search)), "ab\r\n");
  assertEquals(until.takeUntil(search), null);
  assertEquals(until.size, 2);
});

Deno.test("takeUntil() leaves what is over the limit", () => {
  const until = received("123456789\n");
  const search = searchFor("\n");
  for (let round = 0; round < 2; round++) {
    const error = assertThrows(
      () => until.takeUntil(search),
      LimitOverrunError,
    );
    assertEquals(error.consumed, 9);
  }
  assertEquals(text(until.takeExactly(9)), "123456789");
  assertEquals(text(until.takeUntil(search)), "\n");
});

Deno.test("takeLine() throws a line over the limit away, and gives the next", () => {
  const lines = received("123456789\nab\nc");
  assertThrows(() => lines.takeLine(), LimitOverrunError);
  assertEquals(text(lines.takeLine()), "ab\n");
  assertEquals(lines.takeLine(), null);
  lines.isEnded = true;
  assertEquals(text(lines.takeLine()), "c");
  assertEquals(text(lines.takeLine()), "");
});

Deno.test("takeNext() ends an iteration with the last line", () => {
  const lines = received("a\n");
  assertEquals(text(lines.takeNext()!.value!), "a\n");
  assertEquals(lines.takeNext(), null);
  lines.isEnded = true;
  assert(lines.takeNext()!.done);
});

Deno.test("feed() takes bytes, and none after the end", () => {
  const some = received();
  assertThrows(
    () => some.feed("text" as never),
    TypeError,
    "'data' must be a Uint8Array",
  );
  some.feed(new Uint8Array(0));
  assertEquals(some.size, 0);
  some.isEnded = true;
  assertThrows(() => some.feed(new Uint8Array(1)), InvalidStateError);
});

/** The bytes of a stream, each of which tells where it stands. */
function stretch(start: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = ((start + i) * 7919) >> 3;
  return bytes;
}

for (let seed = 1; seed <= 20; seed++) {
  Deno.test(`long messages keep their bytes, however they come and are taken (seed ${seed})`, () => {
    const below = makeRandom(seed);
    const received = new Received(8);
    const all: { readonly start: number; readonly taken: Uint8Array }[] = [];
    let sent = 0;
    let read = 0;
    const keep = (taken: Uint8Array | null) => {
      if (taken === null) return;
      all.push({ start: read, taken });
      read += taken.length;
    };
    let copied = 0;
    for (let step = 0; step < 60; step++) {
      const message = [10, 5_000, 60_000, 300_000, 1_000_000][below(5)]!;
      const isGivenUp = below(4) === 0;
      for (let left = message; left > 0;) {
        const piece = stretch(
          sent,
          1 + below([4, 3_000, 65_536, 200_000][below(4)]!),
        );
        sent += piece.length;
        left -= piece.length;
        if (received.feed(piece)) {
          copied += piece.length;
          piece.fill(255);
        }
        keep(received.takeExactly(message));
        if (isGivenUp && left < message / 2) break;
      }
      const some = 1 + below(100_000);
      if (below(2) === 0) keep(received.takeSome(some));
      else {
        const target = new Uint8Array(some);
        const count = received.takeInto(target);
        if (typeof count === "number") keep(target.subarray(0, count));
      }
    }
    keep(received.takeSome(received.size));
    assertEquals(read, sent);
    assert(copied > sent / 10, `${copied} of ${sent} were copied on arrival`);
    for (const { start, taken } of all) {
      assert(
        isSame(taken, stretch(start, taken.length)),
        `a piece of ${taken.length} bytes at ${start}`,
      );
    }
  });
}

/** Many times faster than `assertEquals`. */
function isSame(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return true;
}

Deno.test("a long message gets memory for at most 16 times what has come", () => {
  const large = new Received(8);
  assertEquals(large.takeExactly(2 ** 40), null);
  large.feed(new Uint8Array(40_000));
  assertEquals(large.takeExactly(2 ** 40), null);
  assert(large.feed(new Uint8Array(600_000)), "was expected");
  assert(!large.feed(new Uint8Array(1)), "came after 16 times as much");
  assertEquals(large.size, 640_001);
});
