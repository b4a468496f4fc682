/** Streams in memory: what is theirs alone. What they share with TCP has a file of its own. */
import {
  allTasks,
  createTask,
  type EventLoop,
  exploreSchedules,
  gather,
  getRunningLoop,
  InvalidStateError,
  type MemoryStream,
  type MemoryStreamOptions,
  memoryStreamPair,
  newEventLoop,
  run,
  ScheduleError,
  sleep,
  type StreamReader,
  type StreamWriter,
  VirtualClock,
} from "@asyncio/asyncio";
import * as testing from "@asyncio/asyncio/testing";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { makeRandom } from "../../_internal/random.ts";
import { bytes, Recorder, text } from "../_support/net.ts";
import { now, virtual } from "../_support/virtual.ts";

/** A test with a pair, whose ends are closed when it is over. */
function withPair(
  body: (a: MemoryStream, b: MemoryStream) => Promise<void>,
  options: MemoryStreamOptions = {},
): () => Promise<void> {
  return virtual(async () => {
    const [a, b] = memoryStreamPair(options);
    try {
      await body(a, b);
    } finally {
      a[1].transport.abort();
      b[1].transport.abort();
    }
  });
}

/** Answers lines: `put NAME VALUE` and `get NAME`; ends with its client. */
async function serve(
  store: Map<string, string>,
  reader: StreamReader,
  writer: StreamWriter,
): Promise<void> {
  for await (const line of reader) {
    const [verb, name = "", value = ""] = text(line).trimEnd().split(" ");
    if (verb === "put") store.set(name, value);
    writer.write(verb === "put" ? "ok\n" : `${store.get(name) ?? "none"}\n`);
    await writer.drain();
  }
  writer.close();
}

/** Sends lines one after the other, and gives the answers. */
async function ask(
  [reader, writer]: MemoryStream,
  lines: readonly string[],
): Promise<string[]> {
  const answers: string[] = [];
  for (const line of lines) {
    writer.write(`${line}\n`);
    answers.push(text(await reader.readLine()).trimEnd());
  }
  writer.close();
  await writer.waitClosed();
  return answers;
}

Deno.test("@asyncio/asyncio/testing has the pair that the package has", () => {
  assertStrictEquals(testing.memoryStreamPair, memoryStreamPair);
});

Deno.test(
  "bytes arrive in order and whole, both ways at once",
  withPair(async (a, b) => {
    const random = makeRandom(5);
    const all = new Uint8Array(400_000).map(() => random(256));
    const send = async ([, writer]: MemoryStream) => {
      for (let at = 0; at < all.length;) {
        const end = at + 1 + random(random(2) === 0 ? 100 : 20_000);
        writer.write(all.slice(at, end));
        at = end;
        await writer.drain();
      }
      writer.writeEof();
    };
    const [, , atA, atB] = await gather([
      () => send(a),
      () => send(b),
      () => a[0].read(),
      () => b[0].read(),
    ]);
    assertEquals(atA, all);
    assertEquals(atB, all);
    assertEquals(now(), 0);
  }),
);

Deno.test(
  "nothing arrives inside write(), or before the next iteration",
  withPair(async (a, b) => {
    a[1].write("hello");
    assertEquals(b[0].statistics().size, 0);
    assertEquals(a[1].transport.getWriteBufferSize(), 5);
    assertEquals(text(await b[0].read(10)), "hello");
    assertEquals(a[1].transport.getWriteBufferSize(), 0);
  }),
);

Deno.test(
  "what becomes of a buffer that was sent does not change what arrives",
  withPair(async (a, b) => {
    const small = bytes("small,");
    const large = new Uint8Array(5000).fill(7);
    a[1].write(small);
    small.fill(0);
    a[1].write(large);
    await sleep(1);
    large.fill(0);
    assertEquals(text(await b[0].readExactly(6)), "small,");
    const received = await b[0].readExactly(5000);
    assert(received.every((byte) => byte === 7));
    received.fill(9);
    assert(large.every((byte) => byte === 0));
  }),
);

