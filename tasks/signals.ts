import { LONGEST_HOST_TIMER_MS } from "../_internal/constants.ts";
import { onClose } from "../loop/closing.ts";
import { currentScope } from "../loop/current.ts";
import type { Kernel } from "../loop/kernel.ts";
import { interruption } from "../loop/scope.ts";
import { checkSignal, leaveSignal, takeSignal } from "../loop/signals.ts";
import { WaitQueue } from "../loop/wait_queue.ts";
import { hostTimers } from "../platform/timers.ts";
import type { SignalName } from "../platform/types/signals.ts";

/**
 * What {@linkcode signals} gives: to loop over once, or to dispose of.
 *
 * @typeParam S The names.
 */
export interface Signals<S extends SignalName = SignalName>
  extends AsyncIterableIterator<S, undefined>, Disposable {}

/**
 * Listens to signals of the system, for a `for await` loop: from the call to the
 * end of the loop, however that comes. Meanwhile such a signal does nothing else,
 * and `run`, too, leaves it alone. asyncio has `loop.add_signal_handler`, which is
 * here as well; trio has `open_signal_receiver`.
 *
 * A signal that comes before the loop, or while its body runs, is given in the
 * next step. Equal ones that come in that time are one, as the system itself has
 * it. Several calls all hear each signal.
 *
 * Listening alone does not keep a program going, but a loop that waits does; on
 * Deno there is no difference. What is never looped over listens until it is
 * disposed of, or its loop is closed.
 *
 * @typeParam S The names.
 *
 * @example Reloading at SIGHUP
 * ```ts
 * import { run, signals } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 * import { kill, pid } from "node:process";
 *
 * let reloads = 0;
 * await run(async () => {
 *   const hangups = signals("SIGHUP");
 *   kill(pid, "SIGHUP"); // by another program, with `kill -HUP`
 *   for await (const signal of hangups) {
 *     assertEquals(signal, "SIGHUP");
 *     reloads++;
 *     break; // SIGHUP ends the program again
 *   }
 * });
 * assertEquals(reloads, 1);
 * ```
 *
 * @param names Their names, such as `"SIGHUP"`.
 * @returns An iterator. Its `next` throws a {@linkcode CancelledError} when the
 * current task is cancelled, and then it listens no more.
 * @throws {TypeError} When there is no name, or one of them is not that of a
 * signal which a program of this system can listen to: `"SIGKILL"`, or on Windows
 * `"SIGUSR1"`.
 */
export function signals<S extends SignalName>(...names: S[]): Signals<S> {
  if (names.length === 0) {
    throw new TypeError(
      "Cannot listen to signals as at least one name is needed: received none",
    );
  }
  for (const [index, name] of names.entries()) {
    checkSignal("listen to signals", `names[${index}]`, name);
  }
  return new SignalReceiver(currentScope().kernel, new Set(names));
}

const END = { done: true, value: undefined } as const;

class SignalReceiver<S extends SignalName> implements Signals<S> {
  readonly #listeners = new Map<S, () => void>();
  /** Those that came and were not given yet. */
  readonly #came = new Set<S>();
  readonly #steps: WaitQueue<IteratorResult<S, undefined>>;
  readonly #forgetClose: () => void;
  #waiting = 0;
  /** While somebody waits: no host's listener keeps every program going. */
  #timer: unknown = null;
  #isOver = false;

  constructor(kernel: Kernel, names: ReadonlySet<S>) {
    this.#steps = new WaitQueue([...names].join(" or "), {
      take: () => this.#shift(),
      takeBack: () => this.#grant(),
    });
    for (const name of names) {
      const listener = () => {
        this.#came.add(name);
        this.#grant();
      };
      takeSignal(name, listener, { keepsAlive: false });
      this.#listeners.set(name, listener);
    }
    this.#forgetClose = onClose(kernel, () => this.#stop());
  }

  async next(): Promise<IteratorResult<S, undefined>> {
    try {
      return await this.#next();
    } catch (error) {
      // The loop is over, and does not say so.
      this.#stop();
      throw error;
    }
  }

  return(): Promise<IteratorReturnResult<undefined>> {
    this.#stop();
    return Promise.resolve(END);
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async #next(): Promise<IteratorResult<S, undefined>> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return await interrupted;
    if (this.#isOver) return END;
    if (this.#isFree()) return await scope.kernel.succeed(scope, this.#shift());
    if (this.#waiting++ === 0) this.#stayAlive();
    try {
      return await this.#steps.wait(scope);
    } finally {
      if (--this.#waiting === 0 && !this.#isOver) this.#mayEnd();
    }
  }

  /** Whether there is one more than is reserved for those who wait. */
  #isFree(): boolean {
    return this.#came.size > this.#steps.grantedSize;
  }

  #grant(): void {
    if (this.#isFree()) this.#steps.settleFirst(END);
  }

  #shift(): IteratorResult<S, undefined> {
    for (const name of this.#came) {
      this.#came.delete(name);
      return { done: false, value: name };
    }
    return END;
  }

  #stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#waiting > 0) this.#mayEnd();
    this.#forgetClose();
    for (const [name, listener] of this.#listeners) leaveSignal(name, listener);
    this.#listeners.clear();
    this.#came.clear();
    this.#steps.settleAll(END);
  }

  #stayAlive(): void {
    this.#timer = hostTimers.setTimer(
      () => this.#stayAlive(),
      LONGEST_HOST_TIMER_MS,
    );
  }

  #mayEnd(): void {
    hostTimers.clearTimer(this.#timer);
  }
}
