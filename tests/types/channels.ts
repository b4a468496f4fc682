/** What goes through channels, broadcasts and values. */
import {
  AsyncValue,
  Broadcast,
  openChannel,
  PriorityQueue,
  Queue,
  type ReceiveChannel,
  type SendChannel,
  type Subscription,
} from "@asyncio/asyncio";
import { type Equal, expectType } from "./_expect.ts";

const [send, receive] = openChannel<string>(1);
expectType<Equal<typeof send, SendChannel<string>>>();
expectType<Equal<typeof receive, ReceiveChannel<string>>>();
const tried = receive.tryReceive();
expectType<Equal<typeof tried, string | null>>();
await send.send("a");
// @ts-expect-error -- not what it carries
await send.send(1);
// @ts-expect-error -- this end receives
await receive.send("a");
for await (const item of receive.clone()) {
  expectType<Equal<typeof item, string>>();
}

const hub = new Broadcast<number>({ capacity: 1, overflow: "dropOldest" });
const inbox = hub.subscribe();
expectType<Equal<typeof inbox, Subscription<number>>>();
const item = await inbox.receive();
expectType<Equal<typeof item, number>>();
// @ts-expect-error -- not what it carries
await hub.publish("1");
// @ts-expect-error -- a broadcast has no such overflow
new Broadcast({ overflow: "dropNewest" });

const value = new AsyncValue<string | null>(null);
const found = await value.waitFor((each) => each !== null);
expectType<Equal<typeof found, string>>();
const some = await value.waitFor((each) => Boolean(each));
expectType<Equal<typeof some, string | null>>();
for await (const change of value) {
  expectType<Equal<typeof change, string | null>>();
}
// @ts-expect-error -- not what it holds
value.value = 1;
// @ts-expect-error -- its promise would always count as true
await value.waitFor(async () => true);

new Queue<number>({ maxSize: 1, overflow: "dropOldest" });
new PriorityQueue<number>({ maxSize: 1, overflow: "dropNewest" });
// @ts-expect-error -- the oldest item may be the most urgent one
new PriorityQueue<number>({ maxSize: 1, overflow: "dropOldest" });
