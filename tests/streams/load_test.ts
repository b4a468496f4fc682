import { run, startServer, taskGroup } from "@asyncio/asyncio";
import type { StreamReader, StreamWriter } from "@asyncio/asyncio";
import { assert, assertEquals } from "@std/assert";
import { heldMemory } from "../_support/gc.ts";
import {
  builtin,
  connectTo,
  LOCAL,
  shut,
  turns,
  until,
} from "../_support/net.ts";
import {
  type ProgramResult,
  runProgram,
  type Signal,
} from "../_support/programs.ts";

const CLIENT = `import asyncio, resource, sys
async def main(port, count, size):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    streams = []
    for _ in range(count):
        streams.append(await asyncio.open_connection("127.0.0.1", port))
    print("open"); sys.stdin.readline()
    async def talk(r, w):
        for _ in range(3):
            w.write(b"x" * size); assert await r.readexactly(size) == b"x" * size
    await asyncio.gather(*(talk(*s) for s in streams))
    print("talked"); sys.stdin.readline()
asyncio.run(main(*map(int, sys.argv[1:])))`;

const { process } = globalThis as unknown as {
  process: { memoryUsage(): { rss: number } };
};

function limitOfFiles(): number {
  const text = builtin("node:fs").readFileSync("/proc/self/limits", "utf8");
  return Number(text.match(/Max open files\s+(\d+)/)?.[1] ?? 1024);
}

Deno.test("10,000 connections at once exchange messages", async () => {
  const count = Math.min(10_000, limitOfFiles() - 200);
  if (count < 10_000) console.log(`scaled to ${count}, the descriptor limit`);
  await run(async () => {
    let open = 0;
    const server = await startServer(async (reader, writer) => {
      open++;
      for (;;) {
        const data = await reader.read(100);
        if (data.length === 0) break;
        writer.write(data);
      }
      open--;
      writer.close();
    }, LOCAL);
    const before = process.memoryUsage().rss;
    const client = builtin("node:child_process").spawn(
      "python3",
      ["-u", "-c", CLIENT, String(server.port), String(count), "64"],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    let output = "";
    client.stdout.on("data", (part) => output += part);
    await until(
      () => output.includes("open") && open === count,
      "10,000 connections",
    );
    const each = (process.memoryUsage().rss - before) / count;
    assert(each < 40_000, `${each} bytes a connection`);
    client.stdin.write("\n");
    await until(() => output.includes("talked"), "the answers");
    assertEquals(open, count);
    client.stdin.end("\n");
    await until(() => open === 0);
    await shut(server);
  });
});

/** What the system holds of the connections to a port: in both its queues. */
function queuedBytes(port: number): number {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const table = builtin("node:fs").readFileSync("/proc/net/tcp", "utf8");
  let total = 0;
  for (const line of table.split("\n").slice(1)) {
    const [, local = "", remote = "", , queues = ""] = line.trim().split(/\s+/);
    if (!local.endsWith(`:${hex}`) && !remote.endsWith(`:${hex}`)) continue;
    const [sending = "0", received = "0"] = queues.split(":");
    total += parseInt(sending, 16) + parseInt(received, 16);
  }
  return total;
}

Deno.test("a server that reads nothing holds less than 4 MB of what is sent", async () => {
  await run(async () => {
    const readers: StreamReader[] = [];
    const server = await startServer((reader) => {
      readers.push(reader);
    }, LOCAL);
    const before = process.memoryUsage().rss;
    const client = builtin("node:child_process").spawn("python3", [
      "-u",
      "-c",
      `import socket, sys
c = socket.create_connection(("127.0.0.1", ${server.port})); c.settimeout(1)
sent = 0; data = b"x" * 1000000
try:
    while sent < 10**9: sent += c.send(data)
except TimeoutError: pass
print(f"sent {sent} bytes"); sys.stdin.readline()`,
    ], { stdio: ["pipe", "pipe", "inherit"] });
    let output = "";
    client.stdout.on("data", (part) => output += part);
    await until(() => output.includes("bytes"));
    // It has given up after a second in which this process may have slept.
    await until(() => (readers[0]?.statistics().size ?? 0) > 65_536);
    const sent = Number(output.split(" ")[1]);
    const grown = process.memoryUsage().rss - before;
    const inReader = readers[0]!.statistics().size;
    // What has left the client and is not with the system is with the server.
    // The system counts twice what has arrived and is not yet acknowledged.
    let taken = 0;
    await until(() => {
      taken = sent - queuedBytes(server.port);
      return taken >= inReader;
    });
    client.stdin.end("\n");
    await shut(server);
    await new Promise((resolve) => client.once("close", resolve));
    assert(sent < 20_000_000, output);
    assert(taken < 4_000_000, `${taken} bytes of ${sent}`);
    assert(grown < 16_000_000, `${grown} bytes grown`);
  });
});

/** Writes until drain() waits, and counts those that do. */
class Senders {
  waiting = 0;
  #moves = 0;

  async send(writer: StreamWriter): Promise<void> {
    const piece = new Uint8Array(16_384);
    try {
      for (;;) {
        writer.write(piece);
        this.waiting++;
        this.#moves++;
        await writer.drain();
        this.waiting--;
      }
    } catch {
      writer.close();
    }
  }

  /** All wait, and went on waiting while the system had time to take more. */
  async stand(count: number): Promise<void> {
    let still = 0;
    let moves = -1;
    while (still < 20) {
      still = this.waiting === count && moves === this.#moves ? still + 1 : 0;
      moves = this.#moves;
      await turns(10);
    }
  }
}

/** What the far ends say of themselves when asked. */
interface FarMemory {
  /** Live bytes, and the growth of the whole process. */
  readonly held: number;
  readonly rss: number;
  /** Bytes in their readers. */
  readonly size: number;
}

/** The other ends of the connections, in a process of their own. */
class FarEnds {
  readonly #lines: string[] = [];
  readonly #ended: Promise<ProgramResult>;
  #send!: (signal: Signal) => void;

  constructor(...args: string[]) {
    this.#ended = runProgram("thousand_ends", {
      args,
      onLine: (line, send) => {
        this.#lines.push(line);
        this.#send = send;
      },
    });
  }

  async line(index: number): Promise<string> {
    await until(() => this.#lines.length > index, `line ${index}`);
    return this.#lines[index]!;
  }

  /** What they hold when all their readers are full. */
  async fullMemory(senders: Senders): Promise<FarMemory> {
    for (let round = 0;; round++) {
      await senders.stand(COUNT);
      const index = this.#lines.length;
      this.#send("SIGUSR2");
      const memory = JSON.parse(await this.line(index)) as FarMemory;
      if (memory.size > COUNT * 65_536) return memory;
      // They may have stood still for want of a processor.
      assert(round < 50, `the readers were never full: ${memory.size} bytes`);
    }
  }

  async end(): Promise<void> {
    this.#send("SIGTERM");
    const { code, stderr } = await this.#ended;
    assertEquals([code, stderr], [0, ""]);
  }
}

