/** What `exploreSchedules` tries beside the order in which tasks start and wake. */
import {
  createTask,
  Event,
  exploreSchedules,
  gather,
  getRunningLoop,
  InvalidStateError,
  Lock,
  memoryStreamPair,
  Queue,
  run,
  ScheduleError,
  select,
  Semaphore,
  sleep,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertRejects,
} from "@std/assert";
import { makeRandom } from "../../_internal/random.ts";

type Say = (word: string) => void;
type Program = (say: Say) => PromiseLike<unknown>;

/** What a program says in each of its orders. */
async function allOf(
  program: Program,
  options: { handovers?: boolean; runs?: number } = {},
): Promise<Set<string>> {
  const said = new Set<string>();
  const seen = await exploreSchedules(async () => {
    const words: string[] = [];
    await program((word) => void words.push(word));
    said.add(words.join(" "));
  }, { strategy: "exhaustive", ...options });
  assert(seen.complete, `${seen.runs} runs are not all`);
  return said;
}

Deno.test("of callbacks of one instant each may be first, and have had its effect before the other", async () => {
  const said = await allOf(async (say) => {
    const loop = getRunningLoop();
    const events = ["a", "b"].map((name) => {
      const event = new Event();
      loop.callLater(10, () => {
        say(name);
        event.set();
      });
      return { name, event };
    });
    await gather(events.map(({ name, event }) => async () => {
      await event.wait();
      say(name.toUpperCase());
    }));
  });
  assertEquals([...said].toSorted(), ["a A b B", "a b A B", "b B a A"]);
});

Deno.test("a timeout and a sleep of one instant: either may be first", async () => {
  const said = await allOf(async (say) => {
    try {
      say(await timeout(10, () => sleep(10, "slept")) ?? "");
    } catch (error) {
      assert(error instanceof TimeoutError);
      say("late");
    }
  });
  assertEquals([...said].toSorted(), ["late", "slept"]);
});

Deno.test("of several cases that are ready, select() takes each in some order", async () => {
  const said = await allOf(async (say) => {
    const queues = ["a", "b", "c"].map((name) => {
      const queue = new Queue<string>();
      queue.putNowait(name);
      return queue;
    });
    const [a, b, c] = queues;
    const { key } = await select({
      a: () => a!.get(),
      b: () => b!.get(),
      c: () => c!.get(),
    });
    say(key);
  });
  assertEquals([...said].toSorted(), ["a", "b", "c"]);
});

Deno.test("bytes arrive before the other tasks go on, or when all of them wait", async () => {
  const said = await allOf(async (say) => {
    const [[, writer], [reader, other]] = memoryStreamPair();
    const chain = async () => {
      for (const word of ["1", "2", "3"]) {
        say(word);
        await sleep(0);
      }
    };
    writer.write("x");
    await gather([
      async () => {
        await reader.read(1);
        say("x");
      },
      chain,
    ]);
    writer.close();
    other.close();
  });
  const places = [...said].map((words) => words.indexOf("x"));
  assert(said.has("1 2 3 x"), [...said].join());
  assertGreater(new Set(places).size, 1);
});

Deno.test("a sleep that is held back can be cancelled meanwhile", async () => {
  const said = await allOf(async (say) => {
    const second = createTask(async () => {
      try {
        await sleep(1);
        say("slept");
      } catch {
        say("cancelled");
      }
    });
    const first = createTask(async () => {
      await sleep(1);
      second.cancel();
      await second;
      say("first");
    });
    await gather([first, second]);
  });
  assertEquals([...said].toSorted(), ["cancelled first", "slept first"]);
});

Deno.test("code that never waits for long does not hold a timer up for ever", async () => {
  let [runs, polls] = [0, 0];
  await exploreSchedules(async () => {
    runs++;
    let isOver = false;
    const poll = async () => {
      await sleep(1);
      while (!isOver) {
        polls++;
        await sleep(0);
      }
    };
    const end = async () => {
      await sleep(1);
      isOver = true;
    };
    await gather([poll, end]);
  });
  assertEquals(runs, 100);
  assertGreater(polls, 100);
});

// ── handovers ──────────────────────────────────────────────────────────────

const ALL_SIX = ["a b c", "a c b", "b a c", "b c a", "c a b", "c b a"];

/** Three that come in their order, and wait for the same. */
function inLine(
  wait: (name: string) => PromiseLike<unknown>,
  letIn: () => PromiseLike<unknown>,
): PromiseLike<unknown> {
  return gather([
    ...["a", "b", "c"].map((name, place) => async () => {
      await sleep(place + 1);
      await wait(name);
    }),
    async () => {
      await sleep(10);
      await letIn();
    },
  ]);
}

