/** Certificates of both sides, names, and the options of TLS. */
import {
  ConnectionResetError,
  createConnection,
  createServer,
  openConnection,
  type PeerCertificate,
  run,
  SSLError,
  startServer,
  startTls,
  type StartTlsOptions,
  type StreamWriter,
  type Transport,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  CA,
  CERT,
  KEY,
  SELF_SIGNED_CERT,
  SELF_SIGNED_KEY,
  STRANGER_CERT,
  STRANGER_KEY,
} from "../_support/certificates.ts";
import {
  bytes,
  connectRaw,
  connectTo,
  deferred,
  LOCAL,
  openSockets,
  Recorder,
  shut,
  temporaryFolder,
  text,
  until,
} from "../_support/net.ts";

const TLS = { cert: CERT, key: KEY };
const TRUST = { caCerts: [CA], serverHostname: "localhost" };

Deno.test("a certificate that openssl req -x509 signs with itself is one for 'caCerts'", async () => {
  await run(async () => {
    await using server = await startServer((_reader, writer) => {
      writer.write("hello");
      writer.close();
    }, { ...LOCAL, tls: { cert: SELF_SIGNED_CERT, key: SELF_SIGNED_KEY } });
    const [reader, writer] = await openConnection({
      ...LOCAL,
      port: server.port,
      tls: { caCerts: [SELF_SIGNED_CERT], serverHostname: "localhost" },
    });
    assertEquals(text(await reader.read()), "hello");
    writer.close();
  });
});

Deno.test("a client knows the server's certificate as 'peercert'", async () => {
  await run(async () => {
    const server = await startServer(() => {}, { ...LOCAL, tls: TLS });
    const [, writer] = await openConnection({
      ...LOCAL,
      port: server.port,
      tls: TRUST,
    });
    const found = writer.getExtraInfo("peercert") as PeerCertificate;
    assertEquals(found.subject, { CN: "localhost" });
    assertEquals(found.issuer, { CN: "asyncio test CA" });
    assertEquals(
      found.subjectAltName,
      "DNS:localhost, DNS:other.test, IP Address:127.0.0.1",
    );
    assertEquals(found.validFrom.toISOString(), "2026-11-22T19:54:04.000Z");
    assertEquals(found.validTo.getUTCFullYear(), 2126);
    assertEquals(
      found.serialNumber,
      "30C307E80B6382EAD5B5C2FD8C7D64C297C17CE2",
    );
    assert(found.fingerprint256.startsWith("30:29:73:8B:"));
    assertEquals(found.raw[0], 0x30);
    assertEquals(writer.getExtraInfo("peername"), {
      transport: "tcp",
      hostname: "127.0.0.1",
      port: server.port,
    });
    assert(writer.getExtraInfo("sockname") !== null);
    writer.transport.abort();
    await shut(server);
  });
});

Deno.test("a server with 'requestCert' knows its clients by their certificates", async () => {
  await run(async () => {
    const served = deferred<StreamWriter>();
    const server = await startServer((_reader, writer) => {
      served.resolve(writer);
    }, { ...LOCAL, tls: { ...TLS, requestCert: true, caCerts: [CA] } });
    const [, writer] = await openConnection({
      ...LOCAL,
      port: server.port,
      tls: { ...TRUST, ...TLS },
    });
    const found = (await served.promise).getExtraInfo(
      "peercert",
    ) as PeerCertificate;
    assertEquals(found.subject, { CN: "localhost" });
    writer.transport.abort();
    await shut(server);
  });
});

const NOT_TRUSTED = {
  "no certificate": {},
  "one of a stranger": { cert: STRANGER_CERT, key: STRANGER_KEY },
};
for (const [what, own] of Object.entries(NOT_TRUSTED)) {
  Deno.test(`a server with 'requestCert' lets no client in that shows ${what}`, async () => {
    await run(async () => {
      const before = openSockets();
      let made = 0;
      const server = await startServer(() => {
        made++;
      }, { ...LOCAL, tls: { ...TLS, requestCert: true, caCerts: [CA] } });
      // With TLS 1.3 the client is through before the server looks at it.
      let outcome: unknown;
      try {
        const [reader, writer] = await openConnection({
          ...LOCAL,
          port: server.port,
          tls: { ...TRUST, ...own },
        });
        await reader.read().catch((error) => outcome = error);
        outcome ??= writer.getExtraInfo("tlsCleanEnd");
        writer.transport.abort();
      } catch (error) {
        outcome = error;
      }
      const isRefused = outcome === false || outcome instanceof SSLError ||
        outcome instanceof ConnectionResetError;
      assert(isRefused, String(outcome));
      assertEquals(made, 0);
      await shut(server);
      await until(() => openSockets() <= before, "the end of all sockets");
    });
  });
}

