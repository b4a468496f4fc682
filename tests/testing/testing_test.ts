import {
  CancelledError,
  createTask,
  gather,
  getRunningLoop,
  newEventLoop,
  run,
  runVirtual,
  sleep,
  type Task,
  timeout,
  TimeoutError,
  VirtualClock,
} from "@asyncio/asyncio";
import * as testing from "@asyncio/asyncio/testing";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { now } from "../_support/virtual.ts";

/** Runs `body` in a loop whose clock stands still until it is moved. */
async function withStillClock(
  body: (clock: VirtualClock) => PromiseLike<void>,
): Promise<void> {
  const clock = new VirtualClock({ autoJump: false });
  await runVirtual(() => body(clock), { clock });
}

Deno.test("@asyncio/asyncio/testing has what the package has", () => {
  assertStrictEquals(testing.VirtualClock, VirtualClock);
  assertStrictEquals(testing.runVirtual, runVirtual);
});

Deno.test("runVirtual() takes no time for what only waits", async () => {
  const end = await runVirtual(async () => {
    await sleep(86_400_000);
    await sleep(2 ** 40);
    return getRunningLoop().time();
  });
  assertEquals(end, 86_400_000 + 2 ** 40);
});

Deno.test("runVirtual() jumps to each timer in turn, ties in order", async () => {
  const seen: string[] = [];
  await runVirtual(async () => {
    const at = (ms: number, name: string) => () =>
      sleep(ms).then(() => seen.push(`${name} at ${now()}`));
    await gather([at(10, "a"), at(5, "b"), at(10, "c"), at(0.5, "d")]);
  });
  assertEquals(seen, ["d at 0.5", "b at 5", "a at 10", "c at 10"]);
});

Deno.test("runVirtual() does not jump while something is ready", async () => {
  await runVirtual(async () => {
    let spinning = true;
    const spinner = createTask(async () => {
      while (spinning) await sleep(0);
      return now();
    });
    for (let i = 0; i < 3000; i++) await sleep(0);
    assertEquals(now(), 0);
    spinning = false;
    assertEquals(await spinner, 0);
    await sleep(5);
    assertEquals(now(), 5);
  });
});

Deno.test("runVirtual() calls what is due while something is ready", async () => {
  await runVirtual(async () => {
    const loop = getRunningLoop();
    const due: string[] = [];
    loop.callLater(0, () => due.push("now"));
    loop.callAt(-5, () => due.push("past"));
    while (due.length < 2) await sleep(0);
    assertEquals(due, ["past", "now"]);
    assertEquals(loop.time(), 0);
  });
});

Deno.test("runVirtual() lets promises of the host go on before it jumps", async () => {
  await runVirtual(async () => {
    const seen: string[] = [];
    const host = async () => {
      for (let i = 0; i < 100; i++) await Promise.resolve();
      seen.push(`host at ${now()}`);
    };
    await Promise.all([host(), sleep(5)]);
    assertEquals(seen, ["host at 0"]);
  });
});

Deno.test("runVirtual() times out in virtual time", async () => {
  await runVirtual(async () => {
    await assertRejects(
      () => timeout(3_600_000, () => sleep(1e9)),
      TimeoutError,
    );
    assertEquals(now(), 3_600_000);
  });
});

Deno.test("runVirtual() throws what main throws, and closes its loop", async () => {
  let loop: ReturnType<typeof getRunningLoop> | undefined;
  await assertRejects(
    () =>
      runVirtual(async () => {
        loop = getRunningLoop();
        await sleep(5);
        throw new RangeError("main's");
      }),
    RangeError,
    "main's",
  );
  assert(loop!.isClosed());
});

Deno.test("runVirtual() takes run()'s options", async () => {
  const clock = new VirtualClock({ start: 1000 });
  const result = await runVirtual(async () => {
    assert(getRunningLoop().getDebug());
    assertEquals(now(), 1000);
    await sleep(5);
    return now();
  }, { clock, debug: true });
  assertEquals(result, 1005);
  assertEquals(clock.now(), 1005);
  await assertRejects(
    () => runVirtual(() => sleep(5), { signal: AbortSignal.abort("no") }),
    CancelledError,
    "no",
  );
});

Deno.test("advance() moves time on, through every timer on the way", () =>
  withStillClock(async (clock) => {
    const seen: number[] = [];
    const task = createTask(async () => {
      for (;;) {
        await sleep(10);
        seen.push(now());
      }
    });
    await clock.advance(9);
    assertEquals(seen, []);
    await clock.advance(1);
    assertEquals(seen, [10]);
    await clock.advance(25);
    assertEquals(seen, [10, 20, 30]);
    assertEquals(clock.now(), 35);
    task.cancel();
  }));

