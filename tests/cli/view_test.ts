// How answers look, without a program that is looked into.
import { assertEquals, assertLess } from "@std/assert";
import type { Facts } from "../../cli/_target.ts";
import { chains, stack, styleOf, table, tree } from "../../cli/_view.ts";
import type { InspectedTask } from "../../loop/inspection.ts";

const PLAIN = { hasColor: false, width: null };

function task(
  id: number,
  name: string,
  awaitedBy: readonly number[] = [],
): InspectedTask {
  return {
    id,
    name,
    state: `waiting for ${name}`,
    waitingMs: null,
    isAtLeast: false,
    awaitedBy,
    frames: [],
  };
}

function copies(
  tasks: readonly InspectedTask[],
  total = tasks.length,
): Facts {
  const loop = {
    id: 1,
    text: "<EventLoop running>",
    isDebug: false,
    total,
    tasks,
  };
  const copy = { place: "here", thread: null, label: "", loops: [loop] };
  return { copies: [copy], notes: [] };
}

Deno.test("a table has a row a task, and says how many it leaves out", () => {
  assertEquals(
    table(copies([task(1, "a"), task(12, "long name", [1])], 9), PLAIN),
    [
      "id   task       awaited by  for  state",
      "#1   a          -           -    waiting for a",
      "#12  long name  a           -    waiting for long name",
      "and 7 more tasks: --limit shows them",
    ],
  );
  assertEquals(table(copies([]), PLAIN), ["no tasks"]);
});

Deno.test("many that await a task are counted, and one that is not shown has its id", () => {
  const [, row] = table(copies([task(1, "a", [2, 3, 4, 5, 6])]), PLAIN);
  assertEquals(row, "#1  a     #2, #3, #4 and 2 more  -    waiting for a");
});

Deno.test("a table is as long as there are tasks", () => {
  const many = copies(Array.from({ length: 150_000 }, (_, i) => task(i, "a")));
  assertEquals(table(many, PLAIN).length, 150_001);
});

Deno.test("a tree has each task once, also in a circle", () => {
  assertEquals(
    tree(
      copies([task(1, "root"), task(2, "leaf", [1, 3]), task(3, "twig", [1])]),
      PLAIN,
    ),
    [
      "root: waiting for root",
      "\u2514\u2500 leaf: waiting for leaf",
      "\u2514\u2500 twig: waiting for twig",
      "   \u2514\u2500 leaf (shown above)",
    ],
  );
  assertEquals(tree(copies([task(1, "a", [2]), task(2, "b", [1])]), PLAIN), [
    "a: waiting for a",
    "\u2514\u2500 b: waiting for b",
    "   \u2514\u2500 a (a cycle)",
  ]);
});

Deno.test("a chain leads from a task to the root, deeper than any stack", () => {
  const deep = Array.from(
    { length: 20_000 },
    (_, index) => task(index, `t${index}`, [index + 1]),
  );
  const facts = copies(deep);
  for (const lines of [chains(facts, "t0", PLAIN), tree(facts, PLAIN)]) {
    assertEquals(lines.length, 20_000);
    // An indentation that grew with each level would make hundreds of megabytes.
    assertLess(Math.max(...lines.map(({ length }) => length)), 200);
  }
});

Deno.test("a line is cut to the terminal's width, and the head is bold where there are colours", () => {
  const style = { hasColor: true, width: 10 };
  assertEquals(table(copies([task(1, "abcdefghijkl")]), style), [
    "\x1b[1mid  task \u2026\x1b[22m",
    "#1  abcde\u2026",
  ]);
});

Deno.test("a stack tells who holds the loop and who has called it", () => {
  const frame = { file: "file:///a.ts", line: 3, column: 7 };
  assertEquals(
    stack(
      [{ function: "grind", ...frame }, { function: "main", ...frame }],
      PLAIN,
    ),
    [
      "The loop is held by grind (file:///a.ts:3:7)",
      "  called by main (file:///a.ts:3:7)",
    ],
  );
});

Deno.test("how long a task has waited is told, and whether it may be longer", () => {
  const known = { ...task(1, "a"), waitingMs: 12_340 };
  const seen = { ...task(2, "b"), waitingMs: 500, isAtLeast: true };
  const facts = copies([known, seen]);
  assertEquals(table(facts, PLAIN), [
    "id  task  awaited by  for      state",
    "#1  a     -           12.3 s   waiting for a",
    "#2  b     -           >500 ms  waiting for b",
  ]);
  assertEquals(tree(facts, PLAIN), [
    "a: waiting for a for 12.3 s",
    "b: waiting for b",
  ]);
});

Deno.test("several loops, copies and worker threads have titles, and ids of their own", () => {
  const { copies: [copy] } = copies([task(1, "a")]);
  const [loop] = copy!.loops;
  const thread = "worker thread 2 (file:///w.js)";
  const facts: Facts = {
    copies: [
      { ...copy!, loops: [loop!, loop!] },
      { ...copy!, place: "there", label: "c2" },
      { ...copy!, thread, label: "w2" },
    ],
    notes: ["worker thread 3 does not answer: something holds its loop"],
  };
  assertEquals(table(facts, PLAIN).filter((line) => !line.startsWith("id")), [
    "<EventLoop running> in the main thread of the copy here: 1 task",
    "#1  a     -           -    waiting for a",
    "",
    "<EventLoop running> in the main thread of the copy here: 1 task",
    "#1  a     -           -    waiting for a",
    "",
    "<EventLoop running> in the main thread of the copy there: 1 task",
    "#c2.1  a     -           -    waiting for a",
    "",
    "<EventLoop running> in worker thread 2 (file:///w.js): 1 task",
    "#w2.1  a     -           -    waiting for a",
    "worker thread 3 does not answer: something holds its loop",
  ]);
  assertEquals(chains(facts, "#w2.1", PLAIN), [
    "a in worker thread 2 (file:///w.js): waiting for a",
    "worker thread 3 does not answer: something holds its loop",
  ]);
  assertEquals(chains(facts, "#w3.1", PLAIN), []);
});

Deno.test("there are colours in a terminal, unless NO_COLOR says otherwise", () => {
  const terminal = { isTTY: true, columns: 80 };
  assertEquals(styleOf(terminal, {}), { hasColor: true, width: 80 });
  assertEquals(styleOf(terminal, { NO_COLOR: "" }).hasColor, true);
  assertEquals(styleOf(terminal, { NO_COLOR: "1" }).hasColor, false);
  assertEquals(styleOf(terminal, { TERM: "dumb" }).hasColor, false);
  assertEquals(styleOf({}, {}), { hasColor: false, width: null });
});
