/**
 * Callbacks waiting for their turn. Each runs in the async context in which it
 * was scheduled (see gate.ts), and its own changes of that reach no other.
 */
import { refusedNew } from "../_internal/made_by.ts";
import { callbackScope, enterForCallback, leaveCallback } from "./entered.ts";
import { isExitRequest } from "./exit_request.ts";
import { type CodeStep, Gate } from "./gate.ts";
import type { Kernel } from "./kernel.ts";
import { Scope } from "./scope.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { read } from "../_internal/show.ts";
import type { Context } from "./context.ts";
import type { Timer } from "./timer_heap.ts";

type Callback = (...args: never[]) => unknown;

const NO_ARGUMENTS: readonly never[] = [];

/** Calls the callback, if it has not been called off. */
let invoke: (handle: Handle) => void;
let scopeOf: (handle: Handle) => Scope;

function kernelOf(handle: Handle): Kernel {
  return scopeOf(handle).kernel;
}

/**
 * A callback waiting for its turn, as `callSoon` gives it. Equivalent of
 * `asyncio.Handle`.
 *
 * @example Calling it off
 * ```ts
 * import { getEventLoop } from "@asyncio/asyncio";
 * import { assert } from "@std/assert";
 *
 * const handle = getEventLoop().callSoon(() => console.log("never"));
 * handle.cancel();
 * assert(handle.cancelled());
 * ```
 */
export class Handle {
  readonly #scope: Scope;
  #callback: Callback | null;
  #args: readonly unknown[];
  #name: string;

  /**
   * Made by the event loop.
   *
   * @internal
   * @ignore
   */
  constructor(
    kernel: Kernel,
    callback: Callback,
    args: readonly unknown[],
    context: Context | undefined,
  ) {
    if (kernel?.pushCode === undefined) {
      throw refusedNew(
        "a handle",
        "it belongs to a loop",
        "its callSoon() or callLater()",
      );
    }
    this.#callback = callback;
    this.#args = args;
    this.#name = "";
    this.#scope = context === undefined
      ? callbackScope(kernel)
      : Scope.detached(kernel, context);
    if (kernel.hooks !== null) kernel.hooks.handleCreated(this);
  }

  /** Calls the callback off. One that has run is then said to be cancelled. */
  cancel(): void {
    this.#name = "cancelled";
    this.#callback = null;
    this.#args = NO_ARGUMENTS;
  }

  /**
   * Whether {@linkcode Handle.cancel} was called; as in asyncio, even if the
   * callback had run by then.
   *
   * @returns True from that moment on.
   */
  cancelled(): boolean {
    return this.#name === "cancelled";
  }

  /**
   * The handle and its state.
   *
   * @returns For example `<TimerHandle tick>`.
   */
  toString(): string {
    const state = this.#callback === null ? this.#name : nameOf(this.#callback);
    return `<${
      this instanceof TimerHandle ? "TimerHandle" : "Handle"
    } ${state}>`;
  }

  static #invoke(handle: Handle): void {
    const callback = handle.#callback;
    if (callback === null) return;
    const args = handle.#args as never[];
    handle.#callback = null;
    handle.#args = NO_ARGUMENTS;
    handle.#name = "done";
    const { kernel } = handle.#scope;
    if (kernel.hooks !== null) kernel.hooks.callbackStarted(handle);
    enterForCallback(handle.#scope, callback);
    try {
      callback(...args);
      leaveCallback();
    } catch (error) {
      if (isExitRequest(error)) {
        leaveCallback();
        return kernel.abort(error);
      }
      kernel.report({
        message: `Exception in ${nameOf(callback)}`,
        error,
        handle,
        createdAt: kernel.creationStack(handle),
      });
      leaveCallback();
    }
    if (kernel.hooks !== null) kernel.hooks.callbackEnded(handle);
  }

  static {
    inspectByToString(this.prototype);
    invoke = Handle.#invoke;
    scopeOf = (handle) => handle.#scope;
  }
}

function nameOf(callback: Callback): string {
  const name = read(callback, "name");
  return typeof name === "string" && name !== ""
    ? name
    : "an anonymous callback";
}

/**
 * A callback waiting for a time, as `callLater` and `callAt` give it.
 * Equivalent of `asyncio.TimerHandle`.
 *
 * @example When it is due
 * ```ts
 * import { getEventLoop } from "@asyncio/asyncio";
 * import { assert } from "@std/assert";
 *
 * const loop = getEventLoop();
 * const handle = loop.callLater(1000, () => console.log("never"));
 * assert(handle.when() >= loop.time());
 * handle.cancel();
 * ```
 */
export class TimerHandle extends Handle {
  /**
   * What {@linkcode TimerHandle.when} gives.
   *
   * @internal
   * @ignore
   */
  declare readonly deadline: number;

  /**
   * Made by the event loop.
   *
   * @internal
   * @ignore
   */
  constructor(
    kernel: Kernel,
    callback: Callback,
    args: readonly unknown[],
    when: number,
  ) {
    super(kernel, callback, args, undefined);
    this.deadline = when;
  }

  /**
   * When the callback is due.
   *
   * @returns Milliseconds, on the scale of `loop.time()`.
   */
  when(): number {
    return this.deadline;
  }
}

/** A {@linkcode Handle} as the ready queue sees it. */
export class ReadyCallback extends Handle implements CodeStep {
  declare gate: Gate;

  get scope(): Scope {
    return scopeOf(this);
  }

  get runsCode(): boolean {
    return true;
  }

  run(): void {
    this.gate.open(this);
  }

  enter(): void {
    invoke(this);
    kernelOf(this).woken = null;
  }

  describe(): string {
    return this.toString();
  }
}

/** A {@linkcode TimerHandle} as the heap and the ready queue see it. */
export class TimedCallback extends TimerHandle implements Timer, CodeStep {
  // Assigned in the constructor, as in wait.ts.
  declare readonly order: number;
  declare heapIndex: number;
  declare gate: Gate;

  constructor(
    kernel: Kernel,
    callback: Callback,
    args: readonly unknown[],
    when: number,
  ) {
    super(kernel, callback, args, when);
    this.heapIndex = -1;
    this.order = kernel.nextTimerOrder();
    kernel.addTimer(this);
    new Gate(kernel).add(this);
  }

  override cancel(): void {
    super.cancel();
    kernelOf(this).removeTimer(this);
  }

  get scope(): Scope {
    return scopeOf(this);
  }

  get runsCode(): boolean {
    return true;
  }

  due(): void {
    kernelOf(this).push(this);
  }

  get mayComeLater(): boolean {
    return !this.cancelled();
  }

  run(): void {
    this.gate.open(this);
  }

  enter(): void {
    invoke(this);
    kernelOf(this).woken = null;
  }

  describe(): string {
    return this.toString();
  }
}
