// Node's own rules, from a CommonJS module.
import asyncio = require("@asyncio/asyncio");
import { Lock } from "@asyncio/asyncio/sync";

const lock = new Lock();

const result: Promise<number> = asyncio.run(async () => {
  await lock.acquire();
  lock.release();
  return await asyncio.sleep(1, 42);
});

// @ts-expect-error A number of milliseconds is a number.
asyncio.sleep("soon");

export = result;
