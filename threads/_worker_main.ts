/** What a worker of the pool runs: it does one job after the other. */
import { alsoForCaller, rejectAtCaller } from "../_internal/caller_frame.ts";
import { react, thenOf } from "../_internal/check.ts";
import { isError, messageOf } from "../_internal/error_text.ts";
import { show } from "../_internal/show.ts";
import { CancelledError, isCancelledError } from "../errors.ts";
import {
  type CallListener,
  provideWorkerContext,
  transfers,
  type WorkerContext,
} from "../platform/worker_context.ts";
import { workerSide } from "../platform/worker_side.ts";
import { notCloneable, transfersOf, transfersOfAll } from "./_cloning.ts";
import { describeError, reviveError } from "./_errors.ts";
import { Lull } from "./_lull.ts";
import {
  CANCELLED,
  DONE,
  type JobMessage,
  type Marked,
  type MessageFromWorker,
  type MessageToWorker,
  type ReturnMessage,
  type WorkerData,
} from "./_messages.ts";
import { claim } from "./_offers.ts";
import { asWritten, missing } from "./_rewritten.ts";
import {
  compile,
  describeFunction,
  PROVIDED,
  Remembered,
  RIGHT_WAY,
  WORKERS_OWN,
} from "./_source.ts";
import { markTransfer } from "./_transfer.ts";

type AnyFunction = (...args: unknown[]) => unknown;

const side = workerSide();
const data = side.data as WorkerData;
const { shared, key } = data;
// Jobs can see it as well.
delete data.key;
const lull = new Lull(shared);

function post(
  message: Marked<MessageFromWorker>,
  transfer: readonly object[] = [],
): void {
  message.key = key as number;
  side.post(message, transfer);
}

/** The job that runs, and what tells it that it was cancelled. */
class RunningJob {
  readonly message: JobMessage;
  /** Whether the library runs it as a task. */
  isTask = false;
  /** Made when someone listens; most jobs are never cancelled. */
  #controller: AbortController | null = null;
  #error: unknown = null;
  #isTold = false;

