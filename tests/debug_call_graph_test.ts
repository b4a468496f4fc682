import {
  asCompleted,
  captureCallGraph,
  createTask,
  currentTask,
  Event,
  formatCallGraph,
  type Future,
  type FutureCallGraph,
  gather,
  getEventLoop,
  getRunningLoop,
  printCallGraph,
  shield,
  sleep,
  taskGroup,
  wait,
  waitFor,
} from "@asyncio/asyncio";
import * as debug from "@asyncio/asyncio/debug";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { turns, virtual } from "./_support/virtual.ts";

/** The names of those above `future`, each with those above it. */
type Names = readonly [name: string, ...above: Names[]];

function namesOf({ future, awaitedBy }: FutureCallGraph): Names {
  const name = "name" in future ? String(future.name) : String(future);
  return [name, ...awaitedBy.map(namesOf)];
}

function above(future: Future<unknown>): Names {
  const graph = captureCallGraph(future);
  assert(graph !== null);
  return namesOf(graph);
}

/** A task that waits until it is cancelled. */
function sleeper(name: string) {
  return createTask(() => sleep(60_000), { name });
}

/** Cancels what a test has left running, and waits for its end. */
async function end(...tasks: Future<unknown>[]): Promise<void> {
  for (const task of tasks) task.cancel();
  await gather(tasks, { returnExceptions: true }).catch(() => {});
}

Deno.test("@asyncio/asyncio/debug has what the package has", () => {
  assertStrictEquals(debug.captureCallGraph, captureCallGraph);
  assertStrictEquals(debug.formatCallGraph, formatCallGraph);
  assertStrictEquals(debug.printCallGraph, printCallGraph);
});

Deno.test(
  "the call graph goes up from a task to the root, by way of await",
  virtual(async () => {
    const inner = sleeper("inner");
    const middle = createTask(async () => await inner, { name: "middle" });
    const outer = createTask(async () => await middle, { name: "outer" });
    await turns(3);
    assertEquals(above(inner), ["inner", ["middle", ["outer"]]]);
    await end(outer);
  }),
);

Deno.test(
  "the call graph sees all who await one future",
  virtual(async () => {
    const future = getRunningLoop().createFuture<string>();
    const tasks = ["one", "two"].map((name) =>
      createTask(async () => await future, { name })
    );
    await turns(2);
    const [, ...awaiters] = above(future);
    assertEquals(awaiters, [["one"], ["two"]]);
    future.setResult("done");
    await gather(tasks);
    assertEquals(above(future).slice(1), []);
  }),
);

const WAYS: Readonly<
  Record<string, (task: Future<void>) => PromiseLike<unknown>>
> = {
  gather: (task) => gather([task]),
  wait: (task) => wait([task]),
  shield: (task) => shield(task),
  waitFor: (task) => waitFor(task, 1000_000),
  asCompleted: async (task) => {
    for await (const each of asCompleted([task])) each.done();
  },
};

for (const [name, awaits] of Object.entries(WAYS)) {
  Deno.test(
    `the call graph sees through ${name}()`,
    virtual(async () => {
      const inner = sleeper("inner");
      const outer = createTask(async () => void await awaits(inner), {
        name: "outer",
      });
      await turns(3);
      assertEquals(above(inner), ["inner", ["outer"]]);
      await end(outer, inner);
    }),
  );
}

Deno.test(
  "the call graph names the task around a task group, also while its block runs",
  virtual(async () => {
    currentTask()!.name = "around";
    await taskGroup(async (group) => {
      const child = group.createTask(() => sleep(10), { name: "child" });
      await sleep(1);
      assertEquals(above(child), ["child", ["around"]]);
    });
  }),
);

