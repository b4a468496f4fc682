/** Ends by itself, though its workers are never ended. */
import { toThread, WorkerPoolExecutor } from "@asyncio/asyncio";

const executor = new WorkerPoolExecutor();
console.log(await executor.submit((text) => text, "the first"));

// Nothing awaits this one: the program lives until it is done.
toThread(async () => {
  await new Promise((resolve) => setTimeout(resolve, 20));
  return "the second";
}).then(console.log);
