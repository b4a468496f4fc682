import {
  createTask,
  exploreCancellations,
  exploreSchedules,
  getRunningLoop,
  InvalidStateError,
  openConnection,
  runVirtual,
  ScheduleError,
  simulate,
  type Simulation,
  sleep,
  startServer,
} from "@asyncio/asyncio";
import { assertEquals, assertRejects } from "@std/assert";
import { text } from "../_support/net.ts";
import { PLACE } from "../_support/simulated.ts";

/** A host that adds to a number, between a wait for it and another. */
function addCounter(sim: Simulation, isSafe: boolean): void {
  sim.host("db", async () => {
    let count = 0;
    const server = await startServer(async (reader, writer) => {
      await reader.readLine();
      const seen = count;
      if (!isSafe) await sleep(0);
      count = seen + 1;
      writer.write(`${count}\n`);
      writer.close();
    }, { port: PLACE.port });
    await server.serveForever();
  });
}

async function add(): Promise<number> {
  const [reader, writer] = await openConnection(PLACE);
  try {
    writer.write("add\n");
    return Number(text(await reader.readLine()));
  } finally {
    writer.close();
  }
}

/** Two clients: the first asks in one moment with the other, or before it. */
function twoClients(isSafe: boolean): Promise<void> {
  return simulate(async (sim) => {
    addCounter(sim, isSafe);
    const counts: number[] = [];
    for (const name of ["one", "two"]) {
      sim.host(name, async () => {
        counts.push(await add());
      });
    }
    await sim.join("one");
    await sim.join("two");
    assertEquals(counts.sort(), [1, 2]);
  });
}

Deno.test("exploreSchedules() tries the orders of what happens on a simulated network", async () => {
  await assertRejects(
    () => exploreSchedules(() => twoClients(false)),
    ScheduleError,
  );
  await exploreSchedules(() => twoClients(true), { runs: 50 });
});

Deno.test("exploreCancellations() interrupts a host of a simulation at each of its waits", async () => {
  const seen = new Set<number>();
  await exploreCancellations(() =>
    simulate(async (sim) => {
      addCounter(sim, true);
      sim.host("one", add);
      await sim.join("one").catch(() => {});
      // Whatever becomes of one that asks, the next one is answered.
      seen.add(await add());
    }), { tasks: ["one"] });
  // It was cancelled before it was counted, and after that.
  assertEquals([...seen].sort(), [1, 2]);
});

Deno.test("simulate() in virtual time goes by the clock around, and leaves its loop as it was", async () => {
  const seen: string[] = [];
  await runVirtual(async () => {
    const loop = getRunningLoop();
    await sleep(1000);
    const start = loop.time();
    for (let round = 0; round < 2; round++) {
      const count = await simulate(async (sim) => {
        addCounter(sim, true);
        sim.host("other", () => {
          createTask(async () => {
            try {
              await sleep(1e9);
            } finally {
              seen.push("a task of a host");
            }
          });
        });
        createTask(async () => {
          try {
            await sleep(1e9);
          } finally {
            seen.push("a task of main");
          }
        });
        return await add();
      }, { latency: 10 });
      assertEquals(count, 1);
    }
    assertEquals(loop.time(), start + 80);
    assertEquals(new Date().getFullYear() > 2020, true);
    assertEquals(seen.length, 4);
    // Here the network is that of this machine, which does not know the name.
    await assertRejects(() =>
      openConnection({ hostname: "127.0.0.1", port: 1 })
    );
  });
});

Deno.test("simulate() in a simulation, or in real time inside of a loop, is refused", async () => {
  await simulate(async () => {
    await assertRejects(() => simulate(() => {}), InvalidStateError);
  });
  await createTask(async () => {
    await assertRejects(() => simulate(() => {}), InvalidStateError);
  });
  await runVirtual(async () => {
    await assertRejects(
      () => simulate(() => {}, { debug: true }),
      TypeError,
      "up to the loop around: received true",
    );
  });
});

Deno.test("simulate() in virtual time ends with the task that runs it", async () => {
  await runVirtual(async () => {
    const seen: string[] = [];
    const task = createTask(() =>
      simulate(async (sim) => {
        sim.host("db", async () => {
          try {
            await sleep(1e9);
          } finally {
            seen.push("db");
          }
        });
        await sleep(1e9);
      })
    );
    await sleep(10);
    task.cancel();
    await task.catch(() => {});
    assertEquals(seen, ["db"]);
    assertEquals(task.cancelled(), true);
  });
});

Deno.test("simulate() in virtual time can be cancelled by a signal", async () => {
  await runVirtual(async () => {
    const controller = new AbortController();
    getRunningLoop().callLater(10, () => controller.abort());
    const { signal } = controller;
    await assertRejects(() => simulate(() => sleep(1e9), { signal }));
    assertEquals(getRunningLoop().time(), 10);
  });
});
