/** What has come when TLS is started on a connection is for the handshake. */
import {
  getRunningLoop,
  run,
  startTls,
  StreamReader,
  StreamWriter,
  type Transport,
} from "@asyncio/asyncio";
import { assertEquals, assertRejects } from "@std/assert";
import { kernelOf } from "../../loop/kernel.ts";
import type { HostNet } from "../../platform/types/net.ts";
import { type Network, setNetwork } from "../../streams/network.ts";
import { StreamProtocol } from "../../streams/stream_protocol.ts";
import { text } from "../_support/bytes.ts";
import { FakeConnection } from "../_support/fake_connection.ts";

const NAME = { serverHostname: "localhost" };

interface Parts {
  readonly host: FakeConnection;
  readonly transport: Transport;
  readonly protocol: StreamProtocol;
  readonly reader: StreamReader;
  readonly writer: StreamWriter;
  /** What the handshake was given. */
  readonly received: string[];
}

/** On a network on which each handshake succeeds. */
async function withParts(
  fn: (parts: Parts) => Promise<void>,
  debug: boolean,
): Promise<void> {
  await run(async () => {
    const received: string[] = [];
    const net: Partial<HostNet> = {
      upgrade(_host, _tls, chunks) {
        received.push(...chunks.map(text));
        return Promise.resolve(new FakeConnection({ isTls: true }));
      },
    };
    const network = { net } as Partial<Network> as Network;
    setNetwork(kernelOf(getRunningLoop()), () => network);
    const host = new FakeConnection();
    const reader = new StreamReader();
    const protocol = new StreamProtocol(reader);
    const transport = host.open(protocol);
    const writer = new StreamWriter(transport, protocol, reader);
    await fn({ host, transport, protocol, reader, writer, received });
    writer.transport.abort();
  }, { debug });
}

for (const debug of [false, true]) {
  const mode = debug ? "in debug mode" : "as ever";

  Deno.test(`writer.startTls() gives the handshake all that has come, in its order, ${mode}`, async () => {
    await withParts(async ({ host, writer, received }) => {
      for (const data of ["one ", "two ", "three"]) host.receive(data);
      await writer.startTls(NAME);
      assertEquals(received.join(""), "one two three");
    }, debug);
  });

  Deno.test(`startTls() gives the handshake what its protocol has not got, ${mode}`, async () => {
    await withParts(async ({ host, transport, protocol, received }) => {
      transport.pauseReading();
      for (const data of ["one ", "two ", "three"]) host.receive(data);
      await startTls(transport, protocol, NAME);
      assertEquals(received.join(""), "one two three");
    }, debug);
  });

  Deno.test(`writer.startTls() that is refused leaves the reader what has come, ${mode}`, async () => {
    await withParts(async ({ host, reader, writer }) => {
      host.receive("hello\n");
      await assertRejects(
        () => writer.startTls({ ...NAME, cert: "alone" }),
        TypeError,
        "'tls.cert' and 'tls.key' belong together",
      );
      assertEquals(text(await reader.readLine()), "hello\n");
    }, debug);
  });
}
