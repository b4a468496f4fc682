// Whatever the library calls on its own sees what other libraries keep in an
// AsyncLocalStorage, as it was where the code was handed in.
import {
  cancelSignal,
  createTask,
  Event,
  type ExceptionContext,
  exploreSchedules,
  gather,
  getRunningLoop,
  openConnection,
  run,
  Runner,
  runVirtual,
  sleep,
  startServer,
  taskGroup,
  timeout,
} from "@asyncio/asyncio";
import { assertEquals } from "@std/assert";
import process from "node:process";
import { Sightings } from "./_support/sightings.ts";

const LOCAL = { hostname: "127.0.0.1" };

for (const debug of [false, true]) {
  const also = debug ? ", in debug mode too" : "";

  Deno.test(`V3 a signal handler sees the store of who set it${also}`, async () => {
    const sightings = new Sightings();
    const { storage } = sightings;
    await run(async () => {
      const loop = getRunningLoop();
      const called = new Event();
      storage.run(
        "first",
        () =>
          loop.addSignalHandler("SIGUSR2", () => sightings.note("replaced")),
      );
      storage.run(
        "setter",
        () =>
          loop.addSignalHandler("SIGUSR2", (name: string) => {
            sightings.note(name);
            storage.enterWith("its own");
            called.set();
          }, "handler"),
      );
      for (let i = 0; i < 2; i++) {
        called.clear();
        storage.run("killer", () => process.kill(process.pid, "SIGUSR2"));
        await timeout(10_000, () => called.wait());
      }
      loop.removeSignalHandler("SIGUSR2");
    }, { debug });
    sightings.check({ handler: "setter" });
  });

  Deno.test(`V3 a timer tells a signal's listeners in the store of who asked for the signal${also}`, async () => {
    const sightings = new Sightings();
    const { storage } = sightings;
    await run(async () => {
      const request = (name: string, ms: number) =>
        storage.run(name, () =>
          createTask(() =>
            timeout(ms, async () => {
              cancelSignal().addEventListener("abort", sightings.noting(name));
              await sleep(60_000);
            })
          ));
      // The alarm is set in one context and rings for both.
      const [one, other] = [request("one", 1), request("other", 2)];
      await gather([one, other], { returnExceptions: true });
      const third = storage.run("third", () =>
        createTask(async () => {
          cancelSignal().addEventListener("abort", sightings.noting("third"));
          await sleep(60_000);
        }));
      await sleep(0);
      storage.run("canceller", () => third.cancel());
      await third.catch(() => {});
    }, { debug });
    // As with any event, who dispatches it counts, if someone does.
    sightings.check({ one: "one", other: "other", third: "canceller" });
  });

  Deno.test(`V3 an exception handler sees the store of what failed${also}`, async () => {
    const sightings = new Sightings();
    const { storage } = sightings;
    const fail = () => {
      throw new Error("on purpose");
    };
    await run(async () => {
      const loop = getRunningLoop();
      const messages: string[] = [];
      const [reported, ended] = [new Event(), new Event()];
      storage.run(
        "who set it",
        () =>
          loop.setExceptionHandler(({ error }: ExceptionContext) => {
            messages.push(String(error));
            sightings.note("handler");
            reported.set();
          }),
      );
      const expect = async (what: string, begin: () => void) => {
        sightings.seen.clear();
        messages.length = 0;
        reported.clear();
        storage.run(what, begin);
        await timeout(10_000, () => reported.wait());
        assertEquals(messages, ["Error: on purpose"], what);
        sightings.check({ handler: what });
      };
      await expect("callSoon", () => loop.callSoon(fail));
      await expect("callLater", () => loop.callLater(1, fail));
      await expect("done callback", () => {
        const future = loop.createFuture<void>();
        future.addDoneCallback(fail);
        storage.run("settler", () => future.setResult());
      });
      await expect("connection handler", () => {
        createTask(async () => {
          await using server = await startServer(fail, LOCAL);
          const { port } = server;
          const [reader, writer] = await storage.run(
            "client",
            () => openConnection({ ...LOCAL, port }),
          );
          await reader.read();
          writer.close();
          await writer.waitClosed();
          ended.set();
        });
      });
      await timeout(10_000, () => ended.wait());
      loop.setExceptionHandler(null);
    }, { debug });
  });

  Deno.test(`V3 an unretrieved error is reported with the store of the task that failed${also}`, async () => {
    const sightings = new Sightings();
    const { storage } = sightings;
    const runner = new Runner({ debug });
    const reported: string[] = [];
    await runner.run(async () => {
      getRunningLoop().setExceptionHandler(({ error }: ExceptionContext) => {
        reported.push((error as Error).message);
        sightings.note((error as Error).message);
      });
      for (const name of ["one", "other"]) {
        storage.run(name, () =>
          void createTask(async () => {
            await sleep(0);
            throw new Error(name);
          }));
        storage.run(
          `future of ${name}`,
          () =>
            getRunningLoop().createFuture().setException(
              new Error(`future of ${name}`),
            ),
        );
      }
      await sleep(1);
    });
    await storage.run("closer", () => runner.close());
    sightings.check({
      "one": "one",
      "other": "other",
      "future of one": "future of one",
      "future of other": "future of other",
    });
  });

  Deno.test(`V3 tasks of a factory, and eager ones, see the store of who made them${also}`, async () => {
    const sightings = new Sightings();
    const { storage } = sightings;
    await run(async () => {
      const loop = getRunningLoop();
      storage.run(
        "who set it",
        () =>
          loop.setTaskFactory((_loop, fn, options) => createEager(fn, options)),
      );
      const createEager: typeof createTask = (fn, options) => {
        loop.setTaskFactory(null);
        return createTask(fn, { ...options, eagerStart: true });
      };
      const made = storage.run("maker", () =>
        createTask(async () => {
          sightings.note("before");
          await sleep(0);
          sightings.note("after");
          storage.enterWith("its own");
          await sleep(0);
          sightings.note("own");
        }));
      sightings.note("who made it");
      await made;
      sightings.note("who awaited it");
    }, { debug });
    sightings.check({
      "before": "maker",
      "after": "maker",
      "own": "its own",
      "who made it": "",
      "who awaited it": "",
    });
  });
}

Deno.test("V3 virtual time and explored schedules carry the store", async () => {
  const sightings = new Sightings();
  const { storage } = sightings;
  const work = async () => {
    sightings.note("main");
    const loop = getRunningLoop();
    await taskGroup((group) => {
      for (const name of ["one", "other"]) {
        storage.run(name, () => {
          loop.callLater(10, sightings.noting(name));
          group.createTask(async () => {
            sightings.note(name);
            await sleep(10);
            sightings.note(name);
          });
        });
      }
    });
    sightings.note("main");
  };
  const expected = { main: "outside", one: "one", other: "other" };
  await storage.run("outside", () => runVirtual(work));
  sightings.check(expected);
  sightings.seen.clear();
  await storage.run("outside", () => exploreSchedules(work));
  sightings.check(expected);
});

Deno.test("V3 a runner's mains see the store of each call of run()", async () => {
  const sightings = new Sightings();
  const { storage } = sightings;
  const runner = new Runner();
  const main = async () => {
    const name = storage.getStore()!;
    sightings.note(name);
    await sleep(0);
    sightings.note(name);
  };
  await storage.run("first", () => runner.run(main));
  await storage.run("second", () => runner.run(main));
  await runner.close();
  sightings.check({ first: "first", second: "second" });
});
