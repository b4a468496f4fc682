import { assert, assertEquals, assertRejects } from "@std/assert";
import { WorkerPoolExecutor } from "@asyncio/asyncio";
import { describeError, reviveError } from "../../threads/_errors.ts";
import { errorLine, errorText } from "../../_internal/error_text.ts";
import { ODD_ERRORS, sharedGroups } from "../_support/odd_errors.ts";

type Odd = typeof import("../_support/odd_errors.ts");

const ODD = new URL(
  `../_support/odd_errors${
    import.meta.url.slice(import.meta.url.lastIndexOf("."))
  }`,
  import.meta.url,
);

Deno.test("a job fails, and its worker goes on, whatever its function throws", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const odd = executor.module<Odd>(ODD);
  for (const [index, [what]] of ODD_ERRORS.entries()) {
    const job = executor.submit(() => 1);
    let thrown: unknown = "nothing";
    await odd.throwOdd(index).catch((error: unknown) => {
      thrown = error;
    });
    assert(thrown !== "nothing", what);
    assert(!errorLine(thrown).startsWith("BrokenWorkerError"), what);
    assert(errorText(thrown).length < 1_000_000, what);
    assertEquals(await job, 1);
  }
});

Deno.test("a job ends, whatever its function returns", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const odd = executor.module<Odd>(ODD);
  await assertRejects(() => odd.returnOdd(), RangeError, "no then");
});

Deno.test("an error of a worker keeps what can be read and cloned of it", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const odd = executor.module<Odd>(ODD);
  const error = await assertRejects(() => odd.throwCarrier(), AggregateError);
  assertEquals(Object.entries(error), [["code", 5], ["broken", undefined]]);
  assertEquals(error.message, "group");
  // It was one error, and is one again.
  assert(error.errors[0] === error.errors[1]);
});

Deno.test("an error that many others refer to goes over once", () => {
  const described = JSON.stringify(
    structuredClone(describeError(sharedGroups())),
    (() => {
      const seen = new Set();
      return (_, value) => {
        if (typeof value !== "object" || value === null) return value;
        if (seen.has(value)) return "seen";
        seen.add(value);
        return value;
      };
    })(),
  );
  assertEquals(described.split('"message"').length - 1, 22);
  let group = reviveError(describeError(sharedGroups())) as AggregateError;
  for (let level = 20; level > 1; level--) {
    assertEquals(group.message, `level ${level}`);
    assert(group.errors[0] === group.errors[1]);
    group = group.errors[0];
  }
});

Deno.test("a long chain of causes is cut, and a large group is", () => {
  let error = new Error("the first");
  for (let n = 0; n < 20_000; n++) error = new Error("retry", { cause: error });
  let last = reviveError(describeError(error)) as Error;
  let length = 0;
  while (last.cause instanceof Error) {
    last = last.cause;
    length++;
  }
  assertEquals([length, last.cause], [99, "Error: retry"]);
  const many = Array.from({ length: 5000 }, (_, n) => new Error(`${n}`));
  const group = reviveError(
    describeError(new AggregateError(many, "many")),
  ) as AggregateError;
  assertEquals(group.errors.length, 5000);
  assertEquals(group.errors[0].message, "0");
  assertEquals(group.errors[4999], "Error: 4999");
});
