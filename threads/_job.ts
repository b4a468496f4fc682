import { type CancelledError, isCancelledError } from "../errors.ts";
import { type Context, variablesOf } from "../loop/context.ts";
import { currentScope } from "../loop/current.ts";
import { toCancelledError } from "../loop/cancel_request.ts";
import { withLoop } from "../loop/event_loop.ts";
import { Future, futureInternals } from "../loop/future.ts";
import type { Kernel } from "../loop/kernel.ts";
import { capturePlace } from "../platform/async_storage.ts";
import type { AsyncPlace } from "../platform/types/async_storage.ts";
import { canClone, notCloneable, transfersOfAll } from "./_cloning.ts";
import type { JobMessage } from "./_messages.ts";

/** A future whose cancellation is passed on to where the work is done. */
export class JobFuture<T = unknown> extends Future<T> {
  readonly #onCancel: (error: CancelledError) => void;

  constructor(kernel: Kernel, onCancel: (error: CancelledError) => void) {
    super(withLoop(kernel));
    this.#onCancel = onCancel;
    kernel.hooks?.futureCreated(this);
  }

  override cancel(reason?: unknown): boolean {
    if (this.done()) return false;
    const error = toCancelledError(reason);
    super.cancel(error);
    this.#onCancel(error);
    return true;
  }
}

/** What a job runs. */
export type JobTarget = Pick<JobMessage, "source" | "module" | "name">;

/** One call into a worker. */
export class Job<T = unknown> {
  readonly kernel: Kernel;
  /** Of whoever submitted it: what the worker calls here runs in a copy. */
  readonly context: Context;
  /** Where it was submitted: there the main thread runs those calls. */
  readonly place: AsyncPlace;
  readonly future: JobFuture<T>;
  /** What is run, for messages. */
  readonly what: string;
  readonly #target: JobTarget;
  #args: readonly unknown[];
  #transfer: readonly object[];
  #variables: ReadonlyMap<string, unknown> | null;
  #isHeld = false;

  /** @param onCancel Told that the future was cancelled. */
  constructor(
    target: JobTarget,
    what: string,
    args: readonly unknown[],
    onCancel: (job: Job, error: CancelledError) => void,
  ) {
    const { kernel, context, hasVariables } = currentScope();
    if (kernel.closed) throw kernel.closedError("submit a job");
    this.kernel = kernel;
    this.context = context;
    this.place = capturePlace();
    this.what = what;
    this.#target = target;
    this.#args = args;
    this.#transfer = transfersOfAll(args);
    this.#variables = hasVariables ? new Map(variablesOf(context)) : null;
    this.future = new JobFuture(
      kernel,
      (error) => onCancel(this as Job, error),
    );
  }

  /**
   * Sends it.
   *
   * @throws {TypeError} When an argument cannot be cloned.
   */
  send(
    number: number,
    post: (message: JobMessage, transfer: readonly object[]) => void,
  ): void {
    const message = {
      kind: "job",
      number,
      ...this.#target,
      args: this.#args,
    } as const;
    this.#try((variables) => post({ ...message, variables }, this.#transfer));
  }

  /** Whether it can be sent again, as it was, after it was taken back. */
  get isRepeatable(): boolean {
    return this.#transfer.length === 0 && (this.#isHeld || this.#isFixed());
  }

  /**
   * Takes the arguments as they are now, for sending them later, if it has not
   * yet.
   *
   * @throws {TypeError} When an argument cannot be cloned.
   */
  hold(): void {
    if (this.#isHeld || this.#isFixed()) return;
    this.#try((variables) => {
      const transfer = [...this.#transfer];
      const held = structuredClone(
        { args: this.#args, variables, transfer },
        { transfer: transfer as ArrayBuffer[] },
      );
      this.#args = held.args;
      this.#variables = held.variables;
      this.#transfer = held.transfer;
    });
    this.#isHeld = true;
  }

  /** Whether nobody can change what is sent. */
  #isFixed(): boolean {
    return this.#variables === null && this.#args.every(isPrimitive);
  }

  succeed(value: unknown): void {
    if (!this.future.done()) {
      futureInternals.settle(this.future, "finished", value);
    }
  }

  fail(error: unknown): void {
    if (this.future.done()) return;
    const state = isCancelledError(error) ? "cancelled" : "failed";
    futureInternals.settle(this.future, state, error);
  }

  #try(use: (variables: ReadonlyMap<string, unknown> | null) => void): void {
    try {
      return use(this.#variables);
    } catch (error) {
      const all = [...this.#variables ?? []];
      const some = all.filter(([, value]) => canClone(value));
      // Variables go along if they can; arguments have to.
      if (some.length === all.length) throw this.#notCloneable(error);
      this.#variables = some.length === 0 ? null : new Map(some);
    }
    try {
      use(this.#variables);
    } catch (error) {
      throw this.#notCloneable(error);
    }
  }

  #notCloneable(error: unknown): TypeError {
    return notCloneable(`run ${this.what} in a worker`, this.#args, error);
  }
}

/** Whether a value stays as it is. */
function isPrimitive(value: unknown): boolean {
  switch (typeof value) {
    case "object":
      return value === null;
    // It cannot be cloned, and the error is to say so at the call.
    case "function":
    case "symbol":
      return false;
    default:
      return true;
  }
}
