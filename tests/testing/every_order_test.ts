/** Streams, `retry` and `race` in all orders, and with each of their tasks cancelled. */
import {
  createTask,
  exploreCancellations,
  exploreSchedules,
  gather,
  Lock,
  type MemoryStream,
  memoryStreamPair,
  Queue,
  race,
  retry,
  Semaphore,
  sleep,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertGreater } from "@std/assert";
import { bytes, text } from "../_support/net.ts";

/** A task that may be cancelled: it is waited for, however it ends. */
async function tried(...fns: (() => Promise<unknown>)[]): Promise<void> {
  await Promise.allSettled(fns.map((fn) => createTask(fn)));
}

/** Sends a line back. */
async function echo([reader, writer]: MemoryStream): Promise<void> {
  writer.write(await reader.readLine());
  await writer.drain();
}

/** A body with a pair, whose ends are closed when it is over. */
function withPair(
  body: (a: MemoryStream, b: MemoryStream) => Promise<void>,
  chunkSize?: number,
): () => Promise<void> {
  return async () => {
    const [a, b] = memoryStreamPair({ chunkSize });
    try {
      await body(a, b);
    } finally {
      a[1].transport.abort();
      b[1].transport.abort();
    }
  };
}

/** What must hold in every order of its tasks. */
const inEveryOrder: Record<string, () => Promise<void>> = {
  "each of two clients gets its own answer": async () => {
    const talk = withPair(async ([reader, writer], server) => {
      const served = createTask(() => echo(server));
      const own = `${++talks}\n`;
      writer.write(own);
      assertEquals(text(await reader.readLine()), own);
      await served;
    });
    let talks = 0;
    // One function twice is one task.
    await gather([() => talk(), () => talk()]);
    assertEquals(talks, 2);
  },
  "what two ends write at once arrives whole": withPair(async (a, b) => {
    const talk = async ([reader, writer]: MemoryStream, line: string) => {
      writer.write(line);
      await writer.drain();
      return text(await reader.readLine());
    };
    const lines = [() => talk(a, "ping\n"), () => talk(b, "pong\n")];
    assertEquals(await gather(lines), ["pong\n", "ping\n"]);
  }),
  "a retry ends with the first success": async () => {
    let [isUp, calls] = [false, 0];
    const call = async () => {
      calls++;
      await sleep(1);
      if (!isUp) throw new Error("down");
      return calls;
    };
    const start = createTask(() => sleep(2).then(() => void (isUp = true)));
    const result = await retry(call, { attempts: 5, delay: 1, factor: 1 });
    assert(isUp);
    assertEquals(result, calls);
    await start;
  },
  "a race has one winner, and its losers have ended": async () => {
    let running = 0;
    const contender = (name: string) => async () => {
      running++;
      try {
        await sleep(1);
        return name;
      } finally {
        running--;
      }
    };
    const winner = await race(["a", "b", "c"].map(contender));
    assert(["a", "b", "c"].includes(winner));
    assertEquals(running, 0);
  },
  "what loses a race takes no item": async () => {
    const [first, second] = [new Queue<string>(), new Queue<string>()];
    const put = (queue: Queue<string>) => () =>
      sleep(1).then(() => queue.put("item"));
    const putters = [createTask(put(first)), createTask(put(second))];
    await race([() => first.get(), () => second.get()]);
    await Promise.all(putters);
    assertEquals(first.size + second.size, 1);
  },
  "a race against the time loses no item": async () => {
    const queue = new Queue<string>();
    const put = createTask(() => sleep(1).then(() => queue.put("item")));
    const got = await race([() => queue.get(), () => sleep(1, null)]);
    await put;
    assertEquals(queue.size, got === null ? 1 : 0);
  },
};

for (const [what, test] of Object.entries(inEveryOrder)) {
  Deno.test(`in every order: ${what}`, async () => {
    const { complete, runs } = await exploreSchedules(test, {
      strategy: "exhaustive",
      runs: 2000,
    });
    assert(complete, `${runs} runs are not all`);
    assertGreater(runs, 1);
  });
}

