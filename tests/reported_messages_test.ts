/** Rows of "Reported, not thrown" in docs/errors.md, by what brings them about. */
import {
  createDatagramEndpoint,
  createServer,
  createTask,
  DatagramProtocol,
  type ExceptionContext,
  type Executor,
  gather,
  getRunningLoop,
  newEventLoop,
  openConnection,
  prefork,
  run,
  sleep,
  WorkerPoolExecutor,
} from "@asyncio/asyncio";
import { assert, assertEquals } from "@std/assert";
import { LOCAL, until } from "./_support/net.ts";
import { collectReports } from "./_support/virtual.ts";
import { program } from "./_support/workers.ts";

/** Waits for the first report, and gives it and its error in a line. */
async function reported(reports: readonly ExceptionContext[]) {
  await until(() => reports.length > 0, "the report");
  const { message, error } = reports[0]!;
  return `${message}: ${error}`;
}

const fail = (text: string) => Promise.reject(new RangeError(text));

Deno.test("a protocol factory that throws is reported, and the server goes on", async () => {
  await run(async () => {
    const reports = collectReports();
    await using server = await createServer(() => {
      throw new RangeError("no protocol");
    }, LOCAL);
    const [reader, writer] = await openConnection({
      ...LOCAL,
      port: server.port,
    });
    await reader.read().catch(() => {});
    writer.transport.abort();
    assertEquals(
      await reported(reports),
      "The server's protocol factory threw: RangeError: no protocol",
    );
    assert(server.isServing());
  });
});

Deno.test("a datagram protocol that throws is reported, and gets the next one", async () => {
  await run(async () => {
    const reports = collectReports();
    const seen: number[] = [];
    class Failing extends DatagramProtocol {
      override datagramReceived(data: Uint8Array): void {
        seen.push(data[0]!);
        if (seen.length === 1) throw new RangeError("not this one");
      }
    }
    const [transport] = await createDatagramEndpoint(() => new Failing(), {
      localAddr: { ...LOCAL, port: 0 },
    });
    const { port } = transport.getExtraInfo("sockname") as { port: number };
    for (const byte of [1, 2]) {
      transport.sendTo(new Uint8Array([byte]), { ...LOCAL, port });
    }
    await until(() => seen.length === 2, "both datagrams");
    transport.close();
    assertEquals(
      await reported(reports),
      "A method of the datagram protocol threw: RangeError: not this one",
    );
  });
});

Deno.test("debug mode reports the errors that gather() does not throw", async () => {
  await run(async () => {
    const reports = collectReports();
    const error = await gather([() => fail("first"), () => fail("second")])
      .catch((error) => error);
    assertEquals(`${error}`, "RangeError: first");
    assertEquals(
      await reported(reports),
      "A gathered task failed after another one had: its error is lost: RangeError: second",
    );
  }, { debug: true });
});

Deno.test("a task that fails as run() cancels it is reported", async () => {
  const reports: ExceptionContext[] = [];
  await run(async () => {
    getRunningLoop().setExceptionHandler((context) => {
      reports.push(context);
    });
    createTask(() => sleep(Infinity).finally(() => fail("cannot clean up")));
    await sleep(0);
  });
  assertEquals(
    await reported(reports),
    "Unhandled exception during the shutdown of run(): RangeError: cannot clean up",
  );
});

Deno.test("a default executor that cannot be shut down is reported", async () => {
  const reports: ExceptionContext[] = [];
  const loop = newEventLoop();
  loop.setExceptionHandler((context) => {
    reports.push(context);
  });
  const executor: Executor = {
    submit: () => {
      throw new Error("not called");
    },
    shutdown: () => fail("stuck"),
  };
  loop.setDefaultExecutor(executor);
  loop.close();
  assertEquals(
    await reported(reports),
    "The default executor could not be shut down: RangeError: stuck",
  );
});

Deno.test("a worker thread that an error ends between two jobs is reported", async () => {
  await run(async () => {
    const reports = collectReports();
    await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
    await executor.submit(() => {
      setTimeout(() => {
        throw new RangeError("too late");
      }, 1);
    });
    assertEquals(
      await reported(reports),
      "A worker was ended, between two jobs, by an error that nothing caught: RangeError: too late",
    );
    assertEquals(await executor.submit(() => "goes on"), "goes on");
  });
});

Deno.test("a worker process tells of a task that fails as it is cancelled, and an 'onLog' that throws harms nothing", async () => {
  await run(async () => {
    const reports = collectReports();
    const lines: string[] = [];
    const supervisor = await prefork({
      workers: 1,
      script: program("worker_failing_end"),
      graceMs: 0,
      handleSignals: false,
      onLog: ({ text }) => {
        lines.push(text);
        throw new RangeError("no room for the log");
      },
    });
    await supervisor.stop();
    assert(
      lines[0]?.startsWith(
        "Unhandled exception during the shutdown of a worker",
      ),
      lines.join("\n"),
    );
    assertEquals(
      await reported(reports),
      "The 'onLog' of prefork() threw: RangeError: no room for the log",
    );
  });
});