Deno.test("startTls() of a server asks for certificates as well", async () => {
  await run(async () => {
    const outcome = deferred<unknown>();
    const server = await startServer(async (reader, writer) => {
      await reader.readLine();
      writer.write("go\n");
      const tls = { ...TLS, requestCert: true, caCerts: [CA] };
      await writer.startTls(tls).then(
        () => outcome.resolve(writer.getExtraInfo("peercert")),
        outcome.resolve,
      );
    }, LOCAL);
    const [reader, writer] = await connectTo(server);
    writer.write("STARTTLS\n");
    await reader.readLine();
    await writer.startTls({ ...TRUST, ...TLS });
    const found = await outcome.promise as PeerCertificate;
    assertEquals(found.subject, { CN: "localhost" });
    writer.transport.abort();
    await shut(server);
  });
});

Deno.test("a key that is not that of its certificate is an SSLError, on all sides", async () => {
  await run(async () => {
    const before = openSockets();
    const wrong = { cert: CERT, key: STRANGER_KEY };
    await assertRejects(
      () => startServer(() => {}, { ...LOCAL, tls: wrong }),
      SSLError,
      "Cannot use the certificates",
    );
    await assertRejects(
      () => startServer(() => {}, { ...LOCAL, tls: { cert: "x", key: "y" } }),
      SSLError,
    );
    const server = await startServer(() => {}, { ...LOCAL, tls: TLS });
    const place = { ...LOCAL, port: server.port };
    await assertRejects(
      () => openConnection({ ...place, tls: { ...TRUST, ...wrong } }),
      SSLError,
    );
    const [, writer] = await openConnection(place);
    await assertRejects(
      () => writer.startTls({ ...TRUST, ...wrong }),
      SSLError,
    );
    await shut(server);
    await until(() => openSockets() <= before, "the end of all sockets");
  });
});

Deno.test("an authority that is no certificate is an SSLError, on all sides", async () => {
  const server = await startServer((_reader, writer) => writer.close(), {
    ...LOCAL,
    tls: TLS,
  });
  for (const wrong of ["", "garbage", KEY, CA.slice(0, 300)]) {
    const caCerts = [CA, wrong];
    const client = { ...TRUST, caCerts };
    for (
      const call of [
        () => openConnection({ ...LOCAL, port: server.port, tls: client }),
        () =>
          startServer(() => {}, {
            tls: { ...TLS, requestCert: true, caCerts },
          }),
      ]
    ) {
      await assertRejects(call, SSLError, "Cannot use the certificates");
    }
  }
  const bundle = { ...TRUST, caCerts: [`# Ours\n${STRANGER_CERT}\n${CA}`] };
  const [, writer] = await openConnection({
    ...LOCAL,
    port: server.port,
    tls: bundle,
  });
  writer.close();
  await shut(server);
});

Deno.test("names of ALPN that have no place on the wire are refused at the call", async () => {
  for (const name of ["", "x".repeat(256), "\u00e4".repeat(128)]) {
    for (
      const call of [
        () => startServer(() => {}, { tls: { ...TLS, alpnProtocols: [name] } }),
        () => openConnection({ port: 1, tls: { alpnProtocols: ["a", name] } }),
      ]
    ) {
      await assertRejects(
        call,
        RangeError,
        "each of 'tls.alpnProtocols' must be of 1 to 255 bytes: received one of",
      );
    }
  }
});

Deno.test("TLS options for the other side are refused by name", async () => {
  await run(async () => {
    const cases: [() => Promise<unknown>, string][] = [
      [
        () => startServer(() => {}, { tls: { ...TLS, requestCert: true } }),
        "'tls.requestCert' needs the authorities of the clients in 'tls.caCerts'",
      ],
      [
        () => startServer(() => {}, { tls: { ...TLS, caCerts: [CA] } }),
        "'tls.caCerts' of a server needs 'tls.requestCert'",
      ],
      [
        () => startServer(() => {}, { tls: { ...TLS, serverHostname: "x" } }),
        "'tls.serverHostname' is for a client",
      ],
      [
        () => openConnection({ port: 1, tls: { requestCert: true } }),
        "'tls.requestCert' is for a server",
      ],
      [
        () => openConnection({ port: 1, tls: { requestCert: 1 as never } }),
        "'tls.requestCert' must be a boolean",
      ],
      [
        () =>
          openConnection({ port: 1, tls: { handshakeTimeout: "1" as never } }),
        "'tls.handshakeTimeout'",
      ],
    ];
    for (const [call, message] of cases) {
      await assertRejects(call, TypeError, message);
    }
    await assertRejects(
      () => openConnection({ port: 1, tls: { shutdownTimeout: NaN } }),
      RangeError,
      "'tls.shutdownTimeout'",
    );
  });
});

