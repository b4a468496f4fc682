import {
  asCompleted,
  Barrier,
  checkpoint,
  Condition,
  createTask,
  Event,
  gather,
  getRunningLoop,
  Lock,
  memoryStreamPair,
  moveOnAfter,
  openChannel,
  openConnection,
  pooledMap,
  Queue,
  race,
  RateLimiter,
  retry,
  select,
  Semaphore,
  shield,
  simulate,
  sleep,
  startServer,
  taskGroup,
  timeout,
  wait,
} from "@asyncio/asyncio";
import { assertEquals } from "@std/assert";

/** Says that it is still there; it must not once its host has crashed. */
type Say = () => void;

/** Programs that go on for ever, each in waits of its own. */
const PROGRAMS: Record<string, (say: Say) => Promise<void>> = {
  async sleep(say) {
    for (;; say()) await sleep(3);
  },
  async checkpoint(say) {
    for (;; say()) {
      for (let i = 0; i < 5; i++) await checkpoint();
      await sleep(1);
    }
  },
  async "foreign promises"(say) {
    for (;; say()) {
      for (let i = 0; i < 5; i++) await Promise.resolve();
      await sleep(1);
    }
  },
  async lock(say) {
    const lock = new Lock();
    await gather([1, 2, 3].map((ms) => async () => {
      for (;; say()) {
        using _ = await lock.acquire();
        await sleep(ms);
      }
    }));
  },
  async semaphore(say) {
    const semaphore = new Semaphore(2);
    await gather([1, 2, 3, 4].map((ms) => async () => {
      for (;; say()) {
        using _ = await semaphore.acquire();
        await sleep(ms);
      }
    }));
  },
  async condition(say) {
    const condition = new Condition();
    createTask(async () => {
      for (;; await sleep(2)) {
        using _ = await condition.acquire();
        condition.notifyAll();
      }
    });
    for (;; say()) {
      using _ = await condition.acquire();
      await condition.wait();
    }
  },
  async barrier(say) {
    const barrier = new Barrier(3);
    await gather([1, 2, 3].map((ms) => async () => {
      for (;; say()) {
        await barrier.wait();
        await sleep(ms);
      }
    }));
  },
  async queue(say) {
    const queue = new Queue<number>({ maxSize: 1 });
    createTask(async () => {
      for (let i = 0;; i++) await queue.put(i);
    });
    for (;; say()) {
      await queue.get();
      await sleep(1);
    }
  },
  async channel(say) {
    const [sender, receiver] = openChannel<number>();
    createTask(async () => {
      for (let i = 0;; i++) await sender.send(i);
    });
    for await (const _ of receiver) {
      say();
      await sleep(1);
    }
  },
  async "race and select"(say) {
    for (;; say()) {
      await race([() => sleep(5), () => sleep(3)]);
      const queue = new Queue<number>();
      getRunningLoop().callLater(1, () => queue.putNowait(1));
      await select({ item: () => queue.get(), late: () => sleep(9) });
    }
  },
  async "timeouts"(say) {
    for (;; say()) {
      await timeout(2, () => sleep(10)).catch(() => {});
      await moveOnAfter(2, () => new Event().wait());
    }
  },
  async "task group"(say) {
    for (;; say()) {
      await taskGroup((group) => {
        for (const ms of [1, 2, 3]) {
          group.createTask(() => sleep(ms));
        }
        group.createTask(async () => {
          await sleep(1);
          throw new Error("one of them fails");
        });
      }).catch(() => {});
    }
  },
  async "wait and asCompleted"(say) {
    for (;; say()) {
      await wait([createTask(() => sleep(2)), createTask(() => sleep(3))]);
      for await (const _ of asCompleted([() => sleep(1), () => sleep(2)])) {
        say();
      }
    }
  },
  async "shield and futures"(say) {
    for (;; say()) {
      const future = getRunningLoop().createFuture<void>();
      getRunningLoop().callLater(2, () => future.setResult());
      future.addDoneCallback(say);
      await shield(() => sleep(1));
      await future;
    }
  },
  async "retry and pool"(say) {
    const limiter = new RateLimiter(3, 10);
    for (;; say()) {
      let attempts = 0;
      await retry(async () => {
        await sleep(1);
        if (++attempts < 3) throw new Error("not yet");
      }, { delay: 1 });
      for await (const _ of pooledMap([1, 2, 3], sleep, { limit: 2 })) say();
      await limiter.acquire();
    }
  },
  async streams(say) {
    const server = await startServer(async (reader, writer) => {
      for await (const line of reader) {
        say();
        writer.write(line);
      }
    }, { port: 7 });
    const [reader, writer] = await openConnection({
      hostname: "localhost",
      port: server.port,
    });
    for (;; say()) {
      writer.write("a line\n");
      await reader.readLine();
      await sleep(1);
    }
  },
  async "streams in memory"(say) {
    const [[reader, writer], [other, back]] = memoryStreamPair();
    createTask(async () => {
      for await (const line of other) {
        say();
        back.write(line);
      }
    });
    for (;; say()) {
      writer.write("a line\n");
      await reader.readLine();
      await sleep(1);
    }
  },
  async callbacks(say) {
    const loop = getRunningLoop();
    const again = () => {
      say();
      loop.callSoon(say);
      loop.callLater(2, again);
    };
    again();
    await new Event().wait();
  },
};

/** What is said of a program that crashes after so long, and what is reported. */
function crashed(
  program: (say: Say) => Promise<void>,
  ms: number,
): Promise<{ before: number; after: string[] }> {
  return simulate(async (sim) => {
    const after: string[] = [];
    let before = 0;
    let hasCrashed = false;
    const say = () => hasCrashed ? after.push("it goes on") : before++;
    const loop = getRunningLoop();
    loop.setExceptionHandler(({ message, error }) => {
      after.push(`${message}: ${error}`);
    });
    sim.host("victim", async () => {
      try {
        await program(say);
      } finally {
        if (hasCrashed) after.push("finally");
      }
    });
    await sleep(ms);
    // Once where it stands, and once in the midst of a step.
    await checkpoint();
    hasCrashed = true;
    sim.crash("victim");
    await sleep(100);
    hasCrashed = false;
    sim.restart("victim");
    await sleep(20);
    hasCrashed = true;
    sim.crash("victim");
    await sleep(1);
    return { before, after };
  });
}

for (const [name, program] of Object.entries(PROGRAMS)) {
  Deno.test(`crash() stops a program anywhere, and it can start anew: ${name}`, async () => {
    for (const ms of [0, 1, 1.5, 2, 3, 7, 20]) {
      const { before, after } = await crashed(program, ms);
      assertEquals(after, [], `after ${ms} ms`);
      assertEquals(before > 0, true);
    }
  });
}
