/**
 * An HTTP server whose every log line must name the request that it belongs to,
 * by three ways that programs use: an OpenTelemetry span, a logger of pino that
 * asks for the span, and a child of that logger in an AsyncLocalStorage. Each
 * request does its work by all means of the library, and many come at once.
 *
 *     main.mjs default|run|debug [REQUESTS]
 *
 * Prints how many lines there were and how many were without their request.
 */
import {
  asCompleted,
  Barrier,
  Condition,
  createTask,
  ensureFuture,
  Event,
  gather,
  getEventLoop,
  Lock,
  moveOnAfter,
  Queue,
  run,
  Semaphore,
  shield,
  sleep,
  taskGroup,
  timeout,
  toThread,
  wait,
  waitFor,
} from "@asyncio/asyncio";
import { context, trace, TraceFlags } from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { AsyncLocalStorage } from "node:async_hooks";
import { Agent, createServer, get } from "node:http";
import process from "node:process";
import { pino } from "pino";

const CONCURRENTLY = 100;

const manager = new AsyncLocalStorageContextManager().enable();
context.setGlobalContextManager(manager);

/** What was logged: each line as pino wrote it. */
const lines = [];
const logger = pino(
  {
    base: null,
    mixin: () => ({ trace: trace.getActiveSpan()?.spanContext().traceId }),
  },
  { write: (line) => lines.push(JSON.parse(line)) },
);

/** The logger of the request, as web frameworks keep it. */
const loggers = new AsyncLocalStorage();

/**
 * Logs where the request is.
 *
 * @param id Of the request whose code this is: what the line must have.
 */
function log(id, where) {
  (loggers.getStore() ?? logger).info({ id, where });
}

/** Of all requests: they hand each other what they wait for. */
const shared = {
  lock: new Lock(),
  semaphore: new Semaphore(3),
  condition: new Condition(),
  jobs: new Queue({ maxSize: 2 }),
  barrier: new Barrier(2),
};

const WAYS = {
  async tasks(id) {
    await createTask(async () => {
      log(id, "task");
      await sleep(1);
      log(id, "task after a wait");
    });
    await createTask(async () => {
      log(id, "eager task");
      await sleep(0);
      log(id, "eager task after a wait");
    }, { eagerStart: true });
    await ensureFuture(async () => log(id, "ensureFuture"));
  },

  async gather(id) {
    await gather([1, 2].map((ms) => async () => {
      log(id, "gather");
      await sleep(ms);
      log(id, "gather after a wait");
    }));
  },

  async group(id) {
    const work = async () => {
      log(id, "group");
      try {
        await sleep(60_000);
      } finally {
        log(id, "group, cancelled");
      }
    };
    await taskGroup(async (group) => {
      group.createTask(work);
      group.createTask(work);
      await sleep(1);
      group.cancel();
    });
  },

  async lock(id) {
    await shared.lock.with(async () => {
      log(id, "lock");
      await sleep(0);
    });
    await shared.semaphore.with(async () => {
      log(id, "semaphore");
      await sleep(1);
    });
  },

  async condition(id) {
    let isTold = false;
    createTask(async () => {
      await sleep(1);
      await shared.condition.with(() => {
        isTold = true;
        log(id, "condition, notifying");
        shared.condition.notifyAll();
      });
    });
    await shared.condition.with(async () => {
      await shared.condition.waitFor(() => {
        log(id, "condition, predicate");
        return isTold;
      });
      log(id, "condition");
    });
  },

  async barrier(id) {
    await shared.barrier.wait();
    log(id, "barrier");
  },

  async queue(id) {
    const answer = getEventLoop().createFuture();
    answer.addDoneCallback(() => log(id, "done callback of an answer"));
    // A worker of the server answers, in a context of its own.
    await shared.jobs.put({ answer });
    log(id, "queue, after a put");
    await answer;
    log(id, "queue, after the answer");
    const own = new Queue({ maxSize: 1 });
    const reader = createTask(async () => {
      for (let i = 0; i < 3; i++) {
        await own.get();
        log(id, "queue, after a get");
      }
    });
    for (let i = 0; i < 3; i++) await own.put(i);
    await reader;
  },

  async shield(id) {
    const task = createTask(async () => {
      await sleep(5);
      log(id, "shielded");
    });
    await moveOnAfter(1, () => shield(task));
    log(id, "after the shield");
    await task;
  },

  async timeouts(id) {
    await timeout(1, async () => {
      try {
        await sleep(60_000);
      } finally {
        log(id, "timeout, cancelled");
      }
    }).catch(() => log(id, "timeout"));
    await waitFor(() => sleep(1), 10_000);
    log(id, "waitFor");
  },

  async completed(id) {
    const work = (ms) => async () => {
      await sleep(ms);
      log(id, "completed");
    };
    for await (const _ of asCompleted([work(2), work(1)])) {
      log(id, "asCompleted");
    }
    const tasks = [work(2), work(1)].map((fn) => createTask(fn));
    await wait(tasks);
    log(id, "wait");
  },

  async callbacks(id) {
    const loop = getEventLoop();
    const all = new Event();
    loop.callSoon(() => log(id, "callSoon"));
    loop.callLater(1, () => {
      log(id, "callLater");
      // Its own: neither its neighbours nor those who wait see it.
      loggers.enterWith(logger.child({ id: "of a callback" }));
      loop.callLater(1, () => all.set());
    });
    await all.wait();
    log(id, "after the callbacks");
  },

  async errors(id) {
    getEventLoop().callSoon(() => {
      throw new FailureOf(id);
    });
    await sleep(1);
  },

  async thread(id) {
    const sum = await toThread((a, b) => a + b, 20, 22);
    log(id, `thread, ${sum}`);
  },
};