Deno.test(
  "N3 a protocol is asked to pause and to resume at the marks",
  withPair(async ([, writer], [reader, peer]) => {
    const { transport } = writer;
    const recorder = new Recorder();
    transport.setProtocol(recorder);
    peer.transport.pauseReading();
    transport.write(new Uint8Array(65_536));
    await sleep(1);
    assertEquals(transport.getWriteBufferSize(), 0);
    transport.setWriteBufferLimits({ high: 1000, low: 100 });
    transport.write(new Uint8Array(1000));
    await sleep(1);
    assertEquals(recorder.events, []);
    transport.write(new Uint8Array(1));
    assertEquals(recorder.events, ["pause"]);
    await sleep(1);
    assertEquals(transport.getWriteBufferSize(), 1001);
    peer.transport.resumeReading();
    await reader.readExactly(65_536 + 1001);
    assertEquals(recorder.events, ["pause", "resume"]);
    assertEquals(transport.getWriteBufferSize(), 0);
  }),
);

for (const chunkSize of [undefined, 3]) {
  Deno.test(
    `memory is bounded while the peer does not read, chunkSize ${chunkSize}`,
    withPair(async ([, writer], [reader]) => {
      let sent = 0;
      const sending = createTask(async () => {
        for (;;) {
          writer.write(new Uint8Array(1000));
          sent += 1000;
          await writer.drain();
        }
      });
      await sleep(1000);
      // The writer's high-water mark, what lies between, and what is read ahead.
      assert(sent <= 65_536 + 65_536 + 2 * 100 + 65_536 + 1000, String(sent));
      const before = sent;
      await reader.readExactly(before);
      await sleep(1000);
      assert(sent > before);
      sending.cancel();
      await assertRejects(() => Promise.resolve(sending));
    }, { limit: 100, ...(chunkSize && { chunkSize }) }),
  );
}

for (const chunkSize of [1, 4]) {
  Deno.test(
    `chunkSize ${chunkSize}: no read gets more, however late it comes`,
    withPair(async ([, writer], [reader]) => {
      writer.write("0123456789");
      writer.writeEof();
      let all = "";
      for (;;) {
        await sleep(10);
        const piece = text(await reader.read(100));
        if (piece === "") break;
        assert(piece.length <= chunkSize, piece);
        all += piece;
      }
      assertEquals(all, "0123456789");
      assert(reader.atEof());
    }, { chunkSize }),
  );
}

const sizes = [3, 1, 2];
Deno.test(
  "chunkSize as a function is asked for each piece",
  withPair(async ([, writer], [reader]) => {
    writer.write("0123456789");
    const pieces: string[] = [];
    for (let i = 0; i < 4; i++) pieces.push(text(await reader.read(100)));
    assertEquals(pieces, ["012", "3", "45", "6789"]);
  }, { chunkSize: () => sizes.shift() ?? 100 }),
);

Deno.test("a chunkSize() that gives no size fails the reads", async () => {
  for (const bad of [0, 1.5, NaN]) {
    await withPair(async ([, writer], [reader]) => {
      writer.write("hello");
      await assertRejects(
        () => reader.read(1),
        RangeError,
        `Cannot read in pieces as 'chunkSize()' must be an integer of at least 1: received ${bad}`,
      );
    }, { chunkSize: () => bad })();
  }
  await withPair(async ([, writer], [reader]) => {
    writer.write("hello");
    await assertRejects(() => reader.read(1), SyntaxError, "mine");
  }, {
    chunkSize: () => {
      throw new SyntaxError("mine");
    },
  })();
});

Deno.test(
  "startTls() is refused, and the connection goes on",
  withPair(async ([, writer], [reader, peer]) => {
    for (const end of [writer, peer]) {
      await assertRejects(
        () => end.startTls({ serverHostname: "localhost" }),
        InvalidStateError,
        "Cannot start TLS as the connection is in memory",
      );
      await assertRejects(
        () => end.startTls(),
        InvalidStateError,
        "in memory",
      );
    }
    writer.write("plain");
    assertEquals(text(await reader.readExactly(5)), "plain");
  }),
);

