import { assertEquals } from "@std/assert";
import { LineSplitter } from "../../workers/_lines.ts";
import { Restarts } from "../../workers/_restarts.ts";

const EARLY = { wasReady: true, ms: 50 };
const LATE = { wasReady: true, ms: 60_000 };
const NEVER_READY = { wasReady: false, ms: 60_000 };

/** Of two workers; the second one is well. */
function delaysOf(lives: readonly typeof EARLY[]): (number | null)[] {
  const restarts = new Restarts(2, 100);
  restarts.ready();
  return lives.map((life) => restarts.ended(1, life));
}

Deno.test("a worker that dies early waits longer each time, up to 10 s", () => {
  assertEquals(
    delaysOf(new Array(9).fill(EARLY)),
    [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000],
  );
});

Deno.test("a delay of 0 stays one, however often a worker dies", () => {
  const restarts = new Restarts(1, 0);
  restarts.ready();
  for (let death = 0; death < 1100; death++) {
    assertEquals(restarts.ended(1, EARLY), 0);
  }
});

Deno.test("a worker that had been well is started again at once", () => {
  assertEquals(
    delaysOf([EARLY, EARLY, LATE, EARLY]),
    [100, 200, 0, 100],
  );
});

Deno.test("a worker that was never ready has died early, however old", () => {
  assertEquals(delaysOf([NEVER_READY, NEVER_READY]), [100, 200]);
});

Deno.test("workers are given up when none of them ever comes up", () => {
  const restarts = new Restarts(3, 100);
  assertEquals(restarts.ended(1, NEVER_READY), 100);
  assertEquals(restarts.ended(2, NEVER_READY), 100);
  assertEquals(restarts.ended(3, NEVER_READY), null);
});

/** How two workers that were up go on, which die in turn. */
function turnsOf(lives: readonly typeof EARLY[]): (number | null)[] {
  const restarts = new Restarts(2, 10);
  restarts.ready();
  return lives.flatMap((life) => [
    restarts.ended(1, life),
    restarts.ended(2, life),
  ]);
}

Deno.test("workers that were up are given up after five failed starts each", () => {
  const delays = turnsOf(new Array(5).fill(NEVER_READY));
  assertEquals(delays, [10, 10, 20, 20, 40, 40, 80, 80, 160, null]);
});

Deno.test("workers that come up are never given up, however soon they die", () => {
  const delays = turnsOf(new Array(100).fill(EARLY));
  assertEquals(delays.includes(null), false);
  assertEquals(delays.at(-1), 10_000);
});

Deno.test("failed starts count only in a row", () => {
  const four = new Array(4).fill(NEVER_READY);
  const delays = turnsOf([...four, EARLY, ...four, LATE, ...four]);
  assertEquals(delays.includes(null), false);
});

Deno.test("one worker that is well keeps the others from being given up", () => {
  const restarts = new Restarts(2, 10);
  restarts.ready();
  for (let death = 1; death <= 20; death++) {
    assertEquals(restarts.ended(1, NEVER_READY) === null, false);
  }
  assertEquals(restarts.ended(2, LATE), 0);
});

function linesOf(...pieces: (string | Uint8Array)[]): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  for (const piece of pieces) {
    splitter.feed(
      typeof piece === "string" ? new TextEncoder().encode(piece) : piece,
    );
  }
  splitter.end();
  return lines;
}

Deno.test("lines come whole, in whatever pieces they arrive", () => {
  assertEquals(linesOf("one\ntw", "o\r\n", "\nrest"), [
    "one",
    "two",
    "",
    "rest",
  ]);
  const bytes = new TextEncoder().encode("žluť\n");
  assertEquals(linesOf(...Array.from(bytes, (byte) => Uint8Array.of(byte))), [
    "žluť",
  ]);
  assertEquals(linesOf(), []);
});

Deno.test("a line without an end does not fill the memory", () => {
  const pieces = new Array(5).fill("x".repeat(30_000));
  assertEquals(linesOf(...pieces).map(({ length }) => length), [
    90_000,
    60_000,
  ]);
});
