// What debug mode says of a program from its start to its end.
import {
  createTask,
  Event,
  getEventLoop,
  Lock,
  newEventLoop,
  run,
  sleep,
  taskGroup,
} from "@asyncio/asyncio";
import process from "node:process";

function block(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}

async function slow(): Promise<void> {
  await sleep(1);
  block(5);
}

async function swallow(): Promise<void> {
  await sleep(60_000).catch(() => {});
}

async function complain(): Promise<void> {
  console.log(`debug ${getEventLoop().getDebug()}`);
  getEventLoop().slowCallbackDuration = 4;
  await createTask(slow, { name: "slow one" });
  const task = createTask(swallow, { name: "swallower" });
  await sleep(1);
  task.cancel();
  await task;
}

/** On a machine of any speed: no word of slow steps. */
function ignoreSlowSteps(): void {
  getEventLoop().slowCallbackDuration = Infinity;
}

/** Two tasks take two locks in opposite order. */
async function deadlock(): Promise<void> {
  ignoreSlowSteps();
  const [one, two] = [new Lock(), new Lock()];
  const take = (first: Lock, second: Lock) => async () => {
    using _first = await first.acquire();
    await sleep(1);
    using _second = await second.acquire();
  };
  await taskGroup((group) => {
    group.createTask(take(one, two), { name: "left" });
    group.createTask(take(two, one), { name: "right" });
    group.createTask(() => new Promise(() => {}), { name: "foreign" });
  });
}

const cases: Record<string, () => unknown> = {
  complain: () => run(complain),
  "complain in the default loop": () => createTask(complain),
  // Not awaited: while a top-level await is pending, Deno never says that
  // nothing is left to do.
  deadlock: () => void run(deadlock),
  "deadlock in the default loop": () => {
    createTask(() => new Event().wait(), { name: "waiter" });
  },
  unclosed: () => {
    const loop = newEventLoop();
    loop.createTask(() => sleep(1), { name: "never run" });
    // Not to be collected before the end, as then its tasks are, too.
    Object.assign(globalThis, { forgotten: loop });
  },
  closed: () => newEventLoop().close(),
  exit: () =>
    run(async () => {
      ignoreSlowSteps();
      await sleep(1);
      process.exit(0);
    }),
};

await cases[process.argv[2]!]!();
