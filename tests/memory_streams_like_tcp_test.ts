/**
 * Two streams in memory, two ends of a TCP connection and two simulated hosts,
 * side by side: what each end sees is the same.
 */
import {
  createTask,
  IncompleteReadError,
  LimitOverrunError,
  type MemoryStream,
  type MemoryStreamOptions,
  memoryStreamPair,
  openConnection,
  run,
  runVirtual,
  simulate,
  sleep,
  startServer,
  timeout,
} from "@asyncio/asyncio";
import { assertEquals } from "@std/assert";
import { deferred, LOCAL, shut, text } from "./_support/net.ts";

/** More than a system takes, which may be many times what it says. */
const MUCH = 64 << 20;

interface Case {
  readonly name: string;
  readonly limit?: number;
  /** Too much to come byte by byte. */
  readonly isLarge?: boolean;
  /** What happens, and what is seen of it. */
  readonly play: (a: MemoryStream, b: MemoryStream) => Promise<unknown[]>;
  readonly seen: readonly unknown[];
}

/** What comes of a promise: text for bytes, a name for an error. */
async function see(promise: Promise<unknown>): Promise<unknown> {
  try {
    const value = await promise;
    return value instanceof Uint8Array ? text(value) : value;
  } catch (error) {
    return nameOf(error);
  }
}

/**
 * The same of an end that reads and writes when it hears of a reset: the read
 * gets that, the write a broken pipe, and it is up to the host which is first.
 */
async function seeLoss(promise: Promise<unknown>): Promise<unknown> {
  const name = await see(promise);
  return name === "ConnectionResetError" || name === "BrokenPipeError"
    ? "ConnectionError"
    : name;
}

function seeThrown(fn: () => void): string | undefined {
  try {
    fn();
    return undefined;
  } catch (error) {
    return nameOf(error);
  }
}

function nameOf(error: unknown): string {
  const { name } = error as Error;
  if (error instanceof IncompleteReadError) {
    return `${name} ${text(error.partial)} of ${error.expected}`;
  }
  return error instanceof LimitOverrunError
    ? `${name} at ${error.consumed}`
    : name;
}

/** Reads to the end, and tells how much and how it ended. */
async function readAll([reader]: MemoryStream): Promise<[number, string]> {
  let size = 0;
  try {
    for (;;) {
      const { length } = await reader.read(1 << 20);
      if (length === 0) return [size, "end"];
      size += length;
    }
  } catch (error) {
    return [size, nameOf(error)];
  }
}

/** Writes until nothing more goes, as the peer has read all it will. */
async function clog([, writer]: MemoryStream, peer: MemoryStream) {
  writer.write(new Uint8Array(MUCH));
  while (!peer[0].statistics().isPaused) await sleep(1);
  const { transport } = writer;
  let left: number;
  do {
    left = transport.getWriteBufferSize();
    await sleep(20);
  } while (transport.getWriteBufferSize() < left);
}

/** Writes until that fails: the first bytes still seem to go. */
async function writeUntilLost([, writer]: MemoryStream): Promise<unknown> {
  try {
    for (;;) {
      writer.write("x");
      await writer.drain();
      await sleep(1);
    }
  } catch (error) {
    return nameOf(error);
  }
}