Deno.test(
  "the call graph of tasks that await each other ends with the cycle",
  virtual(async () => {
    const one: Future<void> = createTask(async () => await two, {
      name: "one",
    });
    const two: Future<void> = createTask(async () => await one, {
      name: "two",
    });
    await turns(2);
    assertEquals(above(one), ["one", ["two", ["one"]]]);
    const graph = captureCallGraph(one);
    assertEquals(graph?.isCycle, false);
    assertEquals(graph?.awaitedBy[0]?.awaitedBy[0]?.isCycle, true);
    assertMatch(formatCallGraph(one), /name="one".*\(a cycle\)$/);
    await end(one, two);
  }),
);

Deno.test(
  "the call stack is what a task waits for, or the frames of the running one",
  virtual(async () => {
    const task = sleeper("sleeper");
    await turns(1);
    assertEquals(captureCallGraph(task)?.callStack, [
      "waiting for sleep(60000)",
    ]);
    const frames = captureCallGraph()?.callStack ?? [];
    assertStrictEquals(captureCallGraph(null)?.future, currentTask());
    assertMatch(frames[0] ?? "", /debug_call_graph_test/);
    assertEquals(frames.filter((line) => /call_graph\.[jt]s/.test(line)), []);
    await end(task);
    assertEquals(captureCallGraph(task)?.callStack, []);
  }),
);

Deno.test(
  "the call stack has the frames of the wait in debug mode",
  virtual(async () => {
    const task = sleeper("sleeper");
    await turns(1);
    const [wait, frame = ""] = captureCallGraph(task)?.callStack ?? [];
    assertEquals(wait, "waiting for sleep(60000)");
    assertMatch(frame, /^at .*debug_call_graph_test/);
    await end(task);
  }, { debug: true }),
);

Deno.test(
  "limit keeps the innermost lines of a stack, or the outermost",
  virtual(async () => {
    const event = new Event();
    const task = createTask(() => Promise.all([event.wait(), sleep(1)]));
    await turns(1);
    const stackOf = (limit: number) =>
      captureCallGraph(task, { limit })?.callStack;
    const [first, last] = captureCallGraph(task)?.callStack ?? [];
    assertEquals(stackOf(1), [first!]);
    assertEquals(stackOf(-1), [last!]);
    assertEquals(stackOf(0), []);
    event.set();
    await task;
  }),
);

Deno.test(
  "formatCallGraph() indents each below the one it awaits",
  virtual(async () => {
    const inner = sleeper("inner");
    const outer = createTask(async () => await inner, { name: "outer" });
    await turns(2);
    const innerText = '<Task pending name="inner" waiting for sleep(60000)>';
    assertEquals(formatCallGraph(inner).split("\n"), [
      `* ${innerText}`,
      "  + Call stack:",
      "  |   waiting for sleep(60000)",
      "  + Awaited by:",
      '    * <Task pending name="outer" waiting for <Task pending name="inner">>',
      "      + Call stack:",
      `      |   waiting for ${innerText}`,
    ]);
    await end(outer);
  }),
);

Deno.test("printCallGraph() writes it to stdout", () => {
  const future = getEventLoop().createFuture();
  const { log } = console;
  const lines: unknown[][] = [];
  console.log = (...line) => void lines.push(line);
  try {
    printCallGraph(future);
  } finally {
    console.log = log;
  }
  assertEquals(lines, [["* <Future pending>"]]);
});

Deno.test("outside of any task there is no graph", () => {
  assertEquals(captureCallGraph(), null);
  assertEquals(formatCallGraph(), "");
});

Deno.test("what is no future is refused", () => {
  assertThrows(
    () => captureCallGraph(Promise.resolve() as never),
    TypeError,
    "Cannot capture a call graph as 'future' must be a future or a task: received",
  );
  assertThrows(
    () => formatCallGraph(null, { limit: 1.5 }),
    TypeError,
    "Cannot capture a call graph as 'limit' must be an integer: received 1.5",
  );
  assertThrows(
    () => printCallGraph(null, 3 as never),
    TypeError,
    "Cannot capture a call graph as 'options' must be an object: received 3",
  );
});
