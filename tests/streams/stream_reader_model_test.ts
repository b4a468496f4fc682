/**
 * The reader against a model of it: the same bytes as one text, searched from
 * the start each time. Seeded, so every run is the same.
 */
import {
  createTask,
  IncompleteReadError,
  LimitOverrunError,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertGreater } from "@std/assert";
import { StreamReader } from "@asyncio/asyncio";
import { bytes, text } from "../_support/bytes.ts";
import { MemorySource } from "../_support/memory_source.ts";
import { outcome } from "../_support/outcome.ts";
import { makeRandom } from "../../_internal/random.ts";
import { turns, virtual } from "../_support/virtual.ts";

type Random = (below: number) => number;

type Call =
  | { readonly kind: "read" | "into" | "exactly"; readonly n: number }
  | { readonly kind: "all" | "line" | "next" }
  | { readonly kind: "until"; readonly separators: readonly string[] };

/** What a call comes to, in words; null while it has to wait. */
class Model {
  buffer = "";
  isEof = false;
  readonly limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  call(call: Call): string | null {
    switch (call.kind) {
      case "all":
        return this.isEof ? this.take(this.buffer.length) : null;
      case "read":
      case "into":
        if (call.n === 0 || this.isEof || this.buffer.length > 0) {
          return this.take(Math.min(call.n, this.buffer.length));
        }
        return null;
      case "exactly":
        if (this.buffer.length >= call.n) return this.take(call.n);
        return this.isEof ? this.incomplete(call.n) : null;
      case "line":
      case "next":
        return this.line();
      case "until":
        return this.until(call.separators);
    }
  }

  line(): string | null {
    const at = this.buffer.indexOf("\n");
    if (at > this.limit) {
      this.take(at + 1);
      return `overrun ${at}`;
    }
    if (at >= 0) return this.take(at + 1);
    if (this.buffer.length > this.limit) {
      return `overrun ${this.take(this.buffer.length).length - "got ".length}`;
    }
    return this.isEof ? this.take(this.buffer.length) : null;
  }

  until(separators: readonly string[]): string | null {
    let start = -1;
    let end = Infinity;
    let longest = 0;
    for (const separator of separators) {
      longest = Math.max(longest, separator.length);
      const at = this.buffer.indexOf(separator);
      if (at < 0) continue;
      const after = at + separator.length;
      if (after > end || (after === end && at < start)) continue;
      start = at;
      end = after;
    }
    if (start > this.limit) return `overrun ${start}`;
    if (start >= 0) return this.take(end);
    const passed = this.buffer.length + 1 - longest;
    if (passed > this.limit) return `overrun ${passed}`;
    return this.isEof ? this.incomplete(null) : null;
  }

  take(count: number): string {
    const taken = this.buffer.slice(0, count);
    this.buffer = this.buffer.slice(count);
    return `got ${taken}`;
  }

  incomplete(expected: number | null): string {
    return `incomplete ${expected} ${this.take(this.buffer.length)}`;
  }
}

function start(reader: StreamReader, call: Call): Promise<Uint8Array> {
  switch (call.kind) {
    case "all":
      return reader.read();
    case "read":
      return reader.read(call.n);
    case "into": {
      const buffer = new Uint8Array(call.n);
      return reader.readInto(buffer).then((count) =>
        buffer.subarray(0, count ?? 0)
      );
    }
    case "exactly":
      return reader.readExactly(call.n);
    case "line":
      return reader.readLine();
    case "next":
      return reader[Symbol.asyncIterator]().next().then((result) =>
        result.done === true ? bytes("") : result.value
      );
    case "until":
      return reader.readUntil(call.separators);
  }
}

async function answer(promise: PromiseLike<Uint8Array>): Promise<string> {
  try {
    return `got ${text(await promise)}`;
  } catch (error) {
    if (error instanceof LimitOverrunError) return `overrun ${error.consumed}`;
    assert(error instanceof IncompleteReadError);
    return `incomplete ${error.expected} got ${text(error.partial)}`;
  }
}

/** A text of few letters, so that separators and parts of them abound. */
function randomText(random: Random, letters: string, length: number): string {
  let result = "";
  while (result.length < length) result += letters[random(letters.length)];
  return result;
}

