/** Worker processes that are some, with clients at their port. */
import nodeProcess from "node:process";
import {
  ConnectionRefusedError,
  createTask,
  gather,
  openConnection,
  OSError,
  prefork,
  type PreforkOptions,
  run,
  sleep,
  startServer,
  WorkerError,
  workerInfo,
  type WorkerLogLine,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { connectRaw, freePort, text, until } from "../_support/net.ts";
import { runProgram } from "../_support/programs.ts";
import { hasGone, isAlive } from "../_support/subprocess.ts";
import { ask, Load, program, startWorkers } from "../_support/workers.ts";

/** A test in a loop of its own. */
function inLoop(body: () => Promise<void>): () => Promise<void> {
  return () => run(body);
}

Deno.test(
  "workers share a port, and each knows its number",
  inLoop(async () => {
    const port = await freePort();
    await using supervisor = await startWorkers(port);
    const seen = new Set<string>();
    // The system picks one by chance; that it picks the same for ever is none.
    await until(() => {
      ask(port, "who").then((answer) => seen.add(answer), () => {});
      return seen.size === 2;
    });
    assertEquals(
      [...seen].sort(),
      supervisor.workers.map(({ number, pid }) => `${number}/2 ${pid} who`),
    );
    assertEquals(workerInfo(), null);
  }),
);

Deno.test(
  "kill -9 of workers under load loses no request that is retried once",
  inLoop(async () => {
    const port = await freePort();
    await using supervisor = await startWorkers(port, { restartDelayMs: 10 });
    let killed = 0;
    // Of a process that dies, the port is open a moment longer.
    const load = new Load(port, { clients: 8, isOver: () => hasGone(killed) });
    for (const index of [0, 1, 0]) {
      await load.serve(50);
      const { deaths, pid } = supervisor.workers[index]!;
      nodeProcess.kill(killed = pid!, "SIGKILL");
      await until(() => supervisor.workers[index]!.deaths > deaths);
      await until(() => supervisor.workers[index]!.state === "ready");
    }
    await load.serve(50);
    await load.end();
    assertEquals(load.lost, []);
    assertEquals(supervisor.workers.map(({ deaths }) => deaths), [2, 1]);
  }),
);

Deno.test(
  "a rolling reload under load loses no request that is retried once",
  inLoop(async () => {
    const port = await freePort();
    await using supervisor = await startWorkers(port);
    const before = supervisor.workers.map(({ pid }) => pid!);
    const load = new Load(port, { clients: 8, isOver: () => sleep(5) });
    await load.serve(50);
    await supervisor.reload();
    await load.serve(50);
    await supervisor.reload();
    await load.serve(50);
    await load.end();
    assertEquals(load.lost, []);
    const after = supervisor.workers.map(({ pid }) => pid!);
    assert(before.every((pid) => !after.includes(pid) && !isAlive(pid)));
    assertEquals(supervisor.workers.map(({ deaths }) => deaths), [0, 0]);
  }),
);

Deno.test(
  "a graceful stop under load answers every request on its connections",
  inLoop(async () => {
    const port = await freePort();
    const supervisor = await startWorkers(port);
    let served = 0;
    let connected = 0;
    const client = async () => {
      const [reader, writer] = await openConnection({
        hostname: "127.0.0.1",
        port,
      });
      connected++;
      for (let isLast = false; !isLast; served++) {
        const line = `sleep ${served % 5}\n`;
        writer.write(line);
        const answer = text(await reader.readLine());
        assertStringIncludes(answer, line);
        isLast = answer.includes(" bye ");
      }
      writer.close();
      await writer.waitClosed();
    };
    const clients = Array.from({ length: 20 }, () => createTask(client));
    await until(() => connected === clients.length && served > 100);
    await gather([() => supervisor.stop(), ...clients]);
    await assertRejects(() => ask(port, "hello"), ConnectionRefusedError);
  }),
);

Deno.test(
  "a graceful stop serves connections that nobody has accepted yet",
  inLoop(async () => {
    const port = await freePort();
    const lines: string[] = [];
    const supervisor = await startWorkers(port, {
      workers: 1,
      onLog: ({ text }) => lines.push(text),
    });
    const busy = createTask(() => ask(port, "block 400"));
    await until(() => lines.includes("blocking"));
    // The worker looks at its socket only when it is through with that.
    const queued = await Promise.all(
      Array.from({ length: 5 }, () => connectRaw(port)),
    );
    const answers = queued.map((socket, index) => {
      let answer = "";
      socket.on("data", (data) => answer += text(data)).on("end", () => {
        socket.end();
      });
      socket.write(`${index}\n`);
      return () => answer.trimEnd().split(" ").at(-1);
    });
    await supervisor.stop();
    assertStringIncludes(await busy, "block 400");
    await until(() => queued.every(({ readableEnded }) => readableEnded));
    assertEquals(
      answers.map((answer) => answer()),
      ["0", "1", "2", "3", "4"],
    );
  }),
);

Deno.test(
  "a handler that outlives the grace period is cancelled",
  inLoop(async () => {
    const port = await freePort();
    const lines: string[] = [];
    const supervisor = await startWorkers(port, {
      workers: 1,
      graceMs: 100,
      onLog: ({ text }) => lines.push(text),
    });
    const slow = createTask(() => ask(port, "sleep 60000"));
    await sleep(100);
    await supervisor.stop();
    await assertRejects(() => Promise.resolve(slow));
    assertEquals(lines, ["serving", "through"]);
  }),
);

Deno.test(
  "a worker that does not even cancel is killed",
  inLoop(async () => {
    const port = await freePort();
    const lines: string[] = [];
    const supervisor = await startWorkers(port, {
      workers: 1,
      graceMs: 50,
      onLog: ({ text }) => lines.push(text),
    });
    const { pid } = supervisor.workers[0]!;
    const stuck = createTask(() => ask(port, "block 30000"));
    await until(() => lines.includes("blocking"));
    await supervisor.stop();
    await assertRejects(() => Promise.resolve(stuck));
    assert(await hasGone(pid!));
  }),
);

Deno.test(
  "a worker that crashes is started again, and the supervisor says so",
  inLoop(async () => {
    const port = await freePort();
    const lines: WorkerLogLine[] = [];
    await using supervisor = await startWorkers(port, {
      workers: 1,
      restartDelayMs: 1,
      onLog: (line) => lines.push(line),
    });
    const { pid } = supervisor.workers[0]!;
    await assertRejects(() => ask(port, "crash"));
    await until(() =>
      lines.filter(({ text }) => text === "serving").length > 1
    );
    assertStringIncludes(await ask(port, "hello"), "1/1 ");
    assertEquals(lines[1], {
      worker: 1,
      pid: pid!,
      stream: "supervisor",
      text: `process ${pid} ended with status 3; another one starts in 1 ms`,
    });
  }),
);

Deno.test(
  "what workers print comes line by line, with the worker's number",
  inLoop(async () => {
    const lines: WorkerLogLine[] = [];
    const supervisor = await prefork({
      workers: 1,
      script: program("worker_talk"),
      args: ["-x", "a b"],
      env: { COLOUR: "green" },
      handleSignals: false,
      onLog: (line) => lines.push(line),
    });
    const { pid } = supervisor.workers[0]!;
    await supervisor.stop();
    assert(lines.every((line) => line.worker === 1 && line.pid === pid));
    const textOf = (stream: string) =>
      lines.filter((line) => line.stream === stream).map(({ text }) => text);
    assertEquals(textOf("stdout"), [
      "one",
      "two",
      "1 of 1, green",
      "-x,a b",
      "no end of line",
    ]);
    assertEquals(textOf("stderr"), ["oops"]);
  }),
);

Deno.test(
  "a worker that knows nothing of it counts as ready, and gets SIGTERM",
  inLoop(async () => {
    const lines: string[] = [];
    const supervisor = await prefork({
      workers: 1,
      script: program("worker_signal"),
      readyMs: 500,
      handleSignals: false,
      onLog: ({ text }) => lines.push(text),
    });
    await until(() => lines.includes("listening"));
    await supervisor.stop();
    assertEquals(lines, ["listening", "SIGTERM"]);
  }),
);

Deno.test(
  "a script that cannot run is a clear error, and no endless restart",
  inLoop(async () => {
    const lines: WorkerLogLine[] = [];
    const error = await assertRejects(
      () =>
        prefork({
          workers: 2,
          script: "./there_is_no_such_script.ts",
          handleSignals: false,
          onLog: (line) => lines.push(line),
        }),
      WorkerError,
    );
    assertStringIncludes(
      error.message,
      "Cannot keep up ./there_is_no_such_script.ts as all 2 workers ended before they were ready: the last one, worker ",
    );
    assertStringIncludes(error.message, " ended with status 1");
    assert(lines.some(({ text }) => text.includes("there_is_no_such_script")));
  }),
);

Deno.test(
  "workers whose port is taken are an error at the call",
  inLoop(async () => {
    await using taken = await startServer(() => {}, { hostname: "127.0.0.1" });
    const lines: string[] = [];
    await assertRejects(
      () =>
        startWorkers(taken.port!, { onLog: ({ text }) => lines.push(text) }),
      WorkerError,
      "ended before they were ready",
    );
    assertEquals(lines.includes("serving"), false);
    assert(lines.some((each) => each.includes("EADDRINUSE")), lines.join("\n"));
  }),
);

Deno.test(
  "a worker has ended when its process has, whoever holds its streams",
  inLoop(async () => {
    const strays: number[] = [];
    const supervisor = await prefork({
      workers: 1,
      script: program("worker_stray"),
      readyMs: 200,
      graceMs: 200,
      handleSignals: false,
      onLog: ({ text }) => {
        const [word, pid] = text.split(" ");
        if (word === "stray") strays.push(Number(pid));
      },
    });
    try {
      await until(() => strays.length === 1);
      const { pid } = supervisor.workers[0]!;
      nodeProcess.kill(pid!, "SIGKILL");
      await until(() => strays.length === 2);
      await until(() => supervisor.workers[0]!.state === "ready");
      assertEquals(supervisor.workers[0]!.deaths, 1);
      await supervisor.stop();
      for (const each of strays) assert(isAlive(each));
    } finally {
      for (const each of strays) nodeProcess.kill(each, "SIGKILL");
    }
  }),
);

/** Runs the supervisor as a program, and does something once it is up. */
function supervise(
  port: number,
  onPids: (
    round: number,
    pids: number[],
    send: (signal: "SIGHUP" | "SIGINT" | "SIGKILL" | "SIGTERM") => void,
  ) => void,
) {
  let round = 0;
  return runProgram("supervisor", {
    args: [`${port}`],
    onLine: (line, send) => {
      const [word, ...pids] = line.split(" ");
      if (word === "pids") onPids(++round, pids.map(Number), send);
    },
  });
}

Deno.test.each(["SIGTERM", "SIGINT"] as const)(
  "%s stops the workers gracefully, and then the program ends",
  async (signal: "SIGTERM" | "SIGINT") => {
    const pids: number[] = [];
    const { code, stdout, stderr } = await supervise(
      await freePort(),
      (_, found, send) => {
        pids.push(...found);
        send(signal);
      },
    );
    assertEquals(stderr, "");
    const [first, ...rest] = stdout.trimEnd().split("\n");
    assertEquals(first, `pids ${pids.join(" ")}`);
    assertEquals(rest.sort(), ["1 through", "2 through", "stopped"]);
    assertEquals(code, 0);
    for (const pid of pids) assert(await hasGone(pid));
  },
);

Deno.test("SIGHUP replaces the workers", async () => {
  const seen: number[][] = [];
  const { code } = await supervise(await freePort(), (round, pids, send) => {
    seen.push(pids);
    send(round < 3 ? "SIGHUP" : "SIGTERM");
  });
  assertEquals(code, 0);
  assertEquals(new Set(seen.flat()).size, seen.flat().length);
});

Deno.test("workers end when their supervisor is killed", async () => {
  const workers: number[] = [];
  const { code } = await supervise(await freePort(), (_, pids, send) => {
    workers.push(...pids);
    send("SIGKILL");
  });
  assertEquals(code, null);
  assertEquals(workers.length, 2);
  for (const pid of workers) assert(await hasGone(pid));
});

Deno.test({
  name: "without its flag, Deno's reusePort is an error and not the end",
  // Node 22.12 and later need nothing.
  ignore: !("Deno" in globalThis),
  fn: inLoop(async () => {
    const error = await assertRejects(
      () => startServer(() => {}, { port: 0, reusePort: true }),
      OSError,
    );
    assertStringIncludes(error.message, "needs the flag --unstable-net");
    assertEquals(error.code, "ENOTSUP");
  }),
});

const WRONG: readonly [object, string][] = [
  [{ script: 5 }, "'script' must be a path or a URL: received 5"],
  [{ script: "" }, "'script' must be the path of a program: received"],
  [{ script: "x", workers: 0 }, "'workers' must be an integer of at least 1"],
  [{ script: "x", args: "y" }, "'args' must be an array of strings"],
  [{ script: "x", runtimeArgs: [1] }, "'runtimeArgs' must be an array"],
  [{ script: "x", env: { A: 1 } }, "'env' must be an object of strings"],
  [{ script: "x", cwd: 1 }, "'cwd' must be a string"],
  [{ script: "x", graceMs: NaN }, "'graceMs' must not be NaN"],
  [{ script: "x", readyMs: NaN }, "'readyMs' must not be NaN"],
  [{ script: "x", restartDelayMs: "1" }, "'restartDelayMs' must be a number"],
  [{ script: "x", handleSignals: 1 }, "'handleSignals' must be a boolean"],
  [{ script: "x", onLog: 1 }, "'onLog' must be a function"],
];

Deno.test("prefork names the option that is wrong", async () => {
  for (const [options, message] of WRONG) {
    const error = await assertRejects(() => prefork(options as PreforkOptions));
    assertStringIncludes((error as Error).message, message);
  }
});