const CASES: readonly Case[] = [
  {
    name: "N1 N2 a half-closed end reads the answer, and writes no more",
    async play(a, b) {
      a[1].write("question");
      a[1].writeEof();
      const question = await see(b[0].read());
      const refused = seeThrown(() => a[1].write("more"));
      const wasClosing = [a[1].isClosing(), b[1].isClosing()];
      b[1].write("answer");
      b[1].close();
      const answer = await see(a[0].read());
      a[1].close();
      await a[1].waitClosed();
      await b[1].waitClosed();
      return [question, refused, wasClosing, answer, a[0].atEof()];
    },
    seen: ["question", "InvalidStateError", [false, false], "answer", true],
  },
  {
    name: "N6 close() sends what was written, and no more can be",
    isLarge: true,
    async play(a, b) {
      a[1].write(new Uint8Array(MUCH));
      a[1].close();
      a[1].close();
      const isClosing = a[1].isClosing();
      const refused = seeThrown(() => a[1].write("more"));
      const [all] = await Promise.all([readAll(b), a[1].waitClosed()]);
      return [
        isClosing,
        refused,
        all,
        b[1].isClosing(),
        await see(a[0].read()),
      ];
    },
    seen: [true, "InvalidStateError", [MUCH, "end"], false, ""],
  },
  {
    name:
      "N7 to a peer that has closed the first write goes, then drain() throws",
    async play(a, b) {
      a[1].write("bye");
      a[1].close();
      await a[1].waitClosed();
      const last = await see(b[0].read());
      b[1].write("still there?");
      const drained = await see(b[1].drain());
      const lost = await writeUntilLost(b);
      b[1].write("no one hears");
      return [
        last,
        drained,
        lost,
        await see(b[1].drain()),
        await see(b[1].waitClosed()),
        await see(b[0].read()),
        b[1].isClosing(),
      ];
    },
    seen: [
      "bye",
      undefined,
      "BrokenPipeError",
      "BrokenPipeError",
      "BrokenPipeError",
      "BrokenPipeError",
      true,
    ],
  },
  {
    name: "N8 closing over unread bytes is a reset for who sends them",
    isLarge: true,
    async play(a, b) {
      await clog(a, b);
      b[1].close();
      return [
        await seeLoss(a[1].drain()),
        await seeLoss(a[1].waitClosed()),
        await seeLoss(a[0].read()),
        await see(b[1].waitClosed()),
      ];
    },
    seen: [
      "ConnectionError",
      "ConnectionError",
      "ConnectionError",
      undefined,
    ],
  },
  {
    name: "N9 abort() over unread bytes does the same, and drops its own",
    isLarge: true,
    async play(a, b) {
      await clog(a, b);
      await clog(b, a);
      b[1].transport.abort();
      return [
        b[1].isClosing(),
        seeThrown(() => b[1].write("more")),
        await see(a[1].waitClosed()),
        await see(a[1].drain()),
        await see(a[0].read(1)),
        await see(b[1].waitClosed()),
      ];
    },
    seen: [
      true,
      "InvalidStateError",
      "ConnectionResetError",
      "ConnectionResetError",
      "ConnectionResetError",
      undefined,
    ],
  },
  {
    name: "N9 abort() with all read drops what was not sent, and is an end",
    isLarge: true,
    async play(a, b) {
      await clog(a, b);
      a[1].transport.abort();
      const [size, end] = await readAll(b);
      return [size < MUCH, end, await see(a[1].waitClosed())];
    },
    seen: [true, "end", undefined],
  },
  {
    name: "a read that waits when the peer aborts reads the end",
    async play(a, b) {
      const reading = createTask(() => a[0].read(100));
      await sleep(1);
      b[1].transport.abort();
      return [await see(Promise.resolve(reading)), a[1].isClosing()];
    },
    seen: ["", false],
  },
  {
    name: "R3 R5 R9 an end in mid-line",
    async play(a, b) {
      a[1].write("one\ntwo");
      b[1].write("three");
      a[1].writeEof();
      b[1].writeEof();
      return [
        await see(b[0].readLine()),
        await see(b[0].readLine()),
        await see(b[0].readLine()),
        await see(b[0].readExactly(2)),
        await see(a[0].readUntil("\n")),
        await see(a[0].readUntil("\n")),
      ];
    },
    seen: [
      "one\n",
      "two",
      "",
      "IncompleteReadError  of 2",
      "IncompleteReadError three of null",
      "IncompleteReadError  of null",
    ],
  },
  {
    name: "R6 R8 a line over the limit",
    limit: 8,
    async play(a, b) {
      a[1].write("0123456789\nnext\n");
      const line = createTask(() => b[0].readUntil("\n"));
      const overrun = await see(Promise.resolve(line));
      return [
        String(overrun).split(" ")[0],
        await see(b[0].readExactly(11)),
        await see(b[0].readLine()),
      ];
    },
    seen: ["LimitOverrunError", "0123456789\n", "next\n"],
  },
  {
    name: "R4 R17 more than the limit is read exactly",
    limit: 100,
    async play(a, b) {
      const part = "0123456789".repeat(100);
      a[1].write(part);
      a[1].write(part);
      a[1].writeEof();
      const first = await b[0].readExactly(1500);
      return [text(first) === (part + part).slice(0, 1500), await readAll(b)];
    },
    seen: [true, [500, "end"]],
  },
  {
    name: "R13 a cancelled read has taken nothing",
    async play(a, b) {
      const reading = createTask(() => b[0].readExactly(8));
      a[1].write("half");
      await sleep(1);
      reading.cancel();
      const cancelled = await see(Promise.resolve(reading));
      a[1].write(" and half");
      return [cancelled, await see(b[0].readExactly(13))];
    },
    seen: ["CancelledError", "half and half"],
  },
  {
    name: "R15 lines to the end",
    async play(a, b) {
      a[1].writeLines(["a\n", "\n", "b\n", "c"]);
      a[1].writeEof();
      const lines: string[] = [];
      for await (const line of b[0]) lines.push(text(line));
      return lines;
    },
    seen: ["a\n", "\n", "b\n", "c"],
  },
  {
    name: "N3 N4 N5 drain() waits for a peer that does not read",
    isLarge: true,
    async play(a, b) {
      a[1].write(new Uint8Array(MUCH));
      const { transport } = a[1];
      const waited = await see(timeout(50, () => a[1].drain()));
      const { high } = transport.getWriteBufferLimits();
      const isHigh = transport.getWriteBufferSize() > high;
      while (!b[0].statistics().isPaused) await sleep(1);
      const drains = [1, 2].map(() => createTask(() => a[1].drain()));
      const got = await b[0].readExactly(MUCH);
      for (const drain of drains) await drain;
      return [waited, isHigh, got.length];
    },
    seen: ["TimeoutError", true, MUCH],
  },
  {
    name: "streams of the web carry both ways, and close the connection",
    async play(a, b) {
      const serving = b[0].readable.pipeTo(b[1].writable);
      const sending = new Response("0123456789".repeat(1000)).body!
        .pipeTo(a[1].writable);
      const answer = await new Response(a[0].readable).text();
      await Promise.all([serving, sending]);
      await a[1].waitClosed();
      await b[1].waitClosed();
      return [answer.length, a[1].isClosing(), b[1].isClosing()];
    },
    seen: [10_000, true, true],
  },
  {
    name: "what an end knows of itself",
    // deno-lint-ignore require-await -- as the others
    async play([, a], [, b]) {
      return [
        a.canWriteEof(),
        a.getExtraInfo("tls"),
        a.getExtraInfo("alpnProtocol", "none"),
        a.getExtraInfo("unknown", "fallback"),
        typeof a.getExtraInfo("peername"),
        typeof b.getExtraInfo("sockname"),
        a.transport.isReading(),
        a.transport.getWriteBufferSize(),
        a.transport.getWriteBufferLimits(),
      ];
    },
    seen: [
      true,
      false,
      "none",
      "fallback",
      "object",
      "object",
      true,
      0,
      { high: 65_536, low: 16_384 },
    ],
  },
];

