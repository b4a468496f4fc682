// node: skip the examples are programs for Deno
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { runProgram } from "./_support/programs.ts";

const ROOT = new URL("../", import.meta.url);

interface Printed {
  readonly stdout: string;
  readonly stderr: string;
  /** Its stdout, line by line. */
  readonly lines: readonly string[];
}

async function show(
  program: string,
  args: readonly string[],
): Promise<Printed> {
  const env = { ASYNCIO_DEBUG: "0" };
  const { code, stdout, stderr } = await runProgram(program, { args, env });
  assertEquals(code, 0, stderr);
  return { stdout, stderr, lines: stdout.trimEnd().split("\n") };
}

function runAsIs(name: string, ...args: readonly string[]): Promise<Printed> {
  return show(`../../examples/${name}`, args);
}

/** For what only waits. */
function runInVirtualTime(name: string): Promise<Printed> {
  return show("virtual_example", [name]);
}

const NAMES: readonly string[] = [
  ...Deno.readDirSync(new URL("examples/", ROOT)),
]
  .filter(({ name }) => name.endsWith(".ts"))
  .map(({ name }) => name.replace(".ts", ""))
  .sort();

/** The example a test below is about, so that none goes without. */
const TESTED = new Set<string>();

function testExample(
  name: string,
  what: string,
  fn: () => Promise<void>,
): void {
  TESTED.add(name);
  Deno.test(`example ${name} ${what}`, fn);
}

testExample("opentelemetry", "makes spans of tasks and groups", async () => {
  const { lines } = await runAsIs("opentelemetry");
  assertEquals(lines.slice(0, 5), [
    "page: failed: Unhandled errors in fetchers (1 error: Error: no route)",
    "  linked to slow",
    "  linked to broken",
    "  fetchers: failed: Unhandled errors in fetchers (1 error: Error: no route)",
    "    broken: failed: no route",
  ]);
  assertStringIncludes(lines[5]!, "    slow: cancelled: A task of the group");
  assertEquals(lines.slice(6), [
    "writer",
    "  linked to page",
    "asyncio.tasks 2",
    "asyncio.queue.size 2",
    "asyncio.loop.lag in ms",
  ]);
});

testExample("hello_world", "says hello", async () => {
  const { stdout, stderr } = await runInVirtualTime("hello_world");
  assertEquals(stdout, "hello world\n");
  assertEquals(stderr, "");
});

testExample("create_task", "says the second hello first", async () => {
  const { stdout, stderr } = await runInVirtualTime("create_task");
  assertEquals(stdout, "second hello\nfirst hello\n");
  assertEquals(stderr, "");
});

testExample("loop_stop", "tells of the task that is left", async () => {
  const { stdout, stderr } = await runInVirtualTime("loop_stop");
  assertEquals(stdout, "second hello\nfirst hello\n");
  assertEquals(
    stderr,
    "Task was destroyed but it is pending!\n" +
      'task: <Task pending name="third" waiting for sleep(4000)>\n',
  );
});

testExample("hello_clock", "tells ten minutes at once", async () => {
  const start = performance.now();
  const { lines, stderr } = await runAsIs("hello_clock");
  assert(performance.now() - start < 60_000);
  const expected: string[] = [];
  for (let second = 0; second < 600; second++) {
    const minute = Math.floor(second / 60);
    if (second === 60) expected.push("1 minute");
    else if (second > 0 && second % 60 === 0) {
      expected.push(`${minute} minutes`);
    }
    expected.push(
      `0${minute}:${second % 60 < 10 ? "0" : ""}${second % 60}`,
    );
  }
  assertEquals(lines, [...expected, "10 minutes"]);
  assertEquals(stderr, "");
});

testExample("deferred", "has the same result in both columns", async () => {
  const { stdout, stderr } = await runInVirtualTime("deferred");
  assertEquals(stdout, "with callbacks: 10\nwith async/await: 10\n");
  assertEquals(stderr, "");
});

/** Each in order, and no item consumed before it is produced. */
function assertProducedThenConsumed(lines: readonly string[]): void {
  const numbers = Array.from({ length: 10 }, (_, index) => index + 1);
  const produced = numbers.map((x) => `producing ${x}/10`);
  const consumed = numbers.map((x) => `consuming item ${x}...`);
  assertEquals(lines.filter((line) => line.startsWith("prod")), produced);
  assertEquals(lines.filter((line) => line.startsWith("cons")), consumed);
  for (const x of numbers) {
    assert(
      lines.indexOf(produced[x - 1]!) < lines.indexOf(consumed[x - 1]!),
      `item ${x}`,
    );
  }
}

testExample("producer_consumer", "consumes what it produces", async () => {
  const { lines, stderr } = await runInVirtualTime("producer_consumer");
  assertEquals(lines.length, 20);
  assertProducedThenConsumed(lines);
  assertEquals(stderr, "");
});

testExample("producer_consumer_join", "ends when all is done", async () => {
  const { lines, stderr } = await runInVirtualTime("producer_consumer_join");
  assertEquals(lines.length, 21);
  assertProducedThenConsumed(lines.slice(0, -1));
  assertEquals(lines.at(-1), "all done");
  assertEquals(stderr, "");
});