const LINES: Record<string, Program> = {
  "a lock": async (say) => {
    const lock = new Lock();
    await lock.acquire();
    // deno-lint-ignore require-await -- as the others
    await inLine((name) => lock.with(() => say(name)), async () => {
      lock.release();
    });
  },
  "a semaphore": async (say) => {
    const semaphore = new Semaphore(0);
    // deno-lint-ignore require-await -- as the others
    await inLine((name) => semaphore.with(() => say(name)), async () => {
      semaphore.release();
    });
  },
  "a queue": async (say) => {
    const queue = new Queue<number>();
    await inLine(
      (name) => queue.get().then(() => say(name)),
      async () => {
        for (let item = 0; item < 3; item++) {
          queue.putNowait(item);
          await sleep(1);
        }
      },
    );
  },
};

for (const [what, program] of Object.entries(LINES)) {
  Deno.test(`with 'handovers', ${what} goes to those who wait in every order`, async () => {
    const said = await allOf(program, { handovers: true });
    assertEquals([...said].toSorted(), ALL_SIX);
  });

  Deno.test(`without 'handovers', ${what} goes to who came first`, async () => {
    assertEquals([...await allOf(program)], ["a b c"]);
  });
}

Deno.test("with 'handovers', one that wants less does not pass one that wants more", async () => {
  const program: Program = async (say) => {
    const semaphore = new Semaphore(1);
    await gather([
      async () => {
        await semaphore.acquire(2);
        say("two");
        semaphore.release(2);
      },
      async () => {
        await sleep(1);
        await semaphore.acquire();
        say("one");
        semaphore.release();
      },
      async () => {
        await sleep(2);
        semaphore.release();
      },
    ]);
  };
  assertEquals([...await allOf(program, { handovers: true })], ["two one"]);
});

Deno.test("a failure that takes 'handovers' is told, and its replay needs no option", async () => {
  const test = async () => {
    const words: string[] = [];
    await LINES["a lock"]!((word) => void words.push(word));
    assertEquals(words.join(""), "abc");
  };
  await exploreSchedules(test);
  const error = await assertRejects(
    () => exploreSchedules(test, { handovers: true }),
    ScheduleError,
    "of those that wait in a line",
  );
  await assertRejects(
    () => exploreSchedules(test, { replay: error.replay }),
    ScheduleError,
    `Failed with replay "${error.replay}"`,
  );
});

// ── what is left out ───────────────────────────────────────────────────────

/** Programs in which different choices often come to the same order. */
const PROGRAMS: Record<string, Program> = {
  "two that sleep again and again": (say) =>
    gather(["a", "b"].map((name) => async () => {
      for (let round = 0; round < 4; round++) {
        await sleep(1);
        say(name);
      }
    })),
  "three that sleep": (say) =>
    gather(["a", "b", "c"].map((name) => async () => {
      await sleep(1);
      say(name);
    })),
  "two that hold a lock in turn, and one that looks on": async (say) => {
    const lock = new Lock();
    const hold = (name: string) => async () => {
      for (let round = 0; round < 2; round++) {
        await lock.with(() => sleep(1));
        say(name);
      }
    };
    await gather([hold("a"), hold("b"), async () => {
      await sleep(2);
      say("c");
    }]);
  },
  "a producer, and two that take": async (say) => {
    const queue = new Queue<number>();
    const take = (name: string) => async () => {
      for (let left = 2; left > 0; left--) {
        say(`${name}${await queue.get()}`);
        await sleep(1);
      }
    };
    await gather([take("a"), take("b"), async () => {
      for (let item = 0; item < 4; item++) {
        await queue.put(item);
        await sleep(1);
      }
    }]);
  },
  "two connections, and one that goes on meanwhile": async (say) => {
    const pairs = [memoryStreamPair(), memoryStreamPair()];
    for (const [place, name] of ["a", "b"].entries()) {
      const [reader] = pairs[place]![1];
      reader.read(1).then(() => say(name));
    }
    await sleep(0);
    for (const [[, writer]] of pairs) writer.write("x");
    for (const word of ["1", "2", "3"]) {
      await sleep(0);
      say(word);
    }
    await sleep(1);
    for (const [[, one], [, other]] of pairs) {
      one.transport.abort();
      other.transport.abort();
    }
  },
  "a timeout that comes with what it waits for": async (say) => {
    const event = new Event();
    await gather([
      async () => {
        try {
          await timeout(2, () => event.wait());
          say("in time");
        } catch (error) {
          assert(error instanceof TimeoutError);
          say("late");
        }
      },
      async () => {
        await sleep(2);
        say("set");
        event.set();
      },
      async () => {
        await sleep(1);
        await sleep(1);
        say("after");
      },
    ]);
  },
};

