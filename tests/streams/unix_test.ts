import {
  createConnection,
  FileNotFoundError,
  openConnection,
  OSError,
  run,
  sendfile,
  startServer,
  type Transport,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertFalse, assertRejects } from "@std/assert";
import {
  builtin,
  connectTo,
  LOCAL,
  Recorder,
  shut,
  temporaryFolder,
  text,
  until,
} from "../_support/net.ts";

/** Reads nothing before it is told to. */
class Paused extends Recorder {
  override connectionMade(transport: Transport): void {
    super.connectionMade(transport);
    transport.pauseReading();
  }
}

Deno.test("Unix sockets carry streams, and their file goes with the server", async () => {
  const { existsSync } = builtin("node:fs");
  const folder = temporaryFolder();
  const path = `${folder.path}/a.sock`;
  await run(async () => {
    const server = await startServer(async (reader, writer) => {
      writer.write(await reader.readLine());
      writer.close();
    }, { path });
    assertEquals(server.sockets, [{ address: { transport: "unix", path } }]);
    assertEquals(server.port, 0);
    const [reader, writer] = await openConnection({ path });
    assertEquals(writer.getExtraInfo("peername"), { transport: "unix", path });
    writer.write("hello\n");
    assertEquals(text(await reader.read()), "hello\n");
    writer.close();
    assert(existsSync(path));
    await server[Symbol.asyncDispose]();
    assertFalse(existsSync(path));
  });
  folder.remove();
});

Deno.test("A Unix peer that has closed both ways ends the stream behind its data", async () => {
  const folder = temporaryFolder();
  const path = `${folder.path}/a.sock`;
  await run(async () => {
    let gone = false;
    const raw = builtin("node:net").createServer((socket) => {
      socket.on("close", () => {
        gone = true;
      });
      socket.end("all of it", () => socket.destroy());
    });
    await new Promise<void>((resolve) => raw.listen(path, resolve));
    const [transport, client] = await createConnection(
      () => new Paused(),
      { path },
    );
    await until(() => gone);
    transport.resumeReading();
    await client.reach("lost");
    assertEquals(client.text, "all of it");
    assertEquals(client.events, ["made", "data", "eof", "lost"]);
    assertEquals(client.error, null);
    await new Promise<void>((resolve) => raw.close(() => resolve()));
  });
  folder.remove();
});

Deno.test("startServer() takes over the socket file of a dead server", async () => {
  const folder = temporaryFolder();
  const path = `${folder.path}/a.sock`;
  builtin("node:child_process").execFileSync("python3", [
    "-c",
    `import socket; socket.socket(socket.AF_UNIX).bind(${
      JSON.stringify(path)
    })`,
  ]);
  await run(async () => {
    await assertRejects(() => openConnection({ path }), Error, "refused");
    const server = await startServer(() => {}, { path });
    const [, writer] = await openConnection({ path });
    writer.close();
    await shut(server);
    await assertRejects(
      () => openConnection({ path }),
      FileNotFoundError,
      "no such file",
    );
  });
  folder.remove();
});

Deno.test("V6 a closed server leaves the socket file of another, and what is no socket", async () => {
  const { existsSync, readFileSync, rmSync, writeFileSync } = builtin(
    "node:fs",
  );
  const folder = temporaryFolder();
  const path = `${folder.path}/a.sock`;
  await run(async () => {
    const old = await startServer(() => {}, { path });
    rmSync(path);
    const young = await startServer((_reader, writer) => {
      writer.write("young");
      writer.close();
    }, { path });
    await shut(old);
    const [reader, writer] = await openConnection({ path });
    assertEquals(text(await reader.read()), "young");
    writer.close();
    rmSync(path);
    writeFileSync(path, "mine");
    await shut(young);
    assertEquals(readFileSync(path, "utf8"), "mine");
    rmSync(path);
    // What is gone is no error.
    const third = await startServer(() => {}, { path });
    rmSync(path);
    await shut(third);
    assertFalse(existsSync(path));
  });
  assertEquals(builtin("node:fs").readdirSync(folder.path), []);
  folder.remove();
});

Deno.test("V6 after close() and waitClosed() of a server its path is free", async () => {
  const folder = temporaryFolder();
  const path = `${folder.path}/a.sock`;
  await run(async () => {
    for (let round = 0; round < 20; round++) {
      const server = await startServer(() => {}, { path });
      server.close();
      await server.waitClosed();
      assertEquals(builtin("node:fs").existsSync(path), false);
    }
  });
  folder.remove();
});

Deno.test("startServer() refuses the path of a server that is alive", async () => {
  const folder = temporaryFolder();
  const path = `${folder.path}/a.sock`;
  await run(async () => {
    const alive = await startServer((_reader, writer) => {
      writer.write("alive");
      writer.close();
    }, { path });
    const error = await assertRejects(
      () => startServer(() => {}, { path }),
      OSError,
      "in use",
    );
    assertEquals(error.code, "EADDRINUSE");
    const [reader, writer] = await openConnection({ path });
    assertEquals(text(await reader.read()), "alive");
    writer.close();
    await shut(alive);
  });
  folder.remove();
});

Deno.test("startServer() refuses the path of a file that is no socket", async () => {
  const { readFileSync, writeFileSync } = builtin("node:fs");
  const folder = temporaryFolder();
  const path = `${folder.path}/notes.txt`;
  writeFileSync(path, "mine");
  await run(async () => {
    const error = await assertRejects(
      () => startServer(() => {}, { path }),
      OSError,
    );
    assertEquals(error.code, "EADDRINUSE");
  });
  assertEquals(readFileSync(path, "utf8"), "mine");
  folder.remove();
});

Deno.test("a Unix socket in a folder that is missing is a FileNotFoundError", async () => {
  const folder = temporaryFolder();
  const path = `${folder.path}/missing/a.sock`;
  await run(async () => {
    await assertRejects(
      () => startServer(() => {}, { path }),
      FileNotFoundError,
    );
    await assertRejects(() => openConnection({ path }), FileNotFoundError);
  });
  folder.remove();
});

Deno.test("sendfile() sends a file, or a part of it", async () => {
  const folder = temporaryFolder();
  const path = `${folder.path}/file`;
  const content = new Uint8Array(1_000_000).map((_, i) => i * 7);
  builtin("node:fs").writeFileSync(path, content);
  await run(async () => {
    const server = await startServer(async (_reader, writer) => {
      assertEquals(await sendfile(writer.transport, path), 1_000_000);
      const options = { offset: 500, count: 100_000 };
      assertEquals(await sendfile(writer.transport, path, options), 100_000);
      writer.close();
    }, LOCAL);
    const [reader, writer] = await connectTo(server);
    assertEquals(await reader.readExactly(1_000_000), content);
    assertEquals(await reader.read(), content.slice(500, 100_500));
    await assertRejects(
      () => sendfile(writer.transport, `${folder.path}/nothing`),
      FileNotFoundError,
    );
    writer.close();
    await shut(server);
  });
  folder.remove();
});

Deno.test("backlog of a Unix socket is honoured, or refused by the runtime's name", async () => {
  const folder = temporaryFolder();
  const path = `${folder.path}/a.sock`;
  await run(async () => {
    const start = () => startServer(() => {}, { path, backlog: 5 });
    if ("Deno" in globalThis) {
      await assertRejects(start, OSError, "Deno takes no 'backlog'");
      assertFalse(builtin("node:fs").existsSync(path));
    } else {
      const server = await start();
      const [, writer] = await openConnection({ path });
      assertEquals(writer.getExtraInfo("noDelay"), null);
      writer.close();
      await shut(server);
    }
  });
  folder.remove();
});
