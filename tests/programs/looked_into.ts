// A program that is looked into: it knows nothing of that.
import process from "node:process";
import {
  createTask,
  EventLoop,
  type Instrument,
  Lock,
  run,
  sleep,
} from "@asyncio/asyncio";

const way = process.argv.at(-1);

/** Holds the loop, by name. */
function grind(): void {
  for (;;);
}

/** Who watches the loop, and was put there by whoever looks into it. */
const instruments = new Set<Instrument>();
if (way === "instruments") {
  const { addInstrument, removeInstrument } = EventLoop.prototype;
  EventLoop.prototype.addInstrument = function (instrument) {
    instruments.add(instrument);
    addInstrument.call(this, instrument);
  };
  EventLoop.prototype.removeInstrument = function (instrument) {
    instruments.delete(instrument);
    removeInstrument.call(this, instrument);
  };
}

await run(async () => {
  const lock = new Lock();
  const napper = createTask(() => sleep(600_000), { name: "napper" });
  createTask(async () => await napper.catch(() => {}), { name: "waiter" });
  createTask(() => lock.with(() => sleep(600_000)), { name: "holder" });
  createTask(() => lock.acquire(), { name: "second" });
  await sleep(0);
  console.log(`ready ${process.pid}`);
  if (way === "grind") grind();
  await napper.catch(() => {});
  console.log("napper has ended");
  if (way !== "instruments") return;
  console.log(`instruments left: ${instruments.size || "none"}`);
});
