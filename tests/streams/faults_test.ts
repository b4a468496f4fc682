import {
  allTasks,
  createTask,
  getEventLoop,
  IncompleteReadError,
  run,
  simulate,
  sleep,
  startServer,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  builtin,
  connectTo,
  deferred,
  LOCAL,
  openSockets,
  shut,
  text,
  turns,
  until,
} from "../_support/net.ts";

/** Runs `main`, and then nothing of it is left. */
async function leavesNothing(main: () => Promise<void>): Promise<void> {
  const before = openSockets();
  await run(() => leavesNoTask(main));
  await until(() => openSockets() <= before, "the end of all sockets");
}

async function leavesNoTask(main: () => Promise<void>): Promise<void> {
  await main();
  await until(() => allTasks().size === 1, "the end of all tasks");
}

/** Faults that a simulated host has as a real one has, on its loopback. */
const FAULTS: Record<string, () => Promise<void>> = {
  "a peer that vanishes in mid-message is told apart from its end":
    async () => {
      const seen = deferred<Error>();
      const server = await startServer(
        (reader, writer) =>
          reader.readExactly(10).then(() => {}, (error) => {
            seen.resolve(error);
            writer.close();
          }),
        LOCAL,
      );
      const [, peer] = await connectTo(server);
      peer.write("half");
      peer.close();
      const error = await seen.promise;
      assert(error instanceof IncompleteReadError);
      assertEquals(text(error.partial), "half");
      await shut(server);
    },
  "a peer that sends a byte at a time is put together": async () => {
    const server = await startServer(async (reader, writer) => {
      writer.write(await reader.readLine());
      writer.close();
    }, LOCAL);
    const [reader, peer] = await connectTo(server);
    for (const letter of "slowly\n") {
      peer.write(letter);
      await turns();
    }
    assertEquals(text(await reader.read()), "slowly\n");
    peer.close();
    await shut(server);
  },
  "a reader that waits too long goes on afterwards": async () => {
    const server = await startServer(async (reader, writer) => {
      writer.write("par");
      await reader.read(1);
      writer.write("tial\n");
      writer.writeEof();
      await reader.read();
      writer.close();
    }, LOCAL);
    const [reader, writer] = await connectTo(server);
    await assertRejects(
      () => timeout(10, () => reader.readLine()),
      TimeoutError,
    );
    writer.write("go on");
    assertEquals(text(await reader.readLine()), "partial\n");
    writer.close();
    await shut(server);
  },
  "a server closed during a write sends it all the same": async () => {
    const started = deferred<void>();
    const server = await startServer(async (_reader, writer) => {
      writer.write(new Uint8Array(10_000_000));
      started.resolve();
      await writer.drain();
      writer.close();
    }, LOCAL);
    const [reader, writer] = await connectTo(server);
    await started.promise;
    server.close();
    assertEquals((await reader.read()).length, 10_000_000);
    writer.close();
    await server.waitClosed();
  },
  "a handler cancelled in any of its waits leaves nothing": async () => {
    let accepted = 0;
    const server = await startServer(async (reader, writer) => {
      accepted++;
      for (;;) {
        const line = await reader.readLine();
        if (line.length === 0) break;
        writer.write(line);
        writer.write(new Uint8Array(300_000));
        await writer.drain();
      }
      writer.close();
      await writer.waitClosed();
    }, LOCAL);
    for (let wait = 0; wait < 12; wait++) {
      const own = new Set(allTasks());
      const [reader, writer] = await connectTo(server);
      writer.write("a line\n");
      if (wait % 3 === 2) writer.writeEof();
      await until(() => accepted > wait);
      await turns(wait % 4);
      for (const task of allTasks()) if (!own.has(task)) task.cancel();
      while ((await reader.read(65_536).catch(() => "")).length > 0);
      writer.close();
    }
    await shut(server);
  },
  "a client cancelled in any of its waits leaves nothing": async () => {
    const server = await startServer(async (reader, writer) => {
      writer.write(await reader.readLine());
      await reader.read();
      writer.close();
    }, LOCAL);
    for (let wait = 0; wait < 30; wait++) {
      const task = createTask(async () => {
        const [reader, writer] = await connectTo(server);
        try {
          writer.write("hello\n");
          await writer.drain();
          await reader.readLine();
          await reader.read();
        } finally {
          writer.close();
          await writer.waitClosed();
        }
      });
      for (let hop = 0; hop < wait * 3; hop++) await undefined;
      await turns(wait % 3);
      task.cancel();
      await task.catch(() => {});
    }
    await shut(server);
  },
};

for (const [name, fault] of Object.entries(FAULTS)) {
  Deno.test(name, () => leavesNothing(fault));

  Deno.test(`on a simulated host: ${name}`, async () => {
    await simulate(() => leavesNoTask(fault));
  });
}

Deno.test("a server without free descriptors goes on accepting afterwards", async () => {
  const { openSync, closeSync } = builtin("node:fs");
  await leavesNothing(async () => {
    const reports: string[] = [];
    getEventLoop().setExceptionHandler(({ message, error }) => {
      reports.push(`${message}: ${(error as { code: string }).code}`);
    });
    let served = 0;
    const server = await startServer((_reader, writer) => {
      served++;
      writer.close();
    }, LOCAL);
    const client = builtin("node:child_process").spawn("python3", [
      "-u",
      "-c",
      `import socket, sys
for line in sys.stdin:
    c = socket.create_connection(("127.0.0.1", ${server.port}))
    print("connected"); c.settimeout(5)
    try: print("end", c.recv(1))
    except OSError as e: print("lost", e)`,
    ]);
    let output = "";
    client.stdout.on("data", (part) => output += part);
    client.stdin.write("\n");
    await until(() => served === 1);
    const files: number[] = [];
    try {
      for (;;) files.push(openSync("/dev/null", "r"));
    } catch {
      // There are no more.
    }
    client.stdin.write("\n");
    await until(() => output.split("connected").length === 3);
    // Node's host drops such a connection without a word.
    if ("Deno" in globalThis) await until(() => reports.length > 0);
    else await turns(20);
    for (const file of files) closeSync(file);
    client.stdin.write("\n");
    await until(() => served >= 2, "another connection");
    client.stdin.end();
    await new Promise((resolve) => client.once("close", resolve));
    if ("Deno" in globalThis) {
      assertEquals(
        reports[0],
        "The server could not accept a connection and goes on: EMFILE",
      );
    }
    await shut(server);
  });
});

Deno.test("J16 a peer that floods lets timers and other connections through", async () => {
  await run(async () => {
    let received = 0;
    const server = await startServer(async (reader, writer) => {
      for (;;) {
        const data = await reader.read(65_536);
        if (data.length === 0) break;
        if (data.length < 10) writer.write(data);
        received += data.length;
      }
      writer.close();
    }, LOCAL);
    const flood = builtin("node:child_process").spawn("python3", [
      "-c",
      `import socket
c = socket.create_connection(("127.0.0.1", ${server.port}))
data = b"x" * 1000000
try:
    while True: c.sendall(data)
except OSError: pass`,
    ], { stdio: "ignore" });
    await until(() => received > 10_000_000);
    const [reader, writer] = await connectTo(server);
    // Timers and answers, while the flood goes on.
    for (let i = 0; i < 20; i++) {
      await sleep(0.1);
      writer.write("ping");
      assertEquals((await reader.readExactly(4)).length, 4);
    }
    const before = received;
    await until(() => received > before);
    writer.close();
    const gone = new Promise((resolve) => flood.once("close", resolve));
    flood.kill();
    await gone;
    await shut(server);
  });
});
