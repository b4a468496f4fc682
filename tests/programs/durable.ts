// Works on a durable queue, or puts into one, until it is killed.
import { run } from "@asyncio/asyncio";
import { openSqliteQueue } from "@asyncio/asyncio/durable";
import { writeSync } from "node:fs";
import process from "node:process";

const [, , path = "", what] = process.argv;
const say = (text: string) => writeSync(1, `${text}\n`);

await run(async () => {
  const queue = await openSqliteQueue<number>(path, {
    leaseMs: 1_500,
    maxDeliveries: 1000,
    synchronous: "normal",
  });
  if (what === "put") {
    for (let i = 0;; i++) {
      await queue.put(i);
      say(`put ${i}`);
    }
  }
  for (;;) {
    const item = await queue.get();
    if (item >= 0) say(`did ${item}`);
    await queue.taskDone();
    if (item < 0) break;
  }
  await queue.close();
});
