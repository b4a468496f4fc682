import { checkSpan } from "../_internal/check.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import {
  ConnectionError,
  InvalidStateError,
  isCancelledError,
} from "../errors.ts";
import { currentScope, runIn } from "../loop/current.ts";
import { loopOf } from "../loop/event_loop.ts";
import { runShielded } from "../loop/run_shielded.ts";
import type { Task } from "../loop/task.ts";
import type { SignalName } from "../platform/types/signals.ts";
import { StreamReader } from "../streams/stream_reader.ts";
import { StreamWriter } from "../streams/stream_writer.ts";
import { createTask } from "../tasks/create_task.ts";
import { gather } from "../tasks/gather.ts";
import { untilAborted } from "../tasks/until_aborted.ts";
import { checkChild, type Child, owners } from "./_child.ts";
import { toSignal } from "./_check.ts";
import { InputProtocol, OutputProtocol } from "./_pipes.ts";
import { type PIPE, STOP_GRACE_MS } from "./constants.ts";
import type { SubprocessOptions } from "./options.ts";

/** Options of {@linkcode Process.stop}. */
export interface StopOptions {
  /**
   * How long the child may take to end after SIGTERM before it gets SIGKILL, in
   * milliseconds; below 0 as 0.
   *
   * @default {that of the process, or 5000}
   */
  graceMs?: number | undefined;
  /**
   * Ends the wait when it is aborted: the child gets SIGKILL, as if the task had
   * been cancelled, and its reason is thrown. If it is aborted already, nothing is
   * done to the child.
   */
  signal?: AbortSignal | undefined;
}

const STOP_OPTIONS = new OptionNames<StopOptions>(
  { graceMs: true, signal: "signal" },
  { number: "graceMs" },
);

/**
 * What a standard stream of a {@linkcode Process} is: `S` if the option is
 * `PIPE`, `null` if it is another, and either if that shows no earlier than when
 * the program runs.
 *
 * @typeParam O The options.
 * @typeParam K The stream's name.
 * @typeParam S The stream.
 */
export type PipedStream<O, K extends "stdin" | "stdout" | "stderr", S> =
  O extends { readonly [Key in K]: infer V }
    ? [V] extends [typeof PIPE] ? S : typeof PIPE extends V ? S | null : null
    : S | null;

/**
 * The {@linkcode Process} that was started with certain options.
 *
 * @typeParam O The options.
 */
export type ProcessOf<O extends SubprocessOptions> = Process<
  PipedStream<O, "stdin", StreamWriter>,
  PipedStream<O, "stdout", StreamReader>,
  PipedStream<O, "stderr", StreamReader>
>;

/** Who holds a stream of a process may want it, so it holds the process. */
const processOf = new WeakMap<object, Process>();

const encoder = new TextEncoder();

/**
 * A child process. Made by `createSubprocessExec` and `createSubprocessShell`.
 * Equivalent of `asyncio.subprocess.Process`.
 *
 * Cancelling what waits for the child leaves the child alone, unless it was
 * started with `killOnCancel`. Whatever happens, one that is held by
 * `await using` is not left behind.
 *
 * Do not wait for the end of a child whose output goes through a pipe without
 * reading it: once the pipe is full, the child waits, too. Use
 * {@linkcode Process.communicate}.
 *
 * @typeParam I What `stdin` is, by the options that started the child.
 * @typeParam O What `stdout` is.
 * @typeParam E What `stderr` is.
 *
 * @example Talking to a program
 * ```ts
 * import { createSubprocessExec, PIPE } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await using cat = await createSubprocessExec("cat", [], {
 *   stdin: PIPE,
 *   stdout: PIPE,
 * });
 * cat.stdin.write("hello\n");
 * const line = await cat.stdout.readLine();
 * assertEquals(new TextDecoder().decode(line), "hello\n");
 * cat.terminate();
 * assertEquals(await cat.wait(), -15);
 * ```
 */
export class Process<
  I extends StreamWriter | null = StreamWriter | null,
  O extends StreamReader | null = StreamReader | null,
  E extends StreamReader | null = StreamReader | null,
