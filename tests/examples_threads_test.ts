// node: skip the examples are programs for Deno
import { assertEquals, assertMatch } from "@std/assert";
import { toThread } from "@asyncio/asyncio";
import { computePi } from "../examples/run_in_thread.ts";
import { runProgram } from "./_support/programs.ts";

const env = { ASYNCIO_DEBUG: "0" };

/** The first thousand, as every table has them; its end is …64201989. */
const FIRST_FIFTY = "3.14159265358979323846264338327950288419716939937510";

Deno.test("example run_in_thread computes 20,000 digits and lets the loop go on", async () => {
  assertEquals(await runProgram("../../examples/run_in_thread", { env }), {
    code: 0,
    stdout: "Compute 20000 digits of pi\n" +
      "pi = 3.14159265358979323846…44878140490755178\n" +
      "The loop ticked meanwhile\n",
    stderr: "",
  });
});

Deno.test("example run_in_thread stops at Ctrl-C", async () => {
  const { code, stdout, stderr } = await runProgram(
    "../../examples/run_in_thread",
    {
      args: ["1000000"],
      env,
      onLine: (line, send) => {
        if (line.startsWith("Compute")) send("SIGINT");
      },
    },
  );
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^Compute 1000000 digits of pi\nInterrupted\n$/);
});

Deno.test("computePi() gives the known digits, in a worker too", async () => {
  assertEquals(computePi(50), FIRST_FIFTY);
  const pi = await toThread(computePi, 1000);
  assertEquals(pi.slice(0, 52), FIRST_FIFTY);
  assertEquals(pi.slice(-20), "66111959092164201989");
  assertEquals(pi.length, 1002);
});
