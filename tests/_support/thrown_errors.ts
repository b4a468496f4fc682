/** Calls that throw each class of docs/errors.md, a line of its "When" each. */
import {
  asCompleted,
  Barrier,
  Broadcast,
  type BrokenWorkerError,
  CapacityLimiter,
  createSubprocessExec,
  createTask,
  getRunningLoop,
  LimitOverrunError,
  Lock,
  newEventLoop,
  openChannel,
  openConnection,
  PIPE,
  prefork,
  Queue,
  run,
  sendfile,
  sleep,
  startServer,
  StreamReader,
  type StreamWriter,
  SystemExit,
  type Task,
  taskGroup,
  timeout,
  timeoutAt,
  waitFor,
  WorkerPoolExecutor,
} from "@asyncio/asyncio";
import { exploreSchedules } from "@asyncio/asyncio/testing";
import { assertEquals, assertRejects } from "@std/assert";
import type nodeProcess from "node:process";
import { CA, CERT, KEY, STRANGER_KEY } from "./certificates.ts";
import { bytes, connectTo, LOCAL, serveResetting, text } from "./net.ts";

/** Throws, or rejects with, the error it stands for. */
export type Provoke = () => unknown;

const never = () => sleep(Infinity);

/** A task that was cancelled and has ended; in an array, or it were awaited. */
async function cancelledTask(): Promise<[Task<unknown>]> {
  const task = createTask(never);
  task.cancel();
  await task.catch(() => {});
  return [task];
}

/** What `wait` throws if `then` is done while it waits. */
async function meanwhile(wait: () => Promise<unknown>, then: () => unknown) {
  const waiting = createTask(wait);
  await sleep(1);
  await then();
  return await waiting;
}

/** A reader that has got all there will be. */
function readerOf(data: string, limit?: number): StreamReader {
  const reader = new StreamReader({ limit });
  reader.feedData(bytes(data));
  reader.feedEof();
  return reader;
}

/** A reader that is over its limit, and then reads on as the page says. */
async function overrun(
  read: (reader: StreamReader) => Promise<unknown>,
  goOn: (reader: StreamReader, error: LimitOverrunError) => Promise<unknown>,
): Promise<never> {
  const reader = readerOf("too long a line\nnext\n", 4);
  const error = await assertRejects(() => read(reader), LimitOverrunError);
  await goOn(reader, error);
  assertEquals(text(await reader.readLine()), "next\n");
  throw error;
}

async function lines(reader: AsyncIterable<Uint8Array>): Promise<string[]> {
  const all: string[] = [];
  for await (const line of reader) all.push(text(line));
  return all;
}

async function readAll(reader: StreamReader, writer: StreamWriter) {
  await reader.read();
  writer.close();
}

/** What `use` throws, given a connection to a server that does nothing. */
async function connected(
  use: (
    reader: StreamReader,
    writer: StreamWriter,
  ) => Promise<unknown>,
): Promise<unknown> {
  await using server = await startServer(readAll, LOCAL);
  const [reader, writer] = await connectTo(server);
  try {
    return await use(reader, writer);
  } finally {
    writer.transport.abort();
  }
}

/** A server over TLS, and a client of it with these options. */
async function handshake(tls: object): Promise<void> {
  await using server = await startServer((_reader, writer) => writer.close(), {
    ...LOCAL,
    tls: { cert: CERT, key: KEY },
  });
  const [, writer] = await openConnection({
    ...LOCAL,
    port: server.port,
    tls,
  });
  writer.transport.abort();
}

/** A peer that takes the connection and never says anything. */
async function silentHandshake(): Promise<unknown> {
  await using server = await startServer(readAll, LOCAL);
  return await openConnection({
    ...LOCAL,
    port: server.port,
    tls: { handshakeTimeout: 20 },
  });
}

/**
 * By class. A class of the page that has no call here is one that `UNPROVOKED`
 * gives the reason for.
 */
export const THROWN: Readonly<
  Record<string, Readonly<Record<string, Provoke>>>
