import { assertEquals } from "@std/assert";
import { WorkerPoolExecutor } from "@asyncio/asyncio";
import { Lull } from "../../threads/_lull.ts";
import { SENT } from "../../threads/_messages.ts";

/** What the clock and the waits of a lull are replaced by. */
interface Host {
  /** Milliseconds. */
  now: number;
  /** What a wait gives. */
  outcome: ReturnType<typeof Atomics.wait>;
  /** How long the waits were to be at most; 0 where there was a job. */
  readonly waits: (number | undefined)[];
}

/** Runs `test` with a clock that stands, and waits that are over at once. */
function onHost(
  test: (host: Host, lull: Lull, shared: Int32Array) => void,
): void {
  const host: Host = { now: 1000, outcome: "ok", waits: [] };
  const { wait } = Atomics;
  const { now } = performance;
  Atomics.wait = (
    array: Int32Array | BigInt64Array,
    index: number,
    value: number | bigint,
    ms?: number,
  ) => {
    host.waits.push(array[index] === value ? ms : 0);
    return host.outcome;
  };
  performance.now = () => host.now;
  const shared = new Int32Array(new SharedArrayBuffer(8));
  try {
    test(host, new Lull(shared), shared);
  } finally {
    Atomics.wait = wait;
    performance.now = now;
  }
}

Deno.test("a worker waits for the next job where jobs follow on each other", () => {
  onHost((host, lull, shared) => {
    shared[SENT] = 1;
    lull.end();
    lull.begin(1);
    assertEquals(host.waits, [], "this may have been the only one");
    host.now += 1;
    shared[SENT] = 2;
    lull.end();
    lull.begin(2);
    assertEquals(host.waits, [1]);
    lull.end();
    shared[SENT] = 4;
    lull.begin(3);
    assertEquals(host.waits, [1, 0]);
  });
});

Deno.test("a worker does not wait where there is time between the jobs", () => {
  onHost((host, lull) => {
    for (let number = 1; number <= 5; number++) {
      lull.end();
      lull.begin(number);
      host.now += 1.1;
    }
    assertEquals(host.waits, []);
  });
});

Deno.test("a worker gives its event loop a turn between jobs, every few milliseconds", () => {
  onHost((host, lull) => {
    let pattern = "";
    for (let number = 1; number <= 16; number++) {
      host.waits.length = 0;
      lull.end();
      host.now += 1;
      lull.begin(number);
      pattern += host.waits.length === 0 ? "-" : "w";
    }
    assertEquals(pattern, "-wwww-wwww-wwww-");
  });
});

Deno.test("a job that came after the wait was over counts as a turn", () => {
  onHost((host, lull) => {
    lull.end();
    lull.begin(1);
    host.outcome = "timed-out";
    for (let number = 2; number <= 20; number++) {
      lull.end();
      host.now += 1;
      lull.begin(number);
    }
    assertEquals(host.waits.length, 19);
  });
});

Deno.test("what a job leaves running goes on while others follow on each other", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  await executor.submit(() => {
    const counts = globalThis as unknown as Record<string, number>;
    counts["timers"] = counts["turns"] = 0;
    setInterval(() => counts["timers"]!++, 1);
    const turn = () => {
      counts["turns"]!++;
      setTimeout(turn);
    };
    turn();
  });
  const count = () => {
    const { timers, turns } = globalThis as unknown as Record<string, number>;
    return Math.min(timers!, turns!);
  };
  // Were it starved, this would not end.
  while (await executor.submit(count) < 20);
});
