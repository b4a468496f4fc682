import {
  ConnectionRefusedError,
  type DatagramStream,
  getaddrinfo,
  getnameinfo,
  getRunningLoop,
  openConnection,
  openDatagram,
  OSError,
  PermissionError,
  simulate,
  type Simulation,
  sleep,
  startServer,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";

const PORT = 9000;

/** A host that reads all that comes on each connection, and notes when. */
function addSink(sim: Simulation, times: number[]): void {
  sim.host("sink", async () => {
    const server = await startServer(async (reader, writer) => {
      await reader.read();
      times.push(getRunningLoop().time());
      writer.close();
    }, { port: PORT });
    await server.serveForever();
  });
}

async function pour(bytes: number): Promise<void> {
  const [reader, writer] = await openConnection({
    hostname: "sink",
    port: PORT,
  });
  writer.write(new Uint8Array(bytes));
  writer.writeEof();
  await reader.read();
  writer.close();
}

Deno.test("link() changes the latency of one pair of hosts", async () => {
  await simulate(async (sim) => {
    const times: number[] = [];
    addSink(sim, times);
    sim.host("near", () => pour(10));
    sim.host("far", () => pour(10));
    sim.link("far", "sink", { latency: 100 });
    await sim.join("near");
    await sim.join("far");
    // There and back to connect, and there once more.
    assertEquals(times, [30, 300]);
  }, { latency: 10 });
});

Deno.test("link() limits what goes through it, all connections together", async () => {
  await simulate(async (sim) => {
    const times: number[] = [];
    addSink(sim, times);
    sim.link("main", "sink", { bandwidth: 1000, latency: 0 });
    sim.host("other", () => pour(4000));
    await Promise.all([pour(4000), pour(2000)]);
    await sim.join("other");
    assertEquals(times, [3, 4000, 6000]);
  });
});

Deno.test("link() that loses packets makes a connection late, and loses none of it", async () => {
  const time = (loss: number) =>
    simulate(async (sim) => {
      const times: number[] = [];
      addSink(sim, times);
      sim.link("main", "sink", { loss });
      for (let i = 0; i < 10; i++) await pour(100_000);
      return times.at(-1)!;
    }, { seed: 5 });
  const [none, some] = [await time(0), await time(0.2)];
  assert(none < 200, `${none}`);
  assert(some > none + 1000, `${some}`);
});

Deno.test("link() that loses everything is as a partition", async () => {
  await simulate(async (sim) => {
    const times: number[] = [];
    addSink(sim, times);
    const [reader, writer] = await openConnection({
      hostname: "sink",
      port: PORT,
    });
    sim.link("main", "sink", { loss: 1 });
    writer.write(new Uint8Array(10));
    await assertRejects(() => reader.read(), TimeoutError);
    await assertRejects(() => pour(10), TimeoutError);
    writer.close();
  });
});

Deno.test("link() refuses what is no link", async () => {
  await simulate((sim) => {
    sim.host("a", () => {});
    const link = (options: Record<string, unknown>) => () =>
      sim.link("main", "a", options);
    assertThrows(link({ loss: 2 }), RangeError, "from 0 to 1: received 2");
    assertThrows(link({ loss: "0" }), TypeError, "'loss' must be a number");
    assertThrows(link({ bandwidth: 0 }), RangeError, "> 0: received 0");
    assertThrows(link({ latency: [2, 1] }), RangeError, "latency");
    assertThrows(link({ delay: 1 }), TypeError, "delay");
    assertThrows(() => sim.link("a", "a", {}), TypeError, "two hosts");
  });
});

Deno.test("a host has the address that it was given, and others know it by its name", async () => {
  await simulate(async (sim) => {
    sim.host("db", () => sleep(1000), { address: "192.168.7.9" });
    const [found] = await getaddrinfo("db", 80);
    assertEquals(found?.hostname, "192.168.7.9");
    const named = await getnameinfo({ hostname: "192.168.7.9", port: 80 });
    assertEquals(named.hostname, "db");
    const add = (address: string) => () => sim.host("x", () => {}, { address });
    assertThrows(add("192.168.7.9"), TypeError, "that no host has");
    assertThrows(add("127.0.0.1"), TypeError, "that no host has");
    assertThrows(add("::1"), TypeError, "of IPv4");
    assertThrows(add("db"), TypeError, 'received "db"');
  });
});

// -- datagrams ----------------------------------------------------------------

/** Binds on `main`, and lets the host `peer` send to it. */
async function receiving(
  sim: Simulation,
  send: (socket: DatagramStream) => Promise<void> | void,
): Promise<DatagramStream> {
  const socket = await openDatagram({ localAddr: { port: PORT } });
  sim.host("peer", async () => {
    const remoteAddr = { hostname: "main", port: PORT };
    await using socket = await openDatagram({ remoteAddr });
    await send(socket);
  });
  return socket;
}

/** What comes until nothing more does. */
async function drain(socket: DatagramStream): Promise<number[]> {
  const got: number[] = [];
  try {
    for (;;) {
      const { data } = await timeout(10_000, () => socket.receive());
      got.push(data[0]!);
    }
  } catch (error) {
    if (!(error instanceof TimeoutError)) throw error;
  }
  socket.close();
  return got;
}

function sendAll(socket: DatagramStream): void {
  for (let i = 0; i < 100; i++) socket.send(Uint8Array.of(i));
}

Deno.test("datagrams go to a host by its name, and back to where they came from", async () => {
  await simulate(async (sim) => {
    sim.host("time", async () => {
      await using socket = await openDatagram({ localAddr: { port: 123 } });
      const { data, address } = await socket.receive();
      socket.send(data, address);
      await socket.receive();
    });
    await sleep(1);
    await using socket = await openDatagram({ localAddr: {} });
    socket.send(Uint8Array.of(7), { hostname: "time", port: 123 });
    const { data, address } = await socket.receive();
    assertEquals(data, Uint8Array.of(7));
    assertEquals(address.hostname, "10.0.0.2");
    assertEquals(address.port, 123);
    assertEquals(getRunningLoop().time(), 21);
  }, { latency: 10 });
});

Deno.test("datagrams are lost, come twice and out of order, by the seed", async () => {
  const run = (seed: number) =>
    simulate(async (sim) => {
      const socket = await receiving(sim, sendAll);
      return await drain(socket);
    }, { seed, loss: 0.1, duplication: 0.1, latency: [1, 20] });
  const got = await run(1);
  assertEquals(await run(1), got);
  assert((await run(2)).join() !== got.join());
  const kinds = new Set(got);
  assert(kinds.size < 100 && kinds.size > 70, `${kinds.size}`);
  assert(got.length > kinds.size);
  assert(got.some((each, i) => i > 0 && each < got[i - 1]!));
});

Deno.test("datagrams on a perfect line all come once and in order", async () => {
  await simulate(async (sim) => {
    const socket = await receiving(sim, sendAll);
    assertEquals(await drain(socket), [...Array(100).keys()]);
  });
});

Deno.test("partition() loses datagrams for good, and hold() keeps them", async () => {
  await simulate(async (sim) => {
    const socket = await receiving(sim, async (peer) => {
      for (let i = 0; i < 4; i++) {
        peer.send(Uint8Array.of(i));
        await sleep(10);
      }
    });
    await sleep(5);
    sim.partition("peer", "main");
    await sleep(10);
    sim.heal();
    sim.hold("peer", "main");
    getRunningLoop().callLater(60, () => sim.heal());
    assertEquals(await drain(socket), [0, 2, 3]);
  });
});

Deno.test("a datagram to where nobody listens is refused, if the socket has one peer", async () => {
  await simulate(async (sim) => {
    sim.host("peer", () => {});
    await using socket = await openDatagram({
      remoteAddr: { hostname: "peer", port: PORT },
    });
    socket.send(Uint8Array.of(1));
    await assertRejects(() => socket.receive(), ConnectionRefusedError);
    assertEquals(getRunningLoop().time(), 20);
  }, { latency: 10 });
});

Deno.test("a datagram that cannot be sent is an error of the socket", async () => {
  await simulate(async () => {
    await using socket = await openDatagram({ localAddr: { port: PORT } });
    const fails = async (
      send: () => void,
      // deno-lint-ignore no-explicit-any -- as assertRejects has it
      expected: new (...args: any[]) => Error,
      words: string,
    ) => {
      send();
      await assertRejects(() => socket.receive(), expected, words);
    };
    const all = { hostname: "255.255.255.255", port: PORT };
    const one = Uint8Array.of(1);
    await fails(() => socket.send(one, all), PermissionError, "denied");
    const place = { hostname: "nobody", port: PORT };
    await fails(() => socket.send(one, place), OSError, "nobody");
    const own = { hostname: "127.0.0.1", port: PORT };
    const large = new Uint8Array(70_000);
    await fails(() => socket.send(large, own), OSError, "too long");
    const error = await assertRejects(
      () => openDatagram({ localAddr: { port: PORT } }),
      OSError,
    );
    assertEquals(error.code, "EADDRINUSE");
  });
});

Deno.test("a datagram for the whole network comes to every other host", async () => {
  await simulate(async (sim) => {
    const heard: string[] = [];
    for (const name of ["a", "b"]) {
      sim.host(name, async () => {
        await using socket = await openDatagram({ localAddr: { port: PORT } });
        await socket.receive();
        heard.push(name);
      });
    }
    await sleep(1);
    await using socket = await openDatagram({
      localAddr: { port: PORT },
      broadcast: true,
    });
    const all = { hostname: "255.255.255.255", port: PORT };
    socket.send(Uint8Array.of(1), all);
    await sim.join("a");
    await sim.join("b");
    assertEquals(heard, ["a", "b"]);
  });
});

Deno.test("crash() takes a host's datagram sockets, and its port is free again", async () => {
  await simulate(async (sim) => {
    const heard: number[] = [];
    sim.host("db", async () => {
      await using socket = await openDatagram({ localAddr: { port: PORT } });
      for (;;) heard.push((await socket.receive()).data[0]!);
    });
    await using socket = await openDatagram({ localAddr: {} });
    const send = async (value: number) => {
      socket.send(Uint8Array.of(value), { hostname: "db", port: PORT });
      await sleep(10);
    };
    await sleep(1);
    await send(1);
    sim.crash("db");
    await send(2);
    sim.restart("db");
    await sleep(1);
    await send(3);
    assertEquals(heard, [1, 3]);
  });
});