  constructor(message: JobMessage) {
    this.message = message;
  }

  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#error !== null) this.#controller.abort(this.#error);
    }
    return this.#controller.signal;
  }

  /** What cancelled it; otherwise `null`. */
  get error(): unknown {
    this.poll();
    return this.#error;
  }

  cancel(error: unknown): void {
    if (this.#error !== null) return;
    this.#error = error;
    this.#controller?.abort(error);
  }

  /** Code that never waits gets no message, so it looks for itself. */
  poll(): void {
    if (Atomics.load(shared, CANCELLED) === this.message.number) {
      this.cancel(new CancelledError("The job was cancelled"));
    }
  }

  checkCancelled(): void {
    this.poll();
    // A task is told in the way of tasks.
    if (this.isTask || this.#isTold || this.#error === null) return;
    this.#isTold = true;
    throw this.#error;
  }
}

let job: RunningJob | null = null;

// -- calls to the main thread -------------------------------------------------

const calls = new Map<number, CallListener>();
let lastCall = 0;

const context: WorkerContext = {
  runJob: null,
  poll: () => job?.poll(),
  checkCancelled: () => job?.checkCancelled(),
  call(name, args, listener) {
    const call = ++lastCall;
    try {
      post({ kind: "call", call, name, args }, transfersOfAll(args));
    } catch (error) {
      throw notCloneable(`call ${show(name)} in the main thread`, args, error);
    }
    calls.set(call, listener);
    return (reason) => {
      if (!calls.has(call)) return;
      post({ kind: "cancelCall", call, error: describeError(reason) });
    };
  },
};
provideWorkerContext(context);

function endCall({ call, value, error }: ReturnMessage): void {
  const listener = calls.get(call);
  calls.delete(call);
  if (error === undefined) listener?.succeeded(value);
  else listener?.failed(reviveError(error));
}

// -- functions that come by their source --------------------------------------

/** A promise that can be cancelled, for code that has not loaded the library. */
function callMainThread(name: string, ...args: unknown[]): Promise<unknown> {
  let listener!: CallListener;
  const promise = new Promise<unknown>((succeeded, failed) => {
    // Not before it has failed: until then, only its user may react to it.
    const failedHere = (error: unknown) => {
      failed(error);
      promise.catch(stopListening);
    };
    listener = {
      succeeded(value) {
        succeeded(value);
        stopListening();
      },
      failed: (error) =>
        rejectAtCaller(alsoForCaller(error), succeeded, failedHere),
    };
  });
  const cancelCall = context.call(name, args, listener);
  const signal = job?.signal;
  const onAbort = () => cancelCall(signal?.reason);
  signal?.addEventListener("abort", onAbort);
  const stopListening = () => signal?.removeEventListener("abort", onAbort);
  return Object.assign(promise, {
    cancel: (reason?: unknown) =>
      cancelCall(new CancelledError(undefined, { reason })),
  });
}

/** By the order of PROVIDED. */
const provided = [
  (): AbortSignal | undefined => {
    job?.poll();
    return job?.signal;
  },
  context.checkCancelled,
  callMainThread,
  (value: object, list?: readonly object[]) =>
    markTransfer(transfers, value, list),
];

const providedByName = Object.fromEntries(
  PROVIDED.map((name, index) => [name, provided[index]]),
);

/** The same by the names that a bundler has given them. */
const renamed = Object.fromEntries(
  data.names.map((name, index) => [name, provided[index]]).filter(([name]) =>
    name !== "" && !(name as string in providedByName) &&
    !(name as string in globalThis)
  ),
);

const compiled = new Remembered<AnyFunction>();

function functionOf(source: string): AnyFunction {
  let fn = compiled.get(source);
  if (fn === undefined) {
    fn = compile(
      source,
      provided,
      { ...renamed, ...missing(source, providedByName) },
    ) as AnyFunction;
    compiled.set(source, fn);
  }
  return fn;
}

/** Says of a variable that is not there why it is not. */
function explain(error: unknown, source: string, name: string): unknown {
  if (!isError(error) || !(error instanceof ReferenceError)) return error;
  const variable = variableOf(messageOf(error));
  if (variable === undefined || !mentions(source, variable)) return error;
  return new ReferenceError(
    `Cannot run ${describeFunction(name)} in a worker as it refers to "${
      asWritten(source, variable)
    }", which is outside of it and stays in its own thread: make that an argument; or ${RIGHT_WAY}`,
    { cause: error },
  );
}

/** The variable that is not there, as V8 says it, or Bun's engine. */
function variableOf(message: string): string | undefined {
  if (/^(?:Must call super constructor|'super\(\)' must be)/.test(message)) {
    return "this";
  }
  const [, early = ""] =
    /^Cannot access '(\S+)' before initialization\.?$/.exec(message) ?? [];
  if (WORKERS_OWN.includes(early)) return early;
  return /^(\S+) is not defined$/.exec(message)?.[1];
}

function mentions(source: string, variable: string): boolean {
  const escaped = variable.replaceAll("$", "\\$");
  return new RegExp(`(?<![\\w$])${escaped}(?![\\w$])`).test(source);
}

// -- functions of modules -----------------------------------------------------

const modules = new Map<string, Record<string, unknown>>();

async function load(url: string): Promise<Record<string, unknown>> {
  const module = await import(url);
  modules.set(url, module);
  return module;
}

function exported(
  module: Record<string, unknown>,
  { module: url, name }: JobMessage,
): AnyFunction {
  // What CommonJS exports may be found in `default` only.
  const rest = module["default"] as Record<string, unknown> | undefined;
  const fn = module[name] ?? rest?.[name];
  if (typeof fn === "function") return fn as AnyFunction;
  const names = Object.keys(module).filter((each) =>
    typeof module[each] === "function"
  );
  throw new TypeError(
    `Cannot call ${name} of ${url} in a worker as the module exports no such function: it exports ${
      names.join(", ") || "none"
    }`,
  );
}

// -- jobs ---------------------------------------------------------------------

/** Those that have come, and wait for the one that runs. */
const sent: JobMessage[] = [];
/** From the beginning of a job until the event loop has had its turn after it. */
let isBusy = false;
/** An error that nothing has caught ends this worker. */
let isEnding = false;

/**
 * Begins the first job that the main thread has not taken back, with a turn of
 * the event loop for each: what nothing catches of one must not end another.
 */
function next(): void {
  isBusy = false;
  while (sent.length > 0 && !isBusy && !isEnding) {
    const message = sent.shift()!;
    if (!claim(shared, message.number)) continue;
    isBusy = true;
    lull.end();
    start(message);
  }
}

function start(message: JobMessage): void {
  side.jobBegins();
  const current = job = new RunningJob(message);
  if (message.source === null && !modules.has(message.module)) {
    load(message.module).then(
      () =>
        current.error === null ? run(current) : fail(current, current.error),
      (error) => fail(current, error),
    );
  } else run(current);
}

function run(current: RunningJob): void {
  const { message } = current;
  const { source, module, args } = message;
  const { runJob } = context;
  current.isTask = runJob !== null;
  let result: unknown;
  let isPromise: boolean;
  try {
    const fn = source !== null
      ? functionOf(source)
      : exported(modules.get(module)!, message);
    result = runJob === null
      ? fn(...args)
      : runJob(() => fn(...args), message.variables ?? NONE, current.signal);
    isPromise = thenOf(result) !== null;
  } catch (error) {
    return fail(current, error);
  }
  if (!isPromise) return succeed(current, result);
  react(
    result as PromiseLike<unknown>,
    (value) => succeed(current, value),
    (error) => fail(current, error),
  );
}

const NONE: ReadonlyMap<string, unknown> = new Map();

function succeed(ended: RunningJob, value: unknown): void {
  try {
    post({ kind: "done", value }, transfersOf(value));
  } catch (cause) {
    const { name } = ended.message;
    return fail(
      ended,
      new TypeError(
        `Cannot give back the result of ${
          describeFunction(name)
        } as it cannot be cloned: received ${show(value)}`,
        { cause },
      ),
    );
  }
  leave(ended);
}

function fail(ended: RunningJob, error: unknown): void {
  const { source, name } = ended.message;
  post({
    kind: "done",
    error: describeError(
      source === null ? error : explain(error, source, name),
    ),
  });
  leave(ended);
}

function leave(ended: RunningJob): void {
  // The main thread may be too busy to take the message before the grace is over.
  Atomics.store(shared, DONE, ended.message.number);
  job = null;
  side.jobEnded();
  side.afterTurn(() => {
    lull.begin(ended.message.number);
    next();
  });
}

side.onMessage((received) => {
  const message = received as MessageToWorker;
  switch (message.kind) {
    case "job":
      sent.push(message);
      if (!isBusy) next();
      return;
    case "return":
      return endCall(message);
    case "cancel":
      if (job?.message.number === message.number) {
        job.cancel(reviveError(message.error));
      }
  }
});

side.onUncaught((error) => {
  // Cancelling ends nothing: see rejections.ts of the loop.
  if (isCancelledError(error)) return;
  isEnding = true;
  post({ kind: "crash", error: describeError(error) });
});

// Deno has variables of these names, which would stand in for the caller's own.
for (const own of ["name", "require"]) {
  delete (globalThis as Record<string, unknown>)[own];
}