/** What must hold whichever task is cancelled, and wherever it waits. */
const atEveryCancellation: Record<string, () => Promise<void>> = {
  "a reader of lines takes them whole, and leaves the others": withPair(
    async ([reader], [, writer]) => {
      const lines: string[] = [];
      const write = async () => {
        for (const part of ["on", "e\ntw", "o\n"]) {
          writer.write(part);
          await writer.drain();
          await sleep(1);
        }
      };
      // Not to be cancelled: it is what comes from the network.
      const written = write();
      await tried(async () => {
        while (lines.length < 2) lines.push(text(await reader.readLine()));
      });
      await written;
      writer.writeEof();
      const rest = text(await reader.read());
      assertEquals(lines.join("") + rest, "one\ntwo\n");
      assert(lines.every((line) => line.endsWith("\n")));
    },
  ),
  "a reader of so many bytes takes all or none": withPair(
    async ([reader], [, writer]) => {
      let got = "";
      const reading = tried(async () => {
        got = text(await reader.readExactly(4));
      });
      for (const part of ["ab", "cd"]) {
        await sleep(1);
        writer.write(part);
      }
      await reading;
      writer.writeEof();
      const rest = text(await reader.read());
      assertEquals([got, rest], got === "" ? ["", "abcd"] : ["abcd", ""]);
    },
    1,
  ),
  "what was written before `drain` is sent": withPair(
    async ([reader], [, writer]) => {
      let written = 0;
      const piece = bytes("x".repeat(50_000));
      const writing = tried(async () => {
        for (let i = 0; i < 8; i++) {
          writer.write(piece);
          written += piece.length;
          await writer.drain();
        }
      });
      await sleep(1);
      const reading = reader.read();
      await writing;
      writer.writeEof();
      assertEquals((await reading).length, written);
    },
  ),
  "a retry calls no more once it is cancelled": async () => {
    let [running, most, calls, failed] = [0, 0, 0, 0];
    const call = async () => {
      calls++;
      most = Math.max(most, ++running);
      await sleep(1).finally(() => running--);
      failed++;
      throw new Error("busy");
    };
    const retrying = createTask(() => retry(call, { attempts: 3, delay: 1 }));
    await retrying.catch(() => {});
    const before = calls;
    await sleep(100);
    assertEquals([running, calls], [0, before]);
    assert(most <= 1, "two at once");
    assertEquals(retrying.cancelled(), failed < 3);
  },
  "a race loses no item, and leaves no lock or permit": async () => {
    const [queue, lock] = [new Queue<string>(), new Lock()];
    const semaphore = new Semaphore(1);
    const [put, got]: [string[], string[]] = [[], []];
    await lock.acquire();
    await semaphore.acquire();
    // Goes on when others are cancelled, as it belongs to the test.
    const free = sleep(1).then(() => {
      lock.release();
      semaphore.release();
    });
    await tried(
      async () => {
        const result = await race([
          () => queue.get(),
          () => lock.acquire(),
          () => semaphore.acquire(),
        ]);
        if (typeof result === "string") got.push(result);
        else await result[Symbol.asyncDispose]();
      },
      async () => {
        await sleep(1);
        await queue.put("item");
        put.push("item");
      },
    );
    await free;
    while (queue.size > 0) got.push(queue.getNowait());
    assertEquals(got, put);
    assertEquals([lock.locked(), semaphore.locked()], [false, false]);
  },
  "a race ends with its contenders": async () => {
    let [running, left] = [0, 0];
    const contend = async () => {
      running++;
      try {
        await sleep(2);
      } finally {
        await sleep(1).finally(() => running--);
      }
    };
    await tried(async () => {
      try {
        await race([contend, contend]);
      } finally {
        left = running;
      }
    });
    assertEquals(left, 0, "a contender goes on behind");
  },
};

for (const [what, test] of Object.entries(atEveryCancellation)) {
  Deno.test(`at every cancellation: ${what}`, async () => {
    const { complete, runs } = await exploreCancellations(test);
    assert(complete);
    assertGreater(runs, 4);
  });
}
