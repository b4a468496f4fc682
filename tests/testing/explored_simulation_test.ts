/** Programs of several hosts, in every order and with every cancellation. */
import {
  exploreCancellations,
  exploreSchedules,
  gather,
  getRunningLoop,
  openConnection,
  ScheduleError,
  simulate,
  sleep,
  startServer,
  timeout,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { text } from "../_support/net.ts";

/** Two clients that each send a line; gives the lines in the order they came. */
async function twoClients(): Promise<string> {
  const lines: string[] = [];
  await simulate(async (sim) => {
    sim.host("db", async () => {
      const server = await startServer(async (reader, writer) => {
        lines.push(text(await reader.readLine()).trim());
        writer.write("ok\n");
        writer.close();
      }, { port: 80 });
      await server.serveForever();
    });
    const client = (name: string) => async () => {
      const [reader, writer] = await openConnection({
        hostname: "db",
        port: 80,
      });
      writer.write(`${name}\n`);
      await reader.readLine();
      writer.close();
    };
    for (const name of ["a", "b"]) sim.host(name, client(name));
    await gather([() => sim.join("a"), () => sim.join("b")]);
  }, { latency: 10 });
  return lines.join("");
}

Deno.test("packets of one instant arrive in either order", async () => {
  assertEquals(await twoClients(), "ab");
  const seen = new Set<string>();
  await exploreSchedules(async () => void seen.add(await twoClients()), {
    runs: 30,
  });
  assertEquals([...seen].toSorted(), ["ab", "ba"]);
});

Deno.test("an order of packets that fails comes back with its replay", async () => {
  const test = async () => assertEquals(await twoClients(), "ab");
  const { replay } = await assertRejects(
    () => exploreSchedules(test),
    ScheduleError,
  );
  await assertRejects(
    () => exploreSchedules(test, { replay }),
    ScheduleError,
    `Failed with replay "${replay}"`,
  );
});

Deno.test("each run has a simulation of its own, at the beginning of time", async () => {
  const times = new Set<number>();
  await exploreSchedules(() =>
    simulate(async () => {
      times.add(getRunningLoop().time());
      await sleep(1000);
    }), { runs: 5 });
  assertEquals([...times], [0]);
});

Deno.test("a client that is cancelled at any of its waits leaves the server well", async () => {
  const test = () =>
    simulate(async (sim) => {
      let served = 0;
      sim.host("db", async () => {
        const server = await startServer(async (reader, writer) => {
          try {
            // A client that has left has asked for nothing.
            if ((await reader.readLine()).length === 0) return;
            served++;
            writer.write("ok\n");
          } finally {
            writer.close();
          }
        }, { port: 80 });
        await server.serveForever();
      });
      const ask = async () => {
        const [reader, writer] = await openConnection({
          hostname: "db",
          port: 80,
        });
        try {
          writer.write("hello\n");
          return text(await reader.readLine());
        } finally {
          writer.close();
        }
      };
      sim.host("client", ask);
      await sim.join("client").catch(() => {});
      // What it had sent before is served first.
      await sleep(100);
      const before = served;
      assertEquals(await timeout(1000, ask), "ok\n");
      assertEquals(served, before + 1);
    });
  const { complete, choices } = await exploreCancellations(test, {
    tasks: ["client"],
  });
  assert(complete);
  assert(choices > 3, `${choices}`);
});
