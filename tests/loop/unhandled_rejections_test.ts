/** Node's flag for rejections nobody handles, beside the library's filter. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type ProgramResult, runProgram } from "../_support/programs.ts";
import { needs } from "../_support/runtimes.ts";
import { REJECTION_MODES, STRICT_REJECTIONS } from "../../platform/limits.ts";

const MODES = ["throw", "strict", "warn", "none", "warn-with-error-code"];

function reject(mode: string, ...args: string[]): Promise<ProgramResult> {
  return runProgram("rejections", {
    args,
    flags: [`--unhandled-rejections=${mode}`],
  });
}

/** Whether the runtime has the flag, and each of its modes. */
const options = needs(REJECTION_MODES);
const optionsOf = (mode: string) =>
  mode === "strict" ? needs(STRICT_REJECTIONS) : options;

for (const mode of MODES) {
  Deno.test({
    name:
      `cancelling does not end a program with --unhandled-rejections=${mode}`,
    ...optionsOf(mode),
    async fn() {
      const { code, stdout, stderr } = await reject(mode, "nothing");
      assertEquals([code, stdout], [0, "cancelled\nalive\n"]);
      // That mode warns of what is handled, too.
      if (mode !== "warn") assertEquals(stderr, "");
    },
  });

  Deno.test({
    name: `who listens hears an error with --unhandled-rejections=${mode}`,
    ...optionsOf(mode),
    async fn() {
      const { code, stdout } = await reject(
        mode,
        "error",
        "listener",
        "catcher",
      );
      assertEquals(code, 0);
      assertStringIncludes(stdout, "heard RangeError: nobody handles this\n");
      assertEquals(stdout.includes("caught"), mode === "strict");
      assert(stdout.endsWith("alive\n"));
    },
  });
}

for (const mode of ["throw", "strict"]) {
  Deno.test({
    name: `an error ends a program with --unhandled-rejections=${mode}`,
    ...optionsOf(mode),
    async fn() {
      const { code, stdout, stderr } = await reject(mode, "error");
      assertEquals([code, stdout], [1, "cancelled\n"]);
      assertStringIncludes(stderr, "RangeError: nobody handles this");
    },
  });

  Deno.test({
    name: `an error is caught with --unhandled-rejections=${mode}`,
    ...optionsOf(mode),
    async fn() {
      const { code, stdout } = await reject(mode, "error", "catcher");
      assertEquals(code, 0);
      assertStringIncludes(stdout, "caught RangeError: nobody handles this");
      assertEquals(stdout.includes("CancelledError"), false);
      assert(stdout.endsWith("alive\n"));
    },
  });
}

for (
  const [mode, status] of [["warn", 0], ["warn-with-error-code", 1]] as const
) {
  Deno.test({
    name: `a program goes on, and warns, with --unhandled-rejections=${mode}`,
    ...optionsOf(mode),
    async fn() {
      for (const what of ["error", "value"]) {
        const { code, stdout, stderr } = await reject(mode, what);
        assertEquals([code, stdout], [status, "cancelled\nalive\n"]);
        assertStringIncludes(stderr, "UnhandledPromiseRejectionWarning: ");
        assertStringIncludes(
          stderr,
          what === "error" ? "RangeError: nobody handles this" : "a value",
        );
      }
    },
  });
}

Deno.test({
  name: "a program is silent with --unhandled-rejections=none",
  ...options,
  async fn() {
    const { code, stdout, stderr } = await reject("none", "error");
    assertEquals([code, stdout, stderr], [0, "cancelled\nalive\n", ""]);
  },
});

Deno.test({
  name:
    "--unhandled-rejections counts in NODE_OPTIONS, less than on the command line",
  ...options,
  async fn() {
    const env = { NODE_OPTIONS: "--unhandled-rejections=warn-with-error-code" };
    const args = ["error"];
    const alone = await runProgram("rejections", { args, env });
    assertEquals([alone.code, alone.stdout], [1, "cancelled\nalive\n"]);
    const flags = ["--unhandled-rejections", "none"];
    const both = await runProgram("rejections", { args, env, flags });
    assertEquals([both.code, both.stderr], [0, ""]);
  },
});

for (const way of ["callSoon", "callLater", "callAt", "addDoneCallback"]) {
  Deno.test(`what an async callback of ${way}() throws is an unhandled rejection`, async () => {
    const { code, stdout, stderr } = await runProgram("async_callback", {
      args: [way],
    });
    assertEquals(stdout, "");
    assertStringIncludes(stderr, "RangeError: nobody handles this");
    assertEquals(code, 1);
  });
}
