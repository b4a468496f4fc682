/** Tests for Bun's own runner, which `tests/bun_runner_test.ts` starts. */
import { sleep } from "@asyncio/asyncio";
import { runVirtual } from "@asyncio/asyncio/testing";

type Register = (name: string, body: () => Promise<unknown>) => void;

// The compiler knows no such module.
const runner = "bun:test";
const { test }: { test: Register } = await import(runner);

await sleep(1);

test("ends after timers", () => sleep(1));
test("ends after turns of the host", async () => {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
});
test("ends in virtual time", () => runVirtual(() => sleep(60_000)));
