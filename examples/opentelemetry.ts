/**
 * OpenTelemetry: each task and each group is a span, and the loop has metrics.
 *
 * The program that is watched does not know of it: the spans are made of what the
 * library publishes in `node:diagnostics_channel`. A span lies in that of the
 * task or the group that made it, and the spans of those that wait for it are
 * linked to it. Failures and cancellations are the status of a span.
 *
 *     deno task example opentelemetry
 *
 * prints the spans and the metrics:
 *
 *     page: failed: Unhandled errors in fetchers (1 error: Error: no route)
 *       linked to slow
 *       linked to broken
 *       fetchers: failed: Unhandled errors in fetchers (1 error: Error: no route)
 *         broken: failed: no route
 *         slow: cancelled: A task of the group failed: ...
 *     writer
 *       linked to page
 *     asyncio.tasks 2
 *     asyncio.queue.size 2
 *     asyncio.loop.lag in ms
 *
 * With `OTEL_DENO=true` in the environment, Deno sends them to a collector itself,
 * and nothing is printed. `traceTasks` and `measureLoop` are all that a program
 * needs of this, whichever SDK it has registered.
 *
 * @module
 */

import {
  allTasks,
  createTask,
  getRunningLoop,
  type GroupTrace,
  Queue,
  run,
  sleep,
  taskGroup,
  type TaskTrace,
  type WaitTrace,
} from "@asyncio/asyncio";
import {
  type Context,
  context,
  type ContextManager,
  metrics,
  ROOT_CONTEXT,
  type Span,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { AsyncLocalStorage } from "node:async_hooks";
import { channel } from "node:diagnostics_channel";
import process from "node:process";

/** A context manager that is a store, and so can be bound to a channel. */
class Contexts extends AsyncLocalStorage<Context> implements ContextManager {
  active(): Context {
    return this.getStore() ?? ROOT_CONTEXT;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    active: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.run(active, () => fn.call(thisArg, ...args));
  }

  bind<T>(active: Context, target: T): T {
    if (typeof target !== "function") return target;
    const run = (...args: unknown[]) => this.run(active, () => target(...args));
    return run as T;
  }

  enable(): this {
    return this;
  }

  override disable(): this {
    super.disable();
    return this;
  }
}

/** A store that hands on what is entered to the context manager of Deno. */
class ContextsOfDeno extends AsyncLocalStorage<Context> {
  override run<R, A extends unknown[]>(
    active: Context,
    fn: (...args: A) => R,
    ...args: A
  ): R {
    return context.with(active, fn, undefined, ...args);
  }
}

/**
 * Makes a span of each task and each group, from now on.
 *
 * @param contexts What is run in there has the active context.
 */
function traceTasks(contexts: AsyncLocalStorage<Context>): void {
  const tracer = trace.getTracer("asyncio");
  const spans = new WeakMap<object, Span>();

  const begin = (key: object, name: string): Context => {
    const span = tracer.startSpan(name);
    spans.set(key, span);
    return trace.setSpan(context.active(), span);
  };
  const end = (key: object, { error }: { error?: unknown }) => {
    const span = spans.get(key);
    if (span === undefined) return;
    spans.delete(key);
    if (error !== undefined) {
      const { name, message } = error as Error;
      const isCancelled = name === "CancelledError";
      span.setStatus({
        code: SpanStatusCode.ERROR,
        message: `${isCancelled ? "cancelled" : "failed"}: ${message}`,
      });
      if (!isCancelled) span.recordException(error as Error);
    }
    span.end();
  };

  // A store that is bound to `start` is there in all that the task does.
  channel("tracing:asyncio:task:start").bindStore(contexts, (message) => {
    const { task } = message as TaskTrace;
    return begin(task, task.name);
  });
  channel("tracing:asyncio:task:asyncEnd").subscribe((message) => {
    const ended = message as TaskTrace;
    end(ended.task, ended);
  });
  channel("tracing:asyncio:group:start").bindStore(contexts, (message) => {
    const group = message as GroupTrace;
    return begin(group, group.name);
  });
  channel("tracing:asyncio:group:asyncEnd").subscribe((message) =>
    end(message as GroupTrace, message as GroupTrace)
  );

  // Who awaits whom: the tasks of a group are awaited by its block.
  channel("tracing:asyncio:wait:start").subscribe((message) => {
    const { task, what, needs } = message as WaitTrace;
    const waiting = task === null ? undefined : spans.get(task);
    for (const needed of needs) {
      const span = spans.get(needed);
      if (waiting === undefined || span === undefined) continue;
      waiting.addLink({
        context: span.spanContext(),
        attributes: { "asyncio.wait": what, "asyncio.task": needed.name },
      });
    }
  });
}

/** Measures the running loop and some queues until the task is cancelled. */
async function measureLoop(
  queues: Readonly<Record<string, { readonly size: number }>>,
  everyMs = 1000,
): Promise<never> {
  const meter = metrics.getMeter("asyncio");
  // A reader asks from outside of any loop.
  const loop = getRunningLoop();
  meter.createObservableGauge("asyncio.tasks").addCallback((result) =>
    result.observe(allTasks(loop).size)
  );
  meter.createObservableGauge("asyncio.queue.size").addCallback((result) => {
    for (const [name, queue] of Object.entries(queues)) {
      result.observe(queue.size, { "asyncio.queue": name });
    }
  });
  const lag = meter.createHistogram("asyncio.loop.lag", { unit: "ms" });
  while (true) {
    const due = loop.time() + everyMs;
    await sleep(everyMs);
    lag.record(loop.time() - due);
  }
}

/** The program that is watched. */
async function main(): Promise<void> {
  const jobs = new Queue<string>({ name: "jobs" });
  const measuring = createTask(() => measureLoop({ jobs }, 10), {
    name: "measuring",
  });

  const page = createTask(() =>
    taskGroup((group) => {
      group.createTask(() => sleep(60_000), { name: "slow" });
      group.createTask(async () => {
        await sleep(35);
        throw new Error("no route");
      }, { name: "broken" });
    }, { name: "fetchers" }), { name: "page" });

  const writer = createTask(async () => {
    try {
      await page;
    } catch {
      jobs.putNowait("apologize");
      jobs.putNowait("log");
    }
  }, { name: "writer" });

  await writer;
  await report();
  measuring.cancel();
}

/** The SDK that this program brings along, where none is built in. */
const spanExporter = new InMemorySpanExporter();
const metricReader = new PeriodicExportingMetricReader({
  exporter: new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE),
});
const isBuiltIn = process.env["OTEL_DENO"] === "true";

