import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  BrokenWorkerError,
  isCancelledError,
  OSError,
  Task,
  toThread,
  transfer,
} from "@asyncio/asyncio";
import { sharedState } from "../_support/threads.ts";

/** The error that `fn` fails with in a worker. */
async function errorOf(fn: () => unknown): Promise<Error> {
  try {
    await toThread(fn);
  } catch (error) {
    return error as Error;
  }
  throw new Error("It did not fail");
}

Deno.test("X1 toThread() runs elsewhere", async () => {
  const key = "@asyncio/asyncio test";
  (globalThis as Record<string, unknown>)[key] = "here";
  const there = await toThread(
    (name) => (globalThis as Record<string, unknown>)[name] ?? "elsewhere",
    key,
  );
  assertEquals(there, "elsewhere");
  delete (globalThis as Record<string, unknown>)[key];
});

Deno.test("X1 toThread() gives the result, of an async function as well", async () => {
  assertEquals(await toThread((a, b) => a + b, 20, 22), 42);
  assertEquals(
    await toThread(async (ms: number) => {
      await new Promise((resolve) => setTimeout(resolve, ms));
      return new Map([["ms", ms]]);
    }, 1),
    new Map([["ms", 1]]),
  );
  assertEquals(await toThread(() => undefined), undefined);
});

Deno.test("toThread() leaves the loop free", async () => {
  const state = sharedState();
  const job = toThread((shared) => {
    const limit = Date.now() + 30_000;
    while (Atomics.load(shared, 0) === 0) {
      if (Date.now() > limit) return "had to wait for its caller";
    }
    return "done";
  }, state);
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  Atomics.store(state, 0, 1);
  assertEquals(await job, "done");
});

function named(n: number): number {
  return n <= 1 ? 1 : n * named(n - 1);
}

Deno.test("toThread() knows a function's own name", async () => {
  assertEquals(await toThread(named, 5), 120);
});

Deno.test("toThread() names the variable that a function closes over", async () => {
  // No literal, which Bun would put in its place.
  const limit = Number("3");
  const error = await errorOf(() => limit);
  assert(error instanceof ReferenceError);
  assertStringIncludes(error.message, 'refers to "limit"');
  assertStringIncludes(error.message, "executor.module<typeof import(");
  assert(error.cause instanceof ReferenceError);
});

Deno.test("toThread() names an import that a function closes over", async () => {
  const error = await errorOf(function wrapper() {
    return sharedHelper();
  });
  assertStringIncludes(error.message, "Cannot run the function wrapper in");
  assertStringIncludes(error.message, 'refers to "sharedHelper"');
});

function sharedHelper(): string {
  return "of the module";
}

Deno.test("toThread() names a variable that hosts have one of", async () => {
  const name = String("mine");
  const error = await errorOf(() => name);
  assertStringIncludes(error.message, 'refers to "name"');
});

Deno.test("toThread() names the `this` that an arrow function closes over", async () => {
  class Counter {
    count = 3;
    read = () => this.count;
  }
  const error = await errorOf(new Counter().read);
  assertStringIncludes(error.message, 'refers to "this"');
});

Deno.test("toThread() leaves alone a ReferenceError of other code", async () => {
  const error = await errorOf(() => {
    throw new ReferenceError("elsewhere is not defined");
  });
  // It is in the text of the function, so it may be a variable of it.
  assertStringIncludes(error.message, "elsewhere");
  const other = await errorOf(() => {
    throw new ReferenceError(["some", "where"].join("") + " is not defined");
  });
  assertEquals(other.message, "somewhere is not defined");
});

Deno.test("toThread() refuses at the call what cannot go by its source", () => {
  const method = { work() {} }.work;
  const cases: [() => unknown, string][] = [
    [Math.random, "received a function of the host"],
    [named.bind(null, 1), "received a bound function"],
    [method, "received a method"],
    [class Work {} as never, "received a class"],
    [function* work() {}, "received a generator"],
    [async function* work() {}, "received a generator"],
    [() => import.meta.url, "received what only works where it stands"],
  ];
  for (const [fn, text] of cases) {
    const error = assertThrows(() => toThread(fn), TypeError, text);
    assertStringIncludes(error.message, "as 'fn' must be a function that");
    assertStringIncludes(error.message, "executor.module<typeof import(");
  }
  assertThrows(
    () => toThread("work" as never),
    TypeError,
    "'fn' must be a function",
  );
});

