// node: skip the examples are programs for Deno
import { assert, assertEquals, assertMatch } from "@std/assert";
import { freePort } from "./_support/net.ts";
import { runProgram } from "./_support/programs.ts";

const NAME = "../../examples/worker_processes";

Deno.test("example worker_processes reloads and answers all", async () => {
  const { code, stdout, stderr } = await runProgram(NAME);
  assertEquals(stderr, "");
  const [first = "", ...rest] = stdout.trimEnd().split("\n");
  assertMatch(first, /^\d+ workers on port \d+$/);
  const count = Number.parseInt(first);
  assert(count > 0);
  assertEquals(rest, [
    "reloading",
    `${count} new workers`,
    "1000 of 1000 requests were answered",
    "stopped",
  ]);
  assertEquals(code, 0);
});

Deno.test("example worker_processes serves until Ctrl-C", async () => {
  const port = await freePort();
  const { code, stdout, stderr } = await runProgram(NAME, {
    args: [`${port}`],
    onLine: (_, send) => send("SIGINT"),
  });
  assertEquals(stderr, "");
  assertMatch(stdout, new RegExp(`^\\d+ workers on port ${port}\n$`));
  assertEquals(code, 0);
});
