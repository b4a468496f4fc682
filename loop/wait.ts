/**
 * The one wait class. Whatever waits in this library is a {@linkcode Wait}:
 * registered with the scope it was started in, and with what it waits for, so
 * that cancellation, debug mode and the call graph have one home.
 *
 * A wait leaves both lists in the same synchronous step in which it is settled
 * or cancelled. So nothing is ever handed to a waiter that is gone, which is
 * how queues and locks lose nothing.
 */
import type { CancelledError } from "../errors.ts";
import type { WaitInfo } from "./hooks.ts";
import type { Scope } from "./scope.ts";
import type { Task } from "./task.ts";
import type { Runnable } from "./types.ts";

/** What a wait waits for. */
export interface WaitSource {
  /** See {@linkcode Runnable}. */
  readonly mayMove?: boolean;
  /** The wait was cancelled: forget it. */
  abandon(wait: Wait<unknown>): void;
  /** For debug mode: `sleep(10)`, `Lock.acquire`, ... */
  describe(wait: Wait<unknown>): string;
}

export class Wait<T> implements Runnable, WaitInfo {
  // Assigned in the constructor and not declared with a value: of all objects
  // of the library this one is made most often, and initializers cost a call.
  declare readonly runsCode: boolean;
  declare scope: Scope;
  declare readonly source: WaitSource;
  /** What the caller awaits. */
  declare readonly promise: Promise<T>;
  /** Neighbours among the waits of the scope. */
  declare previous: Wait<unknown> | null;
  declare next: Wait<unknown> | null;
  /** What it is settled with once its turn in the ready queue comes. */
  declare protected value: T | undefined;
  declare private state: "pending" | "settled" | "done";
  declare private resolve: (value: never) => void;
  declare private reject: (error: unknown) => void;

  /** @param value What it is settled with, where only its turn ends it. */
  constructor(scope: Scope, source: WaitSource, value?: T) {
    this.scope = scope;
    this.source = source;
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve as never;
      this.reject = reject;
    });
    this.value = value;
    this.state = "pending";
    this.previous = null;
    this.next = null;
    this.join(scope);
    // A subclass is not whole yet, and an instrument may ask what it is.
    if (new.target === Wait) this.started();
  }

  /** Called by subclasses once they are made. */
  protected started(): void {
    const hooks = this.scope.kernel.hooks;
    if (hooks !== null) hooks.waitStarted(this);
  }

  get task(): Task<unknown> | null {
    return this.scope.task;
  }

  get what(): string {
    return this.source.describe(this);
  }

  get mayMove(): boolean {
    return this.source.mayMove === true;
  }

  isPending(): boolean {
    return this.state === "pending";
  }

  /** Ends the wait with a value. */
  settle(value: T): void {
    this.leaveScope();
    const kernel = this.scope.kernel;
    if (kernel.stepwise) {
      // Debug mode attributes time to steps, so each step takes its turn.
      this.state = "settled";
      this.value = value;
      kernel.push(this);
    } else {
      this.state = "done";
      this.resolve(value as never);
    }
  }

  /** Ends the wait with a value, from its turn in the ready queue. */
  protected finish(value: T): void {
    this.leaveScope();
    this.state = "done";
    this.resolve(value as never);
  }

  /** Ends the wait with an error of what it waits for. */
  fail(error: unknown): void {
    this.leaveScope();
    this.state = "done";
    this.reject(error);
  }

  /** Called by the scope: interrupts the wait. */
  cancel(error: CancelledError): void {
    this.source.abandon(this);
    this.interrupt(error);
  }

  /** Its turn in the ready queue. */
  run(): void {
    if (this.state === "done") return;
    if (this.state === "pending") this.leaveScope();
    this.state = "done";
    this.resolve(this.value as never);
  }

  describe(): string {
    return this.task === null ? this.what : `${this.task} after ${this.what}`;
  }

  protected interrupt(error: CancelledError): void {
    this.fail(error);
    const scope = this.scope;
    scope.delivering = true;
    const delivered = () => {
      scope.delivering = false;
    };
    // Handling the promise here also keeps one that nobody awaits from ending
    // the program; the code that does await it was registered before and so
    // has the error when this runs.
    this.promise.then(undefined, delivered);
  }

  /** Its scope ended, and it goes on in the one around. */
  moveTo(scope: Scope): void {
    this.unlink();
    this.scope = scope;
    this.join(scope);
  }

  private join(scope: Scope): void {
    const first = scope.waits;
    this.next = first;
    if (first !== null) first.previous = this;
    scope.waits = this;
  }

  private unlink(): void {
    const { previous, next } = this;
    if (previous !== null) previous.next = next;
    else this.scope.waits = next;
    if (next !== null) next.previous = previous;
    this.previous = this.next = null;
  }

  private leaveScope(): void {
    this.unlink();
    const { kernel, top } = this.scope;
    top.lastGrant = kernel.iteration;
    const { hooks } = kernel;
    if (hooks !== null) hooks.waitEnded(this);
  }

  static {
    // Read for each step of the loop, and slower as a getter.
    Object.defineProperty(this.prototype, "runsCode", { value: false });
  }
}