class FailureOf extends Error {
  constructor(id) {
    super(`of ${id}`);
    this.id = id;
  }
}

/** A request: a span, a logger, and the work. */
function handle(loop, request, response) {
  const traceId = request.url.slice(1).padStart(32, "0");
  const span = trace.wrapSpanContext({
    traceId,
    spanId: "1".padStart(16, "0"),
    traceFlags: TraceFlags.SAMPLED,
  });
  context.with(trace.setSpan(context.active(), span), () => {
    loggers.run(logger.child({ request: traceId }), () => {
      log(traceId, "handler");
      loop.createTask(async () => {
        await gather(Object.values(WAYS).map((way) => () => way(traceId)));
        log(traceId, "the end");
      }).then(
        () => response.end("ok"),
        (error) => response.writeHead(500).end(String(error?.stack)),
      );
    });
  });
}

function fetchText(agent, url) {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (data) => text += data);
      response.on("end", () => resolve(text));
    }).on("error", reject);
  });
}

/** Serves `count` requests, and gives what was answered. */
async function serve(count) {
  const loop = getEventLoop();
  // What debug mode says of slow steps, of a busy machine, is of no request.
  loop.slowCallbackDuration = Infinity;
  loop.setExceptionHandler(({ error }) => {
    if (error instanceof FailureOf) log(error.id, "exception handler");
    else logger.error(error);
  });
  const worker = createTask(async () => {
    for await (const { answer } of shared.jobs) answer.setResult("done");
  });
  const server = createServer((request, response) =>
    handle(loop, request, response)
  );
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENTLY });
  const answers = await Promise.all(
    Array.from(
      { length: count },
      (_, i) => fetchText(agent, `http://127.0.0.1:${port}/${i + 1}`),
    ),
  );
  agent.destroy();
  server.close();
  worker.cancel();
  return answers;
}

const [mode = "default", requests = "300"] = process.argv.slice(2);
const count = Number(requests);
const answers = mode === "default"
  ? await serve(count)
  : await run(() => serve(count), { debug: mode === "debug" });

const failed = answers.filter((answer) => answer !== "ok");
const lost = lines.filter(({ id, trace, request }) =>
  id === undefined || trace !== id || request !== id
);
const places = new Set(lines.map(({ where }) => where));
console.log(
  `${mode}: ${count} requests, ${failed.length} failed; ${lines.length} lines ` +
    `from ${places.size} places, ${lost.length} without their request`,
);
for (const line of lost.slice(0, 10)) console.log(JSON.stringify(line));
for (const answer of failed.slice(0, 3)) console.log(answer);
// Each request has been at each place.
const everywhere = [...places].every((place) =>
  new Set(lines.filter(({ where }) => where === place).map(({ id }) => id))
    .size === count
);
if (!everywhere) console.log("Not every request was everywhere");
process.exit(
  lost.length === 0 && failed.length === 0 && everywhere ? 0 : 1,
);
