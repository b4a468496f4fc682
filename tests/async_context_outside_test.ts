// What comes from other threads and processes is told in the async context of
// who asked for it.
import {
  Event,
  gather,
  getRunningLoop,
  PIPE,
  run,
  runCoroutineThreadsafe,
  subprocessExec,
  SubprocessProtocol,
  type SubprocessTransport,
  timeout,
  WorkerPoolExecutor,
} from "@asyncio/asyncio";
import { assertEquals } from "@std/assert";
import { Sightings } from "./_support/sightings.ts";

class NotingChild extends SubprocessProtocol {
  readonly lost = new Event();
  readonly #sightings: Sightings;

  constructor(sightings: Sightings) {
    super();
    this.#sightings = sightings;
  }

  override connectionMade(): void {
    this.#sightings.note("made");
  }

  override pipeDataReceived(): void {
    this.#sightings.note("data");
  }

  override pipeConnectionLost(): void {
    this.#sightings.note("pipe lost");
  }

  override processExited(): void {
    this.#sightings.note("exited");
  }

  override connectionLost(): void {
    this.#sightings.note("lost");
    this.lost.set();
  }
}

for (const debug of [false, true]) {
  const also = debug ? ", in debug mode too" : "";

  Deno.test(`V3 a child's protocol sees the store of who started the child${also}`, async () => {
    const sightings = new Sightings();
    const { storage } = sightings;
    await run(async () => {
      const [transport, protocol] = await storage.run(
        "starter",
        () =>
          subprocessExec(
            () => {
              sightings.note("factory");
              return new NotingChild(sightings);
            },
            "cat",
            [],
            { stdin: PIPE, stdout: PIPE },
          ),
      );
      const stdin = (transport as SubprocessTransport).getPipeTransport(0)!;
      storage.run("writer", () => {
        stdin.write(new Uint8Array(1));
        stdin.close();
      });
      await (protocol as NotingChild).lost.wait();
    }, { debug });
    sightings.check({
      "factory": "starter",
      "made": "starter",
      "data": "starter",
      "pipe lost": "starter",
      "exited": "starter",
      "lost": "starter",
    });
  });

  Deno.test(`V3 what a job calls in the main thread sees the store of who submitted the job${also}`, async () => {
    const sightings = new Sightings();
    const { storage } = sightings;
    await run(async () => {
      // One worker for all: it was started for the first.
      await using executor = new WorkerPoolExecutor({
        maxWorkers: 1,
        exposed: {
          note: async (name: string) => {
            sightings.note(name);
            await Promise.resolve();
            sightings.note(name);
          },
        },
      });
      const submit = (name: string) =>
        storage.run(
          name,
          () =>
            getRunningLoop().runInExecutor(executor, async (name) => {
              await runCoroutineThreadsafe("note", name);
            }, name),
        );
      await gather([submit("one"), submit("two")]);
      await submit("three");
    }, { debug });
    sightings.check({ one: "one", two: "two", three: "three" });
  });
}

Deno.test("V3 the end of an idle worker is reported with the store of its last job", async () => {
  const sightings = new Sightings();
  const { storage } = sightings;
  const reported = new Event();
  const messages: string[] = [];
  await run(async () => {
    getRunningLoop().setExceptionHandler(({ error }) => {
      messages.push((error as Error).message);
      sightings.note("report");
      reported.set();
    });
    await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
    await storage.run("first", () => executor.submit(() => {}));
    await storage.run("last", () =>
      executor.submit(() => {
        setTimeout(() => {
          throw new Error("too late");
        }, 1);
      }));
    await timeout(10_000, () => reported.wait());
  });
  assertEquals(messages.length, 1);
  sightings.check({ report: "last" });
});
