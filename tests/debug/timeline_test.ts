import {
  createTask,
  Lock,
  recordTimeline,
  runVirtual,
  sleep,
  type TraceEvent,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertThrows } from "@std/assert";

/** Records what `body` does, in virtual time. */
async function recorded(
  body: () => PromiseLike<unknown>,
  capacity?: number,
): Promise<readonly TraceEvent[]> {
  return await runVirtual(async () => {
    using timeline = recordTimeline({ capacity });
    await body();
    return timeline.stop().traceEvents;
  });
}

/** The rules of Chrome's trace-event format, for the phases that are used. */
function checkFormat(events: readonly TraceEvent[]): void {
  const pairs = new Map<number, string>();
  const stacks = new Map<number, number[]>();
  let last = 0;
  for (const { ph, ts, dur, id, tid, pid } of events) {
    assertEquals(pid, 1);
    assert(Number.isInteger(tid) && Number.isFinite(ts));
    assert(ts >= last, "events are in the order of their times");
    if (ph !== "M") last = ts;
    assertEquals(dur !== undefined, ph === "X");
    assertEquals(id !== undefined, "besf".includes(ph));
    if (id !== undefined) {
      const open = pairs.get(id);
      const opener = { e: "b", f: "s" }[ph as string];
      assertEquals(open, opener, `${ph} follows its opener`);
      if (opener === undefined) pairs.set(id, ph);
      else pairs.delete(id);
    }
    if (dur !== undefined) {
      assert(dur >= 0);
      const ends = stacks.get(tid) ?? [];
      stacks.set(tid, ends);
      while (ends.length > 0 && ends.at(-1)! <= ts) ends.pop();
      if (ends.length > 0) assert(ts + dur <= ends.at(-1)!, "slices nest");
      ends.push(ts + dur);
    }
  }
  assertEquals([...pairs], []);
}

function find(events: readonly TraceEvent[], name: string): TraceEvent {
  const found = events.find((each) => each.name === name && each.ph !== "M");
  assert(found !== undefined, `no ${name} in ${JSON.stringify(events)}`);
  return found;
}

Deno.test("a timeline has a lane a task, with its waits in it", async () => {
  const events = await recorded(() =>
    createTask(async () => {
      await sleep(2);
      await sleep(3);
    }, { name: "nap" })
  );
  checkFormat(events);
  const nap = find(events, "nap");
  const [first, second] = [find(events, "sleep(2)"), find(events, "sleep(3)")];
  assertEquals([first.dur, second.dur, nap.dur], [2000, 3000, 5000]);
  assertEquals([first.tid, second.tid], [nap.tid, nap.tid]);
  assertEquals(nap.args, { outcome: "finished" });
  const lane = events.find(({ ph, tid }) => ph === "M" && tid === nap.tid);
  assertEquals(lane?.args, { name: "nap" });
});

Deno.test("several waits of one task at once do not cross in a timeline", async () => {
  const events = await recorded(() =>
    createTask(async () => {
      await Promise.all([sleep(2), sleep(5), sleep(9)]);
      await sleep(1);
    })
  );
  checkFormat(events);
  const phases = ["sleep(2)", "sleep(5)", "sleep(9)", "sleep(1)"]
    .map((name) => find(events, name).ph);
  assertEquals(phases, ["X", "b", "b", "X"]);
});

Deno.test("a timeline names who holds a lock, and how a task failed", async () => {
  const events = await recorded(async () => {
    const lock = new Lock({ name: "door" });
    const holder = createTask(() => lock.with(() => sleep(5)), {
      name: "holder",
    });
    const other = createTask(async () => {
      using _hold = await lock.acquire();
      throw new Error("no");
    }, { name: "other" });
    await holder;
    await other.catch(() => {});
  });
  checkFormat(events);
  find(events, "Lock.acquire on door (held by holder)");
  assertEquals(find(events, "other").args, {
    outcome: "failed",
    error: "Error: no",
  });
});

Deno.test("a timeline tells why and by whom a task was cancelled", async () => {
  const events = await recorded(() =>
    createTask(async () => {
      const child = createTask(() => sleep(60), { name: "child" });
      await sleep(1);
      child.cancel("enough");
      await child.catch(() => {});
    }, { name: "parent" })
  );
  checkFormat(events);
  const [child, cancel] = [find(events, "child"), find(events, "cancel")];
  assertEquals([cancel.tid, cancel.ts - child.ts], [child.tid, 1000]);
  assertEquals([cancel.args?.["message"], cancel.args?.["by"]], [
    "enough",
    "parent",
  ]);
  assertEquals(child.args, { outcome: "cancelled" });
});

Deno.test("an arrow of a timeline leads from a task to the one it made", async () => {
  const events = await recorded(() =>
    createTask(async () => {
      await createTask(() => sleep(1), { name: "child" });
    }, { name: "parent" })
  );
  checkFormat(events);
  const arrows = events.filter(({ cat }) => cat === "spawn");
  const lanes = [find(events, "parent").tid, find(events, "child").tid];
  assertEquals(arrows.map(({ tid }) => tid), lanes);
});

Deno.test("a timeline keeps the newest of what happened", async () => {
  const events = await recorded(async () => {
    for (let ms = 1; ms <= 100; ms++) await sleep(ms);
  }, 10);
  checkFormat(events);
  const names = events.filter(({ cat }) => cat === "wait").map((e) => e.name);
  assert(!names.includes("sleep(1)"));
  assert(names.includes("sleep(100)"));
  assert(names.length <= 10);
});

Deno.test("a timeline that is stopped records no more, and gives the same", async () => {
  await runVirtual(async () => {
    const timeline = recordTimeline();
    const task = createTask(() => sleep(60), { name: "pending" });
    await sleep(1);
    const result = timeline.stop();
    checkFormat(result.traceEvents);
    assertEquals(
      find(result.traceEvents, "pending").args?.["outcome"],
      "pending",
    );
    await task;
    timeline[Symbol.dispose]();
    assertEquals(timeline.stop(), result);
  });
});

Deno.test("recordTimeline refuses what is no loop, and no room", () => {
  assertThrows(
    () => recordTimeline({ loop: {} as never }),
    TypeError,
    "Cannot record a timeline as 'loop' must be an event loop",
  );
  assertThrows(() => recordTimeline({ capacity: 0 }), RangeError, "at least 1");
});
