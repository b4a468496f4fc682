import {
  ConnectionAbortedError,
  ConnectionResetError,
  getRunningLoop,
  openConnection,
  type PeerCertificate,
  simulate,
  type Simulation,
  sleep,
  SSLError,
  startServer,
  type StreamWriter,
  type TlsOptions,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  CA,
  CERT,
  KEY,
  STRANGER_CERT,
  STRANGER_KEY,
} from "../_support/certificates.ts";
import { text } from "../_support/net.ts";

const PORT = 443;
const TLS = { cert: CERT, key: KEY };

/** A host with a name of the certificate, which gives each line back. */
function addEcho(
  sim: Simulation,
  tls: TlsOptions | undefined,
  seen: StreamWriter[] = [],
): void {
  sim.host("other.test", async () => {
    const server = await startServer(async (reader, writer) => {
      seen.push(writer);
      for await (const line of reader) writer.write(line);
      writer.close();
    }, { port: PORT, ...(tls && { tls }) });
    await server.serveForever();
  });
}

const connect = (tls: TlsOptions | true, hostname = "other.test") =>
  openConnection({ hostname, port: PORT, tls });

Deno.test("TLS in a simulation checks the server's name and its authority, and tells them", async () => {
  await simulate(async (sim) => {
    addEcho(sim, TLS);
    const [reader, writer] = await connect({ caCerts: [CA] });
    // There and back for TCP, and once more for the handshake.
    assertEquals(getRunningLoop().time(), 40);
    const found = writer.getExtraInfo("peercert") as PeerCertificate;
    assertEquals(found.subject, { CN: "localhost" });
    assertEquals(found.issuer, { CN: "asyncio test CA" });
    assertEquals(found.validTo.getUTCFullYear(), 2126);
    assertEquals(found.raw[0], 0x30);
    writer.write("hello\n");
    assertEquals(text(await reader.readLine()), "hello\n");
    const lines = `${"x".repeat(4999)}\n`.repeat(40);
    writer.write(lines);
    assertEquals(text(await reader.readExactly(lines.length)), lines);
    writer.close();
    await writer.waitClosed();
    assertEquals(writer.getExtraInfo("tlsCleanEnd"), true);
  }, { latency: 10 });
});

const REFUSED: Record<string, [TlsOptions | true, string?]> = {
  "nobody trusts": [true],
  "is for other names": [{ caCerts: [CA], serverHostname: "wrong.test" }],
  "is not for its address": [{ caCerts: [CA] }, "10.0.0.2"],
};
for (const [what, [tls, hostname]] of Object.entries(REFUSED)) {
  Deno.test(`TLS in a simulation refuses a certificate that ${what}`, async () => {
    await simulate(async (sim) => {
      const seen: StreamWriter[] = [];
      addEcho(sim, TLS, seen);
      const error = await assertRejects(
        () => connect(tls, hostname),
        SSLError,
        "Cannot secure the connection",
      );
      assertEquals(error.code, "ERR_TLS");
      assertEquals(seen, []);
      // The server goes on.
      const [, writer] = await connect({ caCerts: [CA] });
      writer.close();
    });
  });
}

Deno.test("TLS in a simulation refuses a peer that speaks none, on either side", async () => {
  await simulate(async (sim) => {
    const seen: StreamWriter[] = [];
    addEcho(sim, TLS, seen);
    const [reader, plain] = await openConnection({
      hostname: "other.test",
      port: PORT,
    });
    plain.write("GET / HTTP/1.1\r\n");
    await reader.read().catch((error) => {
      assert(error instanceof ConnectionResetError);
    });
    plain.close();
    assertEquals(seen, []);
  });
  await simulate(async (sim) => {
    sim.host("other.test", async () => {
      const server = await startServer((_, writer) => {
        writer.write("220 ready\n");
      }, { port: PORT });
      await server.serveForever();
    });
    await assertRejects(() => connect({ caCerts: [CA] }), SSLError, "version");
  });
});

Deno.test("TLS in a simulation lets only those clients in whose certificates it trusts", async () => {
  await simulate(async (sim) => {
    const seen: StreamWriter[] = [];
    addEcho(sim, { ...TLS, requestCert: true, caCerts: [CA] }, seen);
    const [reader, writer] = await connect({ caCerts: [CA], ...TLS });
    writer.write("hello\n");
    assertEquals(text(await reader.readLine()), "hello\n");
    const shown = seen[0]!.getExtraInfo("peercert") as PeerCertificate;
    assertEquals(shown.subject, { CN: "localhost" });
    writer.close();
    const stranger = { cert: STRANGER_CERT, key: STRANGER_KEY };
    for (const own of [{}, stranger]) {
      const [reader, writer] = await connect({ caCerts: [CA], ...own });
      const outcome = await reader.readLine().then(text, (error) => error);
      assert(outcome !== "hello\n");
      writer.close();
    }
    assertEquals(seen.length, 1);
  });
});

Deno.test("TLS in a simulation agrees on a protocol", async () => {
  await simulate(async (sim) => {
    addEcho(sim, { ...TLS, alpnProtocols: ["h2", "http/1.1"] });
    const agreed = async (alpnProtocols: string[]) => {
      const [, writer] = await connect({ caCerts: [CA], alpnProtocols });
      writer.close();
      return writer.getExtraInfo("alpnProtocol");
    };
    assertEquals(await agreed(["http/1.1", "h2"]), "h2");
    assertEquals(await agreed(["http/1.1"]), "http/1.1");
    assertEquals(await agreed([]), null);
    await assertRejects(() => agreed(["gopher"]), SSLError, "protocol");
  });
});

Deno.test("startTls() in a simulation goes on over a connection in use", async () => {
  await simulate(async (sim) => {
    sim.host("other.test", async () => {
      const server = await startServer(async (reader, writer) => {
        assertEquals(text(await reader.readLine()), "STARTTLS\n");
        writer.write("go\n");
        await writer.drain();
        await writer.startTls(TLS);
        writer.write(await reader.readLine());
        writer.close();
      }, { port: PORT });
      await server.serveForever();
    });
    const [reader, writer] = await openConnection({
      hostname: "other.test",
      port: PORT,
    });
    writer.write("STARTTLS\n");
    assertEquals(text(await reader.readLine()), "go\n");
    await writer.startTls({ caCerts: [CA] });
    writer.write("hello\n");
    assertEquals(text(await reader.readLine()), "hello\n");
    writer.close();
  });
});

Deno.test("a handshake in a simulation that takes too long is given up", async () => {
  await simulate(async (sim) => {
    sim.host("other.test", async () => {
      const server = await startServer(() => sleep(1e9), { port: PORT });
      await server.serveForever();
    });
    await assertRejects(
      () => connect({ caCerts: [CA], handshakeTimeout: 500 }),
      ConnectionAbortedError,
      "took longer than 500 ms",
    );
    assertEquals(getRunningLoop().time(), 502);
  });
});

Deno.test("a server in a simulation needs a key that is that of its certificate", async () => {
  await simulate(async () => {
    await assertRejects(
      () => startServer(() => {}, { tls: { cert: CERT, key: STRANGER_KEY } }),
      SSLError,
      "The key is not that of the certificate",
    );
  });
});