for (const [what, program] of Object.entries(PROGRAMS)) {
  Deno.test(`whatever comes by chance was among all orders: ${what}`, async () => {
    const all = await allOf(program, { runs: 5000 });
    for (const strategy of ["random", "pct"] as const) {
      // deno-lint-ignore no-await-in-loop -- one strategy after the other
      await exploreSchedules(async () => {
        const words: string[] = [];
        await program((word) => void words.push(word));
        assert(all.has(words.join(" ")), `${words} is missing`);
      }, { runs: 400, strategy });
    }
  });
}

/** A program by chance: two or three tasks of two or three waits each. */
function programOf(seed: number): Program {
  const random = makeRandom(seed);
  const tasks = Array.from(
    { length: 2 + random(2) },
    () => Array.from({ length: 2 + random(2) }, () => random(7)),
  );
  return async (say) => {
    const [lock, queue, event] = [new Lock(), new Queue<string>(), new Event()];
    const [[, writer], [reader, other]] = memoryStreamPair();
    const reading = new Lock();
    const waits: ((name: string) => PromiseLike<unknown>)[] = [
      () => sleep(0),
      () => sleep(1),
      () => sleep(2),
      () => lock.with(() => sleep(1)),
      (name) => queue.put(name),
      async () => {
        event.set();
        writer.write("x");
        await reading.with(() => timeout(1, () => reader.read(1)));
      },
      (name) =>
        select({ item: () => queue.get(), event: () => event.wait() }).then(
          ({ key }) => say(`${name} ${key}`),
        ),
    ];
    const works = tasks.map((places, number) => async () => {
      const name = "abc"[number]!;
      for (const place of places) {
        try {
          await timeout(2, () => waits[place]!(name));
          say(`${name}${place}`);
        } catch (error) {
          assert(error instanceof TimeoutError, `${error}`);
          say(`${name}!`);
        }
      }
    });
    await gather(works);
    writer.transport.abort();
    other.transport.abort();
  };
}

Deno.test("whatever comes by chance was among all orders: programs by chance", async () => {
  let complete = 0;
  for (let seed = 0; seed < 20; seed++) {
    const program = programOf(seed);
    const all = new Set<string>();
    const run = (see: (words: string) => void) => async () => {
      const words: string[] = [];
      await program((word) => void words.push(word));
      see(words.join(" "));
    };
    // deno-lint-ignore no-await-in-loop -- one program after the other
    const seen = await exploreSchedules(run((words) => all.add(words)), {
      strategy: "exhaustive",
      runs: 500,
    });
    if (!seen.complete) continue;
    complete++;
    const check = run((words) => {
      assert(all.has(words), `seed ${seed}: ${words} is missing`);
    });
    // deno-lint-ignore no-await-in-loop -- one program after the other
    await exploreSchedules(check, { runs: 100 });
  }
  assertGreater(complete, 10);
});

Deno.test("what comes to a place where another order was is not gone through again", async () => {
  const rounds = 6;
  const test = async () => {
    await gather(["a", "b"].map(() => async () => {
      for (let round = 0; round < rounds; round++) await sleep(1);
    }));
  };
  const seen = await exploreSchedules(test, { strategy: "exhaustive" });
  assertEquals([seen.complete, seen.coverage], [true, 1]);
  // Who starts first of two; and in each round, both at once in one of two
  // orders, or one after the other in one of two.
  assertLess(seen.runs, 2 * 4 ** rounds / 10);
});

Deno.test("no order is left out for one in which other code ran", async () => {
  const all = await allOf((say) =>
    gather(["a", "b"].map((name) => async () => {
      await sleep(1);
      say(name);
      await sleep(1);
      say(name);
    }))
  );
  const rounds = ["a b", "b a"];
  assertEquals(
    [...all].toSorted(),
    rounds.flatMap((first) => rounds.map((second) => `${first} ${second}`)),
  );
});

// ── the call ───────────────────────────────────────────────────────────────

Deno.test("exploreSchedules() inside of a task is refused, and no fault of the test", async () => {
  let runs = 0;
  await run(async () => {
    await assertRejects(
      () => exploreSchedules(() => void runs++),
      InvalidStateError,
      "Cannot run a second event loop inside of a running one",
    );
  });
  assertEquals(runs, 0);
});

Deno.test("the story of a failure has the lines of the waits", async () => {
  const error = await assertRejects(
    () =>
      exploreSchedules(async () => {
        let last = "";
        await gather(["a", "b"].map((name) => async () => {
          await sleep(1);
          last = name;
        }));
        assertEquals(last, "b");
      }),
    ScheduleError,
  );
  assert(
    /after sleep\(1\) at .*explored_choices_test\.[jt]s:\d+/.test(
      error.message,
    ),
    error.message,
  );
});
