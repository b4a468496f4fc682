import {
  exploreCancellations,
  gather,
  InvalidStateError,
  openConnection,
  ScheduleError,
  simulate,
  type Simulation,
  sleep,
  startServer,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertGreater,
  assertRejects,
} from "@std/assert";

/** Waits until the program of a host has come to its end, however often it crashes. */
async function end(sim: Simulation, host: string): Promise<void> {
  for (;;) {
    try {
      return await sim.join(host);
    } catch (error) {
      if (!(error instanceof InvalidStateError)) throw error;
    }
  }
}

/** Moves money from one account to the other, each in a file of its own. */
function transfer(hasJournal: boolean): () => Promise<void> {
  return () =>
    simulate(async (sim) => {
      const disk = { from: 1, to: 0, journal: false, isDone: false };
      sim.host("bank", async () => {
        if (disk.isDone) return;
        // What was begun before a crash is done again from its beginning.
        if (disk.journal) [disk.from, disk.to] = [1, 0];
        disk.journal = hasJournal;
        await sleep(1);
        disk.from--;
        await sleep(1);
        disk.to++;
        disk.isDone = true;
      });
      await end(sim, "bank");
      assertEquals(disk.from + disk.to, 1);
      assert(disk.to === 1, "was not moved");
    });
}

Deno.test("a host crashes at each wait of its tasks, and starts again", async () => {
  const error = await assertRejects(
    () => exploreCancellations(transfer(false), { by: "crash" }),
    ScheduleError,
  );
  const lines = error.message.split("\n");
  assert(
    /^Failed with the host of task "bank" crashed at .*sleep\(1\)/.test(
      lines[0]!,
    ),
    lines[0],
  );
  assert(/explored_crashes_test\.[jt]s:\d+/.test(error.message));
  assertEquals(lines.at(-1), `  To repeat: { replay: "${error.replay}" }`);
  assert(error.replay!.startsWith("crash:"));
  const again = await assertRejects(
    () => exploreCancellations(transfer(false), { replay: error.replay }),
    ScheduleError,
  );
  assertEquals(again.message, error.message);
  const seen = await exploreCancellations(transfer(true), { by: "crash" });
  assert(seen.complete);
  assertGreater(seen.choices, 3);
});

Deno.test("clients of a host that crashes anywhere are answered in the end", async () => {
  const { choices } = await exploreCancellations(() =>
    simulate(async (sim) => {
      const stored = new Set<string>();
      sim.host("store", async () => {
        const server = await startServer(async (reader, writer) => {
          const key = new TextDecoder().decode(await reader.readLine()).trim();
          await sleep(1);
          stored.add(key);
          writer.write("stored\n");
          writer.close();
        }, { port: 80 });
        await server.serveForever();
      });
      const store = async (key: string): Promise<void> => {
        for (let answer = ""; answer !== "stored\n"; await sleep(1)) {
          try {
            const [reader, writer] = await openConnection({
              hostname: "store",
              port: 80,
            });
            writer.write(`${key}\n`);
            answer = new TextDecoder().decode(await reader.readLine());
            writer.close();
          } catch (error) {
            assert(error instanceof Error && "code" in error, `${error}`);
          }
        }
      };
      await gather([() => store("a"), () => store("b")]);
      assertEquals([...stored].sort(), ["a", "b"]);
    }), { by: "crash" });
  assertGreater(choices, 5);
});

Deno.test("a task that is on no host is no point for a crash", async () => {
  const { runs, choices } = await exploreCancellations(
    () => gather([() => sleep(1), () => sleep(1)]),
    { by: "crash" },
  );
  assertEquals([runs, choices], [1, 0]);
});
