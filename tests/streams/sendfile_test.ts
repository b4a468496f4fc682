import {
  ConnectionError,
  createConnection,
  createServer,
  createTask,
  InvalidStateError,
  IsADirectoryError,
  OSError,
  run,
  sendfile,
  type Transport,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  builtin,
  bytes,
  LOCAL,
  Recorder,
  shut,
  temporaryFolder,
  until,
} from "../_support/net.ts";
import { countingSignal } from "../_support/virtual.ts";

/** More than the system and the transport keep for a peer that does not read. */
const SIZE = 16 * 1024 * 1024;

interface Parts {
  readonly transport: Transport;
  readonly path: string;
  readonly folder: string;
  readonly own: Recorder;
  readonly peer: Recorder;
}

/** A connection whose peer does not read, and a file that does not fit into it. */
async function withFile(fn: (parts: Parts) => Promise<void>): Promise<void> {
  const folder = temporaryFolder();
  const path = `${folder.path}/large`;
  builtin("node:fs").writeFileSync(path, new Uint8Array(SIZE));
  await run(async () => {
    const peer = new Recorder();
    const server = await createServer(() => peer, LOCAL);
    const [transport, own] = await createConnection(() => new Recorder(), {
      ...LOCAL,
      port: server.port,
    });
    await peer.reach("made");
    peer.transport.pauseReading();
    try {
      await fn({ transport, path, folder: folder.path, own, peer });
    } finally {
      transport.abort();
      await shut(server);
    }
  });
  folder.remove();
}

/** Waits until neither the system nor the transport takes any more. */
async function untilStuck(transport: Transport): Promise<void> {
  let last = -1;
  let looks = 0;
  await until(() => {
    const size = transport.getWriteBufferSize();
    looks = size === last && size > 65_536 ? looks + 1 : 0;
    last = size;
    return looks >= 20;
  }, "a full buffer");
}

Deno.test("nothing gets between the bytes of sendfile()", async () => {
  await withFile(async ({ transport, path, peer, own }) => {
    const sending = createTask(() => sendfile(transport, path));
    await untilStuck(transport);
    const inBetween = "a file is being sent";
    for (
      const act of [
        () => transport.write(bytes("!")),
        () => transport.writeLines([bytes("!")]),
        () => transport.writeEof(),
      ]
    ) assertThrows(act, InvalidStateError, inBetween);
    await assertRejects(
      () => sendfile(transport, path),
      InvalidStateError,
      inBetween,
    );
    peer.transport.resumeReading();
    assertEquals(await sending, SIZE);
    transport.write(bytes("!"));
    await until(() => peer.size === SIZE + 1);
    assertEquals(peer.chunks.at(-1)!.at(-1), 33);
    assertEquals(own.events.filter((each) => each === "data"), []);
  });
});

Deno.test("close() and abort() during sendfile() are a ConnectionError of it", async () => {
  for (const way of ["close", "abort"] as const) {
    await withFile(async ({ transport, path, peer }) => {
      const sending = createTask(() => sendfile(transport, path));
      await untilStuck(transport);
      transport[way]();
      peer.transport.resumeReading();
      await assertRejects(() => sending, ConnectionError);
      await peer.reach("lost");
      assert(peer.size < SIZE);
    });
  }
});

Deno.test("sendfile() of a directory is an IsADirectoryError", async () => {
  await withFile(async ({ transport }) => {
    const error = await assertRejects(
      () => sendfile(transport, "/tmp"),
      IsADirectoryError,
      "Cannot read /tmp as it is a directory (EISDIR)",
    );
    assertEquals(error.code, "EISDIR");
  });
});

Deno.test("sendfile() throws when its peer goes", async () => {
  await withFile(async ({ transport, path, peer }) => {
    const sending = createTask(() => sendfile(transport, path));
    await untilStuck(transport);
    peer.transport.abort();
    await assertRejects(() => sending, ConnectionError);
  });
});

Deno.test("sendfile() that is cancelled lets the connection go on", async () => {
  await withFile(async ({ transport, path, peer, own }) => {
    const sending = createTask(() => sendfile(transport, path));
    await untilStuck(transport);
    sending.cancel();
    await assertRejects(() => sending, Error);
    assertEquals(own.events, ["made", "pause"]);
    peer.transport.resumeReading();
    await own.reach("resume");
    transport.write(bytes("!"));
    await until(() => peer.chunks.at(-1)?.at(-1) === 33);
    assert(peer.size < SIZE);
  });
});

