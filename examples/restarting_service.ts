/**
 * Restarting service: a task that is started, and started again when it fails.
 *
 * The chapter "Task groups". A feed of prices breaks off now and then. `start`
 * waits until it is up, so that the rest of the program never sees it down from
 * the beginning. Around it stands a policy: a feed that breaks is started again,
 * each time after twice the delay, and at the fourth time the program gives up.
 * What the policy does not know, a mistake in the program, ends it at once.
 *
 *     deno task example restarting_service
 *
 * prints
 *
 *        0 ms  waiting for the feed
 *       20 ms  feed 1 is up
 *       20 ms  the program begins
 *       30 ms  price 1
 *       40 ms  price 2
 *       50 ms  feed 1 failed: connection reset, once more
 *      170 ms  feed 2 is up
 *      180 ms  price 3
 *      190 ms  price 4
 *      200 ms  feed 2 failed: connection reset, once more
 *      420 ms  feed 3 is up
 *      430 ms  price 5
 *      430 ms  that is enough
 *      430 ms  feed 3 is closed
 *
 * @module
 */

import {
  ConnectionResetError,
  ExceptionGroup,
  getRunningLoop,
  Queue,
  retry,
  run,
  sleep,
  taskGroup,
} from "@asyncio/asyncio";

/** What runs until it fails, and says when it is up. */
type Service = (started: () => void) => Promise<void>;

/** Runs a service, and again when it fails with what may pass. */
async function keepUp(service: Service, started: () => void): Promise<void> {
  let isFirst = true;
  await retry(() =>
    taskGroup(async (group) => {
      await group.start(service);
      if (isFirst) started();
      isFirst = false;
    }), { attempts: 4, delay: 100, factor: 2, when: mayPass });
}

/** The policy: whether a service that failed is started again. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof ExceptionGroup)) return false;
  const [passing, others] = error.split(
    (each) => each instanceof ConnectionResetError,
  );
  if (passing === null || others !== null) return false;
  say(`${nameOfFeed()} failed: ${textOf(passing)}, once more`);
  return true;
}

function textOf({ errors }: ExceptionGroup): string {
  return errors.map((error) => (error as Error).message).join(", ");
}

const prices = new Queue<number>();
let feeds = 0;
let lastPrice = 0;

function nameOfFeed(): string {
  return `feed ${feeds}`;
}

/** A feed that takes a while to connect, and gives two prices at a time. */
async function feed(started: () => void): Promise<void> {
  feeds++;
  await sleep(20);
  say(`${nameOfFeed()} is up`);
  started();
  try {
    for (let count = 0; count < 2; count++) {
      await sleep(10);
      prices.putNowait(++lastPrice);
    }
    await sleep(10);
  } catch (error) {
    say(`${nameOfFeed()} is closed`);
    throw error;
  }
  throw new ConnectionResetError("connection reset");
}

let start = 0;

function say(text: string): void {
  const ms = Math.round(getRunningLoop().time() - start);
  console.log(`${String(ms).padStart(4)} ms  ${text}`);
}

export async function main(): Promise<void> {
  start = getRunningLoop().time();
  await taskGroup(async (group) => {
    say("waiting for the feed");
    await group.start<void>((started) => keepUp(feed, started));
    say("the program begins");
    for await (const price of prices) {
      say(`price ${price}`);
      if (price === 5) break;
    }
    say("that is enough");
    group.cancel();
  });
}

if (import.meta.main) await run(main);
