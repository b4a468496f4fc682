// What becomes of rejections nobody handles, once something was cancelled.
import { createTask, run, sleep } from "@asyncio/asyncio";
import process from "node:process";

const say = console.log;
const [what, ...who] = process.argv.slice(2);

if (who.includes("listener")) {
  process.on("unhandledRejection", (reason) => say(`heard ${reason}`));
}
if (who.includes("catcher")) {
  process.on(
    "uncaughtException",
    (error, origin) => say(`caught ${error} of ${origin}`),
  );
}

async function floating(): Promise<void> {
  await sleep(60_000);
}

await run(async () => {
  const task = createTask(async () => {
    floating();
    await sleep(60_000);
  });
  await sleep(0);
  task.cancel();
  await task.catch(() => {});
});
await new Promise((resolve) => setTimeout(resolve, 5));
say("cancelled");
if (what === "error") Promise.reject(new RangeError("nobody handles this"));
if (what === "value") Promise.reject("a value");
await new Promise((resolve) => setTimeout(resolve, 5));
say("alive");
