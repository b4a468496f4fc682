/** TLS with peers of other makes: Python's `ssl`, and OpenSSL's command. */
import { openConnection, run, startServer } from "@asyncio/asyncio";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { CA, CERT, KEY } from "../_support/certificates.ts";
import {
  builtin,
  deferred,
  LOCAL,
  shut,
  temporaryFolder,
  text,
  until,
} from "../_support/net.ts";

const TLS = { cert: CERT, key: KEY };
const TRUST = { caCerts: [CA], serverHostname: "localhost" };

/** Whether a program is there; a test without its peer is skipped. */
function isThere(program: string, args: string[]): boolean {
  const { spawnSync } = builtin("node:child_process");
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}
const hasPython = isThere("python3", ["-c", "import ssl"]);
const hasOpenssl = isThere("openssl", ["version"]);
if (!hasPython) console.log("No python3 with ssl here: its tests are skipped");
if (!hasOpenssl) console.log("No openssl here: its tests are skipped");

/** A program with the certificates in files, and what it says. */
class Peer {
  readonly #folder = temporaryFolder();
  readonly #child: import("node:child_process").ChildProcess;
  readonly #end = deferred<void>();
  output = "";

  constructor(program: string, argsIn: (folder: string) => string[]) {
    const { path } = this.#folder;
    const { writeFileSync } = builtin("node:fs");
    writeFileSync(`${path}/ca.pem`, CA);
    writeFileSync(`${path}/cert.pem`, CERT);
    writeFileSync(`${path}/key.pem`, KEY);
    const { spawn } = builtin("node:child_process");
    this.#child = spawn(program, argsIn(path), {
      stdio: ["pipe", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.on("data", (data: Uint8Array) => {
        this.output += text(data);
      });
    }
    this.#child.once("close", () => this.#end.resolve());
  }

  /** The port that it says it listens on. */
  async port(pattern: RegExp): Promise<number> {
    await until(() => pattern.test(this.output), "the port of the peer");
    return Number(this.output.match(pattern)![1]);
  }

  write(line: string): void {
    this.#child.stdin!.write(line);
  }

