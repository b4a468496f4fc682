// Works on a queue of a NATS server until it is killed, or there is an end.
import { run } from "@asyncio/asyncio";
import { openJetStreamQueue } from "@asyncio/asyncio/jetstream";
import { connect } from "@nats-io/transport-node";
import { writeSync } from "node:fs";
import process from "node:process";

const [, , port = ""] = process.argv;
const say = (text: string) => writeSync(1, `${text}\n`);

await run(async () => {
  const connection = await connect({ servers: `127.0.0.1:${port}` });
  const queue = await openJetStreamQueue<number>(connection, "jobs", {
    leaseMs: 1_000,
    maxDeliveries: 1000,
  });
  for (;;) {
    const item = await queue.get();
    if (item >= 0) say(`did ${item}`);
    await queue.taskDone();
    if (item < 0) break;
  }
  await queue.close();
  await connection.close();
});
