// How answers look, without a program that is looked into.
import { assertEquals, assertLess } from "@std/assert";
import { chains, stack, table, tree } from "../../cli/_view.ts";
import type { CopyFacts } from "../../cli/_copies.ts";
import type { InspectedTask } from "../../loop/inspection.ts";

const PLAIN = { hasColor: false, width: null };

function task(
  id: number,
  name: string,
  awaitedBy: readonly number[] = [],
): InspectedTask {
  return { id, name, state: `waiting for ${name}`, awaitedBy, frames: [] };
}

function copies(
  tasks: readonly InspectedTask[],
  total = tasks.length,
): CopyFacts[] {
  const loop = {
    id: 1,
    text: "<EventLoop running>",
    isDebug: false,
    total,
    tasks,
  };
  return [{ place: "here", loops: [loop] }];
}

Deno.test("a table has a row a task, and says how many it leaves out", () => {
  assertEquals(
    table(copies([task(1, "a"), task(12, "long name", [1])], 9), PLAIN),
    [
      "id   task       awaited by  state",
      "#1   a          -           waiting for a",
      "#12  long name  a           waiting for long name",
      "and 7 more tasks: --limit shows them",
    ],
  );
  assertEquals(table(copies([]), PLAIN), ["no tasks"]);
});

Deno.test("many that await a task are counted, and one that is not shown has its id", () => {
  const [, row] = table(copies([task(1, "a", [2, 3, 4, 5, 6])]), PLAIN);
  assertEquals(row, "#1  a     #2, #3, #4 and 2 more  waiting for a");
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
  const [loop] = copies(deep)[0]!.loops;
  for (
    const lines of [chains(loop!, [deep[0]!], PLAIN), tree(copies(deep), PLAIN)]
  ) {
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
