/** The waits that docs/cancellation.md says may follow a cancelled one: "yes". */
import {
  asCompleted,
  AsyncValue,
  Barrier,
  Broadcast,
  CapacityLimiter,
  checkpoint,
  Condition,
  createConnection,
  createDatagramEndpoint,
  createServer,
  createSubprocessExec,
  createSubprocessShell,
  createTask,
  DatagramProtocol,
  ensureFuture,
  Event,
  getaddrinfo,
  getnameinfo,
  interval,
  Lock,
  openChannel,
  openConnection,
  openDatagram,
  PIPE,
  type Process,
  Protocol,
  Queue,
  race,
  RateLimiter,
  select,
  Semaphore,
  type Server,
  shared,
  shield,
  sleep,
  startInspector,
  startServer,
  StreamReader,
  subprocessExec,
  SubprocessProtocol,
  subprocessShell,
  type TaskGroup,
  taskGroup,
  wait,
  WorkerPoolExecutor,
} from "@asyncio/asyncio";
import { memoryStreamPair } from "@asyncio/asyncio/testing";
import { bytes, deferred, LOCAL, text } from "./net.ts";

/** A wait that can be made again after it was cancelled. */
export interface Repeatable {
  /** Begins the wait, and gives something that tells that it has succeeded. */
  readonly call: () => PromiseLike<unknown>;
  /** Brings about what it waits for. */
  readonly let?: () => unknown;
  /** What `call` gives. */
  readonly gives?: unknown;
  /** Nothing is kept of what was brought about: each call needs it anew. */
  readonly isPassing?: true;
  /** Takes away what the test has left. */
  readonly end?: () => unknown;
}

type Scenario = () => Repeatable | Promise<Repeatable>;

async function first<T>(items: AsyncIterable<T>): Promise<T> {
  for await (const item of items) return item;
  throw new Error("The iteration has ended");
}

function fed(call: (reader: StreamReader) => Promise<unknown>): Scenario {
  return () => {
    const reader = new StreamReader();
    return {
      call: () => call(reader),
      let: () => {
        reader.feedData(bytes("ab\n"));
        reader.feedEof();
      },
      gives: "ab\n",
    };
  };
}

/** Something that is held by someone, who lets go of it. */
function held(
  holder: { release(): void },
  take: () => Promise<void>,
): Repeatable {
  return { call: take, let: () => holder.release(), gives: undefined };
}

function limiter(take: (limiter: CapacityLimiter) => Promise<void>): Scenario {
  return () => {
    const limiter = new CapacityLimiter(1);
    const owner = {};
    limiter.tryAcquireOnBehalfOf(owner);
    return {
      call: () => take(limiter),
      let: () => limiter.releaseOnBehalfOf(owner),
    };
  };
}

async function limited(
  call: (limiter: RateLimiter) => Promise<void>,
): Promise<Repeatable> {
  const limiter = new RateLimiter(1, 50);
  await limiter.acquire();
  return { call: () => call(limiter) };
}

/** A group that stays open until the test lets it end. */
async function openGroup(): Promise<[TaskGroup, () => void]> {
  const end = new Event();
  const opened = deferred<TaskGroup>();
  createTask(() =>
    taskGroup(async (group) => {
      opened.resolve(group);
      await end.wait();
    })
  );
  return [await opened.promise, () => end.set()];
}