Deno.test("sendfile() maps what the system says of the file", async () => {
  await withFile(async ({ transport, folder, peer }) => {
    const error = await assertRejects(
      () => sendfile(transport, folder),
      OSError,
      "directory",
    );
    assertEquals(error.code, "EISDIR");
    // The connection is as it was.
    transport.write(bytes("!"));
    peer.transport.resumeReading();
    await until(() => peer.size === 1);
  });
});

Deno.test("sendfile() refuses a count below 1", async () => {
  await withFile(async ({ transport, path }) => {
    for (const count of [0, -1, 1.5, NaN]) {
      await assertRejects(
        () => sendfile(transport, path, { count }),
        RangeError,
        "'count'",
      );
    }
  });
});

Deno.test("sendfile() refuses what is no transport and no file at the call", async () => {
  await withFile(async ({ transport, path }) => {
    const cases: [unknown, unknown, typeof Error, string][] = [
      [{}, path, TypeError, "'transport' must be a Transport: received an obj"],
      [{ transport }, path, TypeError, "; its 'transport' is one"],
      [null, path, TypeError, "'transport' must be a Transport: received null"],
      [transport, "", RangeError, "a path must not be empty or contain a NUL"],
      [
        transport,
        "a\0",
        RangeError,
        "a path must not be empty or contain a NUL",
      ],
      [transport, new URL("http://a/"), TypeError, 'begins with "file:"'],
      [transport, {}, TypeError, "'file' must be a path or an open file"],
    ];
    for (const [to, file, ErrorClass, message] of cases) {
      await assertRejects(
        () => sendfile(to as Transport, file as string),
        ErrorClass,
        message,
      );
    }
  });
});

Deno.test("sendfile() throws if a file does not say how many bytes it has read", async () => {
  await withFile(async ({ transport, peer }) => {
    // The last one is what a FileHandle of Node gives.
    for (
      const got of [undefined, "3", NaN, -1, 1.5, 65_537, { bytesRead: 3 }]
    ) {
      let reads = 0;
      const read = () => Promise.resolve(reads++ === 0 ? got : null);
      await assertRejects(
        () => sendfile(transport, { read } as { read(): Promise<null> }),
        TypeError,
        "read() must give a number of bytes from 0 to 65536, or null",
      );
      assertEquals(reads, 1);
    }
    transport.write(bytes("!"));
    peer.transport.resumeReading();
    await until(() => peer.size > 0, "what was written");
    assertEquals(peer.text, "!");
  });
});

Deno.test("an aborted signal ends sendfile() with its reason, and lets the connection go on", async () => {
  await withFile(async ({ transport, path, peer, own }) => {
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error("no longer needed");
    const sending = createTask(() => sendfile(transport, path, { signal }));
    await untilStuck(transport);
    controller.abort(reason);
    assertEquals(await assertRejects(() => sending), reason);
    assertEquals(own.events, ["made", "pause"]);
    peer.transport.resumeReading();
    await own.reach("resume");
    transport.write(bytes("!"));
    await until(() => peer.chunks.at(-1)?.at(-1) === 33);
    assert(peer.size < SIZE);
  });
});

Deno.test("sendfile() reads nothing with a signal that is aborted", async () => {
  await withFile(async ({ transport, peer }) => {
    const reason = new Error("no longer needed");
    let reads = 0;
    const file = { read: () => Promise.resolve(reads++) };
    const signal = AbortSignal.abort(reason);
    const error = await assertRejects(() =>
      sendfile(transport, file, { signal })
    );
    assertEquals(error, reason);
    assertEquals(reads, 0);
    transport.write(bytes("!"));
    peer.transport.resumeReading();
    await until(() => peer.size === 1);
  });
});

Deno.test("sendfile() that is done leaves nothing on its signal", async () => {
  await withFile(async ({ transport, folder, peer }) => {
    const { signal, listeners } = countingSignal();
    const path = `${folder}/small`;
    builtin("node:fs").writeFileSync(path, "small");
    peer.transport.resumeReading();
    assertEquals(await sendfile(transport, path, { signal }), 5);
    assertEquals(listeners(), 0);
  });
});
