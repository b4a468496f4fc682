import * as library from "@asyncio/asyncio";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";

const {
  allTasks,
  asCompleted,
  AsyncValue,
  Barrier,
  BoundedSemaphore,
  Broadcast,
  CapacityLimiter,
  captureCallGraph,
  Condition,
  ContextVar,
  createConnection,
  createDatagramEndpoint,
  createServer,
  createSubprocessExec,
  createSubprocessShell,
  createTask,
  DatagramProtocol,
  Event,
  EventLoop,
  ExceptionGroup,
  exploreCancellations,
  exploreSchedules,
  formatCallGraph,
  gather,
  getaddrinfo,
  getEventLoop,
  getnameinfo,
  interval,
  LifoQueue,
  Lock,
  memoryStreamPair,
  newEventLoop,
  openChannel,
  openConnection,
  openDatagram,
  pooledMap,
  prefork,
  printCallGraph,
  PriorityQueue,
  Protocol,
  Queue,
  race,
  RateLimiter,
  retry,
  recordTimeline,
  run,
  Runner,
  runVirtual,
  simulate,
  select,
  Semaphore,
  sendfile,
  shielded,
  sleep,
  startInspector,
  startServer,
  startTls,
  StreamReader,
  subprocessExec,
  SubprocessProtocol,
  subprocessShell,
  TaskGroup,
  taskGroup,
  timeout,
  VirtualClock,
  wait,
  WorkerPoolExecutor,
} = library;

const fn = () => {};
const protocol = () => new Protocol();

/** What is open while the calls are tried. */
interface Open {
  readonly writer: library.StreamWriter;
  readonly child: library.Process;
  readonly executor: library.WorkerPoolExecutor;
}

/**
 * All that takes options, with what its errors say cannot be done, and how it is
 * called. The test below finds them; what it finds has to be in here.
 */
const TAKERS: Readonly<
  Record<
    string,
    readonly [action: string, call: (options: never, open: Open) => unknown]
  >