Deno.test("advance() gives a timer all its effects before the next one is due", () =>
  withStillClock(async (clock) => {
    const seen: string[] = [];
    const first = createTask(async () => {
      await sleep(5);
      for (let i = 0; i < 20; i++) await sleep(0);
      seen.push(`first at ${now()}`);
    });
    const second = createTask(() => sleep(6).then(() => seen.push("second")));
    await clock.advance(10);
    assertEquals(seen, ["first at 5", "second"]);
    await gather([first, second]);
  }));

Deno.test("advance(0) runs what is ready and what is due", () =>
  withStillClock(async (clock) => {
    const seen: string[] = [];
    createTask(() => void seen.push("ready"));
    getRunningLoop().callAt(0, () => void seen.push("due"));
    const later = getRunningLoop().callLater(1, () => void seen.push("later"));
    await clock.advance(0);
    assertEquals(seen.sort(), ["due", "ready"]);
    later.cancel();
  }));

Deno.test("advance() moves the time of several loops together", async () => {
  const clock = new VirtualClock({ autoJump: false });
  const seen: string[] = [];
  const main = (name: string, ms: number) => async () => {
    await sleep(ms);
    seen.push(`${name} at ${now()}`);
  };
  const runs = [
    runVirtual(main("a", 30), { clock }),
    runVirtual(main("b", 20), { clock }),
  ];
  await clock.advance(100);
  await Promise.all(runs);
  assertEquals(seen, ["b at 20", "a at 30"]);
});

Deno.test("a clock stands still with autoJump off, and jumps once it is on", async () => {
  const clock = new VirtualClock({ autoJump: false });
  let done = false;
  const main = runVirtual(() => sleep(1000).then(() => done = true), { clock });
  for (let i = 0; i < 10; i++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  assertFalse(done);
  assertFalse(clock.autoJump);
  clock.autoJump = true;
  await main;
  assertEquals(clock.now(), 1000);
});

Deno.test("advance() and the clock refuse what is no time", async () => {
  const clock = new VirtualClock();
  await assertRejects(
    () => clock.advance(-1),
    RangeError,
    "Cannot advance a virtual clock as 'ms' must not be negative: received -1",
  );
  await assertRejects(() => clock.advance(NaN), RangeError, "NaN");
  await assertRejects(() => clock.advance("1" as never), TypeError, `"1"`);
  assertThrows(() => new VirtualClock({ start: -1 }), RangeError, "-1");
  assertThrows(
    () => new VirtualClock({ start: Infinity }),
    RangeError,
    "Cannot create a virtual clock as 'start' must be finite: received Infinity",
  );
  await assertRejects(() => clock.advance(Infinity), RangeError, "finite");
  assertThrows(() => clock.autoJump = 1 as never, TypeError, "a boolean");
  const target = { ring() {}, isIdle: () => true };
  assertThrows(() => clock.setAlarm(NaN, target), RangeError, "NaN");
  assertThrows(
    () => clock.setAlarm(1, undefined as never),
    TypeError,
    "Cannot set an alarm as 'target.ring' must be a function",
  );
  assertEquals(clock.now(), 0);
});

Deno.test("a cancelled sleep leaves nothing for the clock to jump to", async () => {
  const clock = new VirtualClock();
  await runVirtual(async () => {
    const task: Task = createTask(() => sleep(1e6));
    await sleep(1);
    task.cancel();
    await assertRejects(() => task, CancelledError);
  }, { clock });
  assertEquals(clock.now(), 1);
});

Deno.test("two runs of one program in virtual time leave the same trace", async () => {
  const program = async () => {
    const seen: string[] = [];
    await runVirtual(async () => {
      await gather([3, 1, 2].map((ms) => async () => {
        for (let i = 0; i < 3; i++) {
          await sleep(ms);
          seen.push(`${ms} at ${now()}`);
        }
      }));
    });
    return seen;
  };
  assertEquals(await program(), await program());
});

Deno.test("a loop with a virtual clock is an ordinary loop", async () => {
  const clock = new VirtualClock();
  const loop = newEventLoop({ clock });
  const seen: number[] = [];
  loop.callLater(20, () => seen.push(loop.time()));
  loop.callLater(10, () => seen.push(loop.time()));
  loop.callLater(30, () => loop.stop());
  await loop.runForever();
  assertEquals(seen, [10, 20]);
  assertEquals(await run(() => sleep(5, "x"), { loop }), "x");
  assertEquals(clock.now(), 35);
});

for (const autoJump of [true, false]) {
  Deno.test(`settled() lets all go on that can, and time stands still, with autoJump ${autoJump}`, async () => {
    const clock = new VirtualClock({ autoJump });
    await runVirtual(async () => {
      let steps = 0;
      let late = false;
      createTask(async () => {
        // More than one turn of the host's loop.
        for (; steps < 1000; steps++) await sleep(0);
        await sleep(1);
        late = true;
      });
      await clock.settled();
      assertEquals([steps, late, clock.now()], [1000, false, 0]);
      clock.autoJump = true;
      await sleep(2);
      assertEquals(late, true);
    }, { clock });
  });
}
