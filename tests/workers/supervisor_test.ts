/** The supervisor over processes that are none, in virtual time. */
import {
  createTask,
  Event,
  InvalidStateError,
  moveOnAfter,
  sleep,
  type Supervisor,
  WorkerError,
  type WorkerLogLine,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { planWorkers } from "../../workers/_check.ts";
import type { WorkerProcess } from "../../workers/_process.ts";
import { supervise } from "../../workers/supervisor.ts";
import { hasGc, leftBehind } from "../_support/gc.ts";
import { now, virtual } from "../_support/virtual.ts";
import { needs } from "../_support/runtimes.ts";
import { CALLER_FRAMES } from "../../platform/limits.ts";

/** How a process lives: ready after so long, dead after so long. */
interface Life {
  /** It cannot be started, for this reason. */
  readonly error?: Error;
  readonly readyMs?: number;
  readonly diesMs?: number;
  readonly stopMs?: number;
}

class FakeProcess implements WorkerProcess {
  readonly pid: number;
  returnCode: number | null = null;
  readonly #life: Life;
  readonly #tell: (what: string) => void;
  readonly #ready = new Event();
  readonly #ended = new Event();

  constructor(pid: number, life: Life, tell: (what: string) => void) {
    this.pid = pid;
    this.#life = life;
    this.#tell = tell;
    const { readyMs = 10, diesMs } = life;
    createTask(async () => {
      await sleep(readyMs);
      if (this.returnCode === null && diesMs !== readyMs) this.#ready.set();
    });
    if (diesMs === undefined) return;
    createTask(async () => {
      await sleep(diesMs);
      this.end(1);
    });
  }

  async ready(): Promise<boolean> {
    await this.#ready.wait();
    return this.returnCode === null;
  }

  async ended(): Promise<void> {
    await this.#ended.wait();
  }

  async stop(): Promise<void> {
    if (this.returnCode === null) {
      this.#tell(`stop ${this.pid}`);
      await sleep(this.#life.stopMs ?? 5);
      this.end(0);
    }
  }

  kill(): void {
    this.end(-9);
  }

  end(code: number): void {
    if (this.returnCode !== null) return;
    this.returnCode = code;
    this.#tell(`end ${this.pid}`);
    this.#ready.set();
    this.#ended.set();
  }
}

/** Processes of two workers; `lives` are theirs in the order of their starts. */
function stage(lives: readonly Life[] = [], workers = 2) {
  const log: string[] = [];
  const said: WorkerLogLine[] = [];
  const processes: FakeProcess[] = [];
  const tell = (what: string) => log.push(`${now()} ${what}`);
  const plan = planWorkers({
    script: "./server.ts",
    workers,
    handleSignals: false,
    onLog: (line) => said.push(line),
  });
  const start = () =>
    supervise(plan, (number) => {
      const pid = processes.length + 1;
      tell(`start ${pid} as ${number}`);
      const life = lives[pid - 1] ?? {};
      const process = new FakeProcess(pid, life, tell);
      processes.push(process);
      if (life.error === undefined) return Promise.resolve(process);
      process.end(1);
      return Promise.reject(life.error);
    });
  return { log, said, processes, start };
}

function pids({ workers }: Supervisor): (number | null)[] {
  return workers.map(({ pid }) => pid);
}

Deno.test(
  "prefork returns when all workers are ready, and stop ends them at once",
  virtual(async () => {
    const { log, start } = stage([{ readyMs: 10 }, { readyMs: 30 }]);
    const supervisor = await start();
    assertEquals(now(), 30);
    assertEquals(`${supervisor}`, "<Supervisor 1: ready 2: ready>");
    await supervisor.stop();
    assertEquals(log, [
      "0 start 1 as 1",
      "0 start 2 as 2",
      "30 stop 1",
      "30 stop 2",
      "35 end 1",
      "35 end 2",
    ]);
    assertEquals(supervisor.workers.map(({ state }) => state), [
      "stopped",
      "stopped",
    ]);
    await supervisor.stop();
    await supervisor.wait();
  }),
);

Deno.test(
  "a worker that dies is started again after delays that grow",
  virtual(async () => {
    const { log, said, start } = stage([
      { diesMs: 50 },
      {},
      { diesMs: 50 },
      { diesMs: 20_000 },
    ]);
    await using supervisor = await start();
    await sleep(30_000);
    assertEquals(log.filter((line) => !line.includes("stop")), [
      "0 start 1 as 1",
      "0 start 2 as 2",
      "50 end 1",
      "150 start 3 as 1",
      "200 end 3",
      "400 start 4 as 1",
      "20400 end 4",
      "20400 start 5 as 1",
    ]);
    assertEquals(said.map(({ worker, pid, text }) => [worker, pid, text]), [
      [1, 1, "process 1 ended with status 1; another one starts in 100 ms"],
      [1, 3, "process 3 ended with status 1; another one starts in 200 ms"],
      [1, 4, "process 4 ended with status 1; another one starts in 0 ms"],
    ]);
    assertEquals(supervisor.workers[0]!.deaths, 3);
  }),
);

Deno.test(
  "prefork fails, and leaves none, when no worker comes up",
  virtual(async () => {
    const never = { readyMs: 5, diesMs: 5 };
    const { processes, start } = stage([never, never, never, never]);
    const error = await assertRejects(start, WorkerError);
    assertEquals(
      error.message,
      "Cannot keep up ./server.ts as all 2 workers ended before they were ready: the last one, worker 2, process 2 ended with status 1",
    );
    assertEquals(
      processes.every(({ returnCode }) => returnCode !== null),
      true,
    );
  }),
);

Deno.test(
  "wait() throws when all workers fail to start, again and again",
  virtual(async () => {
    const brief = { readyMs: 1, diesMs: 2 };
    const never = { readyMs: 5, diesMs: 5 };
    const { processes, start } = stage([
      brief,
      brief,
      ...new Array(99).fill(never),
    ]);
    const supervisor = await start();
    const error = await assertRejects(() => supervisor.wait(), WorkerError);
    assertStringIncludes(
      error.message,
      "all 2 workers ended before they were ready, again and again",
    );
    assertEquals(processes.length, 12);
    // 100 + 200 + 400 + 800 + 1600 ms between lives of 2 and five times 5 ms.
    assertEquals(now(), 3127);
    await assertRejects(() => supervisor.reload(), InvalidStateError);
  }),
);

Deno.test(
  "the errors of a supervisor name who awaited it",
  needs(CALLER_FRAMES),
  virtual(async () => {
    const brief = { readyMs: 1, diesMs: 2 };
    const never = { readyMs: 5, diesMs: 5 };
    async function starting() {
      await stage([never, never, never, never]).start();
    }
    async function waiting() {
      const lives = [brief, brief, ...new Array(99).fill(never)];
      const supervisor = await stage(lives).start();
      await supervisor.wait();
    }
    async function reloading() {
      await using supervisor = await stage([{}, {}, never]).start();
      await supervisor.reload();
    }
    for (const user of [starting, waiting, reloading]) {
      const { stack } = await assertRejects(user, WorkerError);
      assertStringIncludes(stack!, `at async ${user.name}`);
    }
  }),
);

Deno.test(
  "workers that are hit again and again once they are up go on",
  virtual(async () => {
    const brief = { readyMs: 1, diesMs: 2 };
    const { processes, start } = stage(new Array(20).fill(brief));
    await using supervisor = await start();
    await sleep(60_000);
    assertEquals(processes.length, 22);
    assertEquals(
      supervisor.workers.map(({ state, deaths }) => [state, deaths]),
      [
        ["ready", 10],
        ["ready", 10],
      ],
    );
  }),
);

Deno.test(
  "reload has the new process ready before the old one is stopped",
  virtual(async () => {
    const { log, start } = stage([{}, {}, { readyMs: 40 }, {}]);
    const supervisor = await start();
    log.length = 0;
    await supervisor.reload();
    assertEquals(log, [
      "10 start 3 as 1",
      "50 stop 1",
      "55 end 1",
      "55 start 4 as 2",
      "65 stop 2",
      "70 end 2",
    ]);
    assertEquals(pids(supervisor), [3, 4]);
    await supervisor.stop();
  }),
);

Deno.test(
  "a reload that fails keeps the old process, and those behind it",
  virtual(async () => {
    const { log, start } = stage([{}, {}, { readyMs: 20, diesMs: 20 }]);
    await using supervisor = await start();
    log.length = 0;
    const error = await assertRejects(() => supervisor.reload(), WorkerError);
    assertStringIncludes(error.message, "process 3 ended with status 1");
    assertEquals(log, ["10 start 3 as 1", "30 end 3"]);
    assertEquals(pids(supervisor), [1, 2]);
    await supervisor.reload();
    assertEquals(pids(supervisor), [4, 5]);
  }),
);

const noMemory = { error: new Error("no memory") };

Deno.test(
  "a reload that cannot start a process keeps the old one, and its error tells",
  virtual(async () => {
    const { start } = stage([{}, {}, noMemory]);
    await using supervisor = await start();
    const error = await assertRejects(
      () => supervisor.reload(),
      WorkerError,
      "its new process could not be started: no memory",
    );
    assertEquals(error.cause, noMemory.error);
    await sleep(60_000);
    assertEquals(pids(supervisor), [1, 2]);
    await supervisor.reload();
    assertEquals(pids(supervisor), [4, 5]);
  }),
);

Deno.test(
  "a worker that cannot be started again is tried for, and ends no other",
  virtual(async () => {
    const lives = [{ diesMs: 20 }, {}, noMemory, noMemory];
    const { start, said } = stage(lives);
    await using supervisor = await start();
    await sleep(60_000);
    assertEquals(pids(supervisor), [5, 2]);
    assertEquals(said.map(({ text }) => text.replace(/^.*; /, "")), [
      "another one starts in 100 ms",
      "tried again in 200 ms",
      "tried again in 400 ms",
    ]);
  }),
);

Deno.test(
  "wait() throws when no worker can be started any more, and why",
  virtual(async () => {
    const lives = [{ diesMs: 20 }, ...Array(9).fill(noMemory)];
    const supervisor = await stage(lives, 1).start();
    const error = await assertRejects(
      () => supervisor.wait(),
      WorkerError,
      "the last one, worker 1, could not be started: no memory",
    );
    assertEquals(error.cause, noMemory.error);
  }),
);

Deno.test(
  "prefork fails with what keeps a worker from its first start",
  virtual(async () => {
    await assertRejects(
      () => stage([{}, noMemory]).start(),
      Error,
      "no memory",
    );
  }),
);

Deno.test(
  "a worker that dies while it is replaced is not started twice",
  virtual(async () => {
    const { start, processes } = stage([{ diesMs: 25 }, {}, { readyMs: 50 }]);
    await using supervisor = await start();
    await supervisor.reload();
    await sleep(60_000);
    assertEquals(pids(supervisor), [3, 4]);
    assertEquals(processes.length, 4);
    assertEquals(supervisor.workers[0]!.state, "ready");
  }),
);

Deno.test(
  "stop during a reload ends the new process, too, and the reload says so",
  virtual(async () => {
    const { start, processes } = stage([{}, {}, { readyMs: 1000 }]);
    const supervisor = await start();
    const reload = createTask(() => supervisor.reload());
    await sleep(100);
    await supervisor.stop();
    await assertRejects(() => Promise.resolve(reload), InvalidStateError);
    assertEquals(processes.map(({ returnCode }) => returnCode), [0, 0, 0]);
  }),
);

Deno.test(
  "two reloads come one after the other",
  virtual(async () => {
    const { start } = stage();
    await using supervisor = await start();
    const first = createTask(() => supervisor.reload());
    const second = createTask(() => supervisor.reload());
    await first;
    assertEquals(pids(supervisor), [3, 4]);
    await second;
    assertEquals(pids(supervisor), [5, 6]);
  }),
);

Deno.test(
  "cancelling what waits leaves the workers; cancelling the start does not",
  virtual(async () => {
    const { start, processes } = stage();
    const supervisor = await start();
    const waiting = createTask(() => supervisor.wait());
    await sleep(1);
    waiting.cancel();
    await assertRejects(() => Promise.resolve(waiting));
    assertEquals(processes.map(({ returnCode }) => returnCode), [null, null]);
    await supervisor.stop();

    const late = stage([{ readyMs: 1000 }]);
    const starting = createTask(late.start);
    await sleep(100);
    starting.cancel();
    await assertRejects(() => Promise.resolve(starting));
    assertEquals(late.processes.map(({ returnCode }) => returnCode), [0, 0]);
  }),
);

Deno.test({
  name: "waiting for a supervisor again and again leaves nothing behind",
  ignore: !hasGc,
  fn: virtual(async () => {
    const supervisor = await stage().start();
    const bytes = await leftBehind(
      () => moveOnAfter(1, () => supervisor.wait()),
      100,
    );
    assert(bytes < 100, `${bytes} bytes a round`);
    await supervisor.stop();
  }),
});

const left = stage();

Deno.test("workers that are left when run() ends are stopped", async () => {
  await virtual(async () => void await left.start())();
  assertEquals(left.processes.map(({ returnCode }) => returnCode), [0, 0]);
});
