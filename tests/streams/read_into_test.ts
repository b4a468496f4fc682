import {
  createTask,
  InvalidStateError,
  openConnection,
  run,
  startServer,
  StreamReader,
} from "@asyncio/asyncio";
import { assertEquals, assertRejects } from "@std/assert";
import { bytes, text } from "../_support/bytes.ts";
import { outcome } from "../_support/outcome.ts";
import { turns, virtual } from "../_support/virtual.ts";

function fed(...chunks: readonly string[]): StreamReader {
  const reader = new StreamReader();
  for (const chunk of chunks) reader.feedData(bytes(chunk));
  return reader;
}

Deno.test(
  "readInto() fills the buffer from its beginning, across chunks, and no further",
  virtual(async () => {
    const large = "x".repeat(5000);
    const reader = fed("ab", large, "cd");
    const buffer = new Uint8Array(5003).fill(33);
    assertEquals(await reader.readInto(buffer.subarray(0, 5002)), 5002);
    assertEquals(text(buffer), `ab${large}!`);
    assertEquals(await reader.readInto(buffer), 2);
    assertEquals(text(buffer.subarray(0, 3)), "cdx");
  }),
);

Deno.test(
  "readInto() gives null at the end, and what was left before",
  virtual(async () => {
    const reader = fed("abc");
    reader.feedEof();
    const buffer = new Uint8Array(2);
    assertEquals(await reader.readInto(buffer), 2);
    assertEquals(await reader.readInto(buffer), 1);
    assertEquals(await reader.readInto(buffer), null);
    assertEquals(await reader.readInto(buffer), null);
    assertEquals(text(buffer), "cb");
  }),
);

Deno.test(
  "readInto() of a buffer of no length gives 0 at once, also at the end",
  virtual(async () => {
    const reader = new StreamReader();
    const nothing = new Uint8Array(0);
    assertEquals(await reader.readInto(nothing), 0);
    reader.feedEof();
    assertEquals(await reader.readInto(nothing), 0);
  }),
);

Deno.test(
  "readInto() that waits takes what comes, and null where the end comes",
  virtual(async () => {
    const reader = new StreamReader();
    const buffer = new Uint8Array(4);
    const first = createTask(() => reader.readInto(buffer));
    await turns(2);
    assertEquals(reader.statistics().waiting, "readInto");
    reader.feedData(bytes("abcdef"));
    assertEquals(await first, 4);
    assertEquals(text(buffer), "abcd");
    assertEquals(text(await reader.read(9)), "ef");
    const last = createTask(() => reader.readInto(buffer));
    await turns(2);
    reader.feedEof();
    assertEquals(await last, null);
  }),
);

Deno.test(
  "readInto() that is cancelled has taken nothing and leaves the buffer as it was",
  virtual(async () => {
    const reader = new StreamReader();
    const buffer = new Uint8Array(4).fill(33);
    const task = createTask(() => reader.readInto(buffer));
    await turns(2);
    // What has come is taken in the turn of the read, which does not come.
    reader.feedData(bytes("abc"));
    task.cancel();
    assertEquals(await outcome(task), "CancelledError");
    assertEquals(text(buffer), "!!!!");
    assertEquals(text(await reader.read(9)), "abc");
  }),
);

Deno.test(
  "readInto() reads into a part of a larger buffer and into a Buffer of Node",
  virtual(async () => {
    const { Buffer } = await import("node:buffer");
    const reader = fed("abcdef");
    const whole = new Uint8Array(6).fill(33);
    assertEquals(await reader.readInto(whole.subarray(2, 4)), 2);
    assertEquals(text(whole), "!!ab!!");
    const buffer = Buffer.alloc(3);
    assertEquals(await reader.readInto(buffer), 3);
    assertEquals(buffer.toString(), "cde");
  }),
);

Deno.test(
  "readInto() refuses what is no Uint8Array, and a second read",
  virtual(async () => {
    const reader = new StreamReader();
    for (const wrong of [undefined, 10, "text", new ArrayBuffer(4), [1]]) {
      await assertRejects(
        () => reader.readInto(wrong as unknown as Uint8Array),
        TypeError,
        "Cannot read into as 'buffer' must be a Uint8Array: received",
      );
    }
    const task = createTask(() => reader.readInto(new Uint8Array(1)));
    await turns(2);
    await assertRejects(
      () => reader.readInto(new Uint8Array(1)),
      InvalidStateError,
      "only one may read at a time",
    );
    reader.feedEof();
    await task;
  }),
);

Deno.test(
  "readInto() throws the error of the stream, also where bytes are left",
  virtual(async () => {
    const reader = fed("abc");
    reader.setException(new Error("broken"));
    await assertRejects(
      () => reader.readInto(new Uint8Array(1)),
      Error,
      "broken",
    );
  }),
);

Deno.test("what is read into a buffer and between is all that was sent", async () => {
  const SIZE = 3_000_000;
  const sent = new Uint8Array(SIZE).map((_, index) => index % 251);
  await run(async () => {
    await using server = await startServer(async (_reader, writer) => {
      // Small pieces and large ones, so that memory is used again and is not.
      let size = 1;
      for (let from = 0; from < SIZE; from += size) {
        size = Math.min(SIZE - from, size * 3 % 200_000 + 1);
        writer.write(sent.slice(from, from + size));
        await writer.drain();
      }
      writer.close();
    }, { hostname: "127.0.0.1", port: 0 });
    const [reader, writer] = await openConnection({
      hostname: "127.0.0.1",
      port: server.port,
    });
    const got = new Uint8Array(SIZE);
    const kept: [at: number, bytes: Uint8Array][] = [];
    let at = 0;
    for (let turn = 0; at < SIZE; turn++) {
      if (turn % 3 === 0) {
        const piece = await reader.read(50_000);
        kept.push([at, piece]);
        at += piece.length;
      } else {
        const room = got.subarray(at, at + 1 + turn * 37 % 90_000);
        at += (await reader.readInto(room)) ?? assertEquals(at, SIZE) ?? 0;
      }
    }
    // What was given is not written to again.
    for (const [from, piece] of kept) got.set(piece, from);
    assertEquals(await reader.readInto(new Uint8Array(1)), null);
    writer.close();
    assertEquals(got.findIndex((byte, index) => byte !== sent[index]), -1);
  });
});
