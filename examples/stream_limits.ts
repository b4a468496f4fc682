/**
 * Stream limits: how much a stream keeps, and when it sends.
 *
 * The chapter "Streams", on what its defaults do. A reader keeps no line longer
 * than its `limit`: `readUntil` throws, the bytes stay, and `consumed` tells how
 * many to skip. A writer keeps what the peer does not take: above the high-water
 * mark `drain()` waits, down to the low-water mark. Small writes go out at once
 * (TCP_NODELAY); with `noDelay: false` the system may hold one back until the
 * peer has confirmed the one before, for some 40 ms on Linux.
 *
 *     deno task example stream_limits
 *
 * prints, with times and an amount that differ from run to run,
 *
 *     a limit of 32 bytes
 *       "first"
 *       LimitOverrunError: skipped a line of 1000 bytes
 *       "last"
 *     write-buffer limits of 65536 and 16384 bytes
 *       drain() waits, 4 MiB were written
 *       the server reads: drain() is over
 *     20 questions, each in two small writes
 *       noDelay by default: 60 ms
 *       noDelay: false: 850 ms
 *
 * @module
 */

import {
  Event,
  LimitOverrunError,
  openConnection,
  run,
  sleep,
  startServer,
  type StreamReader,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";

const LOCAL = { hostname: "127.0.0.1" };

/** The next line, or the length of one that is longer than the limit. */
async function readLineOrSkip(reader: StreamReader): Promise<string | number> {
  let skipped = 0;
  for (;;) {
    try {
      const line = await reader.readUntil("\n");
      if (skipped > 0) return skipped + line.length - 1;
      return new TextDecoder().decode(line).trimEnd();
    } catch (error) {
      if (!(error instanceof LimitOverrunError)) throw error;
      skipped += (await reader.readExactly(error.consumed)).length;
    }
  }
}

async function showReaderLimit(): Promise<void> {
  await using server = await startServer((_reader, writer) => {
    writer.write(`first\n${"x".repeat(1000)}\nlast\n`);
    writer.close();
  }, LOCAL);
  const limit = 32;
  console.log(`a limit of ${limit} bytes`);
  const [reader, writer] = await openConnection({
    ...LOCAL,
    port: server.port,
    limit,
  });
  await using _ = writer;
  for (let i = 0; i < 3; i++) {
    const line = await readLineOrSkip(reader);
    console.log(
      typeof line === "string"
        ? `  ${JSON.stringify(line)}`
        : `  LimitOverrunError: skipped a line of ${line} bytes`,
    );
  }
}

async function showWriteBufferLimits(): Promise<void> {
  const mayRead = new Event();
  await using server = await startServer(async (reader, writer) => {
    await mayRead.wait();
    while ((await reader.read(65_536)).length > 0);
    writer.close();
  }, LOCAL);
  const [, writer] = await openConnection({ ...LOCAL, port: server.port });
  await using _ = writer;
  const { transport } = writer;
  transport.setWriteBufferLimits({ high: 65_536 });
  const { high, low } = transport.getWriteBufferLimits();
  console.log(`write-buffer limits of ${high} and ${low} bytes`);
  // The systems of both ends have buffers, too, of some MiB.
  const piece = new Uint8Array(1024 ** 2);
  for (let written = 1;; written++) {
    writer.write(piece);
    try {
      await timeout(500, () => writer.drain());
    } catch (error) {
      if (!(error instanceof TimeoutError)) throw error;
      console.log(`  drain() waits, ${written} MiB were written`);
      break;
    }
  }
  mayRead.set();
  await writer.drain();
  if (transport.getWriteBufferSize() > low) throw new Error("drain() is early");
  console.log("  the server reads: drain() is over");
}

/** How long it takes when a question goes out in two pieces. */
async function ask(port: number, noDelay?: boolean): Promise<number> {
  const [reader, writer] = await openConnection({
    ...LOCAL,
    port,
    ...(noDelay === undefined ? {} : { noDelay }),
  });
  await using _ = writer;
  const start = performance.now();
  for (let i = 0; i < 20; i++) {
    writer.write("how are ");
    // Without it both would go out as one: writes of one step are joined.
    await sleep(1);
    writer.write("you?\n");
    await reader.readLine();
  }
  return Math.round(performance.now() - start);
}

async function showNoDelay(): Promise<void> {
  await using server = await startServer(async (reader, writer) => {
    for await (const _ of reader) writer.write("well\n");
    writer.close();
  }, LOCAL);
  console.log("20 questions, each in two small writes");
  console.log(`  noDelay by default: ${await ask(server.port)} ms`);
  console.log(`  noDelay: false: ${await ask(server.port, false)} ms`);
}

export async function main(): Promise<void> {
  await showReaderLimit();
  await showWriteBufferLimits();
  await showNoDelay();
}

if (import.meta.main) await run(main);
