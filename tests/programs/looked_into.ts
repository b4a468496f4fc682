// A program that is looked into: it knows nothing of that.
import process from "node:process";
import { isMainThread, Worker } from "node:worker_threads";
import {
  createTask,
  EventLoop,
  type Instrument,
  Lock,
  run,
  sleep,
  startInspector,
} from "@asyncio/asyncio";

const way = process.argv.at(-1);

/** What a debugger may ask the library. */
function setInspection(inspection: object): void {
  const key = Symbol.for("@asyncio/asyncio/copies");
  const { copies } = (globalThis as unknown as Record<
    symbol,
    { copies: { inspection: object }[] }
  >)[key]!;
  copies[0]!.inspection = inspection;
}

/** How else it may be when it is looked into. */
const WAYS: Readonly<Record<string, () => Promise<unknown> | void>> = {
  "another version": () => setInspection({ version: 99 }),
  "ends meanwhile": () =>
    setInspection({
      get version() {
        return process.exit(0);
      },
    }),
  "with a door": async () => {
    const { url } = await startInspector();
    console.log(`door ${url}`);
  },
  "with a thread": () =>
    new Promise((resolve) => {
      const worker = new Worker(new URL(import.meta.url));
      worker.unref();
      worker.once("message", resolve);
    }),
};

if (!isMainThread) {
  const { parentPort } = await import("node:worker_threads");
  await run(async () => {
    createTask(() => sleep(600_000), { name: "in a thread" });
    await sleep(0);
    parentPort!.postMessage("ready");
    await sleep(600_000);
  });
}

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
  await WAYS[way ?? ""]?.();
  console.log(`ready ${process.pid}`);
  if (way === "grind") grind();
  await napper.catch(() => {});
  console.log("napper has ended");
  if (way !== "instruments") return;
  console.log(`instruments left: ${instruments.size || "none"}`);
});
