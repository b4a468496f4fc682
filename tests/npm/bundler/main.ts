// A bundler's rules, and no types of Node: the declarations may need none.
import * as asyncio from "@asyncio/asyncio";
import * as debug from "@asyncio/asyncio/debug";
import * as loop from "@asyncio/asyncio/loop";
import * as queue from "@asyncio/asyncio/queue";
import * as sync from "@asyncio/asyncio/sync";
import * as tasks from "@asyncio/asyncio/tasks";
import * as testing from "@asyncio/asyncio/testing";
import * as threads from "@asyncio/asyncio/threads";

export const entries = [debug, loop, queue, sync, tasks, testing, threads];

export async function pair(): Promise<[number, string]> {
  return await asyncio.gather([
    () => asyncio.sleep(1, 1),
    () => asyncio.sleep(1, "one"),
  ]);
}