Deno.test(
  "its address names it, in texts as well",
  withPair(async ([, writer]) => {
    const address = { transport: "unix", path: "memory" } as const;
    assertEquals(writer.getExtraInfo("peername"), address);
    assertEquals(writer.getExtraInfo("sockname"), address);
    assertEquals(String(writer.transport), "<Transport open memory>");
  }),
);

Deno.test(
  "bad options are refused at the call",
  virtual(() => {
    for (const options of [null, 5]) {
      assertThrows(
        () => memoryStreamPair(options as never),
        TypeError,
        "Cannot create a pair of streams as 'options' must be an object",
      );
    }
    for (const name of ["limit", "chunkSize"]) {
      for (const value of ["8", null, {}]) {
        assertThrows(
          () => memoryStreamPair({ [name]: value } as never),
          TypeError,
          `Cannot create a pair of streams as '${name}' must be an integer`,
        );
      }
      for (const value of [0, -1, 1.5, NaN]) {
        assertThrows(
          () => memoryStreamPair({ [name]: value }),
          RangeError,
          `Cannot create a pair of streams as '${name}' must be an integer of at least 1: received ${value}`,
        );
      }
    }
  }),
);

function reportingLoop(): { loop: EventLoop; messages: string[] } {
  const loop = newEventLoop({ clock: new VirtualClock() });
  const messages: string[] = [];
  loop.setExceptionHandler(({ message }) => messages.push(message));
  return { loop, messages };
}

Deno.test("D7 an end that is open when its loop is closed is reported", async () => {
  const { loop, messages } = reportingLoop();
  await run(async () => {
    const [a] = memoryStreamPair();
    a[1].close();
    await a[1].waitClosed();
    memoryStreamPair();
  }, { loop });
  const report = "ResourceWarning: unclosed <Transport open memory>";
  assertEquals(messages, [report, report, report]);
});

Deno.test("nothing is left behind by ends that are closed, or dropped", async () => {
  const { loop, messages } = reportingLoop();
  await run(async () => {
    for (const chunkSize of [undefined, 1]) {
      const options = chunkSize === undefined ? {} : { chunkSize };
      const [a, b] = memoryStreamPair(options);
      a[1].write("unread");
      memoryStreamPair(options)[0][1].write("dropped");
      a[1].close();
      b[1].close();
      await gather([() => a[1].waitClosed(), () => b[1].waitClosed()]);
    }
    assertEquals(allTasks().size, 1);
    assertEquals(getRunningLoop(), loop);
  }, { loop });
  assertEquals(messages.length, 4);
});

Deno.test("a line protocol holds in every order, byte by byte", async () => {
  let runs = 0;
  await exploreSchedules(async () => {
    const store = new Map<string, string>();
    const clients = ["a", "b"].map((name) => async () => {
      const [client, server] = memoryStreamPair({ chunkSize: 1 });
      const serving = createTask(() => serve(store, ...server));
      const answers = await ask(client, [`put ${name} 1`, `get ${name}`]);
      assertEquals(answers, ["ok", "1"]);
      await serving;
    });
    await gather(clients);
    runs++;
  }, { runs: 25 });
  assertEquals(runs, 25);
});

Deno.test("exploreSchedules() lets bytes of two connections come in either order", async () => {
  const seen = new Set<string>();
  const race = async () => {
    const store = new Map<string, string>();
    const ends = ["one", "two"].map((value) => {
      const [client, server] = memoryStreamPair();
      const serving = createTask(() => serve(store, ...server));
      return { client, serving, value };
    });
    await sleep(1);
    await gather(ends.map(({ client, value, serving }) => async () => {
      await ask(client, [`put x ${value}`]);
      await serving;
    }));
    seen.add(store.get("x")!);
    assertEquals(store.get("x"), "two");
  };
  await assertRejects(() => exploreSchedules(race), ScheduleError);
  assertEquals([...seen].sort(), ["one", "two"]);
});