Deno.test("TLS works over a Unix socket, with the name of the server given", async () => {
  await run(async () => {
    const folder = temporaryFolder();
    const path = `${folder.path}/socket`;
    const server = await startServer(async (reader, writer) => {
      writer.write(await reader.readLine());
      writer.close();
    }, { path, tls: TLS });
    const [reader, writer] = await openConnection({ path, tls: TRUST });
    writer.write("hello\n");
    assertEquals(text(await reader.read()), "hello\n");
    assertEquals(writer.getExtraInfo("peername"), { transport: "unix", path });
    writer.close();
    await writer.waitClosed();
    await assertRejects(
      () => openConnection({ path, tls: { caCerts: [CA] } }),
      TypeError,
      "'serverHostname' must be given",
    );
    await shut(server);
    folder.remove();
  });
});

Deno.test("startTls() goes by the hostname of openConnection(), if no other is given", async () => {
  await run(async () => {
    const server = await startServer(async (_reader, writer) => {
      await writer.startTls(TLS).catch(() => {});
    }, LOCAL);
    for (const tls of [{ caCerts: [CA] }, TRUST]) {
      // deno-lint-ignore no-await-in-loop -- one connection after the other
      const [, writer] = await openConnection({
        hostname: "localhost",
        family: 4,
        port: server.port,
      });
      // deno-lint-ignore no-await-in-loop -- as above
      await writer.startTls(tls);
      assertEquals(writer.getExtraInfo("tls"), true);
      writer.transport.abort();
    }
    await shut(server);
  });
});

Deno.test("startTls() refuses wrong arguments at the call, and the connection goes on", async () => {
  const peer = new Recorder();
  const server = await createServer(() => peer, LOCAL);
  const [transport, protocol] = await createConnection(() => new Recorder(), {
    ...LOCAL,
    port: server.port,
  });
  const cases: [unknown, unknown, unknown, string][] = [
    [{}, protocol, TRUST, "'transport' must be a Transport"],
    [transport, {}, TRUST, "its protocol must be a Protocol"],
    [transport, protocol, { received: "x" }, "'received' must be an array of"],
    [transport, protocol, { received: ["x"] }, "'received[0]' must be a Uint8"],
  ];
  for (const [of, to, options, message] of cases) {
    await assertRejects(
      () =>
        startTls(of as Transport, to as Recorder, options as StartTlsOptions),
      TypeError,
      `Cannot start TLS as ${message}`,
    );
  }
  transport.write(bytes("!"));
  await until(() => peer.text === "!", "what was written");
  transport.close();
  await shut(server);
});

Deno.test("startTls() sends first what was written before, whatever its size", async () => {
  await run(async () => {
    const size = 3_000_000;
    const upgraded = deferred<void>();
    const server = await createServer(
      () =>
        new class extends Recorder {
          override dataReceived(data: Uint8Array): void {
            super.dataReceived(data);
            if (this.size < size || this.inner !== null) return;
            const inner = this.inner = new Recorder();
            // The handshake may have begun right behind it.
            const received = [data.subarray(data.length - (this.size - size))];
            const options = { ...TLS, serverSide: true, received };
            startTls(this.transport, inner, options)
              .then((secured) => {
                secured.write(bytes("secret"));
                upgraded.resolve();
              });
          }
          inner: Recorder | null = null;
        }(),
      LOCAL,
    );
    const [transport] = await createConnection(() => new Recorder(), {
      hostname: "localhost",
      family: 4,
      port: server.port,
    });
    transport.write(new Uint8Array(size));
    const inner = new Recorder();
    const secured = await startTls(transport, inner, { caCerts: [CA] });
    await upgraded.promise;
    await until(() => inner.text === "secret");
    secured.abort();
    await shut(server);
  });
});

Deno.test("startTls() refuses a connection that is lost while it waits to send", async () => {
  await run(async () => {
    const accepted = deferred<void>();
    const server = await startServer((_reader, writer) => {
      writer.transport.pauseReading();
      accepted.resolve();
    }, LOCAL);
    const [transport] = await createConnection(() => new Recorder(), {
      ...LOCAL,
      port: server.port,
    });
    await accepted.promise;
    transport.write(new Uint8Array(50_000_000));
    const started = startTls(transport, new Recorder(), TRUST);
    transport.abort();
    await assertRejects(() => started, Error, "Cannot start TLS");
    (await connectRaw(server.port)).destroy();
    await shut(server);
  });
});
