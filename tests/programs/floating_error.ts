// An error that is no cancellation, of a floating call in a cancelled task.
import { createTask, run, sleep } from "@asyncio/asyncio";

async function floating(): Promise<void> {
  await sleep(60_000).catch(() => {});
  throw new RangeError("nobody handles this");
}

await run(async () => {
  const task = createTask(async () => {
    floating();
    await sleep(60_000);
  });
  await sleep(0);
  task.cancel();
  await task.catch(() => console.log("cancelled"));
  await sleep(1000);
  console.log("never");
});
