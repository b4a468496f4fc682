import {
  ConnectionRefusedError,
  ConnectionResetError,
  createTask,
  Event,
  getRunningLoop,
  InvalidStateError,
  Lock,
  openConnection,
  simulate,
  type Simulation,
  sleep,
  startServer,
  type Task,
  taskGroup,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { deferred, text } from "../_support/net.ts";

const PLACE = { hostname: "db", port: 5432 };

/** A host that gives each line back. */
function addEcho(sim: Simulation): void {
  sim.host("db", async () => {
    const server = await startServer(async (reader, writer) => {
      for await (const line of reader) writer.write(line);
      writer.close();
    }, { port: PLACE.port });
    await server.serveForever();
  });
}

Deno.test("crash() ends tasks without their finally, whatever they wait for", async () => {
  const seen: string[] = [];
  await simulate(async (sim) => {
    const lock = new Lock();
    const never = deferred<void>();
    sim.host("db", async () => {
      const say = (what: string, fn: () => Promise<unknown>) => async () => {
        try {
          await fn();
        } catch {
          seen.push(`${what} catches`);
        } finally {
          seen.push(`${what} ends`);
        }
      };
      await say("the program", async () => {
        await lock.acquire();
        await taskGroup((group) => {
          group.createTask(say("sleep", () => sleep(100)));
          group.createTask(say("lock", () => lock.acquire()));
          group.createTask(say("event", () => new Event().wait()));
          group.createTask(
            say("timeout", () => timeout(200, () => new Event().wait())),
          );
          group.createTask(say("promise", () => never.promise));
          group.createTask(
            say("task", () => createTask(() => sleep(50))),
          );
        });
      })();
    });
    await sleep(10);
    sim.crash("db");
    await sleep(1000);
    assertEquals(seen, []);
  });
  assertEquals(seen, []);
});

Deno.test("crash() takes callbacks, timers and tasks that have not begun", async () => {
  await simulate(async (sim) => {
    const seen: string[] = [];
    let crash = () => {};
    sim.host("db", async () => {
      const loop = getRunningLoop();
      loop.callLater(20, () => seen.push("callLater"));
      loop.callLater(20, async () => {
        await sleep(5);
        seen.push("async callLater");
      });
      loop.callAt(30, () => seen.push("callAt"));
      setTimeoutInside(loop, () => seen.push("chain"));
      crash = () => {
        loop.callSoon(() => seen.push("callSoon"));
        createTask(() => seen.push("task"));
        sim.crash("db");
      };
      await sleep(10);
      crash();
      seen.push("the same step");
      await sleep(1);
      seen.push("the next step");
    });
    await sleep(1000);
    assertEquals(seen, ["the same step"]);
  });
});

/** A timer that a callback of the loop sets. */
function setTimeoutInside(
  loop: ReturnType<typeof getRunningLoop>,
  callback: () => void,
): void {
  loop.callLater(1, () => loop.callLater(15, callback));
}

Deno.test("crash() leaves no timer behind: the loop is idle at once", async () => {
  await simulate(async (sim) => {
    sim.host("db", async () => {
      getRunningLoop().callLater(1e9, () => {});
      await timeout(1e9, () => sleep(2e9));
    });
    await sleep(10);
    sim.crash("db");
    await assertRejects(
      () => timeout(5, () => new Event().wait()),
      TimeoutError,
    );
    assertEquals(getRunningLoop().time(), 15);
  });
});

Deno.test("crash() cuts code off at its next wait that awaits a foreign promise", async () => {
  await simulate(async (sim) => {
    const seen: string[] = [];
    const foreign = deferred<void>();
    sim.host("db", async () => {
      try {
        await foreign.promise;
        seen.push("still runs");
        createTask(() => seen.push("a task"));
        await sleep(1);
        seen.push("goes on");
      } finally {
        seen.push("finally");
      }
    });
    await sleep(10);
    sim.crash("db");
    foreign.resolve();
    await sleep(100);
    assertEquals(seen, ["still runs"]);
  });
});

Deno.test("crash() resets connections, and lets what was sent before arrive", async () => {
  await simulate(async (sim) => {
    sim.host("db", async () => {
      const server = await startServer(async (_, writer) => {
        writer.write("hello\n");
        await sleep(1e9);
      }, { port: PLACE.port });
      await server.serveForever();
    });
    const [reader, writer] = await openConnection(PLACE);
    await sleep(5);
    sim.crash("db");
    assertEquals(text(await reader.readLine()), "hello\n");
    await assertRejects(() => reader.readLine(), ConnectionResetError);
    writer.close();
    await assertRejects(() => openConnection(PLACE), ConnectionRefusedError);
  }, { latency: 10 });
});

Deno.test("crash() that is silent tells nobody; after restart() old connections are reset", async () => {
  await simulate(async (sim) => {
    addEcho(sim);
    const [reader, writer] = await openConnection(PLACE);
    writer.write("one\n");
    await reader.readLine();
    sim.crash("db", { sockets: "silent" });
    writer.write("two\n");
    await assertRejects(
      () => timeout(10_000, () => reader.readLine()),
      TimeoutError,
    );
    await assertRejects(
      () => timeout(10_000, () => openConnection(PLACE)),
      TimeoutError,
    );
    sim.restart("db");
    await assertRejects(() => reader.readLine(), ConnectionResetError);
    writer.close();
    const [again, fresh] = await openConnection(PLACE);
    fresh.write("three\n");
    assertEquals(text(await again.readLine()), "three\n");
    fresh.close();
  });
});

Deno.test("restart() runs the program anew at the same address, with what it keeps outside", async () => {
  await simulate(async (sim) => {
    const starts: number[] = [];
    sim.host("db", async () => {
      starts.push(getRunningLoop().time());
      const server = await startServer((_, writer) => writer.close(), {
        port: PLACE.port,
      });
      await server.serveForever();
    });
    await sleep(10);
    sim.crash("db");
    await sleep(10);
    sim.restart("db");
    await sleep(10);
    const [reader, writer] = await openConnection(PLACE);
    assertEquals((await reader.read()).length, 0);
    writer.close();
    assertEquals(starts, [0, 20]);
    assertThrows(() => sim.restart("db"), InvalidStateError, "still runs");
    assertThrows(() => sim.crash("main"), TypeError, 'received "main"');
    const word = { sockets: "loud" as "silent" };
    assertThrows(() => sim.crash("db", word), RangeError, "sockets");
  });
});

Deno.test("crash() cancels a task that another host waits for, and the wait in join()", async () => {
  await simulate(async (sim) => {
    let task: Task<void> | undefined;
    sim.host("db", async () => {
      task = createTask(() => sleep(1e9));
      await task;
    });
    await sleep(1);
    getRunningLoop().callLater(10, () => sim.crash("db"));
    await assertRejects(() => sim.join("db"), InvalidStateError, "has crashed");
    assert(task!.cancelled());
    await assertRejects(() => sim.join("db"), InvalidStateError, "has crashed");
  });
});

Deno.test("crash() of a client is a reset to its server, also while it connects", async () => {
  await simulate(async (sim) => {
    const ends: string[] = [];
    sim.host("db", async () => {
      const server = await startServer(async (reader, writer) => {
        try {
          await reader.read();
          ends.push("end");
        } catch (error) {
          ends.push((error as Error).name);
        } finally {
          writer.close();
        }
      }, { port: PLACE.port });
      await server.serveForever();
    });
    sim.host("client", async () => {
      const [, writer] = await openConnection(PLACE);
      await sleep(1e9);
      writer.close();
    });
    await sleep(100);
    sim.crash("client");
    await sleep(100);
    assertEquals(ends, ["ConnectionResetError"]);
    sim.restart("client");
    await sleep(15);
    sim.crash("client");
    await sleep(1000);
    assertEquals(ends, ["ConnectionResetError"]);
  }, { latency: 10 });
});

Deno.test("crash() reports nothing when the simulation ends", async () => {
  const reports: string[] = [];
  await simulate(async (sim) => {
    getRunningLoop().setExceptionHandler(({ message, error }) => {
      reports.push(`${message}: ${error}`);
    });
    addEcho(sim);
    const [, writer] = await openConnection(PLACE);
    await sleep(5);
    sim.crash("db");
    await sleep(5);
    writer.close();
  }, { debug: true });
  assertEquals(reports, []);
});
