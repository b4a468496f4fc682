// node: skip the examples are programs for Deno
import { assertEquals, assertMatch } from "@std/assert";
import { runProgram } from "./_support/programs.ts";

Deno.test("example job_queue does all jobs, though a worker is killed", async () => {
  const { code, stdout, stderr } = await runProgram("../../examples/job_queue");
  assertMatch(stderr, /^(\d+ done\n)+$/);
  assertEquals(
    stdout,
    [
      "2 workers",
      "one of them was killed",
      "30 jobs were put, and none is left",
      "dead letter: broken.png, delivered 3 times\n",
    ].join("\n"),
  );
  assertEquals(code, 0);
});
