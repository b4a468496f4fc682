import { cancelSignal, checkCancelled, runVirtual, sleep, toThread } from "@asyncio/asyncio";
import { expect, test, vi } from "vitest";
import { helper } from "./helper.js";

test("a function goes to a worker", async () => {
  const job = toThread(async (n: number) => {
    const same = () => n;
    checkCancelled();
    const { basename } = await import("node:path");
    return [same(), cancelSignal().aborted, basename("/a/b")];
  }, 40);
  expect(await job).toEqual([40, false, "b"]);
});

test("an error names what was imported", async () => {
  await expect(toThread(() => helper(1))).rejects.toThrow('refers to "helper"');
  expect(() => toThread(() => import.meta.url)).toThrow("import.meta");
});

test("tasks go on under fake timers", async () => {
  vi.useFakeTimers();
  try {
    expect(await runVirtual(() => sleep(1000, "virtual"))).toBe("virtual");
    expect(await sleep(1, "real")).toBe("real");
  } finally {
    vi.useRealTimers();
  }
});
