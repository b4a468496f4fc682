/**
 * Random programs: 5 to 50 tasks that put, get, send, publish, lock, wait, time
 * out, group, gather and cancel each other, made from a seed and run in virtual time; and
 * what must hold after each of them, whatever they did.
 */
import {
  allTasks,
  AsyncValue,
  Barrier,
  Broadcast,
  cancelOn,
  CapacityLimiter,
  ClosedResourceError,
  Condition,
  createTask,
  currentTask,
  Event,
  gather,
  getRunningLoop,
  interval,
  isCancelledError,
  Lock,
  moveOnAfter,
  openChannel,
  pooledMap,
  Queue,
  race,
  RateLimiter,
  type ReceiveChannel,
  retry,
  runVirtual,
  select,
  Semaphore,
  shared,
  shield,
  shielded,
  sleep,
  type Task,
  taskGroup,
  timeout,
  TimeoutError,
  VirtualClock,
  wait,
  waitFor,
} from "@asyncio/asyncio";
import { makeRandom } from "../../_internal/random.ts";

/** One operation; `which` is the number of a queue, a lock, a task … */
export interface Op {
  readonly op: OpName;
  readonly which: number;
  readonly ms: number;
  /** A choice among the variants of the operation. */
  readonly variant: number;
  /** What runs inside of it, if something does. */
  readonly bodies: readonly Body[];
}

export type Body = readonly Op[];

/** One function a task. */
export type Program = readonly Body[];

/** Operations, and how often each comes up. */
const WEIGHTS = {
  sleep: 10,
  put: 10,
  putWithin: 3,
  get: 7,
  getWithin: 5,
  getInTask: 3,
  send: 5,
  sendWithin: 3,
  receive: 5,
  receiveWithin: 3,
  sendByClone: 2,
  receiveByClone: 2,
  publish: 3,
  subscribe: 3,
  setValue: 3,
  waitForValue: 3,
  lock: 5,
  lockWithin: 3,
  semaphore: 5,
  semaphoreWithin: 3,
  setEvent: 3,
  clearEvent: 2,
  waitForEvent: 3,
  condition: 3,
  notify: 3,
  barrier: 2,
  timeout: 6,
  moveOnAfter: 2,
  group: 4,
  gather: 3,
  wait: 2,
  spawn: 3,
  shield: 2,
  shielded: 2,
  cleanUp: 4,
  swallow: 3,
  fail: 2,
  cancel: 9,
  firstWins: 3,
  manyPermits: 3,
  tryAcquire: 2,
  capacity: 4,
  capacityWithin: 2,
  resize: 2,
  rate: 3,
  rateWithin: 2,
  cancelOn: 3,
  retry: 3,
  interval: 2,
  shared: 4,
  pool: 3,
  race: 5,
  select: 5,
};

type OpName = keyof typeof WEIGHTS;

/** How many bodies an operation has. */
const BODIES: Partial<Record<OpName, "one" | "some">> = {
  lock: "one",
  lockWithin: "one",
  semaphore: "one",
  semaphoreWithin: "one",
  timeout: "one",
  moveOnAfter: "one",
  spawn: "one",
  shield: "one",
  shielded: "one",
  cleanUp: "one",
  swallow: "one",
  manyPermits: "one",
  capacity: "one",
  capacityWithin: "one",
  cancelOn: "one",
  retry: "one",
  shared: "one",
  group: "some",
  gather: "some",
  wait: "some",
  pool: "some",
};

const DECK = (Object.keys(WEIGHTS) as OpName[]).flatMap((name) =>
  new Array<OpName>(WEIGHTS[name]).fill(name)
);

const LONGEST_MS = 10;
/** Beyond the end: a timer that is left behind is found by it. */
const NEVER_MS = 1_000_000;
/** A program takes some milliseconds. */
const HANGS_AFTER_MS = 2000;
const DEEPEST = 2;
const RESOURCES = 2;
const PERMITS = 2;
const PARTIES = 2;
const RATE = 3;
const RATE_MS = 5;
const MAX_SIZES = [0, 1, 3];
const CHANNEL_SIZES = [0, 1, Infinity];
const VALUES = 4;

