import {
  ConnectionRefusedError,
  createConnection,
  createTask,
  ExceptionGroup,
  getaddrinfo,
  getnameinfo,
  getRunningLoop,
  openConnection,
  OSError,
  run,
  startServer,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { kernelOf } from "../../loop/kernel.ts";
import { type Network, setNetwork } from "../../streams/network.ts";
import { FakeConnection } from "../_support/fake_connection.ts";
import {
  builtin,
  connectTo,
  freePort,
  LOCAL,
  openSockets,
  Recorder,
  shut,
  text,
  turns,
  until,
} from "../_support/net.ts";

/** A port that answers no one: its line of waiting connections is full. */
async function blackHole(): Promise<
  { port: number; close: () => Promise<void> }
> {
  const server = builtin("node:child_process").spawn("python3", [
    "-u",
    "-c",
    `import socket, sys
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(0)
p = s.getsockname()[1]
cs = []
for _ in range(8):
    c = socket.socket(); c.setblocking(False); c.connect_ex(("127.0.0.1", p)); cs.append(c)
print(p); sys.stdin.read()`,
  ]);
  const port = await new Promise<number>((resolve) =>
    server.stdout.once("data", (line) => resolve(Number(String(line))))
  );
  return {
    port,
    close: () => {
      const closed = new Promise<void>((resolve) =>
        server.once("close", () => resolve())
      );
      server.stdin.end();
      return closed;
    },
  };
}

Deno.test("openConnection() to a closed port is refused (N14)", async () => {
  await run(async () => {
    const error = await assertRejects(
      async () => openConnection({ ...LOCAL, port: await freePort() }),
      ConnectionRefusedError,
      "Cannot connect to 127.0.0.1 port",
    );
    assertEquals(error.code, "ECONNREFUSED");
    assert(error.cause instanceof Error);
    assert(error instanceof OSError);
  });
});

Deno.test("several addresses failing give one combined error (N14)", async () => {
  await run(async () => {
    const port = await freePort();
    const found = await getaddrinfo("localhost", port);
    const options = { hostname: "localhost", port };
    const error = await assertRejects(
      () => openConnection(options),
      ConnectionRefusedError,
    );
    if (found.length < 2) return;
    assert(error.cause instanceof ExceptionGroup);
    assertEquals(error.cause.errors.length, found.length);
    await assertRejects(
      () => openConnection({ ...options, allErrors: true }),
      ExceptionGroup,
    );
  });
});

Deno.test("openConnection() falls back to the family that answers", async () => {
  await run(async () => {
    const server = await startServer((_reader, writer) => {
      writer.write("here");
      writer.close();
    }, LOCAL);
    for (const happyEyeballsDelay of [0, 250, null]) {
      const [reader, writer] = await openConnection({
        hostname: "localhost",
        port: server.port,
        happyEyeballsDelay,
      });
      assertEquals(text(await reader.read()), "here");
      writer.close();
    }
    await shut(server);
  });
});

Deno.test("openConnection() to an unknown name says so", async () => {
  await run(async () => {
    const error = await assertRejects(
      () => openConnection({ hostname: "no.such.invalid", port: 80 }),
      OSError,
      "Cannot look up no.such.invalid",
    );
    assert(["ENOTFOUND", "EAI_AGAIN"].includes(error.code), error.code);
  });
});

Deno.test("a timeout gives up a connection that no one answers", async () => {
  await run(async () => {
    const hole = await blackHole();
    const before = openSockets();
    await assertRejects(
      () => timeout(50, () => connectTo(hole)),
      TimeoutError,
    );
    await until(() => openSockets() <= before, "the end of the attempt");
    await hole.close();
  });
});

Deno.test("an aborted signal gives up a connection, with its reason", async () => {
  await run(async () => {
    const hole = await blackHole();
    const controller = new AbortController();
    const reason = new Error("no longer needed");
    const task = createTask(() =>
      openConnection({ ...LOCAL, port: hole.port, signal: controller.signal })
    );
    await turns(3);
    controller.abort(reason);
    const error = await assertRejects(() => Promise.resolve(task), Error);
    assertEquals(error, reason);
    await hole.close();
  });
});

Deno.test("a cancelled connect leaves no socket, whenever it is cancelled", async () => {
  await run(async () => {
    const server = await startServer(
      (reader, writer) => reader.read().then(() => writer.close()),
      LOCAL,
    );
    const before = openSockets();
    for (let delay = 0; delay < 20; delay++) {
      const task = createTask(async () => {
        const [, writer] = await connectTo(server);
        writer.close();
      });
      for (let i = 0; i < delay; i++) await undefined;
      if (delay % 5 === 4) await turns();
      task.cancel();
      await task.catch(() => {});
    }
    await until(() => openSockets() <= before, "the end of all sockets");
    await shut(server);
  });
});

Deno.test("openConnection() connects from a local address", async () => {
  await run(async () => {
    const server = await startServer((_reader, writer) => {
      const peer = writer.getExtraInfo("peername") as { hostname: string };
      writer.write(peer.hostname);
      writer.close();
    }, LOCAL);
    const [reader, writer] = await openConnection({
      ...LOCAL,
      port: server.port,
      localAddr: { hostname: "127.0.0.9" },
    });
    assertEquals(text(await reader.read()), "127.0.0.9");
    writer.close();
    await shut(server);
  });
});

Deno.test("openConnection() refuses bad arguments at the call", async () => {
  await run(async () => {
    const cases: [object, typeof TypeError | typeof RangeError, string][] = [
      [{}, TypeError, "'port' must be a port number: received undefined"],
      [{ port: 0 }, RangeError, "'port' must be an integer from 1 to 65535"],
      [{ port: 65536 }, RangeError, "received 65536"],
      [{ port: NaN }, RangeError, "received NaN"],
      [{ port: "80" }, TypeError, 'received "80"'],
      [{ port: 80, path: "/x" }, TypeError, "'path' and 'port' exclude"],
      [{ hostname: "a", path: "/x" }, TypeError, "'path' and 'hostname'"],
      [{ path: 3 }, TypeError, "'path' must be a string"],
      [{ hostname: "", port: 80 }, RangeError, "must not be empty"],
      [{ hostname: 4, port: 80 }, TypeError, "'hostname' must be a string"],
      [{ port: 80, limit: 0 }, RangeError, "'limit'"],
      [{ port: 80, limit: -1 }, RangeError, "'limit'"],
      [{ port: 80, limit: "1" }, TypeError, "'limit'"],
      [{ port: 80, family: 5 }, RangeError, "'family'"],
      [{ port: 80, happyEyeballsDelay: NaN }, RangeError, "NaN"],
      [{ port: 80, localAddr: { port: -1 } }, RangeError, "localAddr.port"],
      [{ port: 80, tls: 1 }, TypeError, "'tls' must be true or an object"],
      [{ port: 80, tls: { cert: "x" } }, TypeError, "belong together"],
      [{ port: 80, tls: { caCerts: "x" } }, TypeError, "array of strings"],
    ];
    for (const [options, Kind, message] of cases) {
      await assertRejects(
        () => openConnection(options as never),
        Kind,
        message,
      );
    }
    await assertRejects(
      () => openConnection(80 as never),
      TypeError,
      "'options' must be an object",
    );
    await assertRejects(
      () => createConnection(new Recorder() as never, { port: 80 }),
      TypeError,
      "'protocolFactory' must be a function",
    );
  });
});

Deno.test("getaddrinfo() and getnameinfo() ask the system", async () => {
  await run(async () => {
    assertEquals(await getaddrinfo("::1", 5), [
      { hostname: "::1", port: 5, family: 6 },
    ]);
    const found = await getaddrinfo("localhost", 80, { family: 4 });
    assertEquals(found[0], { hostname: "127.0.0.1", port: 80, family: 4 });
    const names = await getnameinfo({ hostname: "127.0.0.1", port: 1 });
    assert(names.hostname.length > 0);
    await assertRejects(
      () => getnameinfo({ hostname: "localhost", port: 1 }),
      TypeError,
      "must be an IP address",
    );
    await assertRejects(() => getaddrinfo("", 1), RangeError, "empty");
  });
});

Deno.test("getnameinfo() gives the numbers of what has no name, and throws what else is wrong", async () => {
  const dns = builtin("node:dns");
  const { lookupService } = dns;
  const asked: string[] = [];
  const systems: Record<string, string | Error> = {
    "192.0.2.1": Object.assign(new Error(), { code: "ENOTFOUND" }),
    "fe80::1": Object.assign(new Error(), { code: "ENOTFOUND" }),
    "192.0.2.2": Object.assign(new Error(), { code: "EAI_AGAIN" }),
    "127.0.0.1": "localhost",
  };
  const fake = (
    address: string,
    port: number,
    callback: (error: unknown, hostname: string, service: string) => void,
  ) => {
    asked.push(address);
    const known = systems[address];
    if (typeof known === "string") callback(null, known, `service ${port}`);
    else callback(known, "", "");
  };
  dns.lookupService = fake as typeof lookupService;
  try {
    assertEquals(await getnameinfo({ hostname: "192.0.2.1", port: 80 }), {
      hostname: "192.0.2.1",
      service: "service 80",
    });
    assertEquals(await getnameinfo({ hostname: "fe80::1%lo", port: 80 }), {
      hostname: "fe80::1%lo",
      service: "service 80",
    });
    await assertRejects(
      () => getnameinfo({ hostname: "192.0.2.2", port: 80 }),
      OSError,
      "Cannot look up 192.0.2.2 port 80",
    );
    systems["127.0.0.1"] = systems["192.0.2.1"]!;
    assertEquals(await getnameinfo({ hostname: "192.0.2.1", port: 80 }), {
      hostname: "192.0.2.1",
      service: "80",
    });
  } finally {
    dns.lookupService = lookupService;
  }
  assert(!asked.some((address) => address.includes("%")));
});

Deno.test("happyEyeballsDelay without limit waits for the address before", async () => {
  for (const happyEyeballsDelay of [Infinity, 2 ** 40]) {
    await run(async () => {
      const tried: unknown[] = [];
      const host = new FakeConnection();
      const network = {
        names: {
          isIp: () => 0,
          lookup: () =>
            Promise.resolve([
              { address: "192.0.2.1", family: 4 },
              { address: "192.0.2.2", family: 4 },
            ]),
        },
        net: {
          async connect(target: { hostname: string }) {
            tried.push(target.hostname);
            await turns(20);
            return host;
          },
        },
      } as unknown as Network;
      setNetwork(kernelOf(getRunningLoop()), () => network);
      const [transport] = await createConnection(() => new Recorder(), {
        hostname: "two.test",
        port: 80,
        happyEyeballsDelay,
      });
      transport.abort();
      assertEquals(tried, ["192.0.2.1"]);
    });
  }
});
