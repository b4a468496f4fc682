/** Programs that are right in the natural order of their tasks, and wrong in another. */
import { Event, Lock, timeout } from "@asyncio/asyncio";
import { assert, assertEquals } from "@std/assert";
import { after, type KnownFault, sleep, together } from "./known_fault.ts";

/** What no program here takes: a wait that is still on then is for ever. */
const FOREVER = 1000;

async function checkThenAct(mended: boolean): Promise<void> {
  let balance = 100;
  const lock = new Lock();
  const unsafely = async () => {
    if (balance < 80) return;
    await sleep(1);
    balance -= 80;
  };
  const withdraw = mended ? () => lock.with(unsafely) : unsafely;
  await together(withdraw, after(1, withdraw));
  assertEquals(balance, 20);
}

async function lostUpdate(mended: boolean): Promise<void> {
  let counter = 0;
  const increment = async () => {
    const before = counter;
    await sleep(1);
    counter = (mended ? counter : before) + 1;
  };
  await together(increment, after(1, increment));
  assertEquals(counter, 2);
}

async function lostWakeUp(mended: boolean): Promise<void> {
  const items: string[] = [];
  const filled = new Event();
  const consume = async () => {
    if (mended) filled.clear();
    if (items.length === 0) {
      await sleep(1); // writes its log
      if (!mended) filled.clear();
      await timeout(FOREVER, () => filled.wait());
    }
    assertEquals(items, ["item"]);
  };
  const produce = () => {
    items.push("item");
    filled.set();
  };
  await together(consume, after(1, produce));
}

async function doubleRelease(mended: boolean): Promise<void> {
  let [free, done, released] = [0, false, false];
  const release = () => {
    if (mended && released) return;
    released = true;
    free++;
  };
  const job = after(10, () => {
    done = true;
    release();
  });
  const watchdog = after(10, () => {
    if (!done) release();
  });
  await together(job, watchdog);
  assertEquals(free, 1);
}

async function lateLeader(mended: boolean): Promise<void> {
  let [epoch, value] = [1, ""];
  const oldLeader = async () => {
    const own = epoch;
    await sleep(1); // asks its followers
    if (!mended || own === epoch) value = "old";
  };
  const newLeader = () => {
    epoch++;
    value = "new";
  };
  await together(oldLeader, after(1, newLeader));
  assertEquals(value, "new");
}

async function doublePayment(mended: boolean): Promise<void> {
  const paid: string[] = [];
  let isAnswered = false;
  const pay = (key: string) => {
    if (!mended || !paid.includes(key)) paid.push(key);
    isAnswered = true;
  };
  const retrying = () => {
    if (!isAnswered) pay("order 7");
  };
  await together(after(10, () => pay("order 7")), after(10, retrying));
  assertEquals(paid.length, 1);
}

async function loadedTwice(mended: boolean): Promise<void> {
  let loads = 0;
  let [cached, loading] = [false, null as Promise<void> | null];
  const load = async () => {
    loads++;
    await sleep(1);
    cached = true;
  };
  const get = async () => {
    if (cached) return;
    await (mended ? loading ??= load() : load());
  };
  await together(get, after(1, get));
  assertEquals(loads, 1);
}

async function earlyAnswer(mended: boolean): Promise<void> {
  let settings: string | null = null;
  const ready = new Event();
  const setUp = () => {
    settings = "read";
    ready.set();
  };
  const answer = async () => {
    if (mended) await ready.wait();
    assert(settings !== null, "there are no settings");
  };
  await together(after(5, setUp), after(5, answer));
}

async function deadlock(mended: boolean): Promise<void> {
  const [first, second] = [new Lock(), new Lock()];
  const takeBoth = (one: Lock, other: Lock, ms: number) => () =>
    one.with(async () => {
      await sleep(ms);
      await other.with(() => {});
    });
  const [one, other] = mended ? [first, second] : [second, first];
  const both = () =>
    together(takeBoth(first, second, 1), after(1, takeBoth(one, other, 0)));
  await timeout(FOREVER, both);
}

async function lastItem(mended: boolean): Promise<void> {
  const [items, taken]: [string[], string[]] = [[], []];
  let closed = false;
  const produce = async () => {
    await sleep(2);
    items.push("last");
    await sleep(1);
    closed = true;
  };
  const consume = async () => {
    while (!closed) {
      await sleep(1);
      if (!closed) taken.push(...items.splice(0));
    }
    if (mended) taken.push(...items.splice(0));
  };
  await together(produce, consume);
  assertEquals(taken, ["last"]);
}

async function staleAnswer(mended: boolean): Promise<void> {
  let [latest, shown] = [0, ""];
  const search = async (text: string, ms: number) => {
    const own = ++latest;
    await sleep(ms);
    if (!mended || own === latest) shown = text;
  };
  await together(
    () => search("a", 2),
    after(1, () => search("ab", 1)),
  );
  assertEquals(shown, "ab");
}

