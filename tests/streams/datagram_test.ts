import {
  CancelledError,
  ConnectionRefusedError,
  createDatagramEndpoint,
  createTask,
  currentTask,
  DatagramProtocol,
  type DatagramStream,
  InvalidStateError,
  isCancelledError,
  moveOnAfter,
  type NetAddress,
  openDatagram,
  OSError,
  PermissionError,
  sleep,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertThrows,
} from "@std/assert";
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

testInBothWorlds(
  "a small array and an address may be used again right after send()",
  async () => {
    using socket = await openDatagram({ localAddr: LOCAL });
    const data = new Uint8Array(2048);
    const address = { ...socket.address };
    const { port } = address;
    for (let round = 0; round < 5; round++) {
      data.fill(round);
      address.port = port;
      socket.send(data, address);
      address.port = 9;
    }
    data.fill(99);
    const firsts: number[] = [];
    for (let round = 0; round < 5; round++) {
      firsts.push((await socket.receive()).data[0]!);
    }
    assertEquals(firsts, [0, 1, 2, 3, 4]);
  },
);

/** What the next calls of `receive()` give: texts, and messages of errors. */
async function receiveAll(
  socket: DatagramStream,
  count: number,
): Promise<string[]> {
  const all: string[] = [];
  while (all.length < count) {
    try {
      all.push(text((await socket.receive()).data));
    } catch (error) {
      if (isCancelledError(error)) throw error;
      all.push((error as Error).message);
    }
  }
  return all;
}

testInBothWorlds(
  "receive() tells each error of the socket, in its turn among the datagrams",
  async () => {
    using socket = await openDatagram({ localAddr: LOCAL });
    const protocol = socket.transport.getProtocol();
    protocol.errorReceived(new Error("error 1"));
    protocol.datagramReceived(bytes("datagram 1"), socket.address);
    protocol.errorReceived(new Error("error 2"));
    protocol.errorReceived(new Error("error 3"));
    protocol.datagramReceived(bytes("datagram 2"), socket.address);
    assertEquals(await receiveAll(socket, 5), [
      "error 1",
      "datagram 1",
      "error 2",
      "error 3",
      "datagram 2",
    ]);
  },
);

testInBothWorlds(
  "receive() tells of each datagram that could not be sent",
  async () => {
    using socket = await openDatagram({ localAddr: LOCAL });
    socket.send(new Uint8Array(65_508), socket.address);
    socket.send(bytes("x"), { hostname: "::1", port: 9 });
    const codes: string[] = [];
    for (let call = 0; call < 2; call++) {
      const error = await assertRejects(() => socket.receive(), OSError);
      codes.push(error.code);
    }
    assertEquals(codes.sort(), ["EAFNOSUPPORT", "EMSGSIZE"]);
    socket.send(bytes("and on"), socket.address);
    assertEquals(await receiveAll(socket, 1), ["and on"]);
  },
);

testInBothWorlds(
  "an error is told to one receiver, and to the next if that one is cancelled",
  async () => {
    using socket = await openDatagram({ localAddr: LOCAL });
    const tasks = Array.from(
      { length: 3 },
      () => createTask(() => receiveAll(socket, 1)),
    );
    await until(() => tasks.every((task) => task.getStack().length > 0));
    const protocol = socket.transport.getProtocol();
    protocol.errorReceived(new Error("error 1"));
    tasks[0]!.cancel();
    assertEquals(await tasks[1], ["error 1"]);
    assertFalse(tasks[2]!.done());
    protocol.datagramReceived(bytes("datagram 1"), socket.address);
    assertEquals(await tasks[2], ["datagram 1"]);
    await assertRejects(async () => await tasks[0], CancelledError);
  },
);

testInBothWorlds(
  "errors that no one receives fill no memory, and are counted",
  async () => {
    using socket = await openDatagram({ localAddr: LOCAL });
    const protocol = socket.transport.getProtocol();
    for (let number = 1; number <= 1030; number++) {
      protocol.errorReceived(new Error(`error ${number}`));
    }
    assertEquals(socket.dropped, 6);
    const all = await receiveAll(socket, 1024);
    assertEquals([all[0], all.at(-1)], ["error 1", "error 1024"]);
  },
);