testExample("restarting_service", "is up again and again", async () => {
  const { lines, stderr } = await runInVirtualTime("restarting_service");
  assertEquals(lines, [
    "   0 ms  waiting for the feed",
    "  20 ms  feed 1 is up",
    "  20 ms  the program begins",
    "  30 ms  price 1",
    "  40 ms  price 2",
    "  50 ms  feed 1 failed: connection reset, once more",
    " 170 ms  feed 2 is up",
    " 180 ms  price 3",
    " 190 ms  price 4",
    " 200 ms  feed 2 failed: connection reset, once more",
    " 420 ms  feed 3 is up",
    " 430 ms  price 5",
    " 430 ms  that is enough",
    " 430 ms  feed 3 is closed",
  ]);
  assertEquals(stderr, "");
});

testExample("debug_mode", "reports each of the mistakes", async () => {
  const { lines, stderr } = await runAsIs("debug_mode");
  assertEquals(lines.map((line) => line[0]), ["1", "2", "3", "4", "5"]);
  assertMatch(stderr, /Executing <Task .* name="blocker">.* took \d{3,} ms/);
  for (
    const report of [
      "The task was cancelled but ended as if it were not",
      'name="swallower"',
      "The task ended while work that it started goes on, waiting for sleep(10)",
      'name="forgetful"',
      "(no longer needed) and is still in an await that the library cannot interrupt",
      'name="stuck"',
      'name="loner"> failed and its error was never retrieved',
      "Error: no such user",
    ]
  ) assertStringIncludes(stderr, report);
  // Where they were made: once in the function at fault, else in main.
  assertMatch(stderr, /created at:\n +at forgetAwait \(.*debug_mode\.ts/);
  assertMatch(stderr, /created at:\n +at main \(.*debug_mode\.ts/);
});

testExample(
  "http_client",
  "stops the request that takes too long",
  async () => {
    const { stdout, stderr } = await runAsIs("http_client", "3000");
    assertEquals(
      stdout,
      "GET /fast, for 3 s at the most\n" +
        '200, "here you are"\n' +
        "GET /slow, for 3 s at the most\n" +
        "TimeoutError\n" +
        "the server says: /fast was answered\n" +
        "the server says: the client of /slow hung up\n",
    );
    assertEquals(stderr, "");
  },
);

testExample("subprocess_command", "asks two programs at once", async () => {
  const { lines, stderr } = await runAsIs("subprocess_command");
  assertEquals(lines.length, 2);
  assertMatch(lines[0]!, /^uname: \w+/);
  assertMatch(lines[1]!, /^date: .*\d\d:\d\d/);
  assertEquals(stderr, "");
});

testExample("subprocess_echo", "has its line back", async () => {
  const { stdout, stderr } = await runAsIs("subprocess_echo");
  assertEquals(
    stdout,
    'Message: "It works!"\nReceived: "It works!"\nExit code: -15\n',
  );
  assertEquals(stderr, "");
});

/** At least so many numbers of the pipeline, then how it ended. */
function assertPiped(
  lines: readonly string[],
  least: number,
  end: readonly string[],
): void {
  const numbers = lines.slice(0, -2);
  assert(numbers.length >= least);
  assertEquals(numbers, numbers.map((_, index) => `${5 * (index + 1)}`));
  assertEquals(lines.slice(-2), end);
}

const BOTH_ENDED = "The programs ended with -15 and -15";

testExample("subprocess_pipeline", "ends when its time is over", async () => {
  const { lines, stderr } = await runAsIs("subprocess_pipeline");
  // How far it comes in its time is a matter of the machine.
  assertPiped(lines, 0, ["The time is over", BOTH_ENDED]);
  assertEquals(stderr, "");
});

testExample("subprocess_pipeline", "ends both at Ctrl-C", async () => {
  const { code, stdout, stderr } = await runProgram(
    "../../examples/subprocess_pipeline",
    {
      args: ["--live"],
      onLine: (line, send) => {
        if (line === "15") send("SIGINT");
      },
    },
  );
  assertPiped(stdout.trimEnd().split("\n"), 3, [BOTH_ENDED, "Interrupted"]);
  assertEquals(stderr, "");
  assertEquals(code, 0);
});

/** Those of sockets have their tests in a file of their own. */
async function findTestedElsewhere(): Promise<Set<string>> {
  const found = new Set<string>();
  for await (const { name } of Deno.readDir(new URL("tests/", ROOT))) {
    if (!name.startsWith("examples_")) continue;
    const text = await Deno.readTextFile(new URL(`tests/${name}`, ROOT));
    for (const [, example] of text.matchAll(/"example (\w+) /g)) {
      found.add(example!);
    }
  }
  return found;
}

Deno.test("each example has a test", async () => {
  const tested = TESTED.union(await findTestedElsewhere());
  assertEquals([...tested].sort(), NAMES);
});

Deno.test.each([...NAMES])("example %s says how to run it", async (name) => {
  const text = await Deno.readTextFile(new URL(`examples/${name}.ts`, ROOT));
  assertStringIncludes(text, `\n *     deno task example ${name}`);
  assertStringIncludes(text, 'from "@asyncio/asyncio"');
});
