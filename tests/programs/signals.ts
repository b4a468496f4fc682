// Listens to signals: says "ready" when it wants one, and what it got.
import {
  createTask,
  gather,
  moveOnAfter,
  newEventLoop,
  run,
  signals,
  sleep,
} from "@asyncio/asyncio";
import process from "node:process";

const say = console.log;

/** Nothing but its loop keeps it alive: what it gets ends it. */
async function waits(): Promise<void> {
  const hangups = signals("SIGHUP");
  say("ready");
  for await (const signal of hangups) {
    say(signal);
    break;
  }
}

/** Sends itself a signal, and waits until the host has told of it. */
async function send(signal: "SIGHUP" | "SIGUSR2"): Promise<void> {
  let isHeard = false;
  process.once(signal, () => isHeard = true);
  process.kill(process.pid, signal);
  while (!isHeard) await sleep(1);
}

/** What comes while the body runs is given in the next step, equal ones as one. */
async function remembers(): Promise<void> {
  const received = signals("SIGHUP", "SIGUSR2");
  for (const each of ["SIGUSR2", "SIGUSR2", "SIGHUP"] as const) {
    await send(each);
  }
  const seen: string[] = [];
  for await (const signal of received) {
    seen.push(signal);
    if (seen.length === 2) {
      await send("SIGUSR2");
      await send("SIGUSR2");
      await send("SIGHUP");
    }
    if (seen.length === 4) break;
  }
  say(seen.join(" "));
}

/** Takes SIGTERM from run(), for one round. */
async function takesSigterm(): Promise<void> {
  const received = signals("SIGTERM");
  say("ready");
  for await (const signal of received) {
    say(`heard ${signal}`);
    break;
  }
  say("ready");
  try {
    await sleep(60_000);
  } finally {
    say("run() heard the other");
  }
}

/** The end of each loop gives the signal back, however it ends. */
async function endsIn(way: string): Promise<void> {
  const received = signals("SIGHUP");
  const task = createTask(async () => {
    if (way === "disposed") return received[Symbol.dispose]();
    for await (const _ of received) {
      if (way === "thrown") throw new Error("on purpose");
      break;
    }
  });
  await sleep(1);
  if (way === "cancelled") task.cancel();
  else if (way !== "disposed") process.kill(process.pid, "SIGHUP");
  await task.catch(() => {});
  say("ready");
  await sleep(60_000);
  say("never");
}

/** Several loops all hear it. */
async function several(): Promise<void> {
  const loop = async (name: string) => {
    const received = signals("SIGHUP");
    await sleep(1);
    for await (const signal of received) {
      say(`${name} ${signal}`);
      return;
    }
  };
  const loops = gather([() => loop("one"), () => loop("two")]);
  await sleep(10);
  say("ready");
  await loops;
}

/** A step that gives up in time has taken nothing, and listens no more. */
async function givesUp(): Promise<void> {
  const received = signals("SIGHUP");
  say(await moveOnAfter(1, () => received.next()));
  say((await received.next()).done);
}

/** Its loop is closed while it listens. */
async function leftOpen(): Promise<void> {
  const loop = newEventLoop();
  const received = await loop.runUntilComplete(() => signals("SIGHUP"));
  loop.createTask(() => received.next());
  await loop.runUntilComplete(() => sleep(1));
  loop.setExceptionHandler(() => {});
  loop.close();
  say("closed");
}

/** Listens and does not wait: nothing keeps it going. */
async function listensOnly(): Promise<void> {
  const loop = newEventLoop();
  await loop.runUntilComplete(() => signals("SIGHUP"));
  say("ended");
  // Deno has no listener that lets a program end.
  if ("Deno" in globalThis) loop.close();
}

const cases: Record<string, () => Promise<unknown>> = {
  waits: () => run(waits),
  remembers: () => run(remembers),
  takesSigterm: () => run(takesSigterm),
  ambient: waits,
  broken: () => run(() => endsIn("broken")),
  thrown: () => run(() => endsIn("thrown")),
  cancelled: () => run(() => endsIn("cancelled")),
  disposed: () => run(() => endsIn("disposed")),
  several: () => run(several),
  givesUp: () => run(givesUp),
  leftOpen,
  listensOnly,
};

await cases[process.argv[2] ?? ""]!();
