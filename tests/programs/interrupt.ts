// Is interrupted: says "ready" when it wants a SIGINT, and how it ended.
import { nextSignal } from "../_support/unseen_signals.ts";
import {
  createTask,
  currentTask,
  ensureFuture,
  getRunningLoop,
  newEventLoop,
  run,
  Runner,
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

/** Says "ready" only once, so that nothing but its time ends it. */
async function cleanUpForEver(): Promise<void> {
  currentTask()!.name = "main";
  for (let n = 1; n <= 12; n++) {
    createTask(() => sleep(60_000).finally(() => sleep(60_000)), {
      name: `helper ${n}`,
    });
  }
  say("ready");
  try {
    await sleep(60_000);
  } finally {
    say("cleaning up");
    await sleep(60_000);
    say("never");
  }
}

/** Main has ended when the signal comes, and what it left behind does not. */
async function leavesForEver(): Promise<string> {
  createTask(async () => {
    try {
      await sleep(60_000);
    } finally {
      say("ready");
      await sleep(60_000);
      say("never");
    }
  }, { name: "the rest" });
  await sleep(1);
  return "main's value";
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

async function twoRunsAtOnce(): Promise<unknown> {
  const outcomes = Promise.allSettled([run(waitLong), run(waitForLonger)]);
  return (await outcomes).map((each) =>
    each.status === "rejected" ? each.reason.name : each.value
  );
}

/** The last of two runs to end. */
async function waitForLonger(): Promise<string> {
  try {
    await sleep(60_000);
    return "never";
  } finally {
    await sleep(50);
    say("the other is clean");
  }
}

/** Says "ready", and goes on when the signal has come. */
async function untilSignalled(): Promise<void> {
  const signalled = nextSignal("SIGINT", "SIGTERM");
  say("ready");
  await ensureFuture(signalled);
}

/** Is done when the signal comes, and what it left behind is not. */
async function leaves(): Promise<string> {
  createTask(async () => {
    try {
      await sleep(60_000);
    } finally {
      await untilSignalled();
      say("the rest is clean");
    }
  });
  await sleep(1);
  return "main's value";
}

/** The same, for longer than anyone waits. */
async function leavesForLong(): Promise<string> {
  createTask(async () => {
    try {
      await sleep(60_000);
    } finally {
      await untilSignalled();
      say("ready");
      await sleep(60_000);
      say("never");
    }
  });
  await sleep(1);
  return "main's value";
}

async function failsAndLeaves(): Promise<void> {
  await leaves();
  throw new Error("main's own");
}

async function runnerThatLeaves(): Promise<string> {
  const runner = new Runner();
  say(await runner.run(leaves));
  await runner.close();
  return "closed";
}

/** A handler of the host, in the way of the runtime it runs on. */
function listen(signal: "SIGINT" | "SIGTERM", listener: () => void): void {
  const host = (globalThis as {
    Deno?: { addSignalListener(signal: string, listener: () => void): void };
  }).Deno;
  if (host === undefined) process.on(signal, listener);
  else host.addSignalListener(signal, listener);
}

/** Goes on until its own handler was called, and for a while. */
async function withHandlers(
  add: (listener: () => void) => void,
): Promise<string> {
  const loop = getRunningLoop();
  const seen = loop.createFuture<void>();
  // A listener of the host does not keep a program alive.
  const alive = setInterval(() => {}, 60_000);
  add(() => loop.callSoon(() => seen.setResult()));
  say("ready");
  await seen;
  await sleep(50);
  clearInterval(alive);
  return "the program's own";
}

const listenToBoth = (listener: () => void) => {
  listen("SIGINT", listener);
  listen("SIGTERM", listener);
};

function handlerOfHostBefore(): Promise<string> {
  let tell: () => void;
  listenToBoth(() => tell());
  return run(() => withHandlers((listener) => tell = listener));
}

/** As the package signal-exit does: acts only where no one else listens. */
function tidier(): Promise<void> {
  process.on("SIGINT", () => {
    if (process.listenerCount("SIGINT") === 1) process.exit(99);
  });
  Object.defineProperty(globalThis, Symbol.for("signal-exit emitter"), {
    value: { count: 1 },
  });
  return run(waitLong);
}

async function withUsr1(): Promise<string> {
  const loop = getRunningLoop();
  const seen = loop.createFuture<string>();
  loop.addSignalHandler(
    "SIGUSR2",
    (first: string, second: string) => {
      say(`handler in task ${currentTask()}`);
      assertSame(getRunningLoop(), loop);
      seen.setResult(`${first} ${second}`);
    },
    "a",
    "b",
  );
  say("ready for SIGUSR2");
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
  cutOff: () => run(cleanUpForEver, { graceMs: 50 }),
  cutOffAtOnce: () => run(cleanUpForEver, { graceMs: -1 }),
  cutOffTheRest: () => run(leavesForEver, { graceMs: 50 }),
  inTime: () => run(waitLong, { graceMs: 60_000 }),
  inTimeAndOn: async () => {
    const value = await run(swallow, { graceMs: 100 });
    // Nothing that was set for the run ends what comes after it.
    await run(() => sleep(300));
    return value;
  },
  block: () => run(block),
  ownHandlerOfLoop: () => run(ownHandlerOfLoop),
  ownHandlerBefore,
  twoRuns,
  twoRunsAtOnce,
  leaves: () => run(leaves),
  leavesForLong: () => run(leavesForLong),
  failsAndLeaves: () => run(failsAndLeaves),
  runnerThatLeaves,
  handlerOfHostBefore,
  handlerOfHostInside: () => run(() => withHandlers(listenToBoth)),
  tidier,
  onlySigint: () => run(waitLong, { signals: ["SIGINT"] }),
  noSignals: () => run(waitLong, { signals: [] }),
  onlySighup: () => run(waitLong, { signals: ["SIGHUP"] }),
  ownHandlerOfLoopForSigterm: () =>
    run(() =>
      withHandlers((listener) =>
        getRunningLoop().addSignalHandler("SIGTERM", listener)
      )
    ),
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