const COUNT = 1000;
/** What one side of so many connections may hold. */
const LIMIT = 200e6;
/** A reader that still has room on Bun gets all that one read brings. */
const BUN_READ = 524_288;
const onBun = "Bun" in globalThis;

function checkSide(side: string, held: number, rss: number): void {
  const found = `${side}: ${held / 1e6} MB live, ${rss / 1e6} MB in all`;
  // Bun says that more is alive than it has memory.
  if (!onBun) assert(held < LIMIT, found);
  // What is free again the runtime gives back when it likes.
  assert(rss < 1.5 * LIMIT, found);
}

function checkFarSide(side: string, { held, rss, size }: FarMemory): void {
  if (!onBun) return checkSide(side, held, rss);
  const found = `${side}: ${size / 1e6} MB read, ${rss / 1e6} MB in all`;
  assert(size < COUNT * (131_072 + BUN_READ), found);
  assert(rss - size < LIMIT / 2, found);
}

Deno.test("1,000 connections whose clients read nothing: drain() waits, within 200 MB", async () => {
  await run(async () => {
    const senders = new Senders();
    const before = await heldMemory();
    const rssBefore = process.memoryUsage().rss;
    const server = await startServer(
      (_reader, writer) => senders.send(writer),
      { ...LOCAL, backlog: COUNT },
    );
    const clients = new FarEnds("connect", String(server.port));
    assertEquals(await clients.line(0), "open");
    const theirs = await clients.fullMemory(senders);
    const held = await heldMemory() - before;
    const rss = process.memoryUsage().rss - rssBefore;
    await shut(server);
    await clients.end();
    checkSide("server that sends", held, rss);
    checkFarSide("clients that receive", theirs);
  });
});

Deno.test("1,000 connections to a server that reads nothing: both sides stay within 200 MB", async () => {
  await run(async () => {
    const senders = new Senders();
    const server = new FarEnds("serve");
    const port = Number(await server.line(0));
    const before = await heldMemory();
    const rssBefore = process.memoryUsage().rss;
    const writers: StreamWriter[] = [];
    const sending: Promise<void>[] = [];
    await taskGroup((group) => {
      for (let i = 0; i < COUNT; i++) {
        group.createTask(async () => {
          const [, writer] = await connectTo({ port });
          writers.push(writer);
        });
      }
    });
    assertEquals(await server.line(1), "open");
    for (const writer of writers) sending.push(senders.send(writer));
    const theirs = await server.fullMemory(senders);
    const held = await heldMemory() - before;
    const rss = process.memoryUsage().rss - rssBefore;
    for (const { transport } of writers) transport.abort();
    await Promise.all(sending);
    await server.end();
    checkSide("clients that send", held, rss);
    checkFarSide("server that receives", theirs);
  });
});