/** Waits that need nothing of the system: they are tried in virtual time. */
export const LOCAL_WAITS: Readonly<Record<string, Scenario>> = {
  "sleep": () => ({ call: () => sleep(20, "slept"), gives: "slept" }),
  "checkpoint": () => ({ call: () => checkpoint() }),
  "await ensureFuture(promise)": () => {
    const { promise, resolve } = deferred<string>();
    return {
      call: () => ensureFuture(promise),
      let: () => resolve("done"),
      gives: "done",
    };
  },
  "await shield(work)": () => {
    const work = createTask(() => sleep(20, "done"));
    return { call: () => shield(work), gives: "done" };
  },
  "race(fns)": () => {
    const queue = new Queue<string>();
    return {
      call: () => race([() => queue.get(), () => sleep(Infinity, "never")]),
      let: () => queue.putNowait("item"),
      gives: "item",
    };
  },
  "select(cases)": () => {
    const queue = new Queue<string>();
    return {
      call: async () => {
        const { value } = await select({
          item: () => queue.get(),
          never: () => sleep(Infinity, "never"),
        });
        return value;
      },
      let: () => queue.putNowait("item"),
      gives: "item",
    };
  },
  "wait(aws)": () => {
    const tasks = [createTask(() => sleep(20)), createTask(() => sleep(30))];
    return { call: async () => (await wait(tasks)).done.size, gives: 2 };
  },
  "for await (… of asCompleted(aws))": () => {
    const completed = asCompleted([createTask(() => sleep(20, "one"))]);
    return {
      call: async () => await (await first(completed)),
      gives: "one",
    };
  },
  "for await (… of group)": async () => {
    const [group, end] = await openGroup();
    const { promise, resolve } = deferred<string>();
    group.createTask(() => ensureFuture(promise));
    return {
      call: async () => await (await first(group)),
      let: () => resolve("member"),
      gives: "member",
      end,
    };
  },
  "for await (… of interval(ms))": () => {
    const ticks = interval(50)[Symbol.asyncIterator]();
    return { call: async () => (await ticks.next()).done, gives: false };
  },
  "shared(fn)(key)": () => {
    const load = shared((key: string) => sleep(20, `loaded ${key}`));
    return { call: () => load("a"), gives: "loaded a" };
  },
  "lock.acquire()": () => {
    const lock = new Lock();
    lock.tryAcquire();
    return held(lock, async () => (await lock.acquire())[Symbol.dispose]());
  },
  "semaphore.acquire(n)": () => {
    const semaphore = new Semaphore(2);
    semaphore.tryAcquire();
    return held(
      semaphore,
      async () => (await semaphore.acquire(2))[Symbol.dispose](),
    );
  },
  "capacityLimiter.acquire()": limiter(async (limiter) =>
    (await limiter.acquire())[Symbol.dispose]()
  ),
  "acquireOnBehalfOf": limiter(async (limiter) =>
    (await limiter.acquireOnBehalfOf({}))[Symbol.dispose]()
  ),
  "rateLimiter.acquire(n)": () => limited((limiter) => limiter.acquire(1)),
  "event.wait()": () => {
    const event = new Event();
    return { call: () => event.wait(), let: () => event.set(), gives: true };
  },
  "condition.wait()": () => {
    const condition = new Condition();
    return {
      call: () =>
        condition.with(async () => {
          await condition.wait();
          return condition.locked();
        }),
      let: () => condition.with(() => condition.notify()),
      gives: true,
      isPassing: true,
    };
  },
  "waitFor": () => {
    const condition = new Condition();
    let isTrue = false;
    return {
      call: () =>
        condition.with(async () => {
          await condition.waitFor(() => isTrue);
          return condition.locked();
        }),
      let: () =>
        condition.with(() => {
          isTrue = true;
          condition.notify();
        }),
      gives: true,
    };
  },
  "barrier.wait()": () => {
    const barrier = new Barrier(2);
    return {
      call: async () => typeof await barrier.wait(),
      let: () => void createTask(() => barrier.wait().catch(() => {})),
      gives: "number",
      isPassing: true,
      end: () => barrier.abort(),
    };
  },
  "queue.get()": () => {
    const queue = new Queue<string>();
    return {
      call: () => queue.get(),
      let: () => queue.putNowait("item"),
      gives: "item",
    };
  },
  "for await (… of queue)": () => {
    const queue = new Queue<string>();
    return {
      call: () => first(queue),
      let: () => queue.putNowait("item"),
      gives: "item",
    };
  },
  "queue.put(item)": () => {
    const queue = new Queue<string>({ maxSize: 1 });
    queue.putNowait("old");
    return { call: () => queue.put("new"), let: () => queue.getNowait() };
  },
  "queue.join()": () => {
    const queue = new Queue<string>();
    queue.putNowait("job");
    return { call: () => queue.join(), let: () => queue.taskDone() };
  },
  "send.send(item)": () => {
    const [send, receive] = openChannel<string>(1);
    send.trySend("old");
    return { call: () => send.send("new"), let: () => receive.tryReceive() };
  },
  "receive.receive()": () => {
    const [send, receive] = openChannel<string>(1);
    return {
      call: () => receive.receive(),
      let: () => send.trySend("item"),
      gives: "item",
    };
  },
  "for await (… of receive)": () => {
    const [send, receive] = openChannel<string>(1);
    const items = receive[Symbol.asyncIterator]();
    return {
      call: async () => (await items.next()).value,
      let: () => send.trySend("item"),
      gives: "item",
    };
  },
  "hub.publish(item)": async () => {
    const hub = new Broadcast<string>({ capacity: 1 });
    const inbox = hub.subscribe();
    await hub.publish("old");
    return { call: () => hub.publish("new"), let: () => inbox.tryReceive() };
  },
  "inbox.receive()": () => {
    const hub = new Broadcast<string>();
    const inbox = hub.subscribe();
    return {
      call: () => inbox.receive(),
      let: () => hub.publish("item"),
      gives: "item",
    };
  },
  "for await (… of inbox)": () => {
    const hub = new Broadcast<string>();
    const items = hub.subscribe()[Symbol.asyncIterator]();
    return {
      call: async () => (await items.next()).value,
      let: () => hub.publish("item"),
      gives: "item",
    };
  },
  "value.waitFor(predicate)": () => {
    const value = new AsyncValue(0);
    return {
      call: () => value.waitFor((now) => now === 1),
      let: () => {
        value.value = 1;
      },
      gives: 1,
    };
  },
  "for await (… of value)": () => {
    const value = new AsyncValue(0);
    const changes = value[Symbol.asyncIterator]();
    return {
      call: async () => (await changes.next()).value,
      let: () => {
        value.value = 1;
      },
      gives: 1,
    };
  },
  "reader.read": fed(async (reader) => text(await reader.read())),
  "readInto": fed(async (reader) => {
    const buffer = new Uint8Array(3);
    return text(buffer.subarray(0, await reader.readInto(buffer) ?? 0));
  }),
  "readLine": fed(async (reader) => text(await reader.readLine())),
  "readExactly": fed(async (reader) => text(await reader.readExactly(3))),
  "readUntil": fed(async (reader) => text(await reader.readUntil("\n"))),
  "for await (… of reader)": fed(async (reader) => text(await first(reader))),
  "writer.drain()": () => {
    const [[, writer], [reader, peer]] = memoryStreamPair();
    writer.write(new Uint8Array(1_000_000));
    return {
      call: () => writer.drain(),
      let: () => void createTask(() => reader.read()),
      end: () => {
        writer.transport.abort();
        peer.transport.abort();
      },
    };
  },
};

