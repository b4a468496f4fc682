// A task fails in the ambient loop and nobody asks.
import { createTask, sleep } from "@asyncio/asyncio";

createTask(async () => {
  await sleep(1);
  throw new RangeError("too far");
});
await sleep(5);
console.log("still alive");
