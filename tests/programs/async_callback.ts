// What an async function throws that was given as a callback.
import { getRunningLoop, run, sleep } from "@asyncio/asyncio";
import process from "node:process";

const [way] = process.argv.slice(2);

async function callback(): Promise<void> {
  await sleep(1);
  throw new RangeError("nobody handles this");
}

await run(async () => {
  const loop = getRunningLoop();
  loop.setExceptionHandler(() => console.log("not told"));
  if (way === "callSoon") loop.callSoon(callback);
  if (way === "callLater") loop.callLater(1, callback);
  if (way === "callAt") loop.callAt(loop.time(), callback);
  if (way === "addDoneCallback") {
    const future = loop.createFuture<void>();
    future.setResult(undefined);
    future.addDoneCallback(callback);
  }
  // Bun goes on in a module that still awaits, and fails at the end.
  await sleep(100);
}, { debug: false });
