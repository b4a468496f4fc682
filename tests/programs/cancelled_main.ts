// Main is cancelled by itself, and nobody catches that.
import { currentTask, run, sleep } from "@asyncio/asyncio";

await run(async () => {
  currentTask()!.cancel("gone");
  await sleep(0);
});
console.log("never");
