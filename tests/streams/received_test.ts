// What a reader holds, without a reader and without a loop.
import {
  IncompleteReadError,
  InvalidStateError,
  LimitOverrunError,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Received } from "../../streams/received.ts";
import { Search, Separators } from "../../streams/search.ts";

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