async function splitCounter(mended: boolean): Promise<void> {
  const [a, b] = [[0, 0], [0, 0]];
  const valueOf = ([own, other]: number[]) => own! + other!;
  const merge = (from: number[], to: number[]) => {
    for (const place of mended ? [0, 1] : [0]) {
      to[place] = Math.max(from[place]!, to[place]!);
    }
  };
  await together(
    after(1, () => void a[0]!++),
    after(1, () => merge(a, b)),
    after(1, () => void b[mended ? 1 : 0]!++),
  );
  merge(a, b);
  assertEquals(valueOf(b), 2);
}

async function skippedListener(mended: boolean): Promise<void> {
  const listeners = ["first", "second"];
  const told: string[] = [];
  const tellAll = async () => {
    for (const listener of mended ? [...listeners] : listeners) {
      told.push(listener);
      await sleep(1);
    }
  };
  await together(tellAll, after(1, () => void listeners.shift()));
  assertEquals(told, ["first", "second"]);
}

async function forgottenStop(mended: boolean): Promise<void> {
  let [isStopping, rounds] = [false, 0];
  const serve = async () => {
    if (!mended) isStopping = false;
    for (; rounds < 5 && !isStopping; rounds++) await sleep(1);
  };
  await together(serve, async () => void (isStopping = true));
  assert(rounds < 5, "it went on after it was stopped");
}

async function oppositeOrder(mended: boolean): Promise<void> {
  const log: number[] = [];
  const arrive = (number: number) =>
    after(1, () => {
      log.push(number);
      if (mended) log.sort();
    });
  await together(arrive(1), arrive(2), arrive(3));
  assert(log.join() !== "3,2,1", "the oldest is taken for the newest");
}

async function lateHeart(mended: boolean): Promise<void> {
  const [ticks, grace] = [8, mended ? 1 : 0];
  let [beat, missed] = [0, 0];
  const heart = async () => {
    while (beat < ticks) {
      await sleep(1);
      beat++;
    }
  };
  const monitor = async () => {
    for (let tick = 1; tick <= ticks; tick++) {
      await sleep(1);
      missed = beat + grace < tick ? missed + 1 : 0;
    }
  };
  await together(heart, monitor);
  assert(missed < ticks, "a heart that beats is held for dead");
}

export const faultsOfOrder: Record<string, KnownFault> = {
  "a balance checked before a wait, and taken from after it": {
    program: checkThenAct,
    found: [5, 1, 2],
    fastCheck: 1,
  },
  "a counter read before a wait, and written after it": {
    program: lostUpdate,
    found: [5, 1, 2],
    fastCheck: 1,
  },
  "a wake-up cleared before it is waited for": {
    program: lostWakeUp,
    found: [5, 1, 2],
    fastCheck: 1,
  },
  "a permit released by the job and by its watchdog": {
    program: doubleRelease,
    found: [5, 1, 2],
    fastCheck: 1,
  },
  "a leader that writes after it lost its lease": {
    program: lateLeader,
    found: [5, 1, 2],
    fastCheck: 1,
  },
  "a payment done again as the answer was late": {
    program: doublePayment,
    found: [5, 1, 2],
    fastCheck: 1,
  },
  "a value loaded twice for one cache": {
    program: loadedTwice,
    found: [5, 1, 2],
    fastCheck: 1,
  },
  "a request served before the settings are read": {
    program: earlyAnswer,
    found: [5, 1, 2],
    fastCheck: 1,
  },
  "two locks taken in opposite order": {
    program: deadlock,
    found: [5, 1, 2],
    fastCheck: 1,
  },
  "a consumer that ends with an item left": {
    program: lastItem,
    found: [2, 11, 6],
    fastCheck: 1,
  },
  "an old answer shown over a newer one": {
    program: staleAnswer,
    found: [2, 1, 2],
    fastCheck: 1,
  },
  "a counter split by a partition, merged by its maximum": {
    program: splitCounter,
    found: [1, 1, 2],
    fastCheck: 1,
  },
  "a list of listeners that changes while it is gone through": {
    program: skippedListener,
    found: [5, 1, 2],
    fastCheck: 1,
  },
  "a server started after it was stopped": {
    program: forgottenStop,
    found: [2, 1, 2],
    fastCheck: null,
  },
  "three messages in just the opposite order": {
    program: oppositeOrder,
    found: [1, 1, 6],
    fastCheck: 7,
  },
  "a heart held for dead, late for eight beats in a row": {
    program: lateHeart,
    found: [354, 6, 383],
    fastCheck: 12,
  },
};
