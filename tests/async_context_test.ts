// What other libraries keep in an AsyncLocalStorage is there wherever the loop
// calls code: that of who made the server, the connection, the endpoint.
import {
  createConnection,
  createDatagramEndpoint,
  createServer,
  DatagramProtocol,
  Event,
  openConnection,
  Protocol,
  run,
  startServer,
  type Transport,
} from "@asyncio/asyncio";
import { Sightings } from "./_support/sightings.ts";

const HELLO = new TextEncoder().encode("hello");
const LOCAL = { hostname: "127.0.0.1" };

class NotingProtocol extends Protocol {
  readonly received = new Event();
  readonly lost = new Event();
  readonly #name: string;
  readonly #sightings: Sightings;

  constructor(name: string, sightings: Sightings) {
    super();
    this.#name = name;
    this.#sightings = sightings;
  }

  override connectionMade(transport: Transport): void {
    this.#sightings.note(`${this.#name} made`);
    transport.write(HELLO);
  }

  override dataReceived(): void {
    this.#sightings.note(`${this.#name} data`);
    this.received.set();
  }

  override eofReceived(): boolean {
    this.#sightings.note(`${this.#name} end`);
    return false;
  }

  override connectionLost(): void {
    this.#sightings.note(`${this.#name} lost`);
    this.lost.set();
  }
}

for (const debug of [false, true]) {
  const also = debug ? ", in debug mode too" : "";

  Deno.test(`V3 a connection's handler sees the store of who made the server${also}`, async () => {
    const sightings = new Sightings();
    const { storage } = sightings;
    await run(async () => {
      await using server = await storage.run(
        "server",
        () =>
          startServer(async (reader, writer) => {
            sightings.note("handler");
            await reader.readLine();
            sightings.note("handler after a read");
            writer.write("answer\n");
            await writer.drain();
            writer.close();
            await writer.waitClosed();
            sightings.note("handler after the end");
          }, LOCAL),
      );
      await storage.run("client", async () => {
        const [reader, writer] = await openConnection({
          ...LOCAL,
          port: server.port,
        });
        writer.write("question\n");
        await reader.read();
        sightings.note("client after a read");
        writer.close();
        await writer.waitClosed();
      });
    }, { debug });
    sightings.check({
      "handler": "server",
      "handler after a read": "server",
      "handler after the end": "server",
      "client after a read": "client",
    });
  });

  Deno.test(`V3 a protocol's methods see the store of who made it${also}`, async () => {
    const sightings = new Sightings();
    const { storage } = sightings;
    await run(async () => {
      const accepted: NotingProtocol[] = [];
      const server = await storage.run("server", () =>
        createServer(() => {
          sightings.note("server factory");
          accepted.push(new NotingProtocol("server", sightings));
          return accepted[0]!;
        }, LOCAL));
      const [transport, protocol] = await storage.run(
        "client",
        () =>
          createConnection(() => {
            sightings.note("client factory");
            return new NotingProtocol("client", sightings);
          }, { ...LOCAL, port: server.port }),
      );
      // Closed with something unread, it would be a reset, and not an end.
      await (protocol as NotingProtocol).received.wait();
      // Neither who writes nor who closes counts.
      storage.run("writer", () => transport.write(HELLO));
      storage.run("closer", () => transport.close());
      await (protocol as NotingProtocol).lost.wait();
      await accepted[0]!.lost.wait();
      server.close();
      await server.waitClosed();
    }, { debug });
    sightings.check({
      "server factory": "server",
      "server made": "server",
      "server data": "server",
      "server end": "server",
      "server lost": "server",
      "client factory": "client",
      "client made": "client",
      "client data": "client",
      "client lost": "client",
    });
  });

  Deno.test(`V3 a datagram endpoint's methods see the store of who made it${also}`, async () => {
    const sightings = new Sightings();
    const { storage } = sightings;
    const [received, lost] = [new Event(), new Event()];
    class NotingEndpoint extends DatagramProtocol {
      override connectionMade(): void {
        sightings.note("made");
      }
      override datagramReceived(): void {
        sightings.note("received");
        received.set();
      }
      override connectionLost(): void {
        sightings.note("lost");
        lost.set();
      }
    }
    await run(async () => {
      const [transport] = await storage.run(
        "endpoint",
        () =>
          createDatagramEndpoint(() => new NotingEndpoint(), {
            localAddr: { ...LOCAL, port: 0 },
          }),
      );
      const address = transport.getExtraInfo("sockname");
      storage.run(
        "sender",
        () =>
          transport.sendTo(
            HELLO,
            address as { hostname: string; port: number },
          ),
      );
      await received.wait();
      storage.run("closer", () => transport.close());
      await lost.wait();
    }, { debug });
    sightings.check({
      made: "endpoint",
      received: "endpoint",
      lost: "endpoint",
    });
  });
}