/** The program of a seed. */
export function makeProgram(seed: number): Program {
  const random = makeRandom(seed);
  const tasks = 5 + random(46);
  const body = (depth: number): Body =>
    Array.from({ length: 1 + random(depth === 0 ? 4 : 2) }, () => op(depth));
  const op = (depth: number): Op => {
    let name = DECK[random(DECK.length)]!;
    if (depth === DEEPEST && BODIES[name] !== undefined) name = "sleep";
    const bodies = { one: 1, some: 1 + random(3), none: 0 };
    return {
      op: name,
      which: random(1000),
      ms: random(12) === 0 ? NEVER_MS : random(LONGEST_MS + 1),
      variant: random(1000),
      bodies: Array.from(
        { length: bodies[BODIES[name] ?? "none"] },
        // Nothing but its time ends a shielded region: it may not swallow that.
        () => body(name === "shielded" ? DEEPEST : depth + 1),
      ),
    };
  };
  return Array.from({ length: tasks }, () => body(0));
}

/** The error that programs throw on purpose. */
class Failure extends Error {}

/** A clock that knows how many alarms are set. */
class CountingClock extends VirtualClock {
  readonly alarms: Set<object> = new Set();

  override setAlarm(
    ...[when, target]: Parameters<VirtualClock["setAlarm"]>
  ): ReturnType<VirtualClock["setAlarm"]> {
    const alarm = super.setAlarm(when, {
      isIdle: () => target.isIdle(),
      ring: () => {
        this.alarms.delete(alarm);
        target.ring();
      },
    });
    this.alarms.add(alarm);
    return {
      cancel: () => {
        this.alarms.delete(alarm);
        alarm.cancel();
      },
    };
  }
}

/** Runs one program and checks it. */
function isEmpty(channel: ReceiveChannel<number>): boolean {
  const { size, senders } = channel.statistics();
  return size === 0 && senders === 0;
}

class World {
  readonly trace: string[] = [];
  readonly faults: string[] = [];
  readonly #program: Program;
  readonly #tracing: boolean;
  readonly #tasks: Task[] = [];
  readonly #spawned: Task[] = [];
  readonly #clock = new CountingClock();

