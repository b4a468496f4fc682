import {
  CancelledError,
  ConnectionRefusedError,
  createDatagramEndpoint,
  createTask,
  currentTask,
  DatagramProtocol,
  InvalidStateError,
  moveOnAfter,
  type NetAddress,
  openDatagram,
  OSError,
  PermissionError,
  sleep,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { bytes, LOCAL, text, turns, until } from "../_support/net.ts";
import { inBothWorlds } from "../_support/worlds.ts";

const testInBothWorlds = inBothWorlds((name, body) => Deno.test(name, body));

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

testInBothWorlds(
  "createDatagramEndpoint() sends and receives datagrams",
  async () => {
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
  },
);

testInBothWorlds(
  "openDatagram() sends to one peer, and tells that no one listens",
  async () => {
    const server = await openDatagram({ localAddr: LOCAL });
    const { address } = server;
    const client = await openDatagram({ remoteAddr: address });
    for (
      const other of [{ ...address, port: address.port ^ 1 }, {
        ...address,
        hostname: "127.0.0.2",
      }]
    ) {
      assertThrows(
        () => client.send(bytes("x"), other),
        TypeError,
        "left out",
      );
    }
    // Its own peer may be named.
    client.send(bytes("ping"), address);
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
  },
);

testInBothWorlds("a cancelled receive() loses no datagram", async () => {
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

testInBothWorlds(
  "a DatagramStream is iterated until it is closed",
  async () => {
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
  },
);

testInBothWorlds(
  "an endpoint with one peer gets nothing from strangers",
  async () => {
    const peer = await openDatagram({ localAddr: LOCAL });
    const stranger = await openDatagram({ localAddr: LOCAL });
    const client = await openDatagram({
      localAddr: LOCAL,
      remoteAddr: peer.address,
    });
    for (let i = 0; i < 3; i++) {
      stranger.send(bytes("evil"), client.address);
      peer.send(bytes(`good ${i}`), client.address);
      assertEquals(text((await client.receive()).data), `good ${i}`);
    }
    await turns(5);
    assertEquals(client.dropped, 0);
    const next = createTask(() => client.receive());
    stranger.send(bytes("evil"), client.address);
    await turns(5);
    next.cancel();
    await assertRejects(() => next, CancelledError);
    for (const each of [peer, stranger, client]) each.close();
  },
);

testInBothWorlds(
  "a datagram protocol is asked to pause by what waits to be sent",
  async () => {
    const events: string[] = [];
    const sink = await openDatagram({ localAddr: LOCAL });
    const [transport] = await createDatagramEndpoint(
      () =>
        new class extends DatagramProtocol {
          override pauseWriting() {
            events.push(`pause at ${transport.getWriteBufferSize()}`);
          }
          override resumeWriting() {
            events.push("resume");
          }
          override connectionLost() {
            events.push("lost");
          }
        }(),
      { remoteAddr: sink.address },
    );
    for (let i = 0; i < 10; i++) transport.sendTo(new Uint8Array(8192));
    assertEquals(events, [`pause at ${9 * 8192}`]);
    await until(() => events.length === 2);
    assertEquals(transport.getWriteBufferSize() <= 16_384, true);
    transport.close();
    await until(() => events.length === 3);
    assertEquals(events.slice(1), ["resume", "lost"]);
    sink.close();
  },
);

testInBothWorlds(
  "what may not be sent is told to the protocol, with the system's code",
  async () => {
    const errors: unknown[] = [];
    const [transport] = await createDatagramEndpoint(
      () =>
        new class extends DatagramProtocol {
          override errorReceived(error: OSError) {
            errors.push([error.constructor, error.code]);
          }
        }(),
      { localAddr: LOCAL },
    );
    transport.sendTo(bytes("x"), { hostname: "255.255.255.255", port: 9 });
    await until(() => errors.length === 1);
    transport.sendTo(bytes("x"), { hostname: "::1", port: 9 });
    await until(() => errors.length === 2);
    transport.sendTo(new Uint8Array(65_508), { ...LOCAL, port: 9 });
    await until(() => errors.length === 3);
    assertEquals(errors, [
      [PermissionError, "EACCES"],
      [OSError, "EAFNOSUPPORT"],
      [OSError, "EMSGSIZE"],
    ]);
    transport.close();
  },
);

testInBothWorlds(
  "createDatagramEndpoint() refuses what mixes IPv4 and IPv6",
  async () => {
    for (
      const options of [
        { localAddr: LOCAL, remoteAddr: { hostname: "::1", port: 9 } },
        { localAddr: { hostname: "::1" }, remoteAddr: { ...LOCAL, port: 9 } },
        { family: 6, localAddr: LOCAL },
        { family: 4, remoteAddr: { hostname: "::1", port: 9 } },
      ] as const
    ) {
      const error = await assertRejects(() => openDatagram(options), OSError);
      assertEquals(error.code, "EAFNOSUPPORT");
    }
  },
);

testInBothWorlds(
  "waitClosed() of a datagram stream throws a remembered cancellation once",
  async () => {
    const datagrams = await openDatagram({ localAddr: LOCAL });
    datagrams.close();
    const task = createTask(async () => {
      currentTask()!.cancel();
      await assertRejects(() => datagrams.waitClosed(), CancelledError);
      await sleep(0);
      return "went on";
    });
    assertEquals(await task, "went on");
  },
);

testInBothWorlds(
  "a datagram whose receiver is cancelled in that instant goes to the next",
  async () => {
    using socket = await openDatagram({ localAddr: LOCAL });
    const first = createTask(() => socket.receive());
    const second = createTask(() => socket.receive());
    await until(() => first.getStack().length + second.getStack().length === 2);
    const protocol = socket.transport.getProtocol();
    protocol.datagramReceived(bytes("one"), socket.address);
    first.cancel();
    assertEquals(text((await second).data), "one");
    assert(await first.then(() => false, () => true));
  },
);

testInBothWorlds(
  "an iteration over datagrams goes on after a wait of it was cancelled",
  async () => {
    using socket = await openDatagram({ localAddr: LOCAL });
    const datagrams = socket[Symbol.asyncIterator]();
    assertEquals(await moveOnAfter(0, () => datagrams.next()), undefined);
    socket.send(bytes("one"), socket.address);
    const { value, done } = await datagrams.next();
    assertEquals([text(value!.data), done], ["one", false]);
    socket.close();
    assertEquals(await datagrams.next(), { value: undefined, done: true });
  },
);
