/** "What behaves differently" of docs/from-python.md, where no room has it. */
import {
  Context,
  ContextVar,
  copyContext,
  createTask,
  type DatagramStream,
  getRunningLoop,
  InvalidStateError,
  openConnection,
  openDatagram,
  OSError,
  run,
  type Server,
  sleep,
  startServer,
  type Task,
} from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertThrows,
} from "@std/assert";
import { builtin, freePort } from "./_support/net.ts";
import { virtual } from "./_support/virtual.ts";

const hasIpv6 = Object.values(builtin("node:os").networkInterfaces()).flat()
  .some((each) => each?.address === "::1");

/** Which of the two loopback addresses a server at `hostname` answers at. */
async function answersAt(
  hostname: string | readonly string[] | undefined,
): Promise<string[]> {
  await using server = await startServer((_reader, writer) => {
    writer.close();
  }, { hostname, port: 0 });
  const answering: string[] = [];
  for (const address of ["127.0.0.1", "::1"]) {
    try {
      const [, writer] = await openConnection({
        hostname: address,
        port: server.port,
      });
      writer.close();
      await writer.waitClosed();
      answering.push(address);
    } catch (error) {
      assertInstanceOf(error, OSError);
    }
  }
  return answering;
}

Deno.test(
  "a task that an async function returns is awaited",
  virtual(async () => {
    const make = async (): Promise<string> => createTask(() => sleep(1, "end"));
    assertEquals(await make(), "end");
    const [task] = await (async (): Promise<[Task<string>]> => [
      createTask(() => sleep(1, "end")),
    ])();
    assert(!task.done());
    await task;
  }),
);

Deno.test(
  "a timer that is due comes when all tasks wait, or after 256 steps",
  virtual(async () => {
    const loop = getRunningLoop();
    let isDue = false;
    loop.callLater(0, () => isDue = true);
    let turns = 0;
    for (; turns < 100; turns++) await sleep(0);
    assertEquals(isDue, false);
    for (; !isDue; turns++) await sleep(0);
    assert(turns <= 512);
    loop.callLater(0, () => isDue = false);
    await sleep(1);
    assertEquals(isDue, false);
  }),
);

Deno.test("an unset ContextVar without a default throws a ReferenceError", () => {
  assertThrows(() => new ContextVar("user").get(), ReferenceError, "user");
});

Deno.test("reset() refuses a token that was used before or in another context", () => {
  const user = new ContextVar<string>("user");
  const context = new Context();
  const [token, elsewhere] = context.run(() => [
    user.set("ada"),
    new Context().run(() => user.set("bob")),
  ]);
  assertEquals(token.oldValue, undefined);
  context.run(() => {
    assertThrows(() => user.reset(elsewhere), InvalidStateError, "another");
    user.reset(token);
    assertThrows(() => user.reset(token), InvalidStateError, "already used");
  });
});

Deno.test(
  "a context may be entered again, inside of itself and while it waits",
  virtual(async () => {
    const user = new ContextVar<string>("user", { defaultValue: "nobody" });
    const context = copyContext();
    const inner = context.run(() => {
      user.set("ada");
      const seen = context.run(() => {
        const before = user.get();
        user.set("bob");
        return before;
      });
      return [seen, user.get()];
    });
    assertEquals(inner, ["ada", "bob"]);
    const waiting = context.run(async () => {
      await sleep(1);
      return user.get();
    });
    context.run(() => user.set("eve"));
    assertEquals(await waiting, "eve");
    assertEquals(user.get(), "nobody");
  }),
);

Deno.test("a context is no mapping: run() tells what a variable is in it", () => {
  const user = new ContextVar<string>("user", { defaultValue: "nobody" });
  const context = new Context();
  const get = () => context.run(() => user.get(null as never));
  assertEquals([context.size, context.has(user), get()], [0, false, null]);
  context.run(() => user.set("ada"));
  assertEquals([context.size, context.has(user), get()], [1, true, "ada"]);
  for (const name of ["get", "keys", "values", "items", Symbol.iterator]) {
    assert(!(name in context), String(name));
  }
});

Deno.test(
  "done callbacks, then() and await are called in the order of registration",
  virtual(async () => {
    const future = getRunningLoop().createFuture<void>();
    const log: string[] = [];
    const awaiting = async (name: string) => {
      await future;
      log.push(name);
    };
    future.addDoneCallback(() => log.push("callback 1"));
    const first = awaiting("await 1");
    await undefined; // an await registers in a microtask
    const then = future.then(() => log.push("then"));
    future.addDoneCallback(() => log.push("callback 2"));
    const second = awaiting("await 2");
    await undefined;
    future.setResult();
    await first;
    await then;
    await second;
    assertEquals(log, [
      "callback 1",
      "await 1",
      "then",
      "callback 2",
      "await 2",
    ]);
  }),
);

Deno.test(
  "an await of a future that is done goes on before its callbacks are called",
  virtual(async () => {
    const future = getRunningLoop().createFuture<void>();
    const log: string[] = [];
    future.addDoneCallback(() => log.push("callback"));
    future.setResult();
    await future;
    log.push("await");
    await sleep(0);
    assertEquals(log, ["await", "callback"]);
  }),
);

Deno.test({
  name: "startServer() listens on IPv4 only, and at '::' on both",
  ignore: !hasIpv6,
  fn: () =>
    run(async () => {
      assertEquals(await answersAt(undefined), ["127.0.0.1"]);
      assertEquals(await answersAt("0.0.0.0"), ["127.0.0.1"]);
      assertEquals(await answersAt("::"), ["127.0.0.1", "::1"]);
      assertEquals(await answersAt(["0.0.0.0", "::"]), ["127.0.0.1", "::1"]);
      assertEquals(await answersAt(["127.0.0.1", "::1"]), ["127.0.0.1", "::1"]);
      assertEquals(await answersAt("::1"), ["::1"]);
    }),
});

Deno.test("the port of a startServer() or openDatagram() that is cancelled is free at once", async () => {
  await run(async () => {
    for (let turns = 0; turns < 6; turns++) {
      const port = await freePort();
      const options = { hostname: "127.0.0.1", port };
      const start = () => startServer(() => {}, options);
      const open = () => openDatagram({ localAddr: options });
      for (const make of [start, open]) {
        const making = createTask<Server | DatagramStream>(make);
        for (let turn = 0; turn < turns; turn++) await sleep(0);
        if (making.cancel()) await assertRejects(async () => await making);
        else await (await making)[Symbol.asyncDispose]();
        const made = await make();
        await made[Symbol.asyncDispose]();
      }
    }
  });
});
