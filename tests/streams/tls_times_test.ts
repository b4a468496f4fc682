import {
  createConnection,
  createServer,
  openConnection,
  Protocol,
  run,
  simulate,
  startServer,
  startTls,
  type StreamWriter,
  type TlsOptions,
} from "@asyncio/asyncio";
import { assertEquals, assertRejects } from "@std/assert";
import { CA, CERT, KEY } from "../_support/certificates.ts";
import { connectTo, LOCAL, serveRaw, shut, text } from "../_support/net.ts";

const TLS = { cert: CERT, key: KEY };
const TRUST = { caCerts: [CA], serverHostname: "localhost" };

/** All that takes the times of TLS; each is refused before it does anything. */
const TAKERS_OF_TLS: Readonly<
  Record<string, (tls: TlsOptions, writer: StreamWriter) => Promise<unknown>>
> = {
  openConnection: (tls) => openConnection({ port: 1, tls }),
  createConnection: (tls) =>
    createConnection(() => new Protocol(), { port: 1, tls }),
  startServer: (tls) =>
    startServer(() => {}, { ...LOCAL, tls: { ...TLS, ...tls } }),
  createServer: (tls) =>
    createServer(() => new Protocol(), { ...LOCAL, tls: { ...TLS, ...tls } }),
  startTls: (tls, writer) =>
    startTls(writer.transport, new Protocol(), { ...TRUST, ...tls }),
  "startTls of a server": (tls, writer) =>
    startTls(writer.transport, new Protocol(), {
      ...TLS,
      ...tls,
      serverSide: true,
    }),
  "StreamWriter.startTls": (tls, writer) =>
    writer.startTls({ ...TRUST, ...tls }),
};

Deno.test("a time of TLS that is not above 0 is refused wherever it is taken", async () => {
  await run(async () => {
    const server = await serveRaw((socket) => socket.resume());
    const [, writer] = await connectTo(server);
    for (const [taker, call] of Object.entries(TAKERS_OF_TLS)) {
      for (const name of ["handshakeTimeout", "shutdownTimeout"]) {
        for (const ms of [0, -1, -Infinity]) {
          await assertRejects(
            () => call({ [name]: ms }, writer),
            RangeError,
            `'tls.${name}' must be above 0: received ${ms}`,
            taker,
          );
        }
        await assertRejects(() => call({ [name]: NaN }, writer), RangeError);
        for (const value of ["1", null, 1n]) {
          await assertRejects(
            () => call({ [name]: value as never }, writer),
            TypeError,
            `'tls.${name}' must be a number of milliseconds: received `,
          );
        }
      }
    }
    assertEquals(writer.isClosing(), false);
    writer.close();
    await writer.waitClosed();
    await server.close();
  });
});

Deno.test("a time of TLS may be longer than any timer of the host, or endless", async () => {
  for (const ms of [1e12, Infinity]) {
    const times = { handshakeTimeout: ms, shutdownTimeout: ms };
    await run(async () => {
      const server = await startServer(async (reader, writer) => {
        writer.write(await reader.readExactly(5));
        writer.close();
      }, { ...LOCAL, tls: { ...TLS, ...times } });
      const [reader, writer] = await openConnection({
        ...LOCAL,
        port: server.port,
        tls: { ...TRUST, ...times },
      });
      writer.write("hello");
      assertEquals(text(await reader.read()), "hello");
      writer.close();
      await writer.waitClosed();
      assertEquals(writer.getExtraInfo("tlsCleanEnd"), true);
      await shut(server);
    });
  }
});

Deno.test("an endless time of TLS holds up no simulation", async () => {
  const times = { handshakeTimeout: Infinity, shutdownTimeout: Infinity };
  await simulate(async () => {
    const server = await startServer((_reader, writer) => {
      writer.write("hello");
      writer.close();
    }, { ...LOCAL, tls: { ...TLS, ...times } });
    const [reader, writer] = await openConnection({
      ...LOCAL,
      port: server.port,
      tls: { ...TRUST, ...times },
    });
    assertEquals(text(await reader.read()), "hello");
    writer.close();
    await writer.waitClosed();
    await shut(server);
  });
});
