import {
  ConnectionRefusedError,
  ConnectionResetError,
  createTask,
  Event,
  getRunningLoop,
  InvalidStateError,
  Lock,
  openConnection,
  openDatagram,
  simulate,
  sleep,
  startServer,
  type Task,
  taskGroup,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { collectUntil, hasGc, SPARE } from "../_support/gc.ts";
import { deferred, text } from "../_support/net.ts";
import { addEcho, PLACE } from "../_support/simulated.ts";

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

Deno.test("crash() that closes its sockets shows an end, also in the midst of a message", async () => {
  const seen = (isUnread: boolean) =>
    simulate(async (sim) => {
      sim.host("db", async () => {
        const server = await startServer(async (reader, writer) => {
          if (!isUnread) await reader.readLine();
          writer.write("half a li");
          await sleep(1e9);
        }, { port: PLACE.port, limit: 16 });
        await server.serveForever();
      });
      const [reader, writer] = await openConnection(PLACE);
      writer.write(isUnread ? new Uint8Array(1000) : "hello\n");
      await sleep(100);
      // The first is with the program, which takes no more.
      if (isUnread) writer.write(new Uint8Array(1000));
      await sleep(100);
      sim.crash("db", { sockets: "close" });
      const outcome = await reader.readLine().then(text, (error) => error.name);
      writer.close();
      await assertRejects(() => openConnection(PLACE), ConnectionRefusedError);
      return outcome;
    });
  assertEquals(await seen(false), "half a li");
  // Linux sends a reset in place of the end if something is unread.
  assertEquals(await seen(true), "ConnectionResetError");
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

Deno.test({
  name: "simulations leave nothing behind, nor do their hosts that crashed",
  ignore: !hasGc,
  async fn() {
    const runs = 20;
    let collected = 0;
    const registry = new FinalizationRegistry(() => collected++);
    for (let run = 0; run < runs; run++) await simulateCrash(registry);
    await collectUntil(() => collected >= runs - SPARE);
    assert(collected >= runs - SPARE, `${collected}`);
  },
});

/** Half of what a program had open is left to it when it crashes. */
async function simulateCrash(
  registry: FinalizationRegistry<null>,
): Promise<void> {
  await simulate(async (sim) => {
    addEcho(sim);
    sim.host("client", async () => {
      const memory = { all: new Uint8Array(1000) };
      registry.register(memory, null);
      const [reader, writer] = await openConnection(PLACE);
      getRunningLoop().callLater(1e9, () => memory.all);
      try {
        await timeout(1e9, () => reader.readLine());
      } finally {
        writer.write(memory.all);
      }
    });
    await sleep(10);
    sim.crash("client", { sockets: "silent" });
    await sleep(10);
  });
}

/** What has happened in a run that hangs on its seed in every way there is. */
function traceOf(seed: number): Promise<unknown[]> {
  return simulate(async (sim) => {
    const log: unknown[] = [];
    sim.host("db", async () => {
      const server = await startServer(async (reader, writer) => {
        for await (const line of reader) {
          await sleep(Math.random() * 5);
          writer.write(line);
        }
        writer.close();
      }, { port: PLACE.port });
      await server.serveForever();
    }, { clockSkew: 250 });
    sim.host("beacon", async () => {
      await using socket = await openDatagram({
        remoteAddr: { hostname: "main", port: 9000 },
      });
      for (let i = 0; i < 20; i++) {
        socket.send(
          Uint8Array.of(i, crypto.getRandomValues(new Uint8Array(1))[0]!),
        );
        await sleep(3);
      }
    });
    for (let i = 0; i < 3; i++) {
      sim.host(`client ${i}`, async () => {
        for (;;) {
          try {
            const [reader, writer] = await openConnection(PLACE);
            writer.write("hello\n");
            const line = await reader.readLine();
            writer.close();
            if (line.length > 0) break;
          } catch (error) {
            log.push(`${Date.now()} ${(error as Error).name}`);
          }
          await sleep(sim.random() * 50);
        }
      });
    }
    await using socket = await openDatagram({ localAddr: { port: 9000 } });
    createTask(async () => {
      for await (const { data } of socket) log.push([...data].join(":"));
    });
    await sleep(20);
    sim.crash("db");
    await sleep(30);
    sim.restart("db");
    await sleep(5);
    sim.crash("db", { sockets: "silent" });
    await sleep(1000);
    sim.restart("db");
    for (let i = 0; i < 3; i++) await sim.join(`client ${i}`);
    return [...sim.trace, ...log];
  }, { seed, latency: [1, 10], loss: 0.05, duplication: 0.1, bandwidth: 1e5 });
}

Deno.test("a seed has one trace, with crashes, datagrams and chance, on every runtime", async () => {
  const trace = await traceOf(3);
  assertEquals(await traceOf(3), trace);
  assert((await traceOf(4)).join() !== trace.join());
  assertEquals(trace, GOLDEN);
});

/** Written down once; it changes with what packets are sent, and with no runtime. */
const GOLDEN: readonly unknown[] = [
  "0 db starts",
  "0 beacon starts",
  "0 client 0 starts",
  "0 client 1 starts",
  "0 client 2 starts",
  "0 main opens 0.0.0.0:9000 for datagrams",
  "0 db listens on 0.0.0.0:5432",
  "0 beacon opens 10.0.0.3:49152 for datagrams",
  "0 client 0 to db:5432 connects",
  "0 client 1 to db:5432 connects",
  "0 client 2 to db:5432 connects",
  "10.706268763635308 client 0 to db:5432 is connected",
  "14.504469460109249 client 2 to db:5432 is connected",
  "14.618666983675212 client 1 to db:5432 is connected",
  "20 db crashes",
  "29.15372060635127 client 1 to db:5432 connects",
  "36.88170770322904 client 1 to db:5432 is refused",
  "40.62810818571597 client 1 to db:5432 connects",
  "50 db starts",
  "50 db listens on 0.0.0.0:5432",
  "51.94461712660268 client 0 to db:5432 connects",
  "52.99059322034009 client 1 to db:5432 is refused",
  "55 db crashes",
  "59.40585035108961 client 2 to db:5432 connects",
  "60 beacon closes 10.0.0.3:49152 for datagrams",
  "60 beacon ends",
  "64.10499789845198 client 0 to db:5432 is connected",
  "91.1408627119381 client 1 to db:5432 connects",
  "1055 db starts",
  "1055 db listens on 0.0.0.0:5432",
  "1070.7188341275323 client 2 to db:5432 is connected",
  "1078.35222920252 client 2 ends",
  "1087.7813801995385 client 0 to db:5432 connects",
  "1095.894474887466 client 0 to db:5432 is connected",
  "1101.376684719231 client 1 to db:5432 is connected",
  "1108.8588667028303 client 0 ends",
  "1112.7223819097317 client 1 ends",
  "0:126",
  "2:100",
  "1:212",
  "3:119",
  "4:239",
  "6:97",
  "5:89",
  "946684800023 ConnectionResetError",
  "946684800027 ConnectionResetError",
  "7:184",
  "8:89",
  "9:234",
  "946684800029 ConnectionResetError",
  "10:80",
  "9:234",
  "11:192",
  "946684800036 ConnectionRefusedError",
  "12:65",
  "13:88",
  "14:94",
  "15:68",
  "946684800052 ConnectionRefusedError",
  "16:42",
  "17:187",
  "18:143",
  "18:143",
  "19:92",
  "946684801063 ConnectionResetError",
];