const socketTo = { ...LOCAL };

async function silentServer(): Promise<Server> {
  return await startServer((_reader, writer) => writer.close(), LOCAL);
}

/** Closes what a call has made, and tells that there was something. */
async function closed(made: { close(): void }): Promise<string> {
  await sleep(0);
  made.close();
  return "closed";
}

async function child(
  start: () => Promise<Process>,
): Promise<number> {
  return await (await start()).wait();
}

/** Tells when its child has ended. */
class Witness extends SubprocessProtocol {
  readonly #end = deferred<string>();
  readonly end: Promise<string> = this.#end.promise;

  override connectionLost(): void {
    this.#end.resolve("closed");
  }
}

/** A child that ends when its stdin does. */
async function cat(
  call: (process: Process) => PromiseLike<unknown>,
): Promise<Repeatable> {
  const process = await createSubprocessExec("cat", [], { stdin: PIPE });
  return {
    call: () => call(process),
    let: () => process.stdin!.close(),
    gives: 0,
    end: () => process.stop(),
  };
}

/** Waits for the system, in real time. */
export const SYSTEM_WAITS: Readonly<Record<string, Scenario>> = {
  "openConnection": async () => {
    const server = await silentServer();
    return {
      call: async () =>
        await closed(
          (await openConnection({ ...socketTo, port: server.port }))[1],
        ),
      gives: "closed",
      end: () => server[Symbol.asyncDispose](),
    };
  },
  "createConnection": async () => {
    const server = await silentServer();
    return {
      call: async () => {
        const [transport] = await createConnection(() => new Protocol(), {
          ...socketTo,
          port: server.port,
        });
        return await closed(transport);
      },
      gives: "closed",
      end: () => server[Symbol.asyncDispose](),
    };
  },
  "startServer": () => ({
    call: async () => await closed(await startServer(() => {}, LOCAL)),
    gives: "closed",
  }),
  "createServer": () => ({
    call: async () =>
      await closed(await createServer(() => new Protocol(), LOCAL)),
    gives: "closed",
  }),
  "writer.waitClosed()": async () => {
    const server = await startServer(async (reader, writer) => {
      await reader.read();
      writer.close();
    }, LOCAL);
    const [, writer] = await openConnection({ ...LOCAL, port: server.port });
    return {
      call: () => writer.waitClosed(),
      let: () => writer.close(),
      end: () => server[Symbol.asyncDispose](),
    };
  },
  "await using writer": async () => {
    const server = await silentServer();
    const [, writer] = await openConnection({ ...LOCAL, port: server.port });
    return {
      call: () => writer[Symbol.asyncDispose](),
      end: () => server[Symbol.asyncDispose](),
    };
  },
  "server.waitClosed()": async () => {
    const server = await silentServer();
    return { call: () => server.waitClosed(), let: () => server.close() };
  },
  "await using server": async () => {
    const { promise, resolve } = deferred<void>();
    const server = await startServer(async (_reader, writer) => {
      await ensureFuture(promise);
      writer.close();
    }, LOCAL);
    const [reader, writer] = await openConnection({
      ...LOCAL,
      port: server.port,
    });
    return {
      call: () => server[Symbol.asyncDispose](),
      let: async () => {
        resolve();
        await reader.read();
        writer.close();
      },
    };
  },
  "openDatagram": () => ({
    call: async () => await closed(await openDatagram({ localAddr: LOCAL })),
    gives: "closed",
  }),
  "createDatagramEndpoint": () => ({
    call: async () => {
      const [transport] = await createDatagramEndpoint(
        () => new DatagramProtocol(),
        { localAddr: LOCAL },
      );
      return await closed(transport);
    },
    gives: "closed",
  }),
  ...Object.fromEntries(
    ["datagrams.receive()", "for await (… of datagrams)"].map((name) => [
      name,
      async () => {
        const datagrams = await openDatagram({ localAddr: LOCAL });
        const { port } = datagrams.address as { port: number };
        return {
          call: async () =>
            text(
              (name === "datagrams.receive()"
                ? await datagrams.receive()
                : await first(datagrams)).data,
            ),
          let: () => datagrams.send(bytes("letter"), { ...LOCAL, port }),
          gives: "letter",
          end: () => datagrams.close(),
        };
      },
    ]),
  ),
  "getaddrinfo": () => ({
    call: async () => (await getaddrinfo("127.0.0.1", 80)).length > 0,
    gives: true,
  }),
  "getnameinfo": () => ({
    call: async () =>
      (await getnameinfo({ hostname: "127.0.0.1", port: 80 })).service !== "",
    gives: true,
  }),
  "createSubprocessExec": () => ({
    call: () => child(() => createSubprocessExec("true")),
    gives: 0,
  }),
  "createSubprocessShell": () => ({
    call: () => child(() => createSubprocessShell("true")),
    gives: 0,
  }),
  "subprocessExec": () => ({
    call: async () => {
      const [, protocol] = await subprocessExec(() => new Witness(), "true");
      return await protocol.end;
    },
    gives: "closed",
  }),
  "subprocessShell": () => ({
    call: async () => {
      const [, protocol] = await subprocessShell(() => new Witness(), "true");
      return await protocol.end;
    },
    gives: "closed",
  }),
  "process.wait()": () => cat((process) => process.wait()),
  "process.stop()": async () => {
    const process = await createSubprocessExec("sleep", ["60"]);
    return {
      call: async () => (await process.stop()) < 0,
      gives: true,
    };
  },
  "executor.shutdown()": () => {
    const executor = new WorkerPoolExecutor({ maxWorkers: 1 });
    return { call: () => executor.shutdown() };
  },
  "startInspector": () => ({
    call: async () => {
      const inspector = await startInspector();
      await inspector.close();
      return "closed";
    },
    gives: "closed",
  }),
  "inspector.close()": async () => {
    const inspector = await startInspector();
    return { call: () => inspector.close() };
  },
};