> = {
  // loop
  "ContextVar.constructor": [
    "create a context variable",
    (options) => new ContextVar("level", options),
  ],
  "EventLoop.constructor": [
    "create an event loop",
    (options) => new EventLoop(options),
  ],
  "EventLoop.createTask": [
    "create a task",
    (options) => getEventLoop().createTask(fn, options),
  ],
  "Future.addDoneCallback": [
    "add a done callback",
    (options) => getEventLoop().createFuture().addDoneCallback(fn, options),
  ],
  newEventLoop: ["create an event loop", (options) => newEventLoop(options)],
  // tasks
  asCompleted: ["wait", (options) => asCompleted([fn], options)],
  createTask: ["create a task", (options) => createTask(fn, options)],
  gather: ["gather", (options) => gather([fn], options)],
  interval: ["make an interval", (options) => interval(1, options)],
  pooledMap: ["map in a pool", (options) => pooledMap([], fn, options)],
  retry: ["retry", (options) => retry(fn, options)],
  race: ["race", (options) => race([fn], options)],
  run: ["run", (options) => run(fn, options)],
  "Runner.constructor": ["create a runner", (options) => new Runner(options)],
  "Runner.run": ["run", (options) => new Runner().run(fn, options)],
  select: ["select", (options) => select({ fn }, options)],
  shielded: ["shield a region", (options) => shielded(fn, options)],
  taskGroup: ["open a task group", (options) => taskGroup(fn, options)],
  "TaskGroup.createTask": ["create a task", createTaskInGroup],
  "TaskGroup.start": ["create a task", startInGroup],
  wait: ["wait", (options) => wait([fn], options)],
  // sync
  "AsyncValue.constructor": [
    "create an async value",
    (options) => new AsyncValue(0, options),
  ],
  "Barrier.constructor": [
    "create a barrier",
    (options) => new Barrier(1, options),
  ],
  "BoundedSemaphore.constructor": [
    "create a semaphore",
    (options) => new BoundedSemaphore(1, options),
  ],
  "CapacityLimiter.constructor": [
    "create a capacity limiter",
    (options) => new CapacityLimiter(1, options),
  ],
  "Condition.constructor": [
    "create a condition",
    (options) => new Condition(new Lock(), options),
  ],
  "Event.constructor": ["create an event", (options) => new Event(options)],
  "Lock.constructor": ["create a lock", (options) => new Lock(options)],
  "RateLimiter.constructor": [
    "create a rate limiter",
    (options) => new RateLimiter(1, 1, options),
  ],
  "Semaphore.constructor": [
    "create a semaphore",
    (options) => new Semaphore(1, options),
  ],
  // queue
  openChannel: ["open a channel", (options) => openChannel(0, options)],
  "Broadcast.constructor": [
    "create a broadcast",
    (options) => new Broadcast(options),
  ],
  "LifoQueue.constructor": [
    "create a queue",
    (options) => new LifoQueue(options),
  ],
  "PriorityQueue.constructor": [
    "create a queue",
    (options) => new PriorityQueue(options),
  ],
  "Queue.constructor": ["create a queue", (options) => new Queue(options)],
  "Queue.shutdown": [
    "shut down a queue",
    (options) => new Queue().shutdown(options),
  ],
  // threads
  "WorkerPoolExecutor.constructor": [
    "create an executor",
    (options) => new WorkerPoolExecutor(options),
  ],
  "WorkerPoolExecutor.shutdown": [
    "shut down an executor",
    (options, { executor }) => executor.shutdown(options),
  ],
  // streams
  createConnection: [
    "create a connection",
    (options) => createConnection(protocol, options),
  ],
  createDatagramEndpoint: [
    "create a datagram endpoint",
    (options) => createDatagramEndpoint(() => new DatagramProtocol(), options),
  ],
  createServer: [
    "create a server",
    (options) => createServer(protocol, options),
  ],
  getaddrinfo: [
    "look up a name",
    (options) => getaddrinfo("127.0.0.1", 80, options),
  ],
  getnameinfo: [
    "look up an address",
    (options) => getnameinfo({ hostname: "127.0.0.1", port: 80 }, options),
  ],
  openConnection: ["open a connection", (options) => openConnection(options)],
  openDatagram: [
    "create a datagram endpoint",
    (options) => openDatagram(options),
  ],
  sendfile: [
    "send a file",
    (options, { writer }) => sendfile(writer.transport, "/no/such", options),
  ],
  startServer: ["start a server", (options) => startServer(fn, options)],
  startTls: [
    "start TLS",
    (options, { writer }) => startTls(writer.transport, protocol(), options),
  ],
  "StreamReader.constructor": [
    "create a stream reader",
    (options) => new StreamReader(options),
  ],
  "StreamReader.from": [
    "create a stream reader",
    (options) => StreamReader.from(new ReadableStream(), options),
  ],
  "StreamWriter.startTls": [
    "start TLS",
    (options, { writer }) => writer.startTls(options),
  ],
  "Transport.setWriteBufferLimits": [
    "set the write-buffer limits",
    (options, { writer }) => writer.transport.setWriteBufferLimits(options),
  ],
  // subprocess, workers
  createSubprocessExec: [
    "start a subprocess",
    (options) => createSubprocessExec("true", [], options),
  ],
  createSubprocessShell: [
    "start a subprocess",
    (options) => createSubprocessShell("true", options),
  ],
  prefork: ["start workers", (options) => prefork(options)],
  "Process.stop": [
    "stop a subprocess",
    (options, { child }) => child.stop(options),
  ],
  subprocessExec: [
    "start a subprocess",
    (options) =>
      subprocessExec(() => new SubprocessProtocol(), "true", [], options),
  ],
  subprocessShell: [
    "start a subprocess",
    (options) =>
      subprocessShell(() => new SubprocessProtocol(), "true", options),
  ],
  // debug, testing
  captureCallGraph: [
    "capture a call graph",
    (options) => captureCallGraph(null, options),
  ],
  exploreCancellations: [
    "explore cancellations",
    (options) => exploreCancellations(fn, options),
  ],
  exploreSchedules: [
    "explore schedules",
    (options) => exploreSchedules(fn, options),
  ],
  formatCallGraph: [
    "capture a call graph",
    (options) => formatCallGraph(null, options),
  ],
  memoryStreamPair: [
    "create a pair of streams",
    (options) => memoryStreamPair(options),
  ],
  printCallGraph: [
    "capture a call graph",
    (options) => printCallGraph(null, options),
  ],
  recordTimeline: [
    "record a timeline",
    (options) => recordTimeline(options),
  ],
  simulate: ["simulate", (options) => simulate(fn, options)],
  runVirtual: ["run", (options) => runVirtual(fn, options)],
  startInspector: ["start an inspector", (options) => startInspector(options)],
  "VirtualClock.constructor": [
    "create a virtual clock",
    (options) => new VirtualClock(options),
  ],
};