function register(contexts: Contexts): void {
  context.setGlobalContextManager(contexts);
  trace.setGlobalTracerProvider(
    new BasicTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(spanExporter)],
    }),
  );
  metrics.setGlobalMeterProvider(
    new MeterProvider({ readers: [metricReader] }),
  );
}

/** Prints what has come together. */
async function report(): Promise<void> {
  if (isBuiltIn) return;
  const spans = spanExporter.getFinishedSpans();
  const ids = new Set(spans.map((span) => span.spanContext().spanId));
  const showBelow = (parent: string | undefined, depth: number) => {
    for (const span of spans) showSpan(span, parent, depth);
  };
  const showSpan = (
    span: ReadableSpan,
    parent: string | undefined,
    depth: number,
  ) => {
    const around = span.parentSpanContext?.spanId;
    const known = around !== undefined && ids.has(around) ? around : undefined;
    if (known !== parent) return;
    const { message } = span.status;
    const space = "  ".repeat(depth);
    console.log(
      `${space}${span.name}${message === undefined ? "" : `: ${message}`}`,
    );
    for (const { attributes } of span.links) {
      console.log(`${space}  linked to ${attributes?.["asyncio.task"]}`);
    }
    showBelow(span.spanContext().spanId, depth + 1);
  };
  showBelow(undefined, 0);

  const { resourceMetrics } = await metricReader.collect();
  for (const { metrics } of resourceMetrics.scopeMetrics) {
    for (const { descriptor, dataPoints } of metrics) {
      const [point] = dataPoints;
      const { value } = point!;
      console.log(
        typeof value === "number"
          ? `${descriptor.name} ${value}`
          : `${descriptor.name} in ${descriptor.unit}`,
      );
    }
  }
}

if (import.meta.main) {
  if (isBuiltIn) {
    traceTasks(new ContextsOfDeno());
  } else {
    const contexts = new Contexts();
    register(contexts);
    traceTasks(contexts);
  }
  await run(main);
}
