// node: skip the examples are programs for Deno
import { assertEquals, assertMatch } from "@std/assert";
import { NATS, withServer } from "./_support/nats.ts";
import { runProgram } from "./_support/programs.ts";

async function plays(...args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await runProgram(
    "../../examples/job_queue",
    { args },
  );
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
}

Deno.test("example job_queue does all jobs, though a worker is killed", () =>
  plays());

Deno.test({
  name: "example job_queue does the same on a server",
  ...NATS,
  fn: () =>
    withServer(({ port }) => plays("--nats", `nats://127.0.0.1:${port}`)),
});