> implements AsyncDisposable {
  /**
   * What the child reads from; `null` unless it was started with `PIPE`. Closed
   * when the child has ended.
   */
  readonly stdin: I;
  /** What the child prints; `null` unless it was started with `PIPE`. */
  readonly stdout: O;
  /** The child's errors; `null` unless it was started with `PIPE`. */
  readonly stderr: E;
  readonly #child: Child;
  readonly #killOnCancel: boolean;
  readonly #graceMs: number;

  /**
   * Made by `createSubprocessExec`.
   *
   * @internal
   * @ignore
   */
  constructor(child: Child, options: SubprocessOptions) {
    checkChild(child, "a Process", "createSubprocessExec()");
    const { limit, killOnCancel = false, graceMs = STOP_GRACE_MS } = options;
    this.#child = child;
    this.#killOnCancel = killOnCancel;
    this.#graceMs = graceMs;
    // The options decide both what is open and what the types say.
    this.stdin = openWriter(child) as I;
    this.stdout = openReader(child, 1, limit) as O;
    this.stderr = openReader(child, 2, limit) as E;
    if (this.stdin !== null) processOf.set(this.stdin, this);
    if (this.stdout !== null) processOf.set(this.stdout, this);
    if (this.stderr !== null) processOf.set(this.stderr, this);
    owners.register(this, child);
  }

  /** The child's number in the system. */
  get pid(): number {
    return this.#child.pid;
  }

  /**
   * How the child ended: its exit status, or, if a signal ended it, the
   * signal's number as a negative one: -9 after SIGKILL. `null` while it runs.
   */
  get returnCode(): number | null {
    return this.#child.returnCode;
  }

  /**
   * Waits until the child has ended. Any number of tasks may, any number of
   * times. What it printed can be read afterwards, too.
   *
   * @returns The {@linkcode Process.returnCode}.
   * @throws {CancelledError} When the task is cancelled.
   */
  wait(): Promise<number> {
    const ended = this.#child.wait(currentScope(), this);
    return this.#killOnCancel ? this.#endWith(ended) : ended;
  }

  /**
   * Sends input, reads all output, and waits until the child has ended, all at
   * the same time: whatever the sizes, neither waits for the other.
   *
   * The child's stdin is closed after the input. That the child does not read
   * it is no error. All output is kept in memory.
   *
   * @example Through a program
   * ```ts
   * import { createSubprocessExec, PIPE } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const sort = await createSubprocessExec("sort", [], {
   *   stdin: PIPE,
   *   stdout: PIPE,
   * });
   * const [sorted] = await sort.communicate("b\na\n");
   * assertEquals(new TextDecoder().decode(sorted), "a\nb\n");
   * ```
   *
   * @param input What the child is to read; a text is sent in UTF-8.
   * @returns What it printed, and its errors; `null` for what is no pipe.
   * @throws {InvalidStateError} When there is input but stdin is no pipe, or
   * closed, or when another task reads the output.
   * @throws {TypeError} When the input is neither bytes nor a text.
   * @throws {CancelledError} When the task is cancelled. What had come can still
   * be read.
   */
  communicate(
    input?: Uint8Array | string | null,
  ): Promise<
    [
      O extends StreamReader ? Uint8Array : null,
      E extends StreamReader ? Uint8Array : null,
    ]
  >;
  communicate(
    input?: Uint8Array | string | null,
  ): Promise<[Uint8Array | null, Uint8Array | null]> {
    let bytes: Uint8Array | null;
    try {
      bytes = this.#checkInput(input);
    } catch (error) {
      return Promise.reject(error);
    }
    const done = this.#communicate(bytes);
    return this.#killOnCancel ? this.#endWith(done) : done;
  }

  /**
   * Sends a signal to the child.
   *
   * @param signal Its name, or its number: `"SIGHUP"`, 1.
   * @throws {ProcessLookupError} When the child has ended.
   * @throws {TypeError} When `signal` is no name of a signal of this system, and
   * no number.
   * @throws {RangeError} When the system has no signal of the number.
   */
  sendSignal(signal: SignalName | number): void {
    this.#child.kill(toSignal(signal));
  }

  /**
   * Asks the child to end, with SIGTERM.
   *
   * @throws {ProcessLookupError} When the child has ended.
   */
  terminate(): void {
    this.#child.kill("SIGTERM");
  }

  /**
   * Ends the child at once, with SIGKILL.
   *
   * @throws {ProcessLookupError} When the child has ended.
   */
  kill(): void {
    this.#child.kill("SIGKILL");
  }

  /**
   * Sends a signal to the child and all that it has started, even if the
   * child itself has ended. The child must have been started with `detached`.
   *
   * @example A shell and what it runs
   * ```ts
   * import { createSubprocessShell } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const shell = await createSubprocessShell("sleep 60; true", {
   *   detached: true,
   * });
   * shell.killTree();
   * assertEquals(await shell.wait(), -9);
   * ```
   *
   * @param signal Its name, or its number.
   * @throws {InvalidStateError} When the child has no process group of its own.
   * @throws {ProcessLookupError} When all of them have ended.
   * @throws {TypeError} When `signal` is no name of a signal of this system, and
   * no number.
   * @throws {RangeError} When the system has no signal of the number.
   */
  killTree(signal: SignalName | number = "SIGKILL"): void {
    this.#child.killGroup(toSignal(signal));
  }

  /**
   * Ends the child: it is asked to, with SIGTERM, and after a while made to,
   * with SIGKILL. Of a detached child, all its group is asked, and whatever is
   * left of that gets SIGKILL once the child has ended. One that has ended is left
   * as it is.
   *
   * @example A program that does not want to
   * ```ts
   * import { createSubprocessShell, sleep } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const stubborn = await createSubprocessShell(
   *   "trap '' TERM; while :; do sleep 0.01; done",
   * );
   * await sleep(100);
   * assertEquals(await stubborn.stop({ graceMs: 50 }), -9);
   * ```
   *
   * @param options How long it may take.
   * @returns The {@linkcode Process.returnCode}.
   * @throws {TypeError} When `graceMs` is not a number.
   * @throws {RangeError} When `graceMs` is NaN.
   * @throws {CancelledError} When the task is cancelled; the child gets SIGKILL.
   * @throws The reason of `signal`, when it is aborted; the child gets SIGKILL,
   * unless it was aborted before.
   */
  async stop(options: StopOptions = {}): Promise<number> {
    const action = "stop a subprocess";
    checkOptions(action, options, STOP_OPTIONS);
    const { graceMs = this.#graceMs, signal } = options;
    const span = checkSpan(action, "graceMs", graceMs);
    return await untilAborted(signal, () => this.#child.stop(span, this));
  }

  /**
   * Ends the child as {@linkcode Process.stop} does, and closes the pipes. A
   * cancellation does not hinder it, and is delivered afterwards. Of a child that
   * was started with `detached`, nothing that it has started is left, unless that
   * has made a session of its own.
   *
   * @returns When the child has ended.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    try {
      if (child.isRunning) await unhindered(() => this.stop());
      else child.end();
    } finally {
      child.closePipes();
    }
  }

  /**
   * The process and its state.
   *
   * @returns For example `<Process 4711 cat running>`.
   */
  toString(): string {
    return `<Process ${this.#child}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "Process";
  }

  /** Should the wait be cancelled, the child is ended. */
  async #endWith<T>(wait: Promise<T>): Promise<T> {
    try {
      return await wait;
    } catch (error) {
      // Of a child that has ended, some of its group may hold a pipe open.
      if (isCancelledError(error)) await unhindered(() => this.stop());
      throw error;
    }
  }

  async #communicate(
    input: Uint8Array | null,
  ): Promise<[Uint8Array | null, Uint8Array | null]> {
    const tasks: Task<Uint8Array | null>[] = [
      createTask(() => this.#feed(input), { name: "communicate: stdin" }),
      createTask(() => readAll(this.stdout), { name: "communicate: stdout" }),
      createTask(() => readAll(this.stderr), { name: "communicate: stderr" }),
    ];
    try {
      const [, stdout, stderr] = await gather(tasks);
      await this.#child.wait(currentScope(), this);
      return [stdout ?? null, stderr ?? null];
    } catch (error) {
      // One could not read: the others leave what is theirs to whoever can.
      for (const task of tasks) task.cancel();
      await gather(tasks, { returnExceptions: true });
      throw error;
    }
  }

  async #feed(input: Uint8Array | null): Promise<null> {
    const { stdin } = this;
    if (stdin === null) return null;
    try {
      if (input !== null) {
        stdin.write(input);
        await stdin.drain();
      }
    } catch (error) {
      // It does not have to read.
      if (!(error instanceof ConnectionError)) throw error;
    }
    stdin.close();
    return null;
  }

  #checkInput(input: Uint8Array | string | null | undefined) {
    if (input === undefined || input === null) return null;
    if (typeof input !== "string" && !(input instanceof Uint8Array)) {
      throw new TypeError(
        `Cannot communicate as 'input' must be a Uint8Array or a string: received ${
          show(input)
        }`,
      );
    }
    if (this.stdin === null) {
      throw new InvalidStateError(
        `Cannot communicate as there is input and stdin is no pipe, without 'stdin: PIPE': received a call on ${this}`,
      );
    }
    return typeof input === "string" ? encoder.encode(input) : input;
  }

  static {
    inspectByToString(this.prototype);
  }
}

/**
 * Runs `fn` where no cancellation reaches it. What comes meanwhile is left for
 * the next wait, so that it does not hide the error that led here.
 */
function unhindered(fn: () => Promise<unknown>): Promise<unknown> {
  return runShielded(
    currentScope(),
    (scope) => runIn(scope, fn),
  );
}

function openWriter(child: Child): StreamWriter | null {
  if (child.hostPipe(0) === null) return null;
  const input = new InputProtocol();
  return new StreamWriter(child.open(0, input), input, null);
}

function openReader(
  child: Child,
  number: 1 | 2,
  limit: number | undefined,
): StreamReader | null {
  if (child.hostPipe(number) === null) return null;
  const reader = new StreamReader({
    loop: loopOf(child.scope.kernel),
    ...(limit !== undefined && { limit }),
  });
  child.open(number, new OutputProtocol(reader));
  return reader;
}

async function readAll(
  reader: StreamReader | null,
): Promise<Uint8Array | null> {
  return reader === null ? null : await reader.read();
}