  readonly #queues = MAX_SIZES.map((maxSize) => new Queue<number>({ maxSize }));
  readonly #channels = CHANNEL_SIZES.map((maxSize) =>
    openChannel<number>(maxSize)
  );
  readonly #hub = new Broadcast<number>({ capacity: 1 });
  readonly #values = several(() => new AsyncValue(0));
  readonly #locks = several(() => new Lock());
  readonly #semaphores = several(() => new Semaphore(PERMITS));
  readonly #events = several(() => new Event());
  readonly #conditions = several(() => new Condition());
  readonly #barriers = several(() => new Barrier(PARTIES));
  readonly #capacities = several(() => new CapacityLimiter(PERMITS));
  readonly #rates = several(() => new RateLimiter(RATE, RATE_MS));
  /** When so many began by each rate limiter. */
  readonly #begun = new Map<RateLimiter, { at: number; n: number }[]>();
  /** Runs a body once for all who come to it at the same time. */
  readonly #runShared = shared((body: Body) => this.#runOnce(body));
  readonly #sharedBodies = new Set<Body>();
  /** How many tasks are in the block of each lock, semaphore and condition. */
  readonly #inside = new Map<object, number>();

  #items = 0;
  /** Items that a `put` has returned for, and those that a `get` has given. */
  readonly #put = new Set<number>();
  readonly #got = new Set<number>();
  /** Items that a `publish` has returned for, and those that someone has got. */
  readonly #published = new Set<number>();
  readonly #heard = new Set<number>();

  constructor(program: Program, tracing: boolean) {
    this.#program = program;
    this.#tracing = tracing;
  }

  /** Runs it; a program that hangs is given up, as a fault. */
  async run(): Promise<void> {
    let timer: ReturnType<typeof setTimeout>;
    const hangs = new Promise<void>((resolve) => {
      timer = setTimeout(() => {
        this.faults.push("The program hangs");
        resolve();
      }, HANGS_AFTER_MS);
    });
    const ends = runVirtual(() => this.#main(), { clock: this.#clock });
    await Promise.race([ends, hangs]).finally(() => clearTimeout(timer));
  }

  async #main(): Promise<void> {
    const loop = getRunningLoop();
    loop.setExceptionHandler(({ message, error }) => {
      // An error whose waiter was cancelled in the same instant is told, as in
      // asyncio: of shielded work, and of a gathering.
      const isTold = message.startsWith("Exception in a shielded future") ||
        message.startsWith("Exception in a shared run") ||
        message.startsWith("An error in pooledMap()") ||
        message.startsWith("<Future failed");
      if (isTold && isExpected(error)) return;
      this.faults.push(`The exception handler was told: ${message} (${error})`);
    });
    this.#program.forEach((body, index) => {
      this.#tasks.push(
        createTask(() => this.#run(body), { name: `t${index}` }),
      );
    });
    await sleep(10 * LONGEST_MS);
    await this.#endAll();
    if (this.faults.length === 0) await this.#check();
  }

  /** Cancels what is left until it has ended. */
  async #endAll(): Promise<void> {
    const others = () => {
      const tasks = allTasks();
      tasks.delete(currentTask()!);
      return tasks;
    };
    for (let round = 0; round < 50 && others().size > 0; round++) {
      this.#say(`round ${round} of the end: ${[...others()].join(", ")}`);
      for (const task of others()) task.cancel("the end");
      await sleep(LONGEST_MS);
    }
    for (const task of others()) this.faults.push(`${task} never ended`);
    for (const task of [...this.#tasks, ...this.#spawned]) {
      if (!task.done() || task.cancelled()) continue;
      const error = task.exception();
      if (!isExpected(error)) this.faults.push(`${task} failed: ${error}`);
    }
  }

  async #check(): Promise<void> {
    for (const queue of this.#queues) {
      while (queue.size > 0) this.#receive(queue.getNowait());
      this.#expect(queue.empty(), `${queue} is not empty`);
      const { getters, putters } = queue.statistics();
      this.#expect(getters + putters === 0, `${queue} has waiters left`);
    }
    for (const [send, receive] of this.#channels) {
      for (let item; (item = receive.tryReceive()) !== null;) {
        this.#receive(item);
      }
      const { size, senders, receivers, ...open } = send.statistics();
      const left = size + senders + receivers;
      this.#expect(left === 0, `${send} has something left`);
      const ends = open.sendChannels + open.receiveChannels;
      this.#expect(ends === 2, `${send} has ${ends} ends`);
    }
    for (const item of this.#heard) {
      this.#expect(this.#published.has(item), `Item ${item} was not published`);
    }
    const { subscribers, full, publishers } = this.#hub.statistics();
    const left = subscribers + full + publishers;
    this.#expect(left === 0, `${this.#hub} has something left`);
    for (const value of this.#values) {
      const { waiters, watchers } = value.statistics();
      this.#expect(waiters + watchers === 0, `${value} has waiters left`);
    }
    for (const item of this.#put) {
      this.#expect(this.#got.has(item), `Item ${item} was lost`);
    }
    for (const item of this.#got) {
      this.#expect(this.#put.has(item), `Item ${item} of a failed put got in`);
    }
    for (const lock of this.#locks) {
      this.#expect(!lock.locked(), `${lock} is still held`);
      this.#expect(lock.statistics().waiters === 0, `${lock} has waiters left`);
    }
    for (const condition of this.#conditions) {
      this.#expect(!condition.locked(), `${condition} is still held`);
    }
    for (const semaphore of this.#semaphores) {
      let permits = 0;
      for (; semaphore.tryAcquire() !== null; permits++);
      this.#expect(semaphore.locked(), `${semaphore} is not locked`);
      this.#expect(permits === PERMITS, `${semaphore} had ${permits} permits`);
    }
    for (const limiter of this.#capacities) {
      const { borrowedTokens, waiters } = limiter.statistics();
      this.#expect(borrowedTokens === 0, `${limiter} has not got all back`);
      this.#expect(waiters === 0, `${limiter} has waiters left`);
    }
    for (const limiter of this.#rates) await this.#checkRate(limiter);
    this.#expect(this.#sharedBodies.size === 0, "A shared run never ended");
    for (const barrier of this.#barriers) {
      this.#expect(barrier.nWaiting === 0, `${barrier} has waiters left`);
    }
    // The loop clears its alarm a turn after its last timer.
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setImmediate(resolve));
    this.#expect(this.#clock.alarms.size === 0, "A timer is left");
  }

  async #run(body: Body): Promise<void> {
    for (const op of body) {
      this.#say(`${op.op} ${op.which} for ${op.ms} ms …`);
      try {
        await this.#operations[op.op](op);
        this.#say(`${op.op} ${op.which}: done`);
      } catch (error) {
        this.#say(`${op.op} ${op.which}: ${(error as Error).name}`);
        if (!isExpected(error)) {
          this.faults.push(`${op.op} threw ${(error as Error).stack}`);
        }
        throw error;
      }
    }
  }

  readonly #operations: Record<OpName, (op: Op) => Promise<void> | void> = {
    sleep: ({ ms }) => sleep(ms),
    put: async (op) => {
      const item = this.#items++;
      await pick(this.#queues, op).put(item);
      this.#put.add(item);
    },
    putWithin: async (op) => {
      const item = this.#items++;
      await this.#within(op, () => pick(this.#queues, op).put(item), () => {
        this.#put.add(item);
      });
    },
    get: async (op) => this.#receive(await pick(this.#queues, op).get()),
    getWithin: (op) =>
      this.#within(
        op,
        () => pick(this.#queues, op).get(),
        (item) => this.#receive(item),
      ),
    getInTask: async (op) => {
      const task = createTask(() => pick(this.#queues, op).get());
      task.addDoneCallback(() => {
        if (!task.cancelled()) this.#receive(task.result());
      });
      if (op.variant % 2 === 0) await task;
      await sleep(op.ms);
      task.cancel();
    },
    send: async (op) => {
      const item = this.#items++;
      await pick(this.#channels, op)[0].send(item);
      this.#put.add(item);
    },
    sendWithin: async (op) => {
      const item = this.#items++;
      await this.#within(
        op,
        () => pick(this.#channels, op)[0].send(item),
        () => void this.#put.add(item),
      );
    },
    receive: async (op) =>
      this.#receive(await pick(this.#channels, op)[1].receive()),
    receiveWithin: (op) =>
      this.#within(
        op,
        () => pick(this.#channels, op)[1].receive(),
        (item) => this.#receive(item),
      ),
    sendByClone: async (op) => {
      using own = pick(this.#channels, op)[0].clone();
      const item = this.#items++;
      getRunningLoop().callLater(op.variant % LONGEST_MS, () => own.close());
      try {
        await own.send(item);
        this.#put.add(item);
      } catch (error) {
        if (!(error instanceof ClosedResourceError)) throw error;
      }
    },
    receiveByClone: async (op) => {
      using own = pick(this.#channels, op)[1].clone();
      getRunningLoop().callLater(op.variant % LONGEST_MS, () => own.close());
      try {
        for await (const item of own) this.#receive(item);
      } catch (error) {
        if (!(error instanceof ClosedResourceError)) throw error;
      }
    },
    publish: async (op) => {
      const item = this.#items++;
      await this.#within(
        op,
        () => this.#hub.publish(item),
        () => void this.#published.add(item),
      );
    },
    subscribe: async (op) => {
      using inbox = this.#hub.subscribe();
      const got = new Set<number>();
      await moveOnAfter(1 + op.ms % LONGEST_MS, async () => {
        for await (const item of inbox) {
          this.#expect(!got.has(item), `Item ${item} was given twice`);
          got.add(item);
          this.#heard.add(item);
          await sleep(op.variant % 3);
        }
      });
    },
    setValue: (op) => {
      pick(this.#values, op).value = op.variant % VALUES;
    },
    waitForValue: (op) => {
      const wanted = op.variant % VALUES;
      return this.#within(
        op,
        () => pick(this.#values, op).waitFor((value) => value === wanted),
        (value) => this.#expect(value === wanted, `It was ${value}`),
      );
    },
    lock: async (op) => {
      const lock = pick(this.#locks, op);
      if (op.variant % 2 === 0) {
        return await lock.with(() => this.#inBlock(lock, 1, op));
      }
      using _hold = await lock.acquire();
      await this.#inBlock(lock, 1, op);
    },
    lockWithin: (op) => {
      const lock = pick(this.#locks, op);
      return this.#within(op, () => lock.acquire(), async (hold) => {
        using _hold = hold;
        await this.#inBlock(lock, 1, op);
      });
    },
    semaphore: async (op) => {
      const semaphore = pick(this.#semaphores, op);
      await semaphore.acquire();
      try {
        await this.#inBlock(semaphore, PERMITS, op);
      } finally {
        semaphore.release();
      }
    },
    semaphoreWithin: (op) => {
      const semaphore = pick(this.#semaphores, op);
      return this.#within(op, () => semaphore.acquire(), async (hold) => {
        using _hold = hold;
        await this.#inBlock(semaphore, PERMITS, op);
      });
    },
    setEvent: (op) => pick(this.#events, op).set(),
    clearEvent: (op) => pick(this.#events, op).clear(),
    waitForEvent: async (op) => {
      await this.#within(op, () => pick(this.#events, op).wait(), () => {});
    },
    condition: async (op) => {
      const condition = pick(this.#conditions, op);
      await condition.acquire();
      const leave = this.#enter(condition, 1);
      try {
        leave();
        try {
          await this.#within(op, () => condition.wait(), () => {});
        } finally {
          // However the wait ended, the lock is held again.
          this.#expect(condition.locked(), `${condition} is not held`);
          const leave = this.#enter(condition, 1);
          leave();
        }
      } finally {
        condition.release();
      }
    },
    notify: async (op) => {
      const condition = pick(this.#conditions, op);
      await condition.acquire();
      try {
        if (op.variant % 3 === 0) condition.notifyAll();
        else condition.notify(op.variant % 3);
        const leave = this.#enter(condition, 1);
        try {
          await sleep(op.ms % 3);
        } finally {
          leave();
        }
      } finally {
        condition.release();
      }
    },
    barrier: (op) =>
      this.#within(op, () => pick(this.#barriers, op).wait(), () => {}),
    timeout: async (op) => {
      await timeout(op.ms, () => this.#run(op.bodies[0]!)).catch(ifTimeout);
    },
    moveOnAfter: (op) => moveOnAfter(op.ms, () => this.#run(op.bodies[0]!)),
    group: (op) =>
      taskGroup(async (group) => {
        for (const body of op.bodies) group.createTask(() => this.#run(body));
        if (op.variant % 3 === 0) await sleep(op.ms);
        if (op.variant % 9 === 0) group.cancel();
      }),
    gather: async (op) => {
      const returnExceptions = op.variant % 2 === 0;
      await gather(
        op.bodies.map((body) => () => this.#run(body)),
        { returnExceptions },
      );
    },
    wait: async (op) => {
      const tasks = op.bodies.map((body) => this.#spawn(body));
      const returnWhen = (
        ["FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"] as const
      )[op.variant % 3]!;
      const { done, pending } = await wait(tasks, {
        timeout: op.ms,
        returnWhen,
      });
      this.#expect(
        done.size + pending.size === tasks.length,
        "wait() lost one",
      );
    },
    spawn: (op) => void this.#spawn(op.bodies[0]!),
    shield: async (op) => {
      await shield(this.#spawn(op.bodies[0]!));
    },
    shielded: (op) =>
      shielded(() => this.#run(op.bodies[0]!), {
        timeout: 1 + op.ms % LONGEST_MS,
      })
        .catch(ifTimeout),
    cleanUp: async (op) => {
      try {
        await this.#run(op.bodies[0]!);
      } finally {
        await sleep(op.ms);
      }
    },
    swallow: async (op) => {
      try {
        await this.#run(op.bodies[0]!);
      } catch (error) {
        if (isCancelledError(error) && op.variant % 2 === 0) {
          currentTask()?.uncancel();
        }
      }
    },
    fail: () => {
      throw new Failure("on purpose");
    },
    cancel: (op) => void pick(this.#tasks, op).cancel(`${op.variant}`),
    firstWins: async (op) => {
      let winners = 0;
      const rivals: Task[] = [0, 1, 2].map(() =>
        createTask(async () => {
          await this.#behind(op.which % 3, () => this.#contend(op));
          winners++;
          for (const rival of rivals) {
            if (rival !== currentTask()) rival.cancel("lost");
          }
        })
      );
      this.#spawned.push(...rivals);
      await wait(rivals, { timeout: 1 + op.ms % LONGEST_MS });
      this.#expect(winners <= 1, `${winners} of three were the first`);
      for (const rival of rivals) rival.cancel("late");
    },
    manyPermits: async (op) => {
      const semaphore = pick(this.#semaphores, op);
      await this.#within(op, () => semaphore.acquire(PERMITS), async (hold) => {
        using _hold = hold;
        for (let n = 1; n < PERMITS; n++) this.#enter(semaphore, PERMITS);
        try {
          await this.#inBlock(semaphore, PERMITS, op);
        } finally {
          this.#leave(semaphore, PERMITS - 1);
        }
      });
    },
    tryAcquire: async (op) => {
      const semaphore = pick(this.#semaphores, op);
      using hold = semaphore.tryAcquire(1 + op.variant % PERMITS);
      if (hold === null) return;
      const count = 1 + op.variant % PERMITS;
      for (let n = 0; n < count; n++) this.#enter(semaphore, PERMITS);
      try {
        await sleep(op.ms % 3);
      } finally {
        this.#leave(semaphore, count);
      }
    },
    capacity: async (op) => {
      const limiter = pick(this.#capacities, op);
      using _hold = await limiter.acquireOnBehalfOf({});
      await this.#run(op.bodies[0]!);
    },
    capacityWithin: (op) => {
      const limiter = pick(this.#capacities, op);
      const borrower = {};
      return this.#within(
        op,
        () => limiter.acquireOnBehalfOf(borrower),
        async () => {
          try {
            await this.#run(op.bodies[0]!);
          } finally {
            limiter.releaseOnBehalfOf(borrower);
          }
        },
      );
    },
    resize: (op) => {
      pick(this.#capacities, op).totalTokens = 1 + op.variant % (2 * PERMITS);
    },
    rate: async (op) => {
      const limiter = pick(this.#rates, op);
      const n = 1 + op.variant % RATE;
      if (op.ms % 2 === 0 && !limiter.tryAcquire(n)) return;
      if (op.ms % 2 === 1) await limiter.acquire(n);
      this.#begin(limiter, n);
    },
    rateWithin: (op) => {
      const limiter = pick(this.#rates, op);
      const n = 1 + op.variant % RATE;
      return this.#within(op, () => limiter.acquire(n), () => {
        this.#begin(limiter, n);
      });
    },
    cancelOn: async (op) => {
      const controller = new AbortController();
      const abort = () => controller.abort(new Failure("aborted"));
      if (op.ms === 0) abort();
      const timer = getRunningLoop().callLater(op.ms, abort);
      try {
        await cancelOn(controller.signal, () => this.#run(op.bodies[0]!));
      } finally {
        timer.cancel();
      }
    },
    retry: async (op) => {
      let attempts = 0;
      await retry(async () => {
        attempts++;
        await this.#run(op.bodies[0]!);
      }, {
        attempts: 1 + op.variant % 3,
        delay: op.ms % 3,
        jitter: op.variant % 2 === 0,
      }).catch((error) => {
        this.#expect(attempts <= 1 + op.variant % 3, "retry() goes on");
        if (!(error instanceof Failure)) throw error;
      });
    },
    interval: async (op) => {
      const missed = (["skip", "burst", "delay"] as const)[op.variant % 3];
      let ticks = 0;
      for await (const _ of interval(1 + op.variant % 4, { missed })) {
        if (++ticks > op.ms % 3) break;
        await sleep(op.ms % 7);
      }
    },
    shared: async (op) => {
      const key = op.bodies[0]!;
      await gather(
        [0, op.ms % 3].map((ms) => async () => {
          await sleep(ms);
          await this.#runShared(key);
        }),
        { returnExceptions: op.variant % 2 === 0 },
      );
    },
    pool: async (op) => {
      const { bodies, variant } = op;
      const limit = 1 + variant % 3;
      let running = 0;
      const bodiesDone = pooledMap(bodies, async (body, index) => {
        this.#expect(++running <= limit, `${running} run in a pool`);
        try {
          await this.#run(body);
        } finally {
          running--;
        }
        return index;
      }, { limit, ordered: variant % 2 === 0 });
      let last = -1;
      try {
        for await (const index of bodiesDone) {
          if (variant % 2 === 0) {
            this.#expect(index === last + 1, "A pool is out of order");
          }
          last = index;
          if (variant % 5 === 0) break;
          await sleep(op.ms % 3);
        }
      } finally {
        this.#expect(running === 0, "A pool is left, and one runs");
      }
    },
    race: async (op) => {
      const until = op.variant % 5 === 0 ? "success" : "settled";
      const value = await race(this.#contenders(op), { until });
      await this.#have(value, op);
    },
    select: async (op) => {
      const cases = Object.fromEntries(
        this.#contenders(op).map((fn, index) => [`case ${index}`, fn]),
      );
      const biased = op.variant % 2 === 0;
      const { key, value } = await select(cases, { biased });
      this.#expect(key in cases, `There is no ${key}`);
      await this.#have(value, op);
    },
  };

  /** Functions of which one may take something. */
  #contenders(op: Op): (() => Promise<unknown>)[] {
    const count = 2 + op.which % 3;
    return Array.from({ length: count }, (_, index) => {
      const each = { ...op, which: op.which + index };
      const kind = (op.variant + index * (1 + op.ms)) % 7;
      const depth = (op.variant + index) % 3;
      const wait = this.#waitFor(kind, each);
      return depth === 0 ? wait : () => this.#behind(depth, wait);
    });
  }

  #waitFor(kind: number, op: Op): () => Promise<unknown> {
    switch (kind) {
      case 0:
      case 1:
        return () => pick(this.#queues, op).get();
      case 2:
        return () => pick(this.#locks, op).acquire();
      case 3:
        return () => pick(this.#semaphores, op).acquire();
      case 4:
        return () => timeout(op.ms, () => pick(this.#queues, op).get());
      case 5:
        return () => pick(this.#events, op).wait();
      default:
        return () => sleep(op.ms);
    }
  }

  /** Has what was won: an item, or a hold, which it lets go again. */
  async #have(value: unknown, op: Op): Promise<void> {
    if (typeof value === "number") this.#receive(value);
    if (typeof value !== "object" || value === null) return;
    using _hold = value as Disposable;
    await sleep(op.ms % 3);
  }

  /** Begins so many by a rate limiter; asks as another wait would. */
  #begin(limiter: RateLimiter, n: number): void {
    const begun = this.#begun.get(limiter) ?? [];
    begun.push({ at: this.#clock.now(), n });
    this.#begun.set(limiter, begun);
  }

  async #checkRate(limiter: RateLimiter): Promise<void> {
    const begun = this.#begun.get(limiter) ?? [];
    for (const { at: from } of begun) {
      let sum = 0;
      for (const { at, n } of begun) {
        if (at >= from && at < from + RATE_MS) sum += n;
      }
      this.#expect(sum <= RATE, `${sum} began by ${limiter} from ${from} on`);
    }
    this.#expect(limiter.statistics().waiters === 0, `${limiter} has waiters`);
    await sleep(RATE_MS);
    const { available } = limiter.statistics();
    this.#expect(available === RATE, `${limiter} has ${available} available`);
  }

  /** A body that must not run twice at a time, as its run was not cancelled. */
  async #runOnce(body: Body): Promise<void> {
    this.#sharedBodies.add(body);
    try {
      await this.#run(body);
    } finally {
      this.#sharedBodies.delete(body);
    }
  }

  /** Runs `operation` behind so many `async` functions. */
  async #behind<T>(depth: number, operation: () => Promise<T>): Promise<T> {
    return depth === 0
      ? await operation()
      : await this.#behind(depth - 1, operation);
  }

  /**
   * Waits for what others wait for at the same time. What is there already is
   * had at the call: once the budget of the turn is spent, all may have called
   * before the first one goes on.
   */
  async #contend(op: Op): Promise<void> {
    const queue = pick(this.#queues, op);
    const [, receive] = pick(this.#channels, op);
    const event = pick(this.#events, op);
    const semaphore = pick(this.#semaphores, op);
    const variant = op.variant % 5;
    if (variant === 0 && queue.empty()) return this.#receive(await queue.get());
    if (variant === 2 && !event.isSet()) return void await event.wait();
    if (variant === 3 && semaphore.locked()) {
      await semaphore.acquire();
      return semaphore.release();
    }
    if (variant === 4 && isEmpty(receive)) {
      return this.#receive(await receive.receive());
    }
    return await sleep(op.ms % 3);
  }

  #spawn(body: Body): Task {
    const task = createTask(() => this.#run(body));
    this.#spawned.push(task);
    return task;
  }

  /** Gives `take` what `operation` gives in time, in one of several ways. */
  async #within<T>(
    { ms, variant }: Op,
    operation: () => Promise<T>,
    take: (value: T) => void | Promise<void>,
  ): Promise<void> {
    try {
      switch (variant % 4) {
        case 0:
          return await take(await waitFor(operation, ms));
        case 1:
          return await take(await timeout(ms, operation));
        case 2: {
          const task = createTask(operation);
          try {
            await waitFor(task, ms);
          } finally {
            // Also one that comes too late for its waiter keeps its result.
            if (task.done() && !task.cancelled()) await take(task.result());
          }
          return;
        }
        default: {
          const value = await moveOnAfter(ms, async () => [await operation()]);
          if (value !== undefined) await take(value[0]!);
        }
      }
    } catch (error) {
      ifTimeout(error);
    }
  }

  async #inBlock(object: object, limit: number, op: Op): Promise<void> {
    const leave = this.#enter(object, limit);
    try {
      await this.#run(op.bodies[0]!);
    } finally {
      leave();
    }
  }

  #leave(object: object, count: number): void {
    this.#inside.set(object, (this.#inside.get(object) ?? 0) - count);
  }

  #enter(object: object, limit: number): () => void {
    const count = (by: number) => {
      const inside = (this.#inside.get(object) ?? 0) + by;
      this.#inside.set(object, inside);
      this.#expect(inside <= limit, `${inside} tasks are inside of ${object}`);
    };
    count(1);
    return () => count(-1);
  }

  #receive(item: number): void {
    this.#say(`item ${item}`);
    this.#expect(!this.#got.has(item), `Item ${item} was given twice`);
    this.#got.add(item);
  }

  #expect(condition: boolean, fault: string): void {
    if (!condition) this.faults.push(fault);
  }

  #say(what: string): void {
    if (!this.#tracing) return;
    const task = currentTask()?.name ?? "-";
    this.trace.push(
      `${String(this.#clock.now()).padStart(4)} ${task}: ${what}`,
    );
  }
}

function several<T>(make: () => T): T[] {
  return Array.from({ length: RESOURCES }, make);
}

function pick<T>(from: readonly T[], { which }: Op): T {
  return from[which % from.length]!;
}

function ifTimeout(error: unknown): void {
  if (!(error instanceof TimeoutError)) throw error;
}

function isExpected(error: unknown): boolean {
  if (error === undefined || error instanceof Failure) return true;
  if (isCancelledError(error) || error instanceof TimeoutError) return true;
  return error instanceof AggregateError && error.errors.every(isExpected);
}

/** What is wrong after a program; nothing if all is well. */
export async function faultsOf(program: Program): Promise<string[]> {
  const world = new World(program, false);
  await world.run();
  return world.faults;
}

/** A failure as its reader needs it: the seed, the least program, its trace. */
export async function explain(seed: number): Promise<string> {
  const program = await shrink(makeProgram(seed));
  const world = new World(program, true);
  await world.run();
  return [
    `The random program of seed ${seed} failed:`,
    ...world.faults,
    "",
    "The least program that fails so:",
    ...program.map((body, index) => `t${index}: ${show(body)}`),
    "",
    "Its trace:",
    ...world.trace,
  ].join("\n");
}

/** Leaves out whatever can be left out while the program still fails. */
async function shrink(program: Program): Promise<Program> {
  let smaller: Program | null = program;
  while (smaller !== null) {
    program = smaller;
    smaller = null;
    for (const each of simpler(program)) {
      if ((await faultsOf(each)).length === 0) continue;
      smaller = each;
      break;
    }
  }
  return program;
}

/** A program with one task, one operation or one layer less. */
function* simpler(program: Program): Generator<Program> {
  // A task's number is what others cancel it by, so its body goes, not itself.
  for (const [index, body] of program.entries()) {
    if (body.length > 0) yield program.with(index, []);
  }
  for (const [index, body] of program.entries()) {
    for (const each of simplerBodies(body)) yield program.with(index, each);
  }
  if (program.at(-1)?.length === 0) yield program.slice(0, -1);
}

function* simplerBodies(body: Body): Generator<Body> {
  for (const [index, op] of body.entries()) {
    yield body.toSpliced(index, 1);
    for (const inner of op.bodies) yield body.toSpliced(index, 1, ...inner);
    for (const [place, inner] of op.bodies.entries()) {
      for (const each of simplerBodies(inner)) {
        yield body.with(index, { ...op, bodies: op.bodies.with(place, each) });
      }
    }
  }
}

function show(body: Body): string {
  return body.map(({ op, which, ms, variant, bodies }) => {
    const inner = bodies.length > 0
      ? ` { ${bodies.map(show).join(" | ")} }`
      : "";
    return `${op}(${which}, ${ms} ms, variant ${variant})${inner}`;
  }).join("; ");
}
