/** What a runtime lacks is refused by its name. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  OSError,
  run,
  startServer,
  WorkerPoolExecutor,
} from "@asyncio/asyncio";
import { CellStorage } from "../platform/cell_storage.ts";
import {
  can,
  LIMITS,
  reasonAgainst,
  refusal,
  REUSE_PORT,
  THREAD_LIMITS,
} from "../platform/limits.ts";
import { runtimeName } from "../platform/runtime.ts";

Deno.test("a refusal has the action, the runtime and the reason", () => {
  const lacking = LIMITS.filter((limit) => !can(limit));
  for (const limit of lacking) {
    const error = refusal(limit, "do it");
    assertEquals(error.message, `Cannot do it as ${reasonAgainst(limit)}`);
    assert(error.message.startsWith(`Cannot do it as ${runtimeName} `));
    assertEquals(error.code, "ENOTSUP");
  }
});

Deno.test({
  name: "resourceLimits are refused where workers have none",
  ignore: can(THREAD_LIMITS),
  fn() {
    assertThrows(
      () => new WorkerPoolExecutor({ resourceLimits: { stackSizeMb: 4 } }),
      OSError,
      `Cannot create an executor with 'resourceLimits' as ${runtimeName} `,
    );
    // No limit is none that could not be kept.
    assertEquals(new WorkerPoolExecutor().statistics().workers, 0);
  },
});

Deno.test({
  name: "reusePort is refused where the runtime has none",
  ignore: can(REUSE_PORT),
  async fn() {
    const error = await run(() =>
      startServer(() => {}, { port: 0, reusePort: true })
    ).catch((reason: unknown) => reason);
    assert(error instanceof OSError);
    assertEquals(error.code, "ENOTSUP");
  },
});

Deno.test("a store in a cell goes with the code behind each await", async () => {
  const storage = new CellStorage<string>();
  const seen: (string | undefined)[] = [];
  await storage.run("outer", async () => {
    await null;
    seen.push(storage.getStore());
    await storage.run("inner", async () => {
      await null;
      seen.push(storage.getStore());
    });
    seen.push(storage.getStore());
  });
  seen.push(storage.getStore());
  assertEquals(seen, ["outer", "inner", "outer", undefined]);
});

Deno.test("what is entered apart reaches only the code that begins there", async () => {
  const storage = new CellStorage<string>();
  const seen: (string | undefined)[] = [];
  let later = Promise.resolve();
  storage.run("outer", () => {
    storage.apart((name: string) => {
      seen.push(storage.getStore());
      storage.enterWith(name);
      later = later.then(() => {
        seen.push(storage.getStore());
      });
    }, "entered");
    seen.push(storage.getStore());
  });
  await later;
  assertEquals(seen, ["outer", "outer", "entered"]);
});
