import {
  createTask,
  getRunningLoop,
  type Instrument,
  sleep,
  type TaskFunction,
} from "@asyncio/asyncio";
import { assert, assertEquals } from "@std/assert";
import { collectUntil, hasGc, SPARE } from "../_support/gc.ts";
import { collectReports, turns, virtual } from "../_support/virtual.ts";
import { tracingChannel } from "node:diagnostics_channel";

/** Ways of failing that leave the frames of the loop in the error's stack. */
const FAILURES: Readonly<Record<string, TaskFunction<unknown>>> = {
  "before its first wait": async () => {
    throw new Error("lost");
  },
  "without being async": () => {
    throw new Error("lost");
  },
  "by a promise": () => Promise.reject(new Error("lost")),
  "with its stack read": async () => {
    const error = new Error("lost");
    assert(error.stack !== undefined);
    throw error;
  },
  "by an error of the library": async () => {
    getRunningLoop().createFuture().result();
  },
  "after a wait": async () => {
    await sleep(0);
    throw new Error("lost");
  },
};

const stepwise: Instrument = { stepEnded() {} };

const channel = tracingChannel("asyncio:task");
const nothing = () => {};
const subscribers = {
  start: nothing,
  end: nothing,
  error: nothing,
  asyncStart: nothing,
  asyncEnd: nothing,
};

for (const [how, fn] of Object.entries(FAILURES)) {
  for (const eagerStart of [false, true]) {
    Deno.test({
      name: `a task that fails ${how}${
        eagerStart ? ", started eagerly," : ""
      } is reported while the program runs`,
      ignore: !hasGc,
      fn: virtual(async () => {
        const loop = getRunningLoop();
        for (const mode of ["plain", "stepwise", "traced", "debug"]) {
          if (mode === "stepwise") loop.addInstrument(stepwise);
          if (mode === "traced") channel.subscribe(subscribers);
          if (mode === "debug") loop.setDebug(true);
          const reports = collectReports();
          for (let n = 0; n < 10 + SPARE; n++) createTask(fn, { eagerStart });
          await turns(3);
          await collectUntil(() => reports.length >= 10);
          loop.removeInstrument(stepwise);
          if (mode === "traced") channel.unsubscribe(subscribers);
          assertEquals([mode, Math.min(reports.length, 10)], [mode, 10]);
        }
        loop.setExceptionHandler(() => {});
      }),
    });
  }
}

Deno.test(
  "cancel() on what has failed says that its error is known, as in asyncio",
  virtual(async () => {
    const task = createTask(() => Promise.reject(new Error("x")));
    const future = getRunningLoop().createFuture<void>();
    future.setException(new Error("x"));
    await turns(2);
    assertEquals([task.cancel(), future.cancel()], [false, false]);
    // What is reported as the loop closes fails the test.
    assert(task.done() && !task.cancelled() && !future.cancelled());
  }),
);
