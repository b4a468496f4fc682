// node: skip it reads pages and comments, from Deno
import { assertEquals, assertMatch } from "@std/assert";
import { commentsOf, faultsOf, fix } from "../../scripts/check_prose.ts";

/** The words at fault in a page. */
async function found(text: string): Promise<string[]> {
  const faults = await faultsOf("page.md", text);
  return faults.map((fault) => fault.match(/"([^"]+)"/)?.[1] ?? fault);
}

for (
  const [bad, good] of [
    ["`null` where there is none", "`null` if there is none"],
    ["0 where it is not said", "0 if it is not said"],
    ["Where a worker dies, another comes.", "If a worker dies, another comes."],
    ["Catch it where it is not meant for you", "Catch it where you can"],
    ["Thrown where a queue is full.", "It is thrown where it waits."],
    ["It throws, even where it ends.", "It throws, even if it ends."],
    ["The error, where there is one.", "The error, if there is one."],
    ["It closes; else it stays.", "It closes; otherwise it stays."],
    ["At most so many tasks run.", "There are so many that it is slow."],
    ["Answers to `asyncio.Lock`.", "Equivalent of `asyncio.Lock`."],
    ["Locks stand on it.", "It stands for a number."],
    ["It begins anew.", "It begins again."],
    ["It is is twice.", "It is once."],
  ] as const
) {
  Deno.test(`"${bad}" is a fault of the prose`, async () => {
    assertEquals((await found(bad)).length, 1);
    assertEquals(await found(good), []);
  });
}

Deno.test("a place is where something is", async () => {
  assertEquals(
    await found(
      "It arrives at the `await` where it waits. Anything else waits.",
    ),
    [],
  );
});

Deno.test("code and addresses of links are not prose", async () => {
  assertEquals(
    await found(
      "`null where there is none` [a](#before-anything-else)\n\n" +
        "```ts\n// null where there is none\n```\n",
    ),
    [],
  );
});

const SOURCE = `const a = 1;

/** The first. */
function f() {}

  /**
   * Does it.
   *
   * @param n How often; 0 where it
   * is not said.
   * @returns The sum.
   */
// not this: null where there is none
`;

Deno.test("commentsOf() gives the doc comments alone", () => {
  const { lines, numbers } = commentsOf(SOURCE);
  const read = lines.map((line, index) => `${numbers[index]} ${line.trim()}`)
    .filter((line) => /\w$|\.$/.test(line) && / ./.test(line));
  assertEquals(read, [
    "3 The first.",
    "7 Does it.",
    "9 How often; 0 where it",
    "10 is not said.",
    "11 The sum.",
  ]);
});

Deno.test("a fault of a comment has its place in the file", async () => {
  const [fault = "", ...others] = await faultsOf("source.ts", SOURCE);
  assertEquals(others, []);
  assertMatch(fault, /^source\.ts:9:28 "where"/);
});

Deno.test("fix() puts one word in the place of another, and leaves the rest", async () => {
  const source = "/** 0 where it is not said, null where there is none. */\n" +
    "// 0 where it is not said\n";
  assertEquals(
    await fix("source.ts", source),
    "/** 0 if it is not said, null if there is none. */\n" +
      "// 0 where it is not said\n",
  );
  assertEquals(
    await fix("page.md", "It closes; else it stays."),
    "It closes; else it stays.",
  );
});
