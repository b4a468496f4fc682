/**
 * The one wait class. Whatever waits in this library is a {@linkcode Wait}:
 * registered with the scope it was started in, and with what it waits for, so
 * that cancellation, debug mode and the call graph have one home.
 *
 * ```text
 *   waiting --settle(), fail()--> due --its turn--> the code has it
 *      |                            |
 *      +---------- cancel() --------+--> cancelled --its turn--> the code has it
 *      |
 *      +--commit()--> done --the next step--> the code is told
 * ```
 *
 * Whatever ends a wait only decides how it ends. The code that awaits it hears
 * of that in the wait's turn of the ready queue, and the next turn comes when
 * that code has run (see kernel.ts). Until its turn, a wait can be cancelled, and
 * then it has taken nothing: what it waits for forgets it in the same
 * synchronous step, which is how queues and locks lose nothing.
 */
import { rejectAtCaller } from "../_internal/caller_frame.ts";
import type { CancelledError } from "../errors.ts";
import type { WaitInfo } from "./hooks.ts";
import type { Scope } from "./scope.ts";
import type { Task } from "./task.ts";
import type { Runnable } from "./types.ts";

/** What a wait waits for. */
export interface WaitSource {
  /** What all its waits wait for, if that can be said of one that has ended. */
  readonly title?: string;
  /** Its waits need no more than their turn. */
  readonly isTurn?: boolean;
  /** See {@linkcode Runnable}. */
  readonly mayMove?: boolean;
  /** The wait was cancelled: forget it. */
  abandon(wait: Wait<unknown>): void;
  /** For debug mode: `sleep(10)`, `Lock.acquire`, ... */
  describe(wait: Wait<unknown>): string;
  /**
   * The only tasks that can end the wait, for the search for deadlocks; null if
   * anything else can. A `WaitQueue` has it among its options.
   */
  blockers?(wait: Wait<unknown>): Blockers | null;
}

/** The tasks that have to go on for a wait to end. */
export interface Blockers {
  readonly tasks: Iterable<Task<unknown>>;
  /** All of them have to, and not just one of them. */
  readonly needsAll: boolean;
}

/** Under this a future that is no task tells the same, if it knows. */
export const blockers: unique symbol = Symbol("blockers");