> = {
  CancelledError: {
    "at the await where a task waits": () =>
      createTask(async () => {
        const task = createTask(never);
        await sleep(0);
        task.cancel();
        await task;
      }),
    "await task": async () => await (await cancelledTask())[0],
    "task.result()": async () => (await cancelledTask())[0].result(),
  },
  TimeoutError: {
    timeout: () => timeout(1, never),
    timeoutAt: () => timeoutAt(getRunningLoop().time() + 1, never),
    waitFor: () => waitFor(never, 1),
    asCompleted: async () => {
      for await (const _ of asCompleted([never], { timeout: 1 }));
    },
  },
  ExceptionGroup: {
    "taskGroup, for one error": () =>
      taskGroup((group) => {
        group.createTask(() => Promise.reject(new Error("one")));
      }),
    "taskGroup with a function as onError, for the block's": () =>
      taskGroup((group) => {
        group.createTask(() => Promise.reject(new Error("told")));
        throw new Error("thrown");
      }, { onError: () => {} }),
    "openConnection with allErrors": () =>
      openConnection({ ...LOCAL, port: 1, allErrors: true }),
  },
  SystemExit: {
    "run after it was thrown": () =>
      run(async () => {
        createTask(() => {
          throw new SystemExit(3);
        });
        await never();
      }),
  },
  InvalidStateError: {
    "the result of a future that is not done": () =>
      getRunningLoop().createFuture().result(),
    "a lock released that nobody holds": () => new Lock().release(),
    "a second token for one task": () => {
      const limiter = new CapacityLimiter(2);
      limiter.tryAcquire();
      limiter.tryAcquire();
    },
    "a closed loop used": () => {
      const loop = newEventLoop();
      loop.close();
      loop.callSoon(() => {});
    },
    "a second loop run inside of a running one": async () => {
      const loop = newEventLoop();
      try {
        await loop.runForever();
      } finally {
        loop.close();
      }
    },
    "a second reader on a stream": () =>
      connected(async (reader) => {
        reader.read().catch(() => {});
        await reader.read();
      }),
    "a write after close()": () =>
      connected(async (_reader, writer) => {
        writer.close();
        writer.write("late");
        await writer.drain();
      }),
    "a future of another loop awaited": async () => {
      const loop = newEventLoop();
      try {
        await loop.createFuture();
      } finally {
        loop.close();
      }
    },
    "a task awaited in itself": async () => {
      const task: Promise<void> = createTask(async () => await task) as never;
      await task;
    },
  },
  BrokenBarrierError: {
    aborted: async () => {
      const barrier = new Barrier(2);
      await barrier.abort();
      await barrier.wait();
    },
    "reset while tasks wait": () => {
      const barrier = new Barrier(2);
      return meanwhile(() => barrier.wait(), () => barrier.reset());
    },
  },
  QueueEmpty: { getNowait: () => new Queue().getNowait() },
  QueueFull: {
    putNowait: () => {
      const queue = new Queue({ maxSize: 1 });
      queue.putNowait(1);
      queue.putNowait(2);
    },
    "put, with overflow": async () => {
      const queue = new Queue({ maxSize: 1, overflow: "error" });
      await queue.put(1);
      await queue.put(2);
    },
    "publish, with overflow": async () => {
      const hub = new Broadcast({ capacity: 1, overflow: "error" });
      using _ = hub.subscribe();
      await hub.publish(1);
      await hub.publish(2);
    },
  },
  QueueShutDown: Object.fromEntries(
    (["put", "putNowait", "get", "getNowait"] as const).map((name) => [
      name,
      () => {
        const queue = new Queue<number>();
        queue.shutdown();
        return queue[name](1);
      },
    ]),
  ),
  EndOfChannel: {
    receive: () => {
      const [send, receive] = openChannel();
      send.close();
      return receive.receive();
    },
    tryReceive: () => {
      const [send, receive] = openChannel();
      send.close();
      return receive.tryReceive();
    },
    "a closed Broadcast": () => {
      const hub = new Broadcast();
      const inbox = hub.subscribe();
      hub.close();
      return inbox.receive();
    },
  },
  ClosedResourceError: {
    "an end that was closed": () => {
      const [send] = openChannel();
      send.close();
      return send.send(1);
    },
    "a subscription that was closed": () => {
      const inbox = new Broadcast().subscribe();
      inbox.close();
      return inbox.receive();
    },
    "a Broadcast that was closed": () => {
      const hub = new Broadcast();
      hub.close();
      return hub.publish(1);
    },
    "whoever waits as it is closed": () => {
      const [, receive] = openChannel();
      return meanwhile(() => receive.receive(), () => receive.close());
    },
  },
  BrokenResourceError: {
    send: () => {
      const [send, receive] = openChannel();
      receive.close();
      return send.send(1);
    },
    trySend: () => {
      const [send, receive] = openChannel();
      receive.close();
      return send.trySend(1);
    },
    "while send waits": () => {
      const [send, receive] = openChannel();
      return meanwhile(() => send.send(1), () => receive.close());
    },
  },
  BrokenWorkerError: {
    "process.exit()": async () => {
      await using pool = new WorkerPoolExecutor({ maxWorkers: 1 });
      const error = await pool.submit(() => {
        (globalThis as unknown as { process: typeof nodeProcess }).process
          .exit(3);
      }).catch((error) => error);
      assertEquals((error as BrokenWorkerError).exitCode, 3);
      throw error;
    },
  },
  IncompleteReadError: {
    readExactly: () => readerOf("ab").readExactly(3),
    readUntil: () => readerOf("ab").readUntil("\n"),
  },
  LimitOverrunError: {
    readLine: () => overrun((reader) => reader.readLine(), async () => {}),
    readUntil: () =>
      overrun((reader) => reader.readUntil("\n"), async (reader, error) => {
        await reader.readExactly(error.consumed);
        assertEquals(text(await reader.readLine()), "\n");
      }),
    "for await": () => overrun((reader) => lines(reader), async () => {}),
  },
  OSError: {
    "an address in use": async () => {
      await using server = await startServer(() => {}, LOCAL);
      await startServer(() => {}, { ...LOCAL, port: server.port! });
    },
  },
  ConnectionRefusedError: {
    "nobody listens": () => openConnection({ ...LOCAL, port: 1 }),
  },
  ConnectionResetError: {
    "the peer dropped the connection": async () => {
      const server = await serveResetting();
      const [reader, writer] = await connectTo(server);
      try {
        writer.write("reset");
        await reader.read();
      } finally {
        writer.transport.abort();
        await server.close();
      }
    },
    "drain() on a connection that is lost": () =>
      connected(async (_reader, writer) => {
        writer.transport.abort();
        await writer.waitClosed();
        await writer.drain();
      }),
  },
  ConnectionAbortedError: { "a handshake that is too slow": silentHandshake },
  BrokenPipeError: {
    "a child that does not read": async () => {
      await using child = await createSubprocessExec("sleep", ["60"], {
        stdin: PIPE,
      });
      child.stdin!.write(new Uint8Array(1_000_000));
      await meanwhile(() => child.stdin!.drain(), () => child.kill());
    },
  },
  FileNotFoundError: {
    "a program that is not there": () =>
      createSubprocessExec("there-is-no-such-program"),
    "a cwd that is not there": () =>
      createSubprocessExec("true", [], { cwd: "/there/is/no/such/folder" }),
    "a Unix socket without a file": () =>
      openConnection({ path: "/tmp/there-is-no-such-socket" }),
  },
  IsADirectoryError: {
    "sendfile with a directory": () =>
      connected(async (_reader, writer) => {
        await sendfile(writer.transport, "/tmp");
      }),
  },
  NotADirectoryError: {
    "a cwd that is a file": () =>
      createSubprocessExec("true", [], { cwd: "/etc/passwd" }),
    "a path through a file": () =>
      connected(async (_reader, writer) => {
        await sendfile(writer.transport, "/etc/passwd/x");
      }),
  },
  PermissionError: {
    "a program that may not be executed": () =>
      createSubprocessExec("/etc/passwd"),
  },
  ProcessLookupError: {
    "a signal to a child that has ended": async () => {
      const child = await createSubprocessExec("true");
      await child.wait();
      child.terminate();
    },
  },
  SSLError: {
    "a certificate that is not trusted": () => handshake({}),
    "a certificate for another name": () =>
      handshake({ caCerts: [CA], serverHostname: "third.test" }),
    "a certificate that cannot be used": () =>
      startServer(() => {}, { ...LOCAL, tls: { cert: "no", key: KEY } }),
    "a key that does not belong to it": () =>
      startServer(() => {}, {
        ...LOCAL,
        tls: { cert: CERT, key: STRANGER_KEY },
      }),
  },
  WorkerError: {
    "all ended before they were ready": () =>
      prefork({
        workers: 1,
        script: "./there_is_no_such_script.ts",
        handleSignals: false,
        onLog: () => {},
      }),
  },
  ScheduleError: {
    "a test that fails": () =>
      exploreSchedules(() => Promise.reject(new Error("it fails"))),
  },
};

/** Classes that no call can be made to throw, and why. */
export const UNPROVOKED: Readonly<Record<string, string>> = {
  ConnectionError: "stands for its four classes, and is never thrown by itself",
  FileExistsError: "no call makes a file, so only the program throws it",
  KeyboardInterrupt: "test runners take SIGINT: tests/programs/interrupt.ts",
  InternalError: "an invariant that does not hold is a fault of the library",
};
