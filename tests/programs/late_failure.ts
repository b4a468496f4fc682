// A task waits for something foreign, and fails when its loop is closed.
import { newEventLoop } from "@asyncio/asyncio";

let answer!: () => void;
const foreign = new Promise<void>((resolve) => {
  answer = resolve;
});
const loop = newEventLoop();
loop.setExceptionHandler(() => {});
loop.createTask(async () => {
  await foreign;
  throw new RangeError("too late");
});
loop.callSoon(() => loop.stop());
await loop.runForever();
loop.close();
answer();
await new Promise((resolve) => setTimeout(resolve, 1));
console.log("still alive");
