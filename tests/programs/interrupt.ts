// Is interrupted: says "ready" when it wants a SIGINT, and how it ended.
import {
  createTask,
  currentTask,
  ensureFuture,
  getRunningLoop,
  newEventLoop,
  run,
  sleep,
} from "@asyncio/asyncio";
import process from "node:process";

const say = console.log;

async function waitLong(): Promise<void> {
  say("ready");
  try {
    await sleep(60_000);
  } finally {
    say(`cleaning up, cancelling ${currentTask()?.cancelling()}`);
    await sleep(1);
    say("clean");
  }
}

async function swallow(): Promise<string> {
  await waitLong().catch(() => {});
  return "a value";
}

async function cancelledAsWell(): Promise<void> {
  const main = currentTask()!;
  createTask(async () => {
    while (main.cancelling() === 0) await sleep(1);
    main.cancel("from elsewhere");
  });
  say("ready");
  try {
    await sleep(60_000);
  } finally {
    await sleep(1000).catch(() => {});
    say(`cancelling ${main.cancelling()}`);
  }
}

async function cleanUpForLong(): Promise<void> {
  say("ready");
  try {
    await sleep(60_000);
  } finally {
    say("ready");
    await sleep(60_000);
    say("never");
  }
}

async function block(): Promise<void> {
  say("ready");
  try {
    await sleep(60_000);
  } finally {
    say("ready");
    // Nothing but a turn of the host tells a program of a signal.
    for (const end = performance.now() + 300; performance.now() < end;);
    say("blocked");
    await sleep(60_000);
  }
}

async function ownHandlerOfLoop(): Promise<string> {
  const loop = getRunningLoop();
  const seen = loop.createFuture<string>();
  loop.addSignalHandler("SIGINT", (text: string) => seen.setResult(text), "me");
  say("ready");
  const text = await seen;
  say(`removed ${loop.removeSignalHandler("SIGINT")}`);
  say(`removed ${loop.removeSignalHandler("SIGINT")}`);
  return text;
}

async function ownHandlerBefore(): Promise<string> {
  // A signal listener of the host does not keep a program alive.
  const alive = setInterval(() => {}, 60_000);
  const seen = new Promise<string>((resolve) => {
    process.once("SIGINT", () => {
      clearInterval(alive);
      resolve("the host's");
    });
  });
  return await run(async () => {
    say("ready");
    return await ensureFuture(seen);
  });
}

async function twoRuns(): Promise<string> {
  await run(waitLong).catch((error) => say(error.name));
  await run(waitLong).catch((error) => say(error.name));
  return "went on";
}

async function withUsr1(): Promise<string> {
  const loop = getRunningLoop();
  const seen = loop.createFuture<string>();
  loop.addSignalHandler(
    "SIGUSR1",
    (first: string, second: string) => {
      say(`handler in task ${currentTask()}`);
      assertSame(getRunningLoop(), loop);
      seen.setResult(`${first} ${second}`);
    },
    "a",
    "b",
  );
  say("ready for SIGUSR1");
  return await seen;
}

function assertSame(one: unknown, other: unknown): void {
  if (one !== other) say("another loop");
}

const cases: Record<string, () => Promise<unknown>> = {
  cancels: () => run(waitLong),
  swallow: () => run(swallow),
  cancelledAsWell: () => run(cancelledAsWell),
  cleanUpForLong: () => run(cleanUpForLong),
  block: () => run(block),
  ownHandlerOfLoop: () => run(ownHandlerOfLoop),
  ownHandlerBefore,
  twoRuns,
  withUsr1: () => run(withUsr1),
  explicitLoop: () => newEventLoop().runUntilComplete(waitLong),
};

const [name = "", uncaught] = process.argv.slice(2);
if (uncaught !== undefined) await cases[name]!();
try {
  say(`returned ${await cases[name]!()}`);
} catch (error) {
  say(`threw ${error}`);
}