/** Nothing has decided yet how it ends, or only its turn will. */
const WAITING = 0;
/** It ends with a value, in its turn. */
const SETTLED = 1;
/** It ends with an error of what it waits for, in its turn. */
const FAILED = 2;
/** It ends with a CancelledError, in its turn. */
const CANCELLED = 3;
/** Its turn has come. */
const DONE = 4;
/** It has ended with a value, of which the code is still to be told. */
const COMMITTED = 5;

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
  /** What it ends with: a value, or an error, by its state. */
  declare protected outcome: unknown;
  declare private state: number;
  /** Whether it is in the ready queue. */
  declare isQueued: boolean;
  declare private resolve: (value: never) => void;
  declare private reject: (error: unknown) => void;

  /** @param value What it ends with if nothing but its turn ends it. */
  constructor(scope: Scope, source: WaitSource, value?: T) {
    this.scope = scope;
    this.source = source;
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve as never;
      this.reject = reject;
    });
    this.outcome = value;
    this.state = WAITING;
    this.isQueued = false;
    this.previous = null;
    this.next = null;
    this.join(scope);
    // The code that the present turn has woken has come to its next wait.
    const { kernel, task } = scope;
    if (kernel.woken === task) kernel.woken = null;
    else if (task === null && kernel.woken === kernel) kernel.woken = null;
    // A subclass is not whole yet, and an instrument may ask what it is.
    const { hooks } = kernel;
    if (hooks !== null && new.target === Wait) {
      // See Hooks.turns: such a call is a tenth of what a switch costs.
      if (hooks.turnsLeft === 0 || source.isTurn !== true) this.started();
    }
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

  /** Whether it may still be settled, or fail. */
  isPending(): boolean {
    return this.state === WAITING;
  }

  /** Whether its turn comes, as it was decided or has what it waits for. */
  isReady(): boolean {
    return this.isQueued;
  }

  /** Gives it a turn in the ready queue, which ends it. */
  enqueue(): void {
    const { kernel } = this.scope;
    // A callback of the host may come when the loop is closed: then nobody wakes.
    if (this.isQueued || kernel.closed) return;
    this.isQueued = true;
    kernel.push(this);
  }

  /**
   * What it waits for is there, and it takes it in its turn. Cancelled until
   * then, it has not: its source is told to forget it.
   */
  offer(value: T): void {
    this.outcome = value;
    const { hooks } = this.scope.kernel;
    if (hooks !== null) hooks.waitDecided(this);
    this.enqueue();
  }

  /** Ends the wait with a value, in its turn. */
  settle(value: T): void {
    this.decide(SETTLED, value);
  }

  /** Ends the wait with an error of what it waits for, in its turn. */
  fail(error: unknown): void {
    this.decide(FAILED, error);
  }

  /**
   * What it waits for has happened, and another has the other half of it: the
   * item that it brought. So it cannot be cancelled any more, and the next step
   * of the loop tells of it. As with a result that is deferred, a cancellation
   * that comes until then does not take it away.
   */
  commit(value: T): void {
    const { kernel, top } = this.scope;
    this.state = COMMITTED;
    this.outcome = value;
    top.deferred++;
    if (kernel.hooks !== null) kernel.hooks.waitDecided(this);
    if (kernel.closed) this.tell();
    else kernel.putBack(new Telling(this));
  }

  /** Called in the step behind {@linkcode commit}. */
  tell(): void {
    this.scope.top.deferred--;
    this.finish(this.outcome as T);
  }

  /**
   * Called by the scope: interrupts the wait, in its turn.
   *
   * @returns Whether the code gets a cancellation by it.
   */
  cancel(error: CancelledError): boolean {
    const { state } = this;
    if (state >= DONE) return false;
    // Further requests join the one that is on its way.
    if (state === CANCELLED) return true;
    if (state === WAITING) this.source.abandon(this);
    this.decide(CANCELLED, error);
    return true;
  }

  /**
   * Cancels it here and now, where no code but the library's is behind it: so
   * nothing of its end has to wait for a turn. Nobody may be watching the loop.
   *
   * @returns False if it is as good as done, or its cancellation is another's
   * to decide: then {@linkcode cancel} is the way.
   */
  drop(error: CancelledError): boolean {
    if (this.state >= CANCELLED || this.cancel !== Wait.prototype.cancel) {
      return false;
    }
    if (this.state === WAITING) this.source.abandon(this);
    this.state = DONE;
    this.unlink();
    this.reject(error);
    return true;
  }

  /** Its code is gone: nobody is told how it ends. See vanish.ts. */
  vanish(): void {
    if (this.state === WAITING) this.source.abandon(this);
    this.state = DONE;
    this.unlink();
    this.resolve = this.reject = tellNobody;
  }

  /** Its turn in the ready queue. */
  run(): void {
    this.isQueued = false;
    const { state } = this;
    if (state === WAITING) this.take();
    else if (state === FAILED) this.throwIn(this.outcome);
    else if (state === CANCELLED) this.interrupt(this.outcome);
    else if (state === SETTLED) this.finish(this.outcome as T);
  }

  describe(): string {
    return this.task === null ? this.what : `${this.task} after ${this.what}`;
  }

  /** Its turn has come without a decision: it takes what it waits for. */
  protected take(): void {
    this.finish(this.outcome as T);
  }

  /** Gives the code its value. */
  protected finish(value: T): void {
    this.end();
    this.resolve(value as never);
  }

  /** Gives the code an error. */
  protected throwIn(error: unknown): void {
    const { hooks } = this.scope.kernel;
    if (hooks !== null) hooks.waitFailed(this, error);
    this.end();
    rejectAtCaller(error, this.resolve, this.reject);
  }

  /** Its scope ended, and it goes on in the one around. */
  moveTo(scope: Scope): void {
    this.unlink();
    this.scope = scope;
    this.join(scope);
  }

  private decide(state: number, outcome: unknown): void {
    if (this.state >= DONE) return;
    this.state = state;
    this.outcome = outcome;
    const { closed, hooks } = this.scope.kernel;
    if (hooks !== null) hooks.waitDecided(this);
    // A loop that is closed has no more turns.
    if (closed) this.run();
    else this.enqueue();
  }

  private interrupt(error: unknown): void {
    const { scope } = this;
    // What the code does next may be another wait, which must not get it again.
    scope.handedOut();
    this.throwIn(error);
    scope.delivering++;
    const delivered = () => scope.delivering--;
    // Handling the promise here also keeps one that nobody awaits from ending
    // the program; the code that does await it was registered before and so
    // has the error when this runs.
    this.promise.then(undefined, delivered);
  }

  private end(): void {
    this.state = DONE;
    this.unlink();
    const { kernel, task } = this.scope;
    kernel.woken = task ?? kernel;
    const { hooks } = kernel;
    if (hooks === null) return;
    if (hooks.turnsLeft > 0 && this.source.isTurn === true) {
      hooks.turns[--hooks.turnsLeft] = this.scope.top;
    } else hooks.waitEnded(this);
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

  static {
    // Read for each step of the loop, and slower as a getter.
    Object.defineProperty(this.prototype, "runsCode", { value: false });
  }
}

function tellNobody(): void {}

/** The step that tells of a wait that was committed. */
class Telling implements Runnable {
  readonly runsCode = false;
  readonly #wait: Wait<unknown>;

  constructor(wait: Wait<unknown>) {
    this.#wait = wait;
  }

  get scope(): Scope {
    return this.#wait.scope;
  }

  run(): void {
    this.#wait.tell();
  }

  describe(): string {
    return this.#wait.describe();
  }
}
