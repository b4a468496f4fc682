import {
  ConnectionRefusedError,
  createConnection,
  createServer,
  createSubprocessExec,
  FileNotFoundError,
  getRunningLoop,
  openConnection,
  OSError,
  Protocol,
  simulate,
  sleep,
  startServer,
  type Transport,
} from "@asyncio/asyncio";
import { assertEquals, assertRejects } from "@std/assert";
import { deferred, LOCAL, shut, text } from "../_support/net.ts";

/** Notes what it is called with. */
class Notes extends Protocol {
  readonly seen: string[] = [];
  readonly done = deferred<void>();
  transport!: Transport;

  override connectionMade(transport: Transport): void {
    this.transport = transport;
    this.seen.push("made");
  }

  override dataReceived(data: Uint8Array): void {
    this.seen.push(text(data));
  }

  override eofReceived(): boolean | undefined {
    this.seen.push("eof");
    return undefined;
  }

  override connectionLost(error: unknown): void {
    this.seen.push(`lost ${error === null ? "" : (error as Error).name}`);
    this.done.resolve();
  }
}

class Echo extends Protocol {
  #transport!: Transport;

  override connectionMade(transport: Transport): void {
    this.#transport = transport;
  }

  override dataReceived(data: Uint8Array): void {
    this.#transport.write(data);
  }
}

Deno.test("protocols of both ends are called on the simulated network", async () => {
  await simulate(async (sim) => {
    sim.host("echo", async () => {
      const server = await createServer(() => new Echo(), { port: 7 });
      await server.serveForever();
    });
    const [transport, notes] = await createConnection(() => new Notes(), {
      hostname: "echo",
      port: 7,
    });
    transport.write(new TextEncoder().encode("hello"));
    await sleep(10);
    transport.writeEof();
    await notes.done.promise;
    assertEquals(notes.seen, ["made", "hello", "eof", "lost "]);
    assertEquals(transport.getExtraInfo("peername"), {
      transport: "tcp",
      hostname: "10.0.0.2",
      port: 7,
    });
  });
});

Deno.test("a protocol hears of the crash of its peer as of a reset", async () => {
  await simulate(async (sim) => {
    sim.host("echo", async () => {
      const server = await createServer(() => new Echo(), { port: 7 });
      await server.serveForever();
    });
    const [, notes] = await createConnection(() => new Notes(), {
      hostname: "echo",
      port: 7,
    });
    sim.crash("echo");
    await notes.done.promise;
    assertEquals(notes.seen, ["made", "lost ConnectionResetError"]);
  });
});

Deno.test("a Unix socket connects the programs of one host, and takes no time", async () => {
  await simulate(async (sim) => {
    const path = "/run/db.sock";
    sim.host("db", async () => {
      await assertRejects(() => openConnection({ path }), FileNotFoundError);
      const server = await startServer(async (reader, writer) => {
        writer.write(await reader.readLine());
        writer.close();
      }, { path });
      await assertRejects(() => startServer(() => {}, { path }), OSError);
      const [reader, writer] = await openConnection({ path });
      const address = writer.getExtraInfo("peername");
      assertEquals(address, { transport: "unix", path });
      writer.write("hello\n");
      assertEquals(text(await reader.readLine()), "hello\n");
      assertEquals(getRunningLoop().time(), 0);
      writer.close();
      server.close();
      await assertRejects(() => openConnection({ path }), FileNotFoundError);
    });
    await sim.join("db");
    await assertRejects(() => openConnection({ path }), FileNotFoundError);
  });
});

Deno.test("a Unix socket of a host that crashed refuses, and makes room for the next server", async () => {
  await simulate(async (sim) => {
    const path = "/run/db.sock";
    const seen: string[] = [];
    sim.host("db", async () => {
      const refused = await openConnection({ path }).then(() => "", (error) => {
        return (error as Error).name;
      });
      seen.push(refused);
      const server = await startServer((_, writer) => writer.close(), { path });
      const [, writer] = await openConnection({ path });
      writer.close();
      await server.serveForever();
    });
    await sleep(1);
    sim.crash("db");
    sim.restart("db");
    await sleep(1);
    assertEquals(seen, [
      FileNotFoundError.name,
      ConnectionRefusedError.name,
    ]);
  });
});

Deno.test("what reaches past the simulated network is an error that says so", async () => {
  await simulate(async () => {
    const error = await assertRejects(
      () => createSubprocessExec("true"),
      OSError,
      "Cannot start a subprocess as the code runs in a simulation, which has no programs of the system",
    );
    assertEquals(error.code, "ENOTSUP");
  });
});

Deno.test("a real server is out of reach of a simulation, and code beside it reaches it", async () => {
  const server = await startServer((_, writer) => writer.close(), LOCAL);
  const place = { hostname: "127.0.0.1", port: server.port };
  await simulate(async () => {
    await assertRejects(() => openConnection(place), ConnectionRefusedError);
  });
  const [reader, writer] = await openConnection(place);
  assertEquals((await reader.read()).length, 0);
  writer.close();
  await shut(server);
});