/** An error thrown inside of the group would come out in an ExceptionGroup. */
async function createTaskInGroup(options: never): Promise<void> {
  let thrown: unknown;
  await taskGroup((group) => {
    try {
      group.createTask(fn, options);
    } catch (error) {
      thrown = error;
    }
  });
  if (thrown !== undefined) throw thrown;
}

async function startInGroup(options: never): Promise<void> {
  let thrown: unknown;
  await taskGroup(async (group) => {
    try {
      await group.start((started: () => void) => started(), options);
    } catch (error) {
      thrown = error;
    }
  });
  if (thrown !== undefined) throw thrown;
}

/** Made by the library alone, so no one hands options to their constructors. */
const MADE_WITHIN = [
  "Process.constructor",
  "Task.constructor",
  "TaskGroup.constructor",
];

/** The text between a bracket and the one that closes it. */
function bracketed(source: string, start: number): string {
  let depth = 0;
  for (let index = start; index < source.length; index++) {
    if (source[index] === "(") depth++;
    else if (source[index] === ")" && --depth === 0) {
      return source.slice(start + 1, index);
    }
  }
  return "";
}

/** The functions, constructors and methods that take `options`, by their source. */
function findTakers(): string[] {
  const found: string[] = [];
  for (const [name, value] of Object.entries(library)) {
    if (typeof value !== "function") continue;
    // Errors take what Error takes, which ignores what it does not know: the
    // error that is to be thrown must not be another one.
    if (value === Error || value.prototype instanceof Error) continue;
    const source = String(value);
    if (!source.startsWith("class")) {
      const parameters = bracketed(source, source.indexOf("("));
      if (/\boptions\b/.test(parameters)) found.push(name);
      continue;
    }
    const methods = /(?:^\s+|\*\/ )(?:static )?(?:async )?(\w+)\(/gm;
    for (const match of source.matchAll(methods)) {
      const method = match[1]!;
      if (["if", "for", "while", "switch", "catch"].includes(method)) continue;
      const start = match.index + match[0].length - 1;
      const parameters = bracketed(source, start);
      const end = source.slice(start + parameters.length + 2);
      // Not a call, but what defines it.
      if (!/^\s*\{/.test(end) || !/\boptions\b/.test(parameters)) continue;
      found.push(`${name}.${method}`);
    }
  }
  return found.filter((name) => !MADE_WITHIN.includes(name)).sort();
}

async function forEachTaker(
  check: (
    call: (options: unknown) => Promise<unknown>,
    action: string,
    name: string,
  ) => Promise<void>,
): Promise<void> {
  const [[, writer], [, peer]] = memoryStreamPair();
  await using child = await createSubprocessExec("sleep", ["60"]);
  await using executor = new WorkerPoolExecutor();
  for (const [name, [action, call]] of Object.entries(TAKERS)) {
    await check(
      async (options) =>
        await call(options as never, { writer, child, executor }),
      action,
      name,
    );
  }
  for (const each of [writer, peer]) {
    each.close();
    await each.waitClosed();
  }
}

Deno.test("all that takes options is tried here", () => {
  assertEquals(Object.keys(TAKERS).sort(), findTakers());
});

const VALUES: readonly [value: unknown, shown: string][] = [
  [10, "10"],
  [true, "true"],
  ["name", '"name"'],
  [null, "null"],
  [fn, "the function fn"],
];

Deno.test("options that are no object are refused and not ignored", async () => {
  await forEachTaker(async (call, action) => {
    for (const [value, shown] of VALUES) {
      await assertRejects(
        () => call(value),
        TypeError,
        `Cannot ${action} as 'options' must be an object: received ${shown}`,
      );
    }
  });
});

Deno.test("what is no object of options is refused and not ignored", async () => {
  const others: readonly [value: object, shown: string][] = [
    [[], "an array of 0"],
    [[5], "an array of 1"],
    [new VirtualClock(), "a VirtualClock"],
    [new AbortController().signal, "an AbortSignal"],
  ];
  await forEachTaker(async (call, action, name) => {
    for (const [value, shown] of others) {
      // It has this option itself.
      if (name === "VirtualClock.constructor" && "autoJump" in value) continue;
      await assertRejects(
        () => call(value),
        TypeError,
        `Cannot ${action} as 'options' must be an object of options: received ${shown}`,
      );
    }
  });
});

Deno.test("an option of an unknown name is refused and not ignored", async () => {
  await forEachTaker(async (call, action) => {
    const error = await assertRejects(
      () => call({ noSuchOption: null }),
      TypeError,
      `Cannot ${action} as there is no such option: received "noSuchOption"; `,
    );
    // It names those that there are.
    assert(/; (the only one is|there are) '\w+'/.test(error.message));
  });
});

Deno.test("the option that was likely meant is named", async () => {
  const cases: readonly [
    taker: string,
    options: Record<string, unknown>,
    meant: string,
  ][] = [
    // As Python or Node calls it.
    ["startServer", { host: "127.0.0.1", ssl: {} }, "hostname"],
    ["startServer", { ssl: {} }, "tls"],
    ["openConnection", { host: "127.0.0.1", port: 80 }, "hostname"],
    ["openConnection", { port: 443, ssl: true }, "tls"],
    ["openConnection", { server_hostname: "localhost" }, "tls.serverHostname"],
    ["openConnection", { socketPath: "/tmp/socket" }, "path"],
    ["createTask", { eager_start: true }, "eagerStart"],
    ["createConnection", { local_addr: null }, "localAddr"],
    ["gather", { return_exceptions: true }, "returnExceptions"],
    ["Runner.constructor", { loop_factory: fn }, "loopFactory"],
    ["WorkerPoolExecutor.constructor", { max_workers: 4 }, "maxWorkers"],
    ["WorkerPoolExecutor.constructor", { workers: 4 }, "maxWorkers"],
    ["WorkerPoolExecutor.shutdown", { cancel_futures: true }, "cancelFutures"],
    ["createSubprocessExec", { start_new_session: true }, "detached"],
    ["PriorityQueue.constructor", { key: fn }, "compare"],
    ["Queue.constructor", { highWaterMark: 1 }, "maxSize"],
    ["Queue.constructor", { capacity: 1 }, "maxSize"],
    ["Broadcast.constructor", { maxSize: 1 }, "capacity"],
    ["Broadcast.constructor", { highWaterMark: 1 }, "capacity"],
    ["ContextVar.constructor", { default: 5 }, "defaultValue"],
    // Written a little differently.
    ["Queue.constructor", { maxsize: 5 }, "maxSize"],
    ["Queue.constructor", { maxSzie: 5 }, "maxSize"],
    ["createTask", { nmae: "x" }, "name"],
    ["wait", { timeuot: 5 }, "timeout"],
    ["StreamReader.constructor", { limits: 5 }, "limit"],
    // One further in or further out.
    ["openConnection", { serverHostname: "x" }, "tls.serverHostname"],
    ["openConnection", { cert: "x" }, "tls.cert"],
    ["startServer", { key: "x" }, "tls.key"],
    ["openConnection", { tls: { servername: "x" } }, "tls.serverHostname"],
    ["startServer", { tls: { certificate: "x" } }, "tls.cert"],
    ["openConnection", { localAddr: { host: "::1" } }, "localAddr.hostname"],
    ["openDatagram", { localAddr: { host: "::1" } }, "localAddr.hostname"],
    ["openDatagram", { remoteAddr: { host: "x" } }, "remoteAddr.hostname"],
  ];
  await forEachTaker(async (call, action, taker) => {
    for (const [name, options, meant] of cases) {
      if (name !== taker) continue;
      const error = await assertRejects(() => call(options), TypeError);
      assertStringIncludes(error.message, `Cannot ${action} as there is no`);
      assertStringIncludes(error.message, `; did you mean '${meant}'?`);
    }
  });
});

Deno.test("a bare value is told what to write", () => {
  for (
    const [call, text] of [
      [() => new Queue(5 as never), "{ maxSize: 5 }"],
      [() => new Queue("error" as never), '{ overflow: "error" }'],
      [() => new Broadcast(5 as never), "{ capacity: 5 }"],
      [() => new WorkerPoolExecutor(4 as never), "{ maxWorkers: 4 }"],
      [() => new StreamReader(10 as never), "{ limit: 10 }"],
      [() => new VirtualClock(100 as never), "{ start: 100 }"],
      [() => new ContextVar("x", 5 as never), "{ defaultValue: 5 }"],
      [() => new ContextVar("x", "a" as never), '{ defaultValue: "a" }'],
      [() => new Queue().shutdown(true as never), "{ immediate: true }"],
      [() => createTask(fn, "name" as never), '{ name: "name" }'],
    ] as const
  ) assertThrows(call, TypeError, `; write ${text}`);
});

Deno.test("an option that no one hands over is none", () => {
  new Queue({ maxSize: undefined, maxsize: undefined } as never);
  new Queue(Object.create({ maxSize: 5, other: 1 }));
  new Queue({ [Symbol("mine")]: 1 } as never);
  new Queue(Object.assign(Object.create(null), { maxSize: 5 }));
  class Bounded {
    readonly maxSize = 5;
    describe() {}
  }
  assertEquals(new Queue(new Bounded()).maxSize, 5);
});

Deno.test("a value is not shown, which may be a secret", async () => {
  const error = await assertRejects(
    () => openConnection({ port: 443, passphrase: "hunter2" } as never),
    TypeError,
  );
  assertEquals(error.message.includes("hunter2"), false);
});

Deno.test("an address of the library is handed over as it is", async () => {
  await using server = await startServer((_reader, writer) => {
    writer.close();
  }, { hostname: "127.0.0.1" });
  const { address } = server.sockets[0]!;
  assert("port" in address);
  const [, writer] = await openConnection(address);
  writer.close();
  await writer.waitClosed();
  const [found] = await getaddrinfo("127.0.0.1", server.port);
  const socket = await openDatagram({ remoteAddr: found! });
  socket.close();
});

Deno.test("createTask() hands its options to the loop that it names", async () => {
  const loop = newEventLoop();
  const task = createTask(() => 5, { loop, name: "far" });
  assertEquals(task.getLoop(), loop);
  assertEquals(task.name, "far");
  assertEquals(await loop.runUntilComplete(task), 5);
  loop.close();
  assertThrows(
    () => createTask(fn, { loop: 5 as never }),
    TypeError,
    "'loop' as it must be an EventLoop: received 5",
  );
});

Deno.test("a queue whose shutdown was refused goes on", async () => {
  const queue = new Queue<number>();
  assertThrows(() => queue.shutdown(true as never), TypeError);
  await queue.put(1);
  assertEquals(await queue.get(), 1);
});

Deno.test("a promise in place of a function is told what to write", async () => {
  for (
    const call of [
      () => run(sleep(0) as never),
      () => timeout(10, sleep(0) as never),
      () => taskGroup(sleep(0) as never),
      () => createTask(sleep(0) as never),
    ]
  ) {
    const error = await assertRejects(async () => await call(), TypeError);
    assertEquals(
      error.message.match(/received a Promise: (.*) started.*\(\) => work\(\)/)
        ?.[1],
      "a promise has already",
    );
  }
});

Deno.test("a task group cannot be made without its block", () => {
  assertThrows(
    () =>
      new TaskGroup(
        ...([] as never as ConstructorParameters<typeof TaskGroup>),
      ),
    TypeError,
    "call taskGroup((group) => ...)",
  );
});

/** What `fn` throws in a block, out of the group that holds it. */
async function inGroup(
  fn: (group: library.TaskGroup) => unknown,
): Promise<void> {
  try {
    await taskGroup(async (group) => void await fn(group));
  } catch (error) {
    throw error instanceof ExceptionGroup ? error.errors[0] : error;
  }
}

Deno.test("a signal that is none is refused before anything begins", async () => {
  const signal = new AbortController() as never;
  const calls: (() => unknown)[] = [
    () => createTask(fn, { signal }),
    () => run(fn, { signal }),
    () => new Runner().run(fn, { signal }),
    () => inGroup((group) => group.createTask(fn, { signal })),
    () => inGroup((group) => group.start(fn, { signal })),
    () => gather([fn], { signal }),
    () => race([fn], { signal }),
    () => select({ a: fn }, { signal }),
    () => retry(fn, { signal }),
    () => interval(1, { signal }),
    () => pooledMap([1], fn, { limit: 1, signal }),
    () => openConnection({ port: 1, signal }),
    () => createSubprocessExec("true", [], { signal }),
    () => getaddrinfo("127.0.0.1", 1, { signal }),
  ];
  await run(async () => {
    for (const call of calls) {
      const error = await assertRejects(async () => await call(), TypeError);
      assertStringIncludes(
        error.message,
        "'signal' must be an AbortSignal: received an AbortController",
        String(call),
      );
    }
    // The one that runs this, and no other.
    assertEquals(allTasks().size, 1);
  });
});

Deno.test("an option of the wrong kind is refused, and not ignored", async () => {
  const place = { hostname: "127.0.0.1", port: 1 };
  const wrong: [call: () => unknown, words: string][] = [
    [
      () => openConnection({ ...place, localAddr: 5 as never }),
      "'localAddr' must be an address such as",
    ],
    [
      () => openDatagram({ remoteAddr: "x" as never }),
      "'remoteAddr' must be an address such as",
    ],
    [
      () => openConnection({ path: "/x", localAddr: {} }),
      "'path' and 'localAddr' exclude each other",
    ],
    [
      () => openConnection({ path: "/x", family: 4 }),
      "'path' and 'family' exclude each other",
    ],
    [
      () => startServer(fn, { path: "/x", reusePort: true }),
      "'path' and 'reusePort' exclude each other",
    ],
    [
      () => startServer(fn, { hostname: null as never }),
      "'hostname' must be a string: received null",
    ],
    [
      () => startServer(fn, { startServing: "no" as never }),
      "'startServing' must be a boolean: received \"no\"",
    ],
    [
      () => createTask(fn, { context: {} as never }),
      "'context' must be a Context: received an object",
    ],
    [
      () => createTask(fn, { eagerStart: 1 as never }),
      "'eagerStart' must be a boolean: received 1",
    ],
    [
      () => run(fn, { debug: "no" as never }),
      "'debug' must be a boolean: received \"no\"",
    ],
    [
      () =>
        getEventLoop().createFuture().addDoneCallback(fn, {
          context: 5 as never,
        }),
      "'context' must be a Context: received 5",
    ],
  ];
  for (const [call, words] of wrong) {
    const error = await assertRejects(async () => await call(), TypeError);
    assertStringIncludes(error.message, words);
  }
});

/** What makes something, or returns at once: nothing there could be given up. */
const WAITS_FOR_NOTHING = [
  "captureCallGraph",
  "formatCallGraph",
  "Future.addDoneCallback",
  "memoryStreamPair",
  "newEventLoop",
  "openChannel",
  "printCallGraph",
  "Queue.shutdown",
  "recordTimeline",
  "StreamReader.from",
  "Transport.setWriteBufferLimits",
];

Deno.test("every call that takes options and waits takes a signal", async () => {
  const without: string[] = [];
  await forEachTaker(async (call, action, name) => {
    const error = await assertRejects(() => call({ signal: 1 }), TypeError);
    const refusal =
      `Cannot ${action} as 'signal' must be an AbortSignal: received 1`;
    if (error.message !== refusal) without.push(name);
  });
  assertEquals(
    without.filter((name) => !name.endsWith(".constructor")).sort(),
    [...WAITS_FOR_NOTHING].sort(),
  );
});

/** The classes whose objects a call makes, and that call. */
const MADE_BY_CALLS: Readonly<Record<string, string>> = {
  DatagramStream: "openDatagram()",
  DatagramTransport: "createDatagramEndpoint()",
  Future: "loop.createFuture() or createTask()",
  Handle: "its callSoon() or callLater()",
  Inspector: "startInspector()",
  Process: "createSubprocessExec()",
  ReceiveChannel: "openChannel()",
  SendChannel: "openChannel()",
  Server: "startServer() or createServer()",
  StreamWriter: "openConnection() or startServer()",
  // With no child behind it, the program would end when it is collected.
  SubprocessTransport: "subprocessExec()",
  Subscription: "its subscribe()",
  Supervisor: "prefork()",
  Task: "loop.createFuture() or createTask()",
  TaskGroup: "taskGroup((group) => ...)",
  Timeline: "recordTimeline()",
  TimerHandle: "its callSoon() or callLater()",
  Token: "set() of a ContextVar",
  Transport: "createConnection() or createServer()",
};

Deno.test("what a call makes is not made with 'new'", () => {
  const classes = library as unknown as Record<
    string,
    new (...args: unknown[]) => unknown
  >;
  for (const [name, call] of Object.entries(MADE_BY_CALLS)) {
    const Class = classes[name]!;
    const error = assertThrows(() => new Class(), TypeError);
    assertMatch(error.message, /^Cannot create an? [\w ]+ with 'new' as it /);
    assertStringIncludes(error.message, `: call ${call}`);
    assertThrows(() => new Class({}, {}), TypeError, "with 'new' as it");
  }
});