function overMemory(
  { play, limit }: Case,
  options: MemoryStreamOptions = {},
): Promise<unknown[]> {
  return runVirtual(async () => {
    const [a, b] = memoryStreamPair({ ...options, ...(limit && { limit }) });
    try {
      return await timeout(60_000, () => play(a, b));
    } finally {
      a[1].transport.abort();
      b[1].transport.abort();
    }
  });
}

function overSimulation({ play, limit }: Case): Promise<unknown[]> {
  return simulate(async (sim) => {
    const accepted = deferred<MemoryStream>();
    const options = limit === undefined ? {} : { limit };
    sim.host("server", async () => {
      const server = await startServer(
        (reader, writer) => accepted.resolve([reader, writer]),
        { port: 80, ...options },
      );
      await server.serveForever();
    });
    const a = await openConnection({
      hostname: "server",
      port: 80,
      ...options,
    });
    const b = await accepted.promise;
    try {
      return await timeout(60_000, () => play(a, b));
    } finally {
      a[1].transport.abort();
      b[1].transport.abort();
    }
  });
}

function overTcp({ play, limit }: Case): Promise<unknown[]> {
  return run(async () => {
    const accepted = deferred<MemoryStream>();
    const options = limit === undefined ? {} : { limit };
    const server = await startServer(
      (reader, writer) => accepted.resolve([reader, writer]),
      { ...LOCAL, ...options },
    );
    const a = await openConnection({
      ...LOCAL,
      port: server.port,
      ...options,
    });
    const b = await accepted.promise;
    try {
      return await timeout(60_000, () => play(a, b));
    } finally {
      a[1].transport.abort();
      await shut(server);
    }
  });
}

for (const each of CASES) {
  const { name, isLarge = false, seen } = each;
  Deno.test(`over TCP, in memory and simulated: ${name}`, async () => {
    assertEquals(await overTcp(each), seen, "over TCP");
    assertEquals(await overMemory(each), seen, "in memory");
    assertEquals(await overSimulation(each), seen, "on simulated hosts");
    if (isLarge) return;
    for (const chunkSize of [1, 3]) {
      assertEquals(
        await overMemory(each, { chunkSize }),
        seen,
        `in pieces of ${chunkSize}`,
      );
    }
  });
}
