// node: skip the runner of the tests on Node runs the program itself
// OpenTelemetry and pino, as they are published, behind an HTTP server. If their
// packages cannot be had, these tests are skipped, and say so.
import { assert, assertMatch } from "@std/assert";
import { execute, ROOT, toPath } from "../scripts/_project.ts";
import { TRACING_MODES, tracingPackages } from "../scripts/_tracing.ts";

const FOLDER = new URL("tests/npm/tracing/", ROOT);
const LIMIT_MS = 120_000;
const config = `--config=${toPath(new URL("deno.json", FOLDER))}`;

const packages = (await tracingPackages()).map((name) => `npm:${name}`);
const installed = await execute(
  Deno.execPath(),
  ["cache", "--no-lock", ...packages],
  { timeoutMs: LIMIT_MS },
);
if (!installed.ok) {
  console.log(`Skipped: no ${packages.join(", ")}\n${installed.output}`);
}

for (const mode of TRACING_MODES) {
  Deno.test({
    name:
      `V3 each line that is logged has its request, with OpenTelemetry and pino: ${mode}`,
    ignore: !installed.ok,
    async fn() {
      const { ok, output } = await execute(
        Deno.execPath(),
        ["run", "-A", "--no-check", config, "main.mjs", mode],
        { cwd: FOLDER, timeoutMs: LIMIT_MS },
      );
      assert(ok, output);
      assertMatch(output, /300 requests, 0 failed; \d+ lines .*, 0 without/);
    },
  });
}
