/** A worker whose task fails as it is cancelled at the end of the grace period. */
import { createTask, sleep, startServer } from "@asyncio/asyncio";

await startServer(() => {}, { hostname: "127.0.0.1" });
createTask(async () => {
  try {
    await sleep(Infinity);
  } finally {
    // deno-lint-ignore no-unsafe-finally -- clean-up that fails
    throw new RangeError("cannot clean up");
  }
});