function randomSplit(random: Random, whole: string): string[] {
  const longest = [1, 2, 5, 20, 600][random(5)]!;
  const chunks: string[] = [];
  for (let from = 0; from < whole.length;) {
    const length = 1 + random(longest);
    chunks.push(whole.slice(from, from + length));
    from += length;
  }
  return chunks;
}

function randomCall(random: Random, letters: string): Call {
  switch (random(13)) {
    case 0:
      return { kind: "read", n: random(30) };
    case 1:
      return { kind: "exactly", n: random(random(4) === 0 ? 100 : 10) };
    case 2:
    case 3:
      return { kind: "line" };
    case 4:
      return { kind: "next" };
    case 5:
      return random(8) === 0 ? { kind: "all" } : { kind: "read", n: 1 };
    case 6:
      return { kind: "into", n: random(30) };
    default: {
      const separators: string[] = [];
      for (let i = random(random(2) === 0 ? 1 : 4); i >= 0; i--) {
        separators.push(randomText(random, letters, 1 + random(4)));
      }
      return { kind: "until", separators };
    }
  }
}

interface Case {
  readonly whole: string;
  readonly limit: number;
  readonly calls: readonly Call[];
}

function randomCase(random: Random): Case {
  const letters = ["a\n", "ab\n", "abcdefgh;,.\n"][random(3)]!;
  const whole = randomText(
    random,
    letters,
    random(random(3) === 0 ? 3000 : 120),
  );
  const limit = [1, 2, 3, 8, 40, 5000][random(6)]!;
  const calls = Array.from({ length: 25 }, () => randomCall(random, letters));
  return { whole, limit, calls };
}

const CASES = 1500;

Deno.test(
  "any split of the same bytes gives the same answers",
  virtual(async () => {
    const random = makeRandom(1);
    let answers = 0;
    for (let number = 0; number < CASES; number++) {
      const { whole, limit, calls } = randomCase(random);
      const model = new Model(limit);
      model.buffer = whole;
      model.isEof = true;
      const reader = new StreamReader({ limit });
      for (const chunk of randomSplit(random, whole)) {
        reader.feedData(bytes(chunk));
      }
      reader.feedEof();
      for (const call of calls) {
        assertEquals(
          await answer(start(reader, call)),
          model.call(call)!,
          `case ${number}, limit ${limit}: ${JSON.stringify(call)}`,
        );
        answers++;
      }
      assertEquals(text(await reader.read()), model.buffer);
    }
    assertGreater(answers, CASES);
  }),
);

Deno.test(
  "any split that comes while a read waits gives the answers of the model",
  virtual(async () => {
    const random = makeRandom(2);
    const kinds = new Map<string, number>();
    for (let number = 0; number < CASES; number++) {
      const { whole, limit, calls } = randomCase(random);
      const model = new Model(limit);
      const reader = new StreamReader({ limit });
      const source = new MemorySource();
      reader.setTransport(source);
      const chunks = randomSplit(random, whole);
      const feed = () => {
        const chunk = chunks.shift();
        if (chunk === undefined) {
          reader.feedEof();
          model.isEof = true;
        } else {
          reader.feedData(bytes(chunk));
          model.buffer += chunk;
        }
      };
      for (const call of calls) {
        // Bytes may also come while nobody reads.
        while (chunks.length > 0 && source.isReading() && random(3) === 0) {
          feed();
        }
        const where = `case ${number}, limit ${limit}: ${JSON.stringify(call)}`;
        let expected = model.call(call);
        const task = createTask(() => start(reader, call));
        await turns(2);
        while (expected === null) {
          assert(!task.done(), where);
          assert(source.isReading(), where);
          if (random(8) === 0) {
            task.cancel();
            assertEquals(await outcome(task), "CancelledError", where);
            break;
          }
          feed();
          expected = model.call(call);
          await turns(2);
        }
        if (expected === null) continue;
        assertEquals(await answer(task), expected, where);
        const kind = expected.split(" ")[0]!;
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
        const { size, isPaused } = reader.statistics();
        assertEquals(size, model.buffer.length, where);
        assertEquals(isPaused, !source.isReading(), where);
        if (size > 2 * limit) assert(isPaused, where);
        if (size <= limit) assert(!isPaused, where);
      }
      while (!model.isEof) feed();
      assertEquals(text(await reader.read()), model.buffer);
    }
    for (const kind of ["got", "overrun", "incomplete"]) {
      assertGreater(kinds.get(kind) ?? 0, 100, kind);
    }
  }),
);
