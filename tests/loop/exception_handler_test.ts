import {
  type EventLoop,
  getRunningLoop,
  KeyboardInterrupt,
  newEventLoop,
  sleep,
  SystemExit,
  VirtualClock,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";
import { collectReports, virtual } from "../_support/virtual.ts";

for (const request of [new SystemExit(4), new KeyboardInterrupt()]) {
  Deno.test(`${request.name} from an exception handler leaves the loop`, async () => {
    const sources: readonly ((loop: EventLoop) => void)[] = [
      (loop) => {
        loop.callSoon(() => {
          throw new Error("in a callback");
        });
      },
      (loop) => {
        const future = loop.createFuture<void>();
        future.addDoneCallback(() => {
          throw new Error("in a done callback");
        });
        future.setResult();
      },
      (loop) => {
        loop.createTask(() =>
          loop.callExceptionHandler({ message: "told by a task" })
        );
      },
      (loop) => {
        loop.callSoon(() =>
          loop.callExceptionHandler({ message: "told by a callback" })
        );
      },
    ];
    for (const prepare of sources) {
      const loop = newEventLoop({ clock: new VirtualClock() });
      loop.setExceptionHandler(() => {
        throw request;
      });
      prepare(loop);
      loop.callLater(5, () => loop.stop());
      assertStrictEquals(
        await assertRejects(() => loop.runForever()),
        request,
      );
      assertEquals(loop.time(), 0);
      loop.setExceptionHandler(null);
      loop.close();
    }
  });
}

Deno.test(
  "an error of a callback is reported with its handle, and where that was made",
  virtual(async () => {
    const loop = getRunningLoop();
    const reports = collectReports();
    const fail = () => {
      throw new Error("x");
    };
    const handles = [loop.callSoon(fail), loop.callLater(1, fail)];
    await sleep(2);
    loop.setDebug(true);
    const debugged = loop.callSoon(fail);
    await sleep(1);
    assertEquals(reports.map(({ handle }) => handle), [...handles, debugged]);
    assertEquals(reports[0]!.createdAt, undefined);
    assert(reports[2]!.createdAt?.includes("exception_handler_test"));
    assertFalse(handles[0]!.cancelled());
  }),
);
