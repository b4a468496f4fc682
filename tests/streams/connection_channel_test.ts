import {
  type ConnectionTrace,
  createSubprocessExec,
  openConnection,
  PIPE,
  run,
  startServer,
  type Transport,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";
import { channel } from "node:diagnostics_channel";
import process from "node:process";
import { CA, CERT, KEY } from "../_support/certificates.ts";
import { heardOn } from "../_support/traces.ts";

const LOCAL = { hostname: "127.0.0.1", port: 0 };

/** Connects to a server once, and waits until both ends are gone. */
async function connectOnce(handle: () => void = () => {}): Promise<void> {
  const server = await startServer(async (reader, writer) => {
    handle();
    await reader.read();
    writer.close();
    await writer.waitClosed();
  }, LOCAL);
  const [, writer] = await openConnection({
    hostname: "127.0.0.1",
    port: server.port,
  });
  writer.close();
  await writer.waitClosed();
  await server[Symbol.asyncDispose]();
}

Deno.test("asyncio:connection tells of both ends of a connection", async () => {
  const heard = await heardOn<ConnectionTrace>(
    "asyncio:connection",
    () => run(() => connectOnce()),
  );
  for (const side of ["client", "server"]) {
    const ofSide = heard.filter(({ message }) => message.side === side);
    assertEquals(
      ofSide.map(({ event }) => event),
      ["start", "end", "asyncStart", "asyncEnd"],
      side,
    );
    const messages = new Set(ofSide.map(({ message }) => message));
    assertEquals(messages.size, 1);
    const [{ transport }] = [...messages] as [ConnectionTrace];
    assert(transport.getExtraInfo("peername") !== null);
  }
});

Deno.test("asyncio:connection tells with what a connection was lost", async () => {
  const heard = await heardOn<ConnectionTrace>(
    "asyncio:connection",
    () =>
      run(async () => {
        const server = await startServer((_reader, writer) => {
          writer.transport.abort();
        }, LOCAL);
        const [reader, writer] = await openConnection({
          hostname: "127.0.0.1",
          port: server.port,
        });
        await reader.read().catch(() => {});
        writer.close();
        await writer.waitClosed().catch(() => {});
        await server[Symbol.asyncDispose]();
      }),
  );
  const ends = heard.filter(({ event }) => event === "asyncEnd");
  assertEquals(ends.length, 2);
  const failed = heard.filter(({ event }) => event === "error");
  // A system may reset the connection, or only end it.
  for (const { message } of failed) assert(message.error instanceof Error);
  assertEquals(
    failed.length,
    ends.filter(({ message }) => "error" in message).length,
  );
});

Deno.test("a store that is bound to the start of connections is there in the handler", async () => {
  const storage = new AsyncLocalStorage<string>();
  const start = channel("tracing:asyncio:connection:start");
  start.bindStore(storage, (message) => (message as ConnectionTrace).side);
  try {
    const seen: (string | undefined)[] = [];
    await run(() => connectOnce(() => seen.push(storage.getStore())));
    assertEquals(seen, ["server"]);
  } finally {
    start.unbindStore(storage);
  }
});

Deno.test("asyncio:connection tells once of a connection that is encrypted on the way", async () => {
  const transports: Transport[] = [];
  const heard = await heardOn<ConnectionTrace>(
    "asyncio:connection",
    () =>
      run(async () => {
        const server = await startServer(async (reader, writer) => {
          await reader.readLine();
          writer.write("ready\n");
          await writer.startTls({ cert: CERT, key: KEY });
          writer.write(await reader.readLine());
          writer.close();
        }, LOCAL);
        const [reader, writer] = await openConnection({
          hostname: "127.0.0.1",
          port: server.port,
        });
        transports.push(writer.transport);
        writer.write("STARTTLS\n");
        await reader.readLine();
        await writer.startTls({ caCerts: [CA], serverHostname: "localhost" });
        transports.push(writer.transport);
        writer.write("secret\n");
        await reader.readLine();
        writer.close();
        await writer.waitClosed();
        await server[Symbol.asyncDispose]();
      }),
  );
  const ofClient = heard.filter(({ message }) => message.side === "client");
  assertEquals(
    ofClient.map(({ event }) => event),
    ["start", "end", "asyncStart", "asyncEnd"],
  );
  const [before, after] = transports;
  assert(before !== after);
  assertStrictEquals(ofClient[0]!.message.transport, after);
});

Deno.test("asyncio:connection does not tell of the pipes of a process", async () => {
  const heard = await heardOn("asyncio:connection", () =>
    run(async () => {
      const child = await createSubprocessExec(process.execPath, [
        "--version",
      ], { stdout: PIPE });
      const [output] = await child.communicate();
      assert(output!.length > 0);
    }));
  assertEquals(heard, []);
});