  /** All it has said, once it is gone. */
  async ended(): Promise<string> {
    await this.#end.promise;
    this.#folder.remove();
    return this.output;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

/** Reads slowly to the end, from a socket `s`, and says how much. */
const READ_SLOWLY = `
import time
time.sleep(0.1)
got, error = 0, ""
try:
    while True:
        data = s.recv(16384)
        if not data:
            break
        got += len(data)
        if got % 131072 == 0:
            time.sleep(0.005)
except OSError as e:
    error = repr(e)
print(got, error, flush=True)
`;

const SERVE = (folder: string) => `
import socket, ssl
c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
c.load_cert_chain("${folder}/cert.pem", "${folder}/key.pem")
l = socket.create_server(("127.0.0.1", 0))
print(l.getsockname()[1], flush=True)
k, _ = l.accept()
s = c.wrap_socket(k, server_side=True)
`;

const CONNECT = (folder: string, port: number) => `
import socket, ssl
c = ssl.create_default_context(cafile="${folder}/ca.pem")
k = socket.create_connection(("127.0.0.1", ${port}))
s = c.wrap_socket(k, server_hostname="localhost")
s.sendall(b"a question that is not read")
`;

for (const size of [100_000, 1_000_000, 5_000_000]) {
  Deno.test({
    name: `Python's client gets ${size} bytes of a server that closes at once`,
    ignore: !hasPython,
    fn: () =>
      run(async () => {
        const server = await startServer((_reader, writer) => {
          writer.write(new Uint8Array(size));
          writer.close();
        }, { ...LOCAL, tls: TLS });
        const peer = new Peer("python3", (folder) => [
          "-c",
          CONNECT(folder, server.port) + READ_SLOWLY,
        ]);
        assertEquals((await peer.ended()).trim(), String(size));
        await shut(server);
      }),
  });

  Deno.test({
    name: `Python's server gets ${size} bytes of a client that closes at once`,
    ignore: !hasPython,
    fn: () =>
      run(async () => {
        const peer = new Peer("python3", (folder) => [
          "-c",
          SERVE(folder) + READ_SLOWLY + "s.unwrap()",
        ]);
        const [, writer] = await openConnection({
          ...LOCAL,
          port: await peer.port(/^(\d+)\n/),
          tls: TRUST,
        });
        writer.write(new Uint8Array(size));
        writer.close();
        await writer.waitClosed();
        assertEquals((await peer.ended()).split("\n")[1]!.trim(), String(size));
      }),
  });
}

const ENDS: Readonly<Record<string, [how: string, isClean: boolean]>> = {
  "unwrap()": ["s.unwrap()", true],
  "a FIN": ["s.shutdown(socket.SHUT_WR); time.sleep(0.1)", false],
};
for (const [name, [how, isClean]] of Object.entries(ENDS)) {
  Deno.test({
    name: `Python's ${name} is ${isClean ? "a clean" : "an"} end`,
    ignore: !hasPython,
    fn: () =>
      run(async () => {
        const peer = new Peer("python3", (folder) => [
          "-c",
          `${SERVE(folder)}\nimport time\ns.sendall(b"hello")\n${how}`,
        ]);
        const [reader, writer] = await openConnection({
          ...LOCAL,
          port: await peer.port(/^(\d+)\n/),
          tls: TRUST,
        });
        assertEquals(text(await reader.read()), "hello");
        assertEquals(writer.getExtraInfo("tlsCleanEnd"), isClean);
        writer.close();
        await writer.waitClosed();
        // Which says whether the goodbye was answered.
        assertEquals((await peer.ended()).includes("Error"), false);
      }),
  });
}

for (const version of ["-tls1_2", "-tls1_3"]) {
  Deno.test({
    name:
      `openssl s_client ${version} shows its certificate and hears its echo`,
    ignore: !hasOpenssl,
    fn: () =>
      run(async () => {
        const certificate = deferred<unknown>();
        const server = await startServer(async (reader, writer) => {
          certificate.resolve(writer.getExtraInfo("peercert"));
          writer.write(`echo: ${text(await reader.readLine())}`);
          writer.close();
        }, { ...LOCAL, tls: { ...TLS, requestCert: true, caCerts: [CA] } });
        const peer = new Peer("openssl", (folder) => [
          ...["s_client", "-connect", `127.0.0.1:${server.port}`, version],
          ...["-quiet", "-no_ign_eof", "-verify_return_error"],
          ...["-CAfile", `${folder}/ca.pem`, "-verify_hostname", "localhost"],
          ...["-cert", `${folder}/cert.pem`, "-key", `${folder}/key.pem`],
        ]);
        peer.write("hello\n");
        const { subject } = await certificate.promise as {
          subject: { CN: string };
        };
        assertEquals(subject.CN, "localhost");
        assertStringIncludes(await peer.ended(), "echo: hello");
        await shut(server);
      }),
  });

  Deno.test({
    name: `openssl s_server ${version} is read to the end`,
    ignore: !hasOpenssl,
    fn: () =>
      run(async () => {
        const peer = new Peer("openssl", (folder) => [
          ...["s_server", "-accept", "127.0.0.1:0", version, "-naccept", "1"],
          ...["-rev"],
          ...["-cert", `${folder}/cert.pem`, "-key", `${folder}/key.pem`],
        ]);
        const port = await peer.port(/ACCEPT .*:(\d+)\n/);
        const [reader, writer] = await openConnection({
          ...LOCAL,
          port,
          tls: TRUST,
        });
        writer.write("olleh\n");
        assertEquals(text(await reader.readLine()), "hello\n");
        writer.close();
        await writer.waitClosed();
        peer.kill();
        await peer.ended();
      }),
  });
}
