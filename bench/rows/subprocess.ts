import { spawn } from "node:child_process";
import { atLeast } from "../targets.ts";
import type { TimedRow, Work } from "../types.ts";

/** What the peer `bare` uses of a child of the host. */
interface HostChild {
  readonly ended: Promise<unknown>;
  /** Counts what it prints, in the way the host does fastest. */
  readonly countOutput: () => Promise<number>;
}

/** The part of `Deno` that the peer `bare` uses; it is absent on Node. */
interface DenoHost {
  readonly Command: new (program: string, options: object) => {
    spawn(): {
      readonly status: Promise<unknown>;
      readonly stdout: ReadableStream<Uint8Array>;
    };
  };
}

/** `Deno.Command`, or on Node `spawn` of `node:child_process`. */
function startBare(
  program: string,
  args: string[],
  stdout: "inherit" | "pipe",
): HostChild {
  const host = (globalThis as unknown as Record<string, DenoHost>)["Deno"];
  return host === undefined
    ? startOnNode(program, args, stdout)
    : startOnDeno(host, program, args, stdout);
}

function startOnDeno(
  { Command }: DenoHost,
  program: string,
  args: string[],
  stdout: "inherit" | "pipe",
): HostChild {
  const child = new Command(program, {
    args,
    stdin: "inherit",
    stdout: stdout === "pipe" ? "piped" : stdout,
    stderr: "inherit",
  }).spawn();
  return {
    ended: child.status,
    async countOutput() {
      const reader = child.stdout.getReader({ mode: "byob" });
      let total = 0;
      let buffer = new ArrayBuffer(65_536);
      for (;;) {
        const { value, done } = await reader.read(new Uint8Array(buffer));
        if (done) return total;
        total += value.length;
        buffer = value.buffer;
      }
    },
  };
}

function startOnNode(
  program: string,
  args: string[],
  stdout: "inherit" | "pipe",
): HostChild {
  const child = spawn(program, args, { stdio: ["inherit", stdout, "inherit"] });
  return {
    ended: new Promise((resolve) => child.once("exit", resolve)),
    async countOutput() {
      let total = 0;
      for await (const chunk of child.stdout!) total += chunk.length;
      return total;
    },
  };
}

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
    targets: atLeast({ asyncio: 1.1, bare: 0.95 }),
    notes: { bare: "Deno.Command (Node: spawn), in a program of nothing else" },
    peers: {
      async ours() {
        const { createSubprocessExec, run } = await import("@asyncio/asyncio");
        const work = children(async () => {
          await (await createSubprocessExec("true")).wait();
        }, together);
        return (rounds, size) => run(() => work(rounds, size));
      },
      bare() {
        return Promise.resolve(children(
          () => startBare("true", [], "inherit").ended,
          together,
        ));
      },
      async execa() {
        const { execa } = await import("execa");
        return children(() => execa("true", { stdio: "inherit" }), together);
      },
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
  targets: atLeast({ asyncio: 1.2, bare: 0.95 }),
  notes: {
    bare:
      "Deno: a BYOB reader with one buffer, whose bytes cannot be kept; Node: for await over stdout",
  },
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
    async bare() {
      return async (rounds, size) => {
        for (let round = rounds; round > 0; round--) {
          const child = startBare("head", zeros(size), "pipe");
          check(await child.countOutput(), size * MEGABYTE);
          await child.ended;
        }
      };
    },
    async execa() {
      const { execa } = await import("execa");
      return async (rounds, size) => {
        for (let round = rounds; round > 0; round--) {
          const child = execa("head", zeros(size), { buffer: false });
          let total = 0;
          for await (const chunk of child.stdout) total += chunk.length;
          await child;
          check(total, size * MEGABYTE);
        }
      };
    },
  },
};

/** The numbers to 200,000, one a line, as a child prints them. */
export const processLines: TimedRow = {
  kind: "timed",
  id: "process_lines",
  title: "a line from a child",
  size: 200_000,
  python: true,
  targets: atLeast({ asyncio: 3 }),
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
    async execa() {
      const { execa } = await import("execa");
      return async (rounds, size) => {
        for (let round = rounds; round > 0; round--) {
          let total = 0;
          const options = { buffer: false } as const;
          for await (const line of execa("seq", [`${size}`], options)) {
            if (line.length > 0) total++;
          }
          check(total, size);
        }
      };
    },
  },
};

function check(found: number, expected: number): void {
  if (found !== expected) {
    throw new Error(`Read ${found} instead of ${expected}`);
  }
}
