/** Tests of users, run by `bun test`. */
import { createSubprocessExec, PIPE, STDOUT } from "@asyncio/asyncio";
import { assertEquals, assertStringIncludes } from "@std/assert";
import process from "node:process";
import { program } from "./_support/workers.ts";
import { fileURLToPath } from "node:url";

Deno.test({
  name: "bun test hears of the end of tests that use the library",
  ignore: !("Bun" in globalThis),
  async fn() {
    await using child = await createSubprocessExec(process.execPath, [
      "test",
      fileURLToPath(program("bun_runner")),
    ], { stdout: PIPE, stderr: STDOUT });
    const [output] = await child.communicate();
    const text = new TextDecoder().decode(output!);
    assertStringIncludes(text, "3 pass");
    assertEquals(child.returnCode, 0, text);
  },
});
