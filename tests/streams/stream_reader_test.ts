import {
  CancelledError,
  createTask,
  IncompleteReadError,
  InvalidStateError,
  LimitOverrunError,
  newEventLoop,
  sleep,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { StreamReader } from "@asyncio/asyncio";
import { bytes, text } from "../_support/bytes.ts";
import { MemorySource } from "../_support/memory_source.ts";
import { outcome, shown } from "../_support/outcome.ts";
import { turns, virtual } from "../_support/virtual.ts";

/** A reader that was fed some chunks. */
function fed(chunks: readonly string[], limit?: number): StreamReader {
  const reader = new StreamReader(limit === undefined ? {} : { limit });
  for (const chunk of chunks) reader.feedData(bytes(chunk));
  return reader;
}

/** One that was fed all there is. */
function ended(chunks: readonly string[], limit?: number): StreamReader {
  const reader = fed(chunks, limit);
  reader.feedEof();
  return reader;
}

function sourced(
  limit: number,
): { reader: StreamReader; source: MemorySource } {
  const reader = new StreamReader({ limit });
  const source = new MemorySource();
  reader.setTransport(source);
  return { reader, source };
}

async function line(reader: StreamReader): Promise<string> {
  return text(await reader.readLine());
}

async function rest(reader: StreamReader): Promise<string> {
  reader.feedEof();
  return text(await reader.read());
}

// ── read ───────────────────────────────────────────────────────────────────

Deno.test(
  "R1 read(n) gives what is there, at most n bytes",
  virtual(async () => {
    const reader = fed(["abc", "def"]);
    assertEquals(text(await reader.read(2)), "ab");
    assertEquals(text(await reader.read(3)), "cde");
    assertEquals(text(await reader.read(100)), "f");
  }),
);

Deno.test(
  "R1 read(n) waits for the first byte and no longer",
  virtual(async () => {
    const reader = new StreamReader();
    const task = createTask(() => reader.read(100));
    await sleep(10);
    assertFalse(task.done());
    reader.feedData(bytes("x"));
    assertEquals(text(await task), "x");
  }),
);

Deno.test(
  "R1 read(0) gives nothing at once",
  virtual(async () => {
    const reader = new StreamReader();
    assertEquals((await reader.read(0)).length, 0);
    reader.feedData(bytes("x"));
    assertEquals((await reader.read(0)).length, 0);
    assertEquals(await rest(reader), "x");
  }),
);

Deno.test(
  "R1 read(n) gives nothing at the end, again and again",
  virtual(async () => {
    const reader = ended(["x"]);
    assertEquals(text(await reader.read(5)), "x");
    assertEquals((await reader.read(5)).length, 0);
    assertEquals((await reader.read(5)).length, 0);
  }),
);

Deno.test(
  "R2 read() gives all until the end, beyond the limit",
  virtual(async () => {
    const { reader, source } = sourced(4);
    const task = createTask(() => reader.read());
    await turns(1);
    for (let i = 0; i < 10; i++) {
      assert(source.isReading());
      reader.feedData(bytes("0123456789"));
      await turns(1);
    }
    assertFalse(task.done());
    reader.feedEof();
    assertEquals(text(await task), "0123456789".repeat(10));
    assert(reader.atEof());
  }),
);

Deno.test(
  "read(n) refuses what is not an integer",
  virtual(async () => {
    const reader = fed(["abc"]);
    const error = await assertRejects(() => reader.read(1.5), RangeError);
    assertEquals(
      error.message,
      "Cannot read as 'n' must be an integer: received 1.5",
    );
    await assertRejects(() => reader.read(NaN), RangeError);
    await assertRejects(() => reader.read("3" as never), TypeError);
    assertEquals(await rest(reader), "abc");
  }),
);

// ── readExactly ────────────────────────────────────────────────────────────

Deno.test(
  "readExactly() gives so many bytes, however they came",
  virtual(async () => {
    const reader = fed(["abc", "de", "fgh"]);
    assertEquals(text(await reader.readExactly(2)), "ab");
    assertEquals(text(await reader.readExactly(5)), "cdefg");
    const task = createTask(() => reader.readExactly(3));
    await turns(2);
    reader.feedData(bytes("i"));
    await turns(2);
    assertFalse(task.done());
    reader.feedData(bytes("jk"));
    assertEquals(text(await task), "hij");
    assertEquals(await rest(reader), "k");
  }),
);

Deno.test(
  "R3 readExactly() at the end throws what had come, and it is gone",
  virtual(async () => {
    const reader = fed(["abc", "d"]);
    const task = createTask(() => reader.readExactly(10));
    await turns(2);
    reader.feedEof();
    const error = await assertRejects(() => task, IncompleteReadError);
    assertEquals(text(error.partial), "abcd");
    assertEquals(error.expected, 10);
    assertEquals(
      error.message,
      "Cannot read 10 bytes as the stream has ended: received 4 bytes",
    );
    assert(reader.atEof());
  }),
);

Deno.test(
  "R4 readExactly() may exceed the limit",
  virtual(async () => {
    const reader = fed(["x".repeat(100)], 3);
    assertEquals((await reader.readExactly(99)).length, 99);
  }),
);

Deno.test(
  "R4 readExactly(0) gives nothing at once, and refuses less",
  virtual(async () => {
    const reader = new StreamReader();
    assertEquals((await reader.readExactly(0)).length, 0);
    const error = await assertRejects(() => reader.readExactly(-1), RangeError);
    assertEquals(
      error.message,
      "Cannot read exactly as 'n' must be an integer of at least 0: received -1",
    );
    await assertRejects(() => reader.readExactly(Infinity), RangeError);
    await assertRejects(
      () => (reader.readExactly as () => Promise<Uint8Array>)(),
      TypeError,
    );
  }),
);

// ── readLine ───────────────────────────────────────────────────────────────

Deno.test(
  "readLine() gives lines, whole or in pieces",
  virtual(async () => {
    const reader = fed(["one\ntwo\nth"]);
    assertEquals(await line(reader), "one\n");
    assertEquals(await line(reader), "two\n");
    const task = createTask(() => line(reader));
    await turns(2);
    reader.feedData(bytes("re"));
    await turns(2);
    reader.feedData(bytes("e\nfour"));
    assertEquals(await task, "three\n");
    assertEquals(await rest(reader), "four");
  }),
);

Deno.test(
  "R5 readLine() at the end gives the tail, then nothing",
  virtual(async () => {
    const reader = ended(["one\ntail"]);
    assertEquals(await line(reader), "one\n");
    assertEquals(await line(reader), "tail");
    assertEquals(await line(reader), "");
    assertEquals(await line(reader), "");
  }),
);

Deno.test(
  "R6 readLine() drops a line over the limit, the next one is there",
  virtual(async () => {
    const reader = fed(["li", "ne1\nline2\n"], 3);
    const error = await assertRejects(
      () => reader.readLine(),
      LimitOverrunError,
    );
    assert(error instanceof RangeError);
    assertEquals(error.consumed, 5);
    assertEquals(
      error.message,
      "Cannot read up to a separator as it must come within 3 bytes: received a line of 5 bytes",
    );
    assertEquals(await rest(reader), "line2\n");
  }),
);

Deno.test(
  "R7 readLine() drops all there is of a line over the limit",
  virtual(async () => {
    const reader = fed(["li", "ne1", "li"], 3);
    const error = await assertRejects(
      () => reader.readLine(),
      LimitOverrunError,
    );
    assertEquals(error.consumed, 7);
    assertEquals(reader.statistics().size, 0);
    reader.feedData(bytes("ne\nx\n"));
    assertEquals(await line(reader), "ne\n");
  }),
);

Deno.test(
  "R7 readLine() that waits fails as soon as the limit is passed",
  virtual(async () => {
    const reader = new StreamReader({ limit: 4 });
    const task = createTask(() => reader.readLine());
    for (const part of ["ab", "cd", "e"]) {
      await turns(2);
      assertFalse(task.done());
      reader.feedData(bytes(part));
    }
    await assertRejects(() => task, LimitOverrunError);
    reader.feedData(bytes("ok\n"));
    assertEquals(await line(reader), "ok\n");
  }),
);

// ── readUntil ──────────────────────────────────────────────────────────────

Deno.test(
  "R8 readUntil() over the limit leaves all in place",
  virtual(async () => {
    const reader = fed(["some dataAA"], 3);
    const missing = await assertRejects(
      () => reader.readUntil("AAA"),
      LimitOverrunError,
    );
    assertEquals(missing.consumed, 9);
    assertStringIncludes(missing.message, "no separator in 9 bytes");
    assertEquals(reader.statistics().size, 11);
    reader.feedData(bytes("A"));
    const found = await assertRejects(
      () => reader.readUntil("AAA"),
      LimitOverrunError,
    );
    assertEquals(found.consumed, 9);
    assertStringIncludes(found.message, "a separator after 9 bytes");
    assertEquals(text(await reader.readExactly(found.consumed)), "some data");
    assertEquals(text(await reader.readUntil("AAA")), "AAA");
  }),
);

Deno.test(
  "R9 readUntil() finds a separator across chunks and includes it",
  virtual(async () => {
    const reader = fed(["one\r", "\n", "\r", "\ntwo"]);
    assertEquals(text(await reader.readUntil("\r\n\r\n")), "one\r\n\r\n");
    assertEquals(await rest(reader), "two");
  }),
);

Deno.test(
  "R9 readUntil() at the end throws what had come, and it is gone",
  virtual(async () => {
    const reader = ended(["some dataAA"]);
    const error = await assertRejects(
      () => reader.readUntil(bytes("AAA")),
      IncompleteReadError,
    );
    assertEquals(text(error.partial), "some dataAA");
    assertEquals(error.expected, null);
    assertEquals(
      error.message,
      "Cannot read up to a separator as the stream has ended: received 11 bytes",
    );
    assert(reader.atEof());
  }),
);

Deno.test(
  "R10 readUntil() of several ends with the first, the shorter of two",
  virtual(async () => {
    const reader = fed(["abcba|x||end"]);
    assertEquals(text(await reader.readUntil(["bcb", "c"])), "abc");
    assertEquals(text(await reader.readUntil(["||", "|"])), "ba|");
    assertEquals(text(await reader.readUntil(["d", "||"])), "x||");
    assertEquals(text(await reader.readUntil(["end", "nd"])), "end");
  }),
);

Deno.test(
  "R10 the shorter of two separators that end together sets the length",
  virtual(async () => {
    // Before "end" stand 3 bytes, before "nd" stand 4.
    assertEquals(
      text(await fed(["abcend"], 3).readUntil("end")),
      "abcend",
    );
    const error = await assertRejects(
      () => fed(["abcend"], 3).readUntil(["end", "nd"]),
      LimitOverrunError,
    );
    assertEquals(error.consumed, 4);
  }),
);

Deno.test(
  "R11 the limit counts the bytes before the separator",
  virtual(async () => {
    assertEquals(await line(fed(["abc\n"], 3)), "abc\n");
    assertEquals(text(await fed(["abc--"], 3).readUntil("--")), "abc--");
    await assertRejects(() => fed(["abcd\n"], 3).readLine(), LimitOverrunError);
    await assertRejects(
      () => fed(["abcd--"], 3).readUntil("--"),
      LimitOverrunError,
    );
  }),
);

Deno.test(
  "readUntil() takes text as UTF-8, and copies the bytes it is given",
  virtual(async () => {
    const reader = new StreamReader();
    const separator = bytes("€");
    const task = createTask(() => reader.readUntil(separator));
    await turns(2);
    separator.fill(0);
    reader.feedData(bytes("1 €2 €"));
    assertEquals(text(await task), "1 €");
    assertEquals(text(await reader.readUntil("€")), "2 €");
  }),
);

Deno.test(
  "readUntil() of another separator looks at the same bytes again",
  virtual(async () => {
    const reader = fed(["a;b,c;d."]);
    const task = createTask(() => timeout(1, () => reader.readUntil("!")));
    await assertRejects(() => task, TimeoutError);
    assertEquals(text(await reader.readUntil(",")), "a;b,");
    assertEquals(text(await reader.readUntil(";")), "c;");
    assertEquals(text(await reader.readUntil(["!", "."])), "d.");
  }),
);

Deno.test(
  "a search goes on where a cancelled one ended, also after other reads",
  virtual(async () => {
    const reader = fed(["abc--de-"]);
    const search = () => createTask(() => reader.readUntil("-=-"));
    for (const more of ["=", "x-="]) {
      const task = search();
      await turns(2);
      task.cancel();
      assertEquals(await outcome(task), "CancelledError");
      reader.feedData(bytes(more));
    }
    assertEquals(text(await reader.read(8)), "abc--de-");
    const task = search();
    await turns(2);
    reader.feedData(bytes("-"));
    assertEquals(text(await task), "=x-=-");
  }),
);

// ── one at a time, cancelling ──────────────────────────────────────────────

Deno.test(
  "R12 a second read is refused, with the name of what waits",
  virtual(async () => {
    const reader = fed(["x"]);
    const first = createTask(() => reader.readLine(), { name: "first" });
    await turns(2);
    const second = createTask(() => reader.read(1), { name: "second" });
    const error = await assertRejects(() => second, InvalidStateError);
    assertStringIncludes(error.message, "Cannot read in StreamReader.read");
    assertStringIncludes(error.message, 'name="first"');
    assertStringIncludes(
      error.message,
      "waiting for StreamReader.readLine> waits",
    );
    assertStringIncludes(error.message, 'name="second"');
    reader.feedData(bytes("\n"));
    assertEquals(text(await first), "x\n");
    reader.feedData(bytes("y"));
    assertEquals(text(await reader.read(1)), "y");
  }),
);

Deno.test(
  "R13 a cancelled read has taken nothing and the reader goes on",
  virtual(async () => {
    const calls: ((reader: StreamReader) => Promise<unknown>)[] = [
      (reader) => reader.read(),
      (reader) => reader.readLine(),
      (reader) => reader.readExactly(9),
      (reader) => reader.readUntil("; "),
      (reader) => reader[Symbol.asyncIterator]().next(),
    ];
    for (const call of calls) {
      const reader = fed(["abc"]);
      const task = createTask(() => call(reader));
      await turns(2);
      reader.feedData(bytes("def"));
      await turns(2);
      task.cancel();
      assertEquals(await outcome(task), "CancelledError");
      assertEquals(reader.statistics().waiting, null);
      assertEquals(text(await reader.read(4)), "abcd");
      assertEquals(await rest(reader), "ef");
    }
  }),
);

Deno.test(
  "R13 C16 a read that is cancelled as its bytes come has taken nothing",
  virtual(async () => {
    for (const dataFirst of [true, false]) {
      const reader = new StreamReader();
      const task = createTask(() => reader.read(10));
      await turns(2);
      if (dataFirst) reader.feedData(bytes("abc"));
      task.cancel();
      if (!dataFirst) reader.feedData(bytes("abc"));
      assertEquals(await outcome(task), "CancelledError");
      assertEquals(text(await reader.read(10)), "abc");
    }
  }),
);

Deno.test(
  "R13 bytes that are on their way to the code are not lost by a cancellation",
  virtual(async () => {
    for (let hops = 0; hops < 20; hops++) {
      const reader = new StreamReader();
      let got = "";
      const task = createTask(async () => {
        got += text(await reader.read(10));
        await sleep(1);
      });
      await turns(2);
      reader.feedData(bytes("abc"));
      for (let i = 0; i < hops; i++) await undefined;
      task.cancel();
      assertEquals(await outcome(task), "CancelledError");
      assertEquals(got + await rest(reader), "abc", `after ${hops} hops`);
    }
  }),
);

Deno.test(
  "R13 a timeout around a read leaves the bytes for the next one",
  virtual(async () => {
    const reader = new StreamReader();
    const feeder = createTask(async () => {
      for (const part of ["a", "b", "c\n"]) {
        await sleep(10);
        reader.feedData(bytes(part));
      }
    });
    let timeouts = 0;
    for (;;) {
      try {
        assertEquals(text(await timeout(7, () => reader.readLine())), "abc\n");
        break;
      } catch (error) {
        assert(error instanceof TimeoutError);
        timeouts++;
      }
    }
    assertEquals(timeouts, 4);
    await feeder;
  }),
);

Deno.test(
  "a cancellation that is remembered comes before bytes that are there",
  virtual(async () => {
    const reader = fed(["abc"]);
    const task = createTask(async () => {
      task.cancel();
      await assertRejects(() => reader.read(), CancelledError);
      return text(await reader.read(2));
    });
    assertEquals(await task, "ab");
    assertEquals(reader.statistics().size, 1);
  }),
);

// ── errors, the end ────────────────────────────────────────────────────────

Deno.test(
  "R14 setException() makes every read throw, also with bytes left",
  virtual(async () => {
    const reader = fed(["line\n"]);
    const failure = new Error("reset");
    assertEquals(reader.exception(), null);
    reader.setException(failure);
    assertStrictEquals(reader.exception(), failure);
    const calls = [
      () => reader.read(),
      () => reader.read(0),
      () => reader.readLine(),
      () => reader.readExactly(1),
      () => reader.readUntil("i"),
      () => reader[Symbol.asyncIterator]().next(),
    ];
    for (const call of calls) {
      assertStrictEquals(await assertRejects(call), failure);
    }
  }),
);

Deno.test(
  "R14 setException() ends a read that waits, once",
  virtual(async () => {
    const reader = new StreamReader();
    const failure = new Error("reset");
    const task = createTask(() => reader.read());
    await turns(2);
    reader.feedData(bytes("abc"));
    reader.setException(failure);
    assertStrictEquals(await assertRejects(() => task), failure);
    assertEquals(reader.statistics().waiting, null);
  }),
);

Deno.test(
  "R15 iteration gives lines, blank ones too, and the tail",
  virtual(async () => {
    const reader = ended(["a\n", "\nb", "c\n\n", "tail"]);
    const lines: string[] = [];
    for await (const each of reader) lines.push(text(each));
    assertEquals(lines, ["a\n", "\n", "bc\n", "\n", "tail"]);
  }),
);

Deno.test(
  "R15 leaving the iteration leaves the rest",
  virtual(async () => {
    const reader = fed(["a\nb\nc"]);
    for await (const each of reader) {
      assertEquals(text(each), "a\n");
      break;
    }
    assertEquals(await line(reader), "b\n");
    for await (const each of ended([])) assert(!each);
  }),
);

Deno.test("R16 a limit of 0 or less is refused", () => {
  for (const limit of [0, -1, 1.5, NaN, Infinity]) {
    assertThrows(
      () => new StreamReader({ limit }),
      RangeError,
      `Cannot create a stream reader as 'limit' must be an integer of at least 1: received ${limit}`,
    );
  }
  assertThrows(() => new StreamReader({ limit: "9" as never }), TypeError);
  assertThrows(() => new StreamReader({ loop: {} as never }), TypeError);
});

Deno.test(
  "R16 an empty separator is refused",
  virtual(async () => {
    const reader = fed(["abc"]);
    for (const separator of ["", new Uint8Array(0), [], ["a", ""]]) {
      const error = await assertRejects(
        () => reader.readUntil(separator),
        RangeError,
      );
      assertStringIncludes(error.message, "'separator' must h");
    }
    for (const separator of [10, null, undefined, [1]]) {
      await assertRejects(
        () => reader.readUntil(separator as never),
        TypeError,
        "Cannot read up to a separator as 'separator' must be a Uint8Array or a string: received",
      );
    }
    assertEquals(await rest(reader), "abc");
  }),
);

Deno.test("R16 data after the end is refused", () => {
  const reader = ended(["abc"]);
  reader.feedEof();
  assertThrows(
    () => reader.feedData(bytes("x")),
    InvalidStateError,
    "Cannot feed a stream reader as it was fed its end: received 1 bytes",
  );
});

Deno.test("feedData() refuses text", () => {
  assertThrows(
    () => new StreamReader().feedData("abc" as never),
    TypeError,
    `Cannot feed a stream reader as 'data' must be a Uint8Array: received "abc"`,
  );
});

Deno.test("atEof() is true once the stream has ended and all is read", () => {
  const reader = fed(["abc"]);
  assertFalse(reader.atEof());
  reader.feedEof();
  assertFalse(reader.atEof());
  assert(ended([]).atEof());
});

// ── pausing ────────────────────────────────────────────────────────────────

Deno.test(
  "R17 it pauses above twice the limit and resumes at the limit",
  virtual(async () => {
    const { reader, source } = sourced(4);
    reader.feedData(bytes("12345678"));
    assertEquals(source.log, []);
    reader.feedData(bytes("9"));
    assertEquals(source.log, ["pause"]);
    reader.feedData(bytes("0"));
    await reader.read(5);
    assertEquals(source.log, ["pause"]);
    await reader.read(1);
    assertEquals(source.log, ["pause", "resume"]);
  }),
);

Deno.test(
  "R17 readExactly() of more than that resumes and does not deadlock",
  virtual(async () => {
    const { reader, source } = sourced(4);
    reader.feedData(bytes("123456789"));
    assertEquals(source.log, ["pause"]);
    const task = createTask(() => reader.readExactly(25));
    const feeder = createTask(async () => {
      for (; !task.done(); await sleep(1)) {
        if (source.isReading()) reader.feedData(bytes("abcdefghij"));
      }
    });
    assertEquals(text(await task), "123456789abcdefghijabcdef");
    await feeder;
    assertEquals(reader.statistics().size, 4);
    assertEquals(source.log, ["pause", "resume"]);
  }),
);

Deno.test(
  "R17 a cancelled readExactly() of more than that pauses again",
  virtual(async () => {
    const { reader, source } = sourced(4);
    const task = createTask(() => reader.readExactly(100));
    await turns(2);
    reader.feedData(bytes("0123456789"));
    await turns(2);
    assertEquals(source.log, []);
    task.cancel();
    await outcome(task);
    assertEquals(source.log, ["pause"]);
    await reader.readExactly(6);
    assertEquals(source.log, ["pause", "resume"]);
  }),
);

Deno.test(
  "R17 what is left after a read that waited pauses it too",
  virtual(async () => {
    const { reader, source } = sourced(4);
    const task = createTask(() => reader.readExactly(2));
    await turns(2);
    reader.feedData(bytes("0123456789ab"));
    await task;
    assertEquals(source.log, ["pause"]);
    assertEquals(reader.statistics(), {
      size: 10,
      limit: 4,
      isPaused: true,
      isEof: false,
      waiting: null,
    });
  }),
);

Deno.test(
  "R17 it pauses while a read that has enough waits for its turn",
  virtual(async () => {
    const { reader, source } = sourced(4);
    const task = createTask(() => reader.readExactly(2));
    await turns(2);
    reader.feedData(bytes("0123"));
    assertEquals(source.log, []);
    reader.feedData(bytes("456789"));
    assertEquals(source.log, ["pause"]);
    await task;
    assertEquals(reader.statistics().size, 8);
    await reader.readExactly(4);
    assertEquals(source.log, ["pause", "resume"]);
  }),
);

Deno.test(
  "R17 it resumes for a read whose turn has come and that needs more",
  virtual(async () => {
    const { reader, source } = sourced(4);
    const task = createTask(() => reader.readExactly(20));
    await turns(2);
    reader.feedData(bytes("0123"));
    reader.feedData(bytes("456789"));
    assertEquals(source.log, ["pause"]);
    await turns(2);
    assertEquals(source.log, ["pause", "resume"]);
    reader.feedData(bytes("0123456789"));
    assertEquals(text(await task), "01234567890123456789");
  }),
);

Deno.test("a transport that comes late is told to pause", () => {
  const reader = fed(["0123456789"], 4);
  const first = new MemorySource();
  reader.setTransport(first);
  assertEquals(first.log, ["pause"]);
  const second = new MemorySource();
  reader.setTransport(second);
  assertEquals(second.log, ["pause"]);
});

// ── memory ─────────────────────────────────────────────────────────────────

Deno.test(
  "what lies in one chunk is a view of it, the whole chunk is itself",
  virtual(async () => {
    const reader = new StreamReader();
    const chunk = bytes("one\ntwo\nthree");
    reader.feedData(chunk);
    for (const length of [4, 4]) {
      const line = await reader.readLine();
      assertEquals(line.length, length);
      assertStrictEquals(line.buffer, chunk.buffer);
    }
    reader.feedData(chunk);
    assertStrictEquals((await reader.read(5)).buffer, chunk.buffer);
    reader.feedEof();
    assertEquals(await reader.read(4), bytes("one\n"));
    const whole = fed([]);
    whole.feedData(chunk);
    assertStrictEquals(await whole.read(100), chunk);
  }),
);

Deno.test(
  "single bytes that pile up are gathered, and what was read stays as it is",
  virtual(async () => {
    const reader = new StreamReader();
    const read: Uint8Array[] = [];
    for (let i = 0; i < 10_000; i++) {
      reader.feedData(new Uint8Array([i & 255]));
      if (i % 7 === 0) read.push(await reader.read(3));
    }
    reader.feedEof();
    read.push(await reader.read());
    const all = read.flatMap((part) => [...part]);
    assertEquals(all, Array.from({ length: 10_000 }, (_, i) => i & 255));
  }),
);

Deno.test(
  "a chunk of a class of its own comes out as a Uint8Array",
  virtual(async () => {
    class Chunk extends Uint8Array {}
    const reader = new StreamReader();
    reader.feedData(new Chunk([1, 2]));
    assertStrictEquals((await reader.read(2)).constructor, Uint8Array);
  }),
);

// ── its loop, its face ─────────────────────────────────────────────────────

Deno.test("a reader waits in one loop only", async () => {
  const reader = new StreamReader();
  await virtual(async () => {
    const task = createTask(() => reader.read());
    await turns(2);
    task.cancel();
    await outcome(task);
  })();
  await virtual(async () => {
    await assertRejects(
      () => reader.read(),
      InvalidStateError,
      "Cannot wait in StreamReader.read as it is bound to another event loop",
    );
    reader.feedData(bytes("abc"));
    assertEquals(text(await reader.read(3)), "abc");
  })();
  const loop = newEventLoop();
  await virtual(async () => {
    const bound = new StreamReader({ loop });
    await assertRejects(() => bound.read(), InvalidStateError);
  })();
  loop.close();
});

Deno.test(
  "toString() tells the state",
  virtual(async () => {
    const reader = new StreamReader({ limit: 2 });
    reader.setTransport(new MemorySource());
    assertEquals(String(reader), "<StreamReader 0 bytes, limit 2>");
    reader.feedData(bytes("abcde"));
    assertEquals(shown(reader), "<StreamReader 5 bytes, limit 2, paused>");
    const task = createTask(() => reader.readExactly(9));
    await turns(2);
    assertEquals(
      String(reader),
      "<StreamReader 5 bytes, limit 2, waiting in readExactly>",
    );
    assertStringIncludes(String(task), "waiting for StreamReader.readExactly");
    reader.setException(new Error("reset"));
    await outcome(task);
    reader.feedEof();
    assertEquals(
      String(reader),
      "<StreamReader 5 bytes, limit 2, paused, at its end, failed>",
    );
  }),
);
