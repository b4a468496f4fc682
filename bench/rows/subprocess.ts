import type { Load, TimedRow, Work } from "../types.ts";

/** The part of `Deno.Command` that the peer `bare` uses; it is absent on Node, and so is that peer. */
interface Command {
  spawn(): {
    readonly status: Promise<unknown>;
    readonly stdout: ReadableStream<Uint8Array>;
  };
}

type Host = Readonly<
  Record<string, {
    readonly Command: new (program: string, options: object) => Command;
  }>
>;

function command(program: string, options: object): Command {
  const { Command } = (globalThis as unknown as Host)["Deno"]!;
  return new Command(program, options);
}

const INHERIT = { stdin: "inherit", stdout: "inherit", stderr: "inherit" };

/** `together` children at a time, until `size` have run. */
function children(startOne: () => Promise<unknown>, together: number): Work {
  return async (rounds, size) => {
    for (let left = rounds * size; left > 0; left -= together) {
      await Promise.all(Array.from({ length: together }, startOne));
    }
  };
}

function starting(id: string, title: string, together: number): TimedRow {
  return {
    kind: "timed",
    id,
    title,
    size: 50,
    python: true,
    targets: [
      { peer: "asyncio", atLeast: 1.1 },
      { peer: "bare", atLeast: 0.95 },
    ],
    notes: { bare: "Deno.Command" },
    peers: {
      async ours() {
        const { createSubprocessExec, run } = await import("@asyncio/asyncio");
        const work = children(async () => {
          await (await createSubprocessExec("true")).wait();
        }, together);
        return (rounds, size) => run(() => work(rounds, size));
      },
      bare: () =>
        Promise.resolve(
          children(() => command("true", INHERIT).spawn().status, together),
        ),
    },
  };
}

/** Start `true` and wait for its end, one after the other. */
export const startProcess: TimedRow = starting(
  "start_process",
  "start a process and wait for it",
  1,
);

/** The same, 50 at once. */
export const startFifty: TimedRow = starting(
  "start_fifty",
  "the same, 50 processes at once",
  50,
);

const MEGABYTE = 1_000_000;

function zeros(megabytes: number): string[] {
  return ["-c", `${megabytes * MEGABYTE}`, "/dev/zero"];
}

/** A gigabyte that a child prints, by the megabyte. */
export const processPipe: TimedRow = {
  kind: "timed",
  id: "process_pipe",
  title: "a megabyte of 1 GB through a pipe",
  size: 1000,
  python: true,
  targets: [
    { peer: "asyncio", atLeast: 1.2 },
    { peer: "bare", atLeast: 0.95 },
  ],
  notes: { bare: "a BYOB reader with one buffer: the bytes cannot be kept" },
  peers: {
    async ours() {
      const { createSubprocessExec, PIPE, run } = await import(
        "@asyncio/asyncio"
      );
      return (rounds, size) =>
        run(async () => {
          for (let round = rounds; round > 0; round--) {
            const child = await createSubprocessExec("head", zeros(size), {
              stdout: PIPE,
            });
            let total = 0;
            for (let length = -1; length !== 0; total += length) {
              ({ length } = await child.stdout!.read(MEGABYTE));
            }
            await child.wait();
            check(total, size * MEGABYTE);
          }
        });
    },
    bare: bareReader,
  },
};

function bareReader(): ReturnType<Load<Work>> {
  return Promise.resolve(async (rounds, size) => {
    for (let round = rounds; round > 0; round--) {
      const child = command("head", {
        ...INHERIT,
        args: zeros(size),
        stdout: "piped",
      }).spawn();
      const reader = child.stdout.getReader({ mode: "byob" });
      let buffer = new Uint8Array(65_536);
      let total = 0;
      for (;;) {
        const { value, done } = await reader.read(buffer);
        if (done) break;
        total += value.length;
        buffer = new Uint8Array(value.buffer);
      }
      await child.status;
      check(total, size * MEGABYTE);
    }
  });
}

/** The numbers to 200,000, one a line, as a child prints them. */
export const processLines: TimedRow = {
  kind: "timed",
  id: "process_lines",
  title: "a line from a child",
  size: 200_000,
  python: true,
  targets: [{ peer: "asyncio", atLeast: 3 }],
  peers: {
    async ours() {
      const { createSubprocessExec, PIPE, run } = await import(
        "@asyncio/asyncio"
      );
      return (rounds, size) =>
        run(async () => {
          for (let round = rounds; round > 0; round--) {
            const child = await createSubprocessExec("seq", [`${size}`], {
              stdout: PIPE,
            });
            let total = 0;
            for await (const line of child.stdout!) {
              if (line.length > 0) total++;
            }
            await child.wait();
            check(total, size);
          }
        });
    },
  },
};

function check(found: number, expected: number): void {
  if (found !== expected) {
    throw new Error(`Read ${found} instead of ${expected}`);
  }
}
