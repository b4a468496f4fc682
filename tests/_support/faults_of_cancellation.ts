/** Programs that are right unless a task of theirs is cancelled at a bad moment. */
import {
  CancelledError,
  createTask,
  Event,
  Lock,
  Queue,
  Semaphore,
  shielded,
  sleep,
  timeout,
} from "@asyncio/asyncio";
import { assert, assertEquals } from "@std/assert";
import type { KnownFault } from "./known_fault.ts";

/** What no program here takes: a wait that is still on then is for ever. */
const FOREVER = 1000;

/** Runs them as tasks; resolves when all have ended, however that was. */
async function tried(...tasks: (() => Promise<unknown>)[]): Promise<void> {
  await Promise.allSettled(tasks.map((task) => createTask(task)));
}

async function undoneItem(mended: boolean): Promise<void> {
  const queue = new Queue<string>();
  queue.putNowait("item");
  await tried(async () => {
    await queue.get();
    try {
      await sleep(1);
      if (!mended) queue.taskDone();
    } finally {
      if (mended) queue.taskDone();
    }
  });
  while (queue.size > 0) {
    queue.getNowait();
    queue.taskDone();
  }
  await timeout(FOREVER, () => queue.join());
}

async function keptLock(mended: boolean): Promise<void> {
  const lock = new Lock();
  const work = async () => {
    await lock.acquire();
    await sleep(1);
    lock.release();
  };
  await tried(mended ? () => lock.with(() => sleep(1)) : work);
  assertEquals(lock.locked(), false);
}

async function usedConnection(mended: boolean): Promise<void> {
  const pool = [{ unread: 0 }];
  await tried(async () => {
    const connection = pool.pop()!;
    try {
      connection.unread++;
      await sleep(1);
      connection.unread--;
    } finally {
      const isClean = connection.unread === 0;
      pool.push(isClean || !mended ? connection : { unread: 0 });
    }
  });
  assertEquals(pool.map(({ unread }) => unread), [0]);
}

async function halfMessage(mended: boolean): Promise<void> {
  const sent: string[] = [];
  await tried(async () => {
    await sleep(1);
    if (mended) return void sent.push("head", "body");
    sent.push("head");
    await sleep(1);
    sent.push("body");
  });
  assertEquals(sent.length % 2, 0);
}

async function lostItem(mended: boolean): Promise<void> {
  const [from, to] = [new Queue<string>(), new Queue<string>()];
  from.putNowait("item");
  await tried(async () => {
    const item = await from.get();
    try {
      await sleep(1);
      await to.put(item);
    } catch (error) {
      if (mended) from.putNowait(item);
      throw error;
    }
  });
  assertEquals(from.size + to.size, 1);
}

async function lostMoney(mended: boolean): Promise<void> {
  let [from, to] = [100, 0];
  const transfer = async () => {
    from -= 80;
    await sleep(1);
    to += 80;
  };
  await tried(mended ? () => shielded(transfer) : transfer);
  assertEquals(from + to, 100);
}

async function swallowedCancellation(mended: boolean): Promise<void> {
  let [wasStopped, workedOn] = [false, false];
  await tried(async () => {
    for (let round = 0; round < 3; round++) {
      try {
        await sleep(1);
      } catch (error) {
        wasStopped = true;
        if (mended && error instanceof CancelledError) throw error;
      }
      workedOn ||= wasStopped;
    }
  });
  assert(!workedOn, "it went on after it was cancelled");
}

async function permitNeverHad(mended: boolean): Promise<void> {
  const semaphore = new Semaphore(1);
  const work = async () => {
    if (mended) await semaphore.acquire();
    try {
      if (!mended) await semaphore.acquire();
      await sleep(1);
    } finally {
      semaphore.release();
    }
  };
  await tried(work, work);
  assert(semaphore.tryAcquire() !== null);
  assertEquals(semaphore.tryAcquire(), null);
}

async function countedWaiter(mended: boolean): Promise<void> {
  let waiting = 0;
  const opened = new Event();
  const enter = async () => {
    waiting++;
    try {
      await opened.wait();
      if (!mended) waiting--;
    } finally {
      if (mended) waiting--;
    }
  };
  const entered = tried(enter, enter);
  await sleep(1);
  opened.set();
  await entered;
  assertEquals(waiting, 0);
}

async function poisonedCache(mended: boolean): Promise<void> {
  let cached: Promise<string> | null = null;
  const load = async () => {
    try {
      await sleep(1);
      return "value";
    } catch (error) {
      if (mended) cached = null;
      throw error;
    }
  };
  const get = () => cached ??= load();
  await tried(get);
  assertEquals(await get(), "value");
}

export const faultsOfCancellation: Record<string, KnownFault> = {
  "a consumer that dies between `get` and `taskDone`": {
    program: undoneItem,
    found: [3],
  },
  "a lock that is not released": { program: keptLock, found: [3] },
  "a pool that hands on a connection with an answer unread": {
    program: usedConnection,
    found: [3],
  },
  "a message of which half is written": { program: halfMessage, found: [6] },
  "an item taken from one queue, and not yet in the other": {
    program: lostItem,
    found: [3],
  },
  "money taken from one account, and not yet in the other": {
    program: lostMoney,
    found: [3],
  },
  "a cancellation that is swallowed": {
    program: swallowedCancellation,
    found: [3],
  },
  "a permit released that was never had": {
    program: permitNeverHad,
    found: [5],
  },
  "a count of waiters that is not taken back": {
    program: countedWaiter,
    found: [3],
  },
  "a cache that keeps the failure": { program: poisonedCache, found: [3] },
};
