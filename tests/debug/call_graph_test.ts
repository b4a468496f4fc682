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
import { turns, virtual } from "../_support/virtual.ts";
import { needs } from "../_support/runtimes.ts";
import { CALLER_FRAMES } from "../../platform/limits.ts";

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
    assertMatch(frames[0] ?? "", /call_graph_test/);
    assertEquals(frames.filter((line) => /call_graph\.[jt]s/.test(line)), []);
    await end(task);
    assertEquals(captureCallGraph(task)?.callStack, []);
  }),
);

Deno.test(
  "the call stack has the frames of the wait in debug mode",
  needs(CALLER_FRAMES),
  virtual(async () => {
    const task = sleeper("sleeper");
    await turns(1);
    const [wait, frame = ""] = captureCallGraph(task)?.callStack ?? [];
    assertEquals(wait, "waiting for sleep(60000)");
    assertMatch(frame, /^at .*call_graph_test/);
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

/** Layers of two tasks, each of which awaits both below. */
function layers(count: number, first: Future<unknown>): Future<unknown>[] {
  let layer = [first];
  for (let i = 0; i < count; i++) {
    const below = layer;
    layer = ["a", "b"].map((side) =>
      createTask(async () => void await gather(below), { name: `${side}${i}` })
    );
  }
  return layer;
}

Deno.test(
  "formatCallGraph() shows once who awaits several, and then refers to it",
  virtual(async () => {
    const first = sleeper("first");
    const top = layers(2, first);
    await turns(3);
    const titles = formatCallGraph(first).split("\n")
      .filter((line) => /^ *\* /.test(line))
      .map((line) => line.replace(/<.*?name="(.*?)".*>/, "$1"));
    assertEquals(titles, [
      "* first",
      "    * a0",
      "        * a1",
      "        * b1",
      "    * b0",
      "        * a1 (shown above)",
      "        * b1 (shown above)",
    ]);
    await end(...top);
  }),
);

Deno.test(
  "captureCallGraph() has one object for one that awaits several",
  virtual(async () => {
    const first = sleeper("first");
    const top = layers(2, first);
    await turns(3);
    const [a, b] = captureCallGraph(first)!.awaitedBy;
    assertEquals(a!.awaitedBy.length, 2);
    assertStrictEquals(a!.awaitedBy[0], b!.awaitedBy[0]);
    await end(...top);
  }),
);

Deno.test(
  "formatCallGraph() grows with the tasks, and not with the ways between them",
  virtual(async () => {
    const first = sleeper("first");
    const top = layers(500, first);
    await sleep(1);
    const lines = formatCallGraph(first).split("\n");
    assertEquals(
      lines.filter((line) => line.includes("shown above")).length,
      998,
    );
    assert(lines.length < 10 * 1000);
    await end(...top);
  }),
);

Deno.test(
  "formatCallGraph() shows a chain that is longer than the stack is deep",
  virtual(async () => {
    const first = sleeper("first");
    let last = first;
    let gathered: Future<unknown> = sleeper("gathered");
    const inner = gathered;
    for (let i = 1; i <= 20_000; i++) {
      const awaited = last;
      last = createTask(async () => await awaited, { name: `${i}` });
      gathered = gather([gathered]);
    }
    const outer = createTask(async () => void await gathered, {
      name: "outer",
    });
    await sleep(1);
    const text = formatCallGraph(first);
    assertMatch(text, /^ {80}\* <Task pending name="20"/m);
    assertMatch(text, /^ {80}\* \[21\] <Task pending name="21"/m);
    assertMatch(text, /^ {80}\* \[20000\] <Task pending name="20000"/m);
    assertEquals(above(inner), ["gathered", ["outer"]]);
    await end(last, outer, inner);
  }),
);

Deno.test(
  "a name cannot forge a line of the call graph, nor steer a terminal",
  virtual(async () => {
    const name = 'x">\n* <Task\x1b[2J\x7f\x9b\u202e\u2028';
    const task = sleeper(name);
    await turns(1);
    assertEquals(formatCallGraph(task).split("\n").length, 3);
    assertEquals(
      String(task),
      String
        .raw`<Task pending name="x\">\n* <Task\u001b[2J\u007f\u009b\u202e\u2028" waiting for sleep(60000)>`,
    );
    const failed = getRunningLoop().createFuture();
    failed.setException(new Error("one\ntwo\x1b[2J"));
    failed.exception();
    assertEquals(
      formatCallGraph(failed),
      String.raw`* <Future failed Error: one\ntwo\u001b[2J>`,
    );
    await end(task);
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