Deno.test("toThread() refuses at the call an argument that cannot be cloned", () => {
  const take = (..._values: unknown[]) => {};
  assertThrows(
    () => toThread(take, 1, () => {}),
    TypeError,
    "Cannot run the function take in a worker as argument 2 must be",
  );
  assertThrows(
    () => toThread(take, { deep: [Symbol("x")] }),
    TypeError,
    "argument 1",
  );
});

Deno.test("toThread() fails where the result cannot be cloned", async () => {
  await assertRejects(
    () => toThread(() => () => 1),
    TypeError,
    "Cannot give back the result of an anonymous function as it cannot be cloned: received an anonymous function",
  );
});

Deno.test("toThread() clones, so that the caller's value stays as it is", async () => {
  const list = [1, 2];
  assertEquals(await toThread((mine) => mine.push(3) && mine, list), [1, 2, 3]);
  assertEquals(list, [1, 2]);
});

Deno.test("transfer() hands buffers over instead of copying", async () => {
  const bytes = new Uint8Array([1, 2, 3]);
  const back = await toThread(
    (mine) => transfer(mine.map((each) => 2 * each)),
    transfer(bytes),
  );
  assertEquals(back, new Uint8Array([2, 4, 6]));
  assertEquals(bytes.byteLength, 0);
  const pair = { a: new ArrayBuffer(4), b: new ArrayBuffer(8) };
  const length = await toThread(
    ({ a, b }) => a.byteLength + b.byteLength,
    transfer(pair, [pair.a]),
  );
  assertEquals([length, pair.a.byteLength, pair.b.byteLength], [12, 0, 8]);
});

Deno.test("transfer() refuses what it cannot hand over", () => {
  assertThrows(() => transfer(1 as never), TypeError, "must be an object");
  assertThrows(() => transfer({}), TypeError, "'list' must say");
  assertThrows(() => transfer({}, 1 as never), TypeError, "must be an array");
});

Deno.test("X1 an error comes back with class, message, stack and cause", async () => {
  const error = await errorOf(function work() {
    throw new RangeError("too far", { cause: new TypeError("wrong kind") });
  });
  assert(error instanceof RangeError);
  assertEquals([error.name, error.message], ["RangeError", "too far"]);
  assertStringIncludes(error.stack!, "work");
  assert(error.cause instanceof TypeError);
  assertEquals(error.cause.message, "wrong kind");
  assertEquals(Object.keys(error), []);
});

Deno.test("an error of a class of its own comes back by name", async () => {
  const error = await errorOf(() => {
    class PageError extends RangeError {
      page = 7;
      retry = () => {};
    }
    throw new PageError("no such page");
  });
  assert(error instanceof RangeError);
  assertEquals([error.name, error.message], ["PageError", "no such page"]);
  assertEquals((error as unknown as { page: number }).page, 7);
});

Deno.test("an AggregateError comes back with its errors", async () => {
  const error = await errorOf(() => {
    throw new AggregateError([new URIError("a"), "b"], "both");
  });
  assert(error instanceof AggregateError);
  assert(error.errors[0] instanceof URIError);
  assertEquals([error.message, error.errors[1]], ["both", "b"]);
});

Deno.test("a DOMException comes back as one", async () => {
  const error = await errorOf(() => {
    throw new DOMException("no time", "TimeoutError");
  });
  assert(error instanceof DOMException);
  assertEquals([error.name, error.message], ["TimeoutError", "no time"]);
});

Deno.test("an error that is its own cause comes back", async () => {
  const error = await errorOf(() => {
    const own = new Error("circular");
    own.cause = own;
    throw own;
  });
  assertEquals([error.message, error.cause], ["circular", "[Circular]"]);
});

Deno.test("what is thrown and no error comes back as it is", async () => {
  for (const thrown of [undefined, null, 5, "text"]) {
    let caught: unknown = "nothing";
    try {
      await toThread((it: unknown) => {
        throw it;
      }, thrown);
    } catch (error) {
      caught = error;
    }
    assertEquals(caught, thrown);
  }
});

Deno.test("errors of the host come back with their codes", async () => {
  const error = await errorOf(async () => {
    const { readFile } = await import("node:fs/promises");
    await readFile("/nowhere/at/all");
  });
  assertEquals((error as { code?: string }).code, "ENOENT");
  assert(!(error instanceof OSError) && !(error instanceof BrokenWorkerError));
});

Deno.test("a job can be awaited as a task's own wait", async () => {
  const job = toThread(() => 1);
  assert(!(job instanceof Task));
  assertEquals(await job, 1);
  assertEquals(job.result(), 1);
  assert(!isCancelledError(job.exception()));
});
