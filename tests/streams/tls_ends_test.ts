/** How a TLS connection ends, and what its streams say of that. */
import {
  ConnectionResetError,
  openConnection,
  run,
  SSLError,
  startServer,
  type StreamReader,
  type StreamWriter,
} from "@asyncio/asyncio";
import { assertEquals, assertRejects } from "@std/assert";
import { CA, CERT, KEY } from "../_support/certificates.ts";
import {
  connectRaw,
  deferred,
  LOCAL,
  openSockets,
  serveRaw,
  shut,
  text,
  turns,
  until,
} from "../_support/net.ts";
import { type End, TlsPeer } from "../_support/tls_peer.ts";

const TLS = { cert: CERT, key: KEY };
const TRUST = { caCerts: [CA], serverHostname: "localhost" };

type Use = (
  peer: TlsPeer,
  reader: StreamReader,
  writer: StreamWriter,
) => Promise<void>;

/** Our client, and a peer that is the server. */
async function asClient(use: Use): Promise<void> {
  const accepted = deferred<TlsPeer>();
  const server = await serveRaw((raw) =>
    accepted.resolve(new TlsPeer(raw, "server"))
  );
  const [reader, writer] = await openConnection({
    ...LOCAL,
    port: server.port,
    tls: TRUST,
  });
  const peer = await accepted.promise;
  await peer.ready;
  await use(peer, reader, writer);
  await server.close();
}

/** Our server, and a peer that is the client. */
async function asServer(use: Use): Promise<void> {
  const accepted = deferred<[StreamReader, StreamWriter]>();
  const server = await startServer((reader, writer) => {
    accepted.resolve([reader, writer]);
  }, { ...LOCAL, tls: TLS });
  const peer = new TlsPeer(await connectRaw(server.port), "client");
  await peer.ready;
  const [reader, writer] = await accepted.promise;
  await use(peer, reader, writer);
  peer.raw.destroy();
  await shut(server);
}

interface Meaning {
  readonly error: typeof SSLError | typeof ConnectionResetError | null;
  readonly isClean: boolean;
}

const TABLE: Readonly<Record<End, Meaning>> = {
  "close notify": { error: null, isClean: true },
  FIN: { error: null, isClean: false },
  RST: { error: ConnectionResetError, isClean: false },
  alert: { error: SSLError, isClean: false },
  "corrupt record": { error: SSLError, isClean: false },
};

for (const [end, { error, isClean }] of Object.entries(TABLE)) {
  for (const state of ["idle", "unread data", "unsent data"]) {
    const use: Use = async (peer, reader, writer) => {
      assertEquals(writer.getExtraInfo("tlsCleanEnd"), null);
      if (state === "unread data") await peer.send("hello");
      if (state === "unsent data") {
        peer.stopReading();
        writer.write(new Uint8Array(8_000_000));
        await turns(5);
      }
      peer.end(end as End);
      await until(() => writer.isClosing(), "the end");
      if (state === "unsent data") peer.goOnReading();
      if (error === null) {
        const expected = state === "unread data" ? "hello" : "";
        assertEquals(text(await reader.read()), expected);
      } else await assertRejects(() => reader.read(), error);
      assertEquals(writer.getExtraInfo("tlsCleanEnd"), isClean);
      writer.close();
      if (error === null) await writer.waitClosed();
      else await assertRejects(() => writer.waitClosed(), error);
    };
    const outcome = error === null
      ? `${isClean ? "a clean" : "an"} end`
      : error.name;
    Deno.test(`TLS, ${end} with ${state}: ${outcome}, on both sides`, async () => {
      await run(async () => {
        const before = openSockets();
        await asClient(use);
        await asServer(use);
        await until(() => openSockets() <= before, "the end of all sockets");
      });
    });
  }
}

Deno.test("what is written before the peer's goodbye still arrives", async () => {
  await run(async () => {
    await asServer(async (peer, _reader, writer) => {
      peer.stopReading();
      writer.write(new Uint8Array(8_000_000));
      peer.end("close notify");
      await until(() => writer.isClosing(), "the end");
      peer.goOnReading();
      await until(() => peer.size === 8_000_000, "all of it");
      await until(() => peer.hasEnded, "the goodbye");
    });
  });
});

for (const size of [100_000, 1_000_000, 5_000_000]) {
  Deno.test(`TLS: ${size} bytes arrive that were written before close()`, async () => {
    await run(async () => {
      const use: Use = async (peer, _reader, writer) => {
        // What the peer sends is not read: tickets of its handshake, and this.
        await peer.send("unread");
        peer.stopReading();
        writer.write(new Uint8Array(size));
        writer.close();
        await turns(20);
        const closed = writer.waitClosed();
        peer.goOnReading();
        await until(() => peer.size === size && peer.hasEnded, "all of it");
        peer.end("close notify");
        await closed;
        await until(() => peer.raw.readableEnded, "the end below");
      };
      await asClient(use);
      await asServer(use);
    });
  });
}
