/**
 * Callbacks waiting for their turn. In a loop that carries the async context, a
 * callback is a reaction to a promise, registered where it was scheduled: so
 * the host brings along what other libraries keep there, and the loop only
 * decides when the promise is settled.
 */
import { callbackScope, runCallback } from "./current.ts";
import { isExitRequest } from "./exit_request.ts";
import type { Kernel } from "./kernel.ts";
import { Scope } from "./scope.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import type { Context } from "./context.ts";
import type { Timer } from "./timer_heap.ts";
import type { Runnable } from "./types.ts";

type Callback = (...args: never[]) => unknown;

const NO_ARGUMENTS: readonly never[] = [];

/** Runs the callback, or lets it run as the next microtask. */
let startCallback: (handle: Handle) => void;
let kernelOf: (handle: Handle) => Kernel;
/** Whether it runs in the root scope, and in the async context of the loop. */
let isInRoot: (handle: Handle) => boolean;

/**
 * A callback waiting for its turn, as `callSoon` gives it. Answers to
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
  /** Settles the promise that the callback is a reaction to, if it is one. */
  #release: (() => void) | null;

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
    this.#callback = callback;
    this.#args = args;
    this.#name = "";
    this.#release = null;
    this.#scope = context === undefined
      ? callbackScope(kernel)
      : new Scope(kernel, null, null, context, false);
    if (kernel.carriesAsyncContext) Handle.#carryContext(this);
    if (kernel.hooks !== null) kernel.hooks.handleCreated(this);
  }

  /** Calls the callback off; does nothing where it has run. */
  cancel(): void {
    if (this.#callback === null) return;
    this.#name = "cancelled";
    this.#callback = null;
    this.#args = NO_ARGUMENTS;
  }

  /**
   * Whether {@linkcode Handle.cancel} came before its turn.
   *
   * @returns True where the callback never runs.
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
    const state = this.#callback === null
      ? this.#name
      : this.#callback.name || "an anonymous callback";
    return `<${
      this instanceof TimerHandle ? "TimerHandle" : "Handle"
    } ${state}>`;
  }

  // Apart from the constructor, where a closure would cost each handle.
  static #carryContext(handle: Handle): void {
    new Promise<void>((resolve) => {
      handle.#release = resolve;
    }).then(() => Handle.#invoke(handle));
  }

  static #invoke(handle: Handle): void {
    const callback = handle.#callback;
    if (callback === null) return;
    const args = handle.#args as never[];
    handle.#callback = null;
    handle.#args = NO_ARGUMENTS;
    handle.#name = "done";
    try {
      runCallback(handle.#scope, callback, args);
    } catch (error) {
      if (isExitRequest(error)) return handle.#scope.kernel.abort(error);
      const name = callback.name || "an anonymous callback";
      handle.#scope.kernel.report({ message: `Exception in ${name}`, error });
    }
  }

  static {
    inspectByToString(this.prototype);
    startCallback = (handle) =>
      handle.#release === null ? Handle.#invoke(handle) : handle.#release();
    kernelOf = (handle) => handle.#scope.kernel;
    isInRoot = (handle) =>
      handle.#scope === handle.#scope.kernel.root && handle.#release === null;
  }
}

/**
 * A callback waiting for a time, as `callLater` and `callAt` give it. Answers
 * to `asyncio.TimerHandle`.
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
export class ReadyCallback extends Handle implements Runnable {
  get runsCode(): boolean {
    return true;
  }

  get inRoot(): boolean {
    return isInRoot(this);
  }

  run(): void {
    startCallback(this);
  }

  describe(): string {
    return this.toString();
  }
}

/** A {@linkcode TimerHandle} as the heap and the ready queue see it. */
export class TimedCallback extends TimerHandle implements Timer, Runnable {
  // Assigned in the constructor, as in wait.ts.
  declare readonly order: number;
  declare heapIndex: number;

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
  }

  override cancel(): void {
    super.cancel();
    kernelOf(this).removeTimer(this);
  }

  get runsCode(): boolean {
    return true;
  }

  get inRoot(): boolean {
    return isInRoot(this);
  }

  due(): void {
    kernelOf(this).push(this);
  }

  run(): void {
    startCallback(this);
  }

  describe(): string {
    return this.toString();
  }
}
