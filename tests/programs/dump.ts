// Writes its tasks at SIGQUIT, and ends.
import {
  createTask,
  Event,
  Lock,
  run,
  signals,
  sleep,
  taskGroup,
} from "@asyncio/asyncio";

const left = new Lock({ name: "left" });
const right = new Lock({ name: "right" });

async function take(first: Lock, second: Lock): Promise<void> {
  await first.acquire();
  await sleep(0);
  await second.acquire();
}

await run(async () => {
  const done = new Event({ name: "done" });
  const work = createTask(() =>
    taskGroup((group) => {
      group.createTask(() => done.wait(), { name: "worker" });
    }), { name: "service" });
  const kant = createTask(() => take(left, right), { name: "Kant" });
  createTask(() => take(right, left), { name: "Plato" });
  const quits = signals("SIGQUIT");
  await sleep(1);
  console.log("ready");
  for await (const _ of quits) break;
  done.set();
  await work;
  kant.cancel();
}, { dump: "SIGQUIT" });
console.log("ended");
