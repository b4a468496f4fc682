import {
  createTask,
  type GroupTrace,
  sleep,
  taskGroup,
} from "@asyncio/asyncio";
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { channel } from "node:diagnostics_channel";
import { heardOn } from "../_support/traces.ts";
import { virtual } from "../_support/virtual.ts";

Deno.test(
  "asyncio:group tells of a group around its block and its tasks",
  virtual(async () => {
    const log: string[] = [];
    const heard = await heardOn<GroupTrace>("asyncio:group", async (soFar) => {
      await createTask(() =>
        taskGroup(async (group) => {
          group.createTask(async () => {
            await sleep(5);
            log.push(`a task, after ${soFar.length} messages`);
          });
          await sleep(1);
        }, { name: "fetchers" }), { name: "page" });
    });
    assertEquals(log, ["a task, after 2 messages"]);
    assertEquals(heard.map(({ event }) => event), [
      "start",
      "end",
      "asyncStart",
      "asyncEnd",
    ]);
    const [{ message }] = heard as [typeof heard[number]];
    assertEquals([message.name, message.task?.name], ["fetchers", "page"]);
  }),
);

Deno.test(
  "asyncio:group tells what a group rejects with",
  virtual(async () => {
    let thrown: unknown;
    const heard = await heardOn<GroupTrace>("asyncio:group", async () => {
      thrown = await assertRejects(() =>
        taskGroup((group) => {
          group.createTask(() => Promise.reject(new Error("no route")));
        })
      );
    });
    const [failed] = heard.filter(({ event }) => event === "error");
    assertStrictEquals(failed!.message.error, thrown);
    assertEquals(heard.at(-1)!.event, "asyncEnd");
  }),
);

Deno.test(
  "a store that is bound to the start of groups is there in the block and its tasks",
  virtual(async () => {
    const storage = new AsyncLocalStorage<string>();
    const start = channel("tracing:asyncio:group:start");
    start.bindStore(storage, (message) => (message as GroupTrace).name);
    try {
      const seen: (string | undefined)[] = [];
      await taskGroup(async (group) => {
        group.createTask(() => seen.push(storage.getStore()));
        await sleep(1);
        seen.push(storage.getStore());
      }, { name: "fetchers" });
      assertEquals(seen, ["fetchers", "fetchers"]);
      assertEquals(storage.getStore(), undefined);
    } finally {
      start.unbindStore(storage);
    }
  }),
);
