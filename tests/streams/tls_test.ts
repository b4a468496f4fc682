import {
  createConnection,
  createServer,
  openConnection,
  Protocol,
  run,
  SSLError,
  startServer,
  startTls,
  type Transport,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { CA, CERT, KEY } from "../_support/certificates.ts";
import {
  builtin,
  bytes,
  connectRaw,
  connectTo,
  LOCAL,
  openSockets,
  Recorder,
  shut,
  text,
  turns,
  until,
} from "../_support/net.ts";

const TLS = { cert: CERT, key: KEY };
const TRUST = { caCerts: [CA], serverHostname: "localhost" };

Deno.test("TLS carries a stream both ways, and large messages", async () => {
  await run(async () => {
    const server = await startServer(async (reader, writer) => {
      writer.write(await reader.readExactly(3_000_000));
      await writer.drain();
      writer.close();
    }, { ...LOCAL, tls: TLS });
    const [reader, writer] = await openConnection({
      ...LOCAL,
      port: server.port,
      tls: TRUST,
    });
    const sent = new Uint8Array(3_000_000).map((_, i) => i * 31);
    writer.write(sent);
    assertEquals(writer.canWriteEof(), false);
    assertEquals(writer.getExtraInfo("tls"), true);
    assertEquals(await reader.readExactly(3_000_000), sent);
    assertEquals((await reader.read()).length, 0);
    writer.close();
    await writer.waitClosed();
    await shut(server);
  });
});

Deno.test("TLS agrees on a protocol by ALPN", async () => {
  await run(async () => {
    const seen: unknown[] = [];
    const server = await startServer((_reader, writer) => {
      seen.push(writer.getExtraInfo("alpnProtocol"));
      writer.close();
    }, { ...LOCAL, tls: { ...TLS, alpnProtocols: ["two", "one"] } });
    const [reader, writer] = await openConnection({
      ...LOCAL,
      port: server.port,
      tls: { ...TRUST, alpnProtocols: ["one"] },
    });
    assertEquals(writer.getExtraInfo("alpnProtocol"), "one");
    await reader.read();
    assertEquals(seen, ["one"]);
    writer.close();
    await shut(server);
  });
});

Deno.test("TLS tells the server the name it is asked for (SNI)", async () => {
  const names: string[] = [];
  const { createServer: serve } = builtin("node:tls");
  const server = serve({ ...TLS }, (socket) => {
    names.push(String((socket as { servername?: string }).servername));
    socket.on("error", () => {});
    socket.end("hello");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await run(async () => {
    const [reader, writer] = await openConnection({
      ...LOCAL,
      port,
      tls: { caCerts: [CA], serverHostname: "other.test" },
    });
    assertEquals(text(await reader.read()), "hello");
    writer.close();
    await writer.waitClosed();
  });
  assertEquals(names, ["other.test"]);
  await new Promise<void>((resolve) => server.close(() => resolve()));
});

Deno.test("TLS refuses a certificate it does not trust, or of another name", async () => {
  await run(async () => {
    const server = await startServer(() => {}, { ...LOCAL, tls: TLS });
    const before = openSockets();
    for (
      const tls of [
        { serverHostname: "localhost" },
        { caCerts: [CA], serverHostname: "wrong.test" },
      ]
    ) {
      const error = await assertRejects(
        () => openConnection({ ...LOCAL, port: server.port, tls }),
        SSLError,
        "Cannot secure the connection",
      );
      assertEquals(error.code, "ERR_TLS");
    }
    await until(() => openSockets() <= before, "the end of all sockets");
    // The server goes on.
    const [, writer] = await openConnection({
      ...LOCAL,
      port: server.port,
      tls: TRUST,
    });
    writer.close();
    await shut(server);
  });
});

Deno.test("a TLS server survives a client that speaks nonsense", async () => {
  await run(async () => {
    let made = 0;
    const server = await startServer((_reader, writer) => {
      made++;
      writer.close();
    }, { ...LOCAL, tls: TLS });
    const raw = await connectRaw(server.port);
    raw.on("data", () => {});
    raw.write("GET / HTTP/1.0\r\n\r\n");
    await new Promise((resolve) =>
      raw.once("close", resolve).once("end", resolve)
    );
    raw.destroy();
    const [reader, writer] = await openConnection({
      ...LOCAL,
      port: server.port,
      tls: TRUST,
    });
    await reader.read();
    assertEquals(made, 1);
    writer.close();
    await shut(server);
  });
});

Deno.test("a server closes while a client is in its handshake", async () => {
  await run(async () => {
    const server = await startServer(() => {}, { ...LOCAL, tls: TLS });
    const raw = await connectRaw(server.port);
    await turns(5);
    server.close();
    await server.waitClosed();
    // Deno itself ends such a connection only when the client does.
    raw.destroy();
    await turns(5);
  });
});

/** Says `ready` in the clear, then encrypts. */
class Upgrading extends Protocol {
  transport!: Transport;
  inner = new Recorder();
  override connectionMade(transport: Transport): void {
    this.transport = transport;
  }
  override dataReceived(data: Uint8Array): void {
    assertEquals(text(data), "STARTTLS");
    this.transport.write(bytes("ready"));
    queueMicrotask(async () => {
      while (this.transport.getWriteBufferSize() > 0) await turns();
      const secured = await startTls(this.transport, this.inner, {
        ...TLS,
        serverSide: true,
      });
      secured.write(bytes("secret"));
    });
  }
}

Deno.test("startTls() encrypts a connection in use, on both sides", async () => {
  await run(async () => {
    const upgrading = new Upgrading();
    const server = await createServer(() => upgrading, LOCAL);
    const [transport, client] = await createConnection(() => new Recorder(), {
      ...LOCAL,
      port: server.port,
    });
    transport.write(bytes("STARTTLS"));
    await until(() => client.text === "ready");
    const inner = new Recorder();
    const secured = await startTls(transport, inner, TRUST);
    assert(transport.isClosing());
    assertEquals(secured.getExtraInfo("tls"), true);
    await until(() => inner.text === "secret");
    secured.write(bytes("thanks"));
    await until(() => upgrading.inner.text === "thanks");
    secured.close();
    await inner.reach("lost");
    await upgrading.inner.reach("lost");
    await shut(server);
  });
});

Deno.test("StreamWriter.startTls() encrypts both streams", async () => {
  await run(async () => {
    const server = await startServer(async (reader, writer) => {
      assertEquals(text(await reader.readLine()), "STARTTLS\n");
      writer.write("ready\n");
      await writer.startTls(TLS);
      writer.write(await reader.readLine());
      writer.close();
    }, LOCAL);
    const [reader, writer] = await connectTo(server);
    writer.write("STARTTLS\n");
    assertEquals(text(await reader.readLine()), "ready\n");
    await writer.startTls(TRUST);
    writer.write("secret\n");
    assertEquals(text(await reader.readLine()), "secret\n");
    writer.close();
    await writer.waitClosed();
    await shut(server);
  });
});
