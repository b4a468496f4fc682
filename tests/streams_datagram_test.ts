import {
  ConnectionRefusedError,
  createDatagramEndpoint,
  createTask,
  DatagramProtocol,
  InvalidStateError,
  type NetAddress,
  openDatagram,
  run,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { bytes, LOCAL, text, turns, until } from "./_support/net.ts";

class Mail extends DatagramProtocol {
  readonly letters: [string, NetAddress][] = [];
  readonly errors: Error[] = [];
  lost = false;
  override datagramReceived(data: Uint8Array, address: NetAddress): void {
    this.letters.push([text(data), address]);
  }
  override errorReceived(error: Error): void {
    this.errors.push(error);
  }
  override connectionLost(): void {
    this.lost = true;
  }
}

Deno.test("createDatagramEndpoint() sends and receives datagrams", async () => {
  await run(async () => {
    const [one, mail] = await createDatagramEndpoint(() => new Mail(), {
      localAddr: LOCAL,
    });
    const [two] = await createDatagramEndpoint(() => new Mail(), {
      localAddr: LOCAL,
    });
    const to = one.getExtraInfo("sockname") as NetAddress;
    two.sendTo(bytes("a letter"), to);
    await until(() => mail.letters.length === 1);
    assertEquals(mail.letters, [[
      "a letter",
      two.getExtraInfo("sockname") as NetAddress,
    ]]);
    assertThrows(() => two.sendTo(bytes("x")), TypeError, "must be given");
    assertThrows(() => two.sendTo("x" as never, to), TypeError, "Uint8Array");
    assertThrows(
      () => two.sendTo(bytes("x"), { ...to, port: 0 }),
      RangeError,
      "address.port",
    );
    one.close();
    two.abort();
    await until(() => mail.lost);
    assertThrows(() => two.sendTo(bytes("x"), to), InvalidStateError, "closed");
  });
});

Deno.test("openDatagram() sends to one peer, and tells that no one listens", async () => {
  await run(async () => {
    const server = await openDatagram({ localAddr: LOCAL });
    const { address } = server;
    const client = await openDatagram({ remoteAddr: address });
    assertThrows(
      () => client.send(bytes("x"), address),
      TypeError,
      "left out",
    );
    client.send(bytes("ping"));
    const got = await server.receive();
    assertEquals(text(got.data), "ping");
    server.send(bytes("pong"), got.address);
    assertEquals(text((await client.receive()).data), "pong");
    server.close();
    await turns(2);
    client.send(bytes("anyone?"));
    // Deno does not hear of what the system says of a datagram.
    if (!("Deno" in globalThis)) {
      await assertRejects(() => client.receive(), ConnectionRefusedError);
    }
    client.close();
    await assertRejects(() => client.receive(), InvalidStateError, "closed");
  });
});

Deno.test("a cancelled receive() loses no datagram", async () => {
  await run(async () => {
    const socket = await openDatagram({ localAddr: LOCAL });
    for (let i = 0; i < 20; i++) {
      const task = createTask(() => socket.receive());
      socket.send(bytes(String(i)), socket.address);
      if (i % 2) await turns();
      task.cancel();
      await task.then(
        ({ data }) => socket.send(data, socket.address),
        () => {},
      );
    }
    const seen = new Set<string>();
    while (seen.size < 20) seen.add(text((await socket.receive()).data));
    assert(seen.has("0") && seen.has("19"));
    socket.close();
  });
});

Deno.test("a DatagramStream is iterated until it is closed", async () => {
  await run(async () => {
    const socket = await openDatagram({ localAddr: LOCAL });
    for (const word of ["a", "b", "end"]) {
      socket.send(bytes(word), socket.address);
    }
    const seen: string[] = [];
    for await (const { data } of socket) {
      seen.push(text(data));
      if (text(data) === "end") socket.close();
    }
    assertEquals(seen, ["a", "b", "end"]);
  });
});
