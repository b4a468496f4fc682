/**
 * Scopes: the nodes of the tree of things that can be cancelled.
 *
 * A task owns a scope; `timeout()`, `taskGroup()` and `shielded()` open one
 * inside of it. The current scope travels with the code (see current.ts), and
 * whatever waits registers with it:
 *
 * ```text
 *   Task scope -- waits: sleep, queue.get ...
 *     +- timeout scope -- waits ...
 *     +- shielded scope -- waits ...       (a cancellation does not go in here)
 * ```
 *
 * Invariants:
 * - Cancelling a scope rejects every wait below it with one error, or, if
 *   none is pending, is remembered and rejects the next one (edge-triggered:
 *   one request, one error).
 * - While an error is on its way to the code, further requests join it.
 * - A scope that has ended is off its parent's list and is never cancelled.
 */
import { TURNS_TO_ABORT } from "../_internal/constants.ts";
import { capturePlace } from "../platform/async_storage.ts";
import { hostTimers } from "../platform/timers.ts";
import type { AsyncPlace } from "../platform/types/async_storage.ts";
import type { CancelledError } from "../errors.ts";
import type { Context } from "./context.ts";
import type { Kernel } from "./kernel.ts";
import { filterRejections } from "./rejections.ts";
import { requests } from "./requests.ts";
import { dropNumber } from "./scope_numbers.ts";
import type { Task } from "./task.ts";
import { Wait, type WaitSource } from "./wait.ts";

/** What a wait waits for that was cancelled before it began. */
const interrupted: WaitSource = {
  abandon() {},
  describe: () => "nothing, as it was cancelled before it began to wait",
};

/** What a scope remembers of its cancellation; most are never cancelled. */
class Cancellation {
  /** Requests to cancel the scope that were not taken back. */
  requests = 0;
  /** In a task's own scope: requests to cancel the open scopes inside it. */
  requestsInside = 0;
  /** The last one it was asked for. */
  cause: CancelledError | null = null;
  /** One that found nothing waiting: the next wait gets it. */
  pending: CancelledError | null = null;
  /** The pending one also went out through the signal, this turn. */
  pendingBySignal = false;
  /** The pending one came when a result was there, but deferred. */
  pendingLate = false;
  /** It ended with one that came too late: its code never heard of that. */
  unheard = false;
  /** Errors that were handed to a wait and have not yet reached the code. */
  delivering = 0;
  /** The pending one goes to all waits that begin in this stretch of code. */
  handingOut = false;
  controller: AbortController | null = null;
  /** Where the signal was asked for: there its listeners hear of a timer. */
  place: AsyncPlace | null = null;
}

export class Scope {
  // Assigned in the constructor, as in wait.ts: every task has one of these.
  declare kernel: Kernel;
  /** The scope around this one in the same task; null at a task's own. */
  declare parent: Scope | null;
  /** The task's own scope, at the top of this one; blocks can be nested deep. */
  declare readonly top: Scope;
  declare readonly task: Task<unknown> | null;
  declare readonly shielded: boolean;
  declare closed: boolean;
  /** In a task's own scope: results that wait for a turn of the host. */
  declare deferred: number;
  /** See scope_numbers.ts; -1 while it has none. */
  declare number: number;
  declare waits: Wait<unknown> | null;
  declare children: Scope | null;
  /** Neighbours: among the parent's children, or among the loop's tasks. */
  declare before: Scope | null;
  declare after: Scope | null;
  /**
   * Made when it is first asked for; most scopes have no variables. If it is
   * null, it is that of the task's own scope.
   */
  #context: Context | null;
  #cancellation: Cancellation | null;

  /** @param context Its own; `null` for that of the scope around, or a new one. */
  protected constructor(
    kernel: Kernel,
    parent: Scope | null,
    task: Task<unknown> | null,
    context: Context | null,
    shielded: boolean,
  ) {
    this.kernel = kernel;
    this.parent = parent;
    this.top = parent === null ? this : parent.top;
    this.task = task;
    this.shielded = shielded;
    this.closed = false;
    this.deferred = 0;
    this.number = -1;
    this.waits = null;
    this.children = null;
    this.before = null;
    this.after = null;
    this.#context = context ?? (parent === null ? null : parent.#context);
    this.#cancellation = null;
    if (parent !== null) parent.adopt(this);
  }

  /** The scope that `task` has to itself. */
  static ofTask(
    kernel: Kernel,
    task: Task<unknown>,
    context: Context | null,
  ): Scope {
    return new Scope(kernel, null, task, context, false);
  }

  /** A scope of no task, for callbacks. */
  static detached(kernel: Kernel, context: Context | null): Scope {
    return new Scope(kernel, null, null, context, false);
  }

  /** Opens a scope for a block in this one. */
  open(context: Context | null = null): Scope {
    return new Scope(this.kernel, this, this.task, context, false);
  }

  /** The same for a block that no cancellation enters from outside. */
  openShielded(): Scope {
    return new Scope(this.kernel, this, this.task, null, true);
  }

  get context(): Context {
    return this.#context ??= this.top.#context ??= this.kernel.root.context
      .copy();
  }

  get hasVariables(): boolean {
    const context = this.#context ?? this.top.#context;
    return context !== null && !context.isEmpty;
  }

  get requests(): number {
    return this.#cancellation === null ? 0 : this.#cancellation.requests;
  }

  get requestsInside(): number {
    return this.#cancellation === null ? 0 : this.#cancellation.requestsInside;
  }

  get cause(): CancelledError | null {
    return this.#cancellation === null ? null : this.#cancellation.cause;
  }

  get pending(): CancelledError | null {
    return this.#cancellation === null ? null : this.#cancellation.pending;
  }

  /** The remembered cancellation, if code that ends now has to answer for it. */
  get undelivered(): CancelledError | null {
    const state = this.#cancellation;
    return state === null || state.pendingBySignal || state.pendingLate
      ? null
      : state.pending;
  }

  /** Requests that its code can have heard of, where it has ended. */
  get requestsHeard(): number {
    const state = this.#cancellation;
    if (state === null) return 0;
    return state.unheard ? state.requests - 1 : state.requests;
  }

  get delivering(): number {
    return this.state.delivering;
  }

  set delivering(count: number) {
    this.state.delivering = count;
  }

  private get state(): Cancellation {
    return this.#cancellation ??= new Cancellation();
  }

  /** The scope's signal: aborted when the scope, or one around it, is cancelled. */
  get signal(): AbortSignal {
    const state = this.state;
    if (state.controller === null) {
      state.controller = new AbortController();
      state.place = capturePlace();
      const cancelled = cancellationAbove(this);
      if (cancelled !== null) state.controller.abort(cancelled);
    }
    return state.controller.signal;
  }

  /**
   * Asks for the cancellation of everything below this scope.
   *
   * @param asker Code that runs in this scope, or elsewhere, or no code at all.
   */
  cancel(
    error: CancelledError,
    asker: "itself" | "another" | "timer" = "another",
  ): void {
    this.request(error);
    const reached = this.interrupt(error);
    const signalled = this.abort(error, asker === "timer");
    if (reached || this.isDelivering()) return;
    this.remember(error);
    // Code that cancels itself is waiting for nothing, and a loop that is closed
    // has no turns to wait for.
    if (signalled && asker !== "itself" && !this.kernel.closed) {
      this.expectAbort();
    }
  }

  /** Asks for a cancellation that the next wait below this scope gets. */
  cancelNextWait(error: CancelledError): void {
    this.request(error);
    this.remember(error);
    this.abort(error);
  }

  /** The next wait below this scope gets `error`. */
  remember(error: CancelledError): void {
    const { state } = this;
    state.pending = error;
    // Had the loop not deferred the result, the code might have ended with it
    // by now, and it would be lost with the task.
    state.pendingLate = this.top.deferred > 0;
  }

  /** Forgets what is remembered; gives it if it is still to be delivered. */
  forget(): CancelledError | null {
    const state = this.#cancellation;
    if (state === null || state.pending === null) return null;
    const error = state.pendingBySignal ? null : state.pending;
    state.pending = null;
    state.pendingBySignal = state.pendingLate = false;
    return error;
  }

  /**
   * Gives what is remembered to a wait that begins now, and to all others that
   * begin before its turn comes: the first may belong to a call that nobody
   * awaits, and the one that is awaited must not miss it.
   */
  handOut(): CancelledError | null {
    const state = this.state;
    if (state.pendingBySignal) return this.forget();
    state.handingOut = true;
    return state.pending;
  }

  /** The code gets the error that was handed out here, or in a scope around. */
  handedOut(): void {
    // deno-lint-ignore no-this-alias -- walks up from here
    for (let each: Scope | null = this; each !== null; each = each.parent) {
      const state = each.#cancellation;
      if (state !== null && state.handingOut) {
        state.handingOut = false;
        each.forget();
      }
      if (each.shielded) return;
    }
  }

  /** Counts a request, without delivering it. */
  request(error: CancelledError): void {
    filterRejections();
    const state = this.state;
    state.requests++;
    state.cause = error;
    if (this.parent !== null) this.top.state.requestsInside++;
  }

  /** Takes back one request; with the last one goes what is remembered. */
  takeBack(): void {
    const state = this.#cancellation;
    if (state === null || state.requests === 0) return;
    if (--state.requests === 0) this.forget();
  }

  /** The same for one of the requests to cancel an open scope inside of this. */
  takeBackInside(): void {
    for (
      let scope = nextBelow(this, this);
      scope !== null;
      scope = nextBelow(this, scope)
    ) {
      if (scope.requests === 0) continue;
      scope.takeBack();
      this.state.requestsInside--;
      return;
    }
  }

  /**
   * Ends the scope: it leaves the tree and takes back its requests. What is
   * still waiting in it, because nobody waited for it, falls to its parent.
   */
  close(): void {
    this.closed = true;
    dropNumber(this);
    const state = this.#cancellation;
    if (state !== null && state.pending !== null && state.pendingLate) {
      state.unheard = true;
    }
    this.forget();
    const parent = this.parent;
    if (parent === null) return;
    if (this.requests > 0) this.top.state.requestsInside -= this.requests;
    if (this.waits !== null || this.children !== null) this.bequeath(parent);
    if (this.before !== null) this.before.after = this.after;
    else if (parent.children === this) parent.children = this.after;
    if (this.after !== null) this.after.before = this.before;
    this.before = this.after = null;
  }

  /** Its code is gone: what is left of it belongs to a loop that never runs. */
  vanish(limbo: Kernel): void {
    this.kernel = limbo;
    // Nobody listens to its signal any more.
    const state = this.#cancellation;
    if (state !== null) state.controller = null;
  }

  /** Whether its time is limited; see tasks/_deadlines.ts. */
  hasDeadline(): boolean {
    return false;
  }

  /** Whether something waits below, which a cancellation would reach. */
  isWaiting(): boolean {
    for (
      // deno-lint-ignore no-this-alias -- walks down from here
      let scope: Scope | null = this;
      scope !== null;
      scope = nextOpen(this, scope)
    ) {
      if (scope.waits !== null) return true;
    }
    return false;
  }

  /**
   * The one wait in it, if that is all there is: no block, no request to cancel,
   * no signal that somebody may listen to.
   */
  get onlyWait(): Wait<unknown> | null {
    const { waits } = this;
    return waits !== null && waits.next === null && this.children === null &&
        this.#cancellation === null
      ? waits
      : null;
  }

  private adopt(child: Scope): void {
    child.after = this.children;
    if (this.children !== null) this.children.before = child;
    this.children = child;
  }

  private bequeath(heir: Scope): void {
    while (this.waits !== null) this.waits.moveTo(heir);
    for (let child = this.children; child !== null; child = this.children) {
      this.children = child.after;
      if (child.after !== null) child.after.before = null;
      child.after = null;
      child.parent = heir;
      heir.adopt(child);
    }
  }

  /** Rejects every wait below; tells whether there was one. */
  protected interrupt(error: CancelledError): boolean {
    let reached = false;
    for (
      // deno-lint-ignore no-this-alias -- walks down from here
      let scope: Scope | null = this;
      scope !== null;
      scope = nextOpen(this, scope)
    ) {
      const { waits } = scope;
      if (waits === null) continue;
      const isReached = waits.next === null
        ? cancelWait(waits, error)
        : cancelWaits(waits, error);
      if (isReached) reached = true;
    }
    return reached;
  }

  /**
   * Listeners run in the async context of the code that cancels. A timer has
   * none: the host's alarm rings in that of whoever has set it, for all.
   */
  protected abort(error: CancelledError, byTimer: boolean = false): boolean {
    let signalled = false;
    for (
      // deno-lint-ignore no-this-alias -- walks down from here
      let scope: Scope | null = this;
      scope !== null;
      scope = nextOpen(this, scope)
    ) {
      const state = scope.#cancellation;
      const controller = state?.controller ?? null;
      if (controller === null || controller.signal.aborted) continue;
      signalled = true;
      if (byTimer) state!.place!.run(abort, controller, error);
      else controller.abort(error);
    }
    return signalled;
  }

  protected isDelivering(): boolean {
    for (
      // deno-lint-ignore no-this-alias -- walks down from here
      let scope: Scope | null = this;
      scope !== null;
      scope = nextOpen(this, scope)
    ) {
      const state = scope.#cancellation;
      if (state !== null && (state.delivering > 0 || state.handingOut)) {
        return true;
      }
    }
    return false;
  }

  /**
   * Nothing waited, yet the code may be about to go on: a foreign operation that
   * was given the signal rejects with our error, and that is the delivery, so
   * the waits of its `finally` blocks must work. Code that is not back within a
   * few turns sits in some other await, and for it the cancellation stays
   * remembered.
   */
  private expectAbort(): void {
    const state = this.state;
    const { kernel } = this;
    const error = state.pending;
    state.pendingBySignal = true;
    // What is ready now has its effects first: a value may be among it.
    kernel.push({
      runsCode: false,
      run() {
        afterTurns(kernel, TURNS_TO_ABORT, () => {
          if (state.pending === error) state.pendingBySignal = false;
        });
      },
      describe: () => "the turn after a cancellation",
    });
  }
}

/** Whatever happens on the way, the others are to be cancelled as well. */
function cancelWait(wait: Wait<unknown>, error: CancelledError): boolean {
  try {
    return wait.cancel(error);
  } catch (thrown) {
    reportThrown(wait, thrown);
    return false;
  }
}

/** The same for a list of waits, as one request. */
function cancelWaits(first: Wait<unknown>, error: CancelledError): boolean {
  let reached = false;
  requests.asOne(() => {
    // A wait stays on the list until its turn, but where the loop is closed.
    for (let wait: Wait<unknown> | null = first; wait !== null;) {
      const { next }: Wait<unknown> = wait;
      if (cancelWait(wait, error)) reached = true;
      wait = next;
    }
  });
  return reached;
}

/** What was waited for threw when it was asked to cancel. */
export function reportThrown(wait: Wait<unknown>, error: unknown): void {
  const { kernel, task } = wait.scope;
  kernel.report({
    message: "What was waited for threw when it was cancelled",
    error,
    task,
  });
}

/**
 * The scope after `scope` on a walk through all below `root`, parents first.
 * Blocks may be nested deeper than the stack is, so nothing here calls itself.
 */
export function nextBelow(root: Scope, scope: Scope): Scope | null {
  return next(root, scope, anyScope);
}

/** The same, with what is behind a shield left out. */
function nextOpen(root: Scope, scope: Scope): Scope | null {
  return next(root, scope, openScope);
}

/** @param pick The first in a list of neighbours that the walk takes. */
function next(
  root: Scope,
  scope: Scope,
  pick: (scope: Scope | null) => Scope | null,
): Scope | null {
  const child = pick(scope.children);
  if (child !== null) return child;
  for (
    let each: Scope | null = scope;
    each !== null && each !== root;
    each = each.parent
  ) {
    const neighbour = pick(each.after);
    if (neighbour !== null) return neighbour;
  }
  return null;
}

const anyScope = (scope: Scope | null) => scope;

function openScope(scope: Scope | null): Scope | null {
  while (scope !== null && scope.shielded) scope = scope.after;
  return scope;
}

function abort(controller: AbortController, error: CancelledError): void {
  controller.abort(error);
}

/** Calls back after some turns of the host, in which virtual time stands still. */
export function afterTurns(
  kernel: Kernel,
  turns: number,
  callback: () => void,
): void {
  kernel.turnsAwaited++;
  const turn = () => {
    if (--turns > 0) hostTimers.setImmediate(turn);
    else {
      kernel.turnsAwaited--;
      callback();
    }
  };
  hostTimers.setImmediate(turn);
}

/**
 * What a wait that begins in `scope` comes to if a cancellation is remembered
 * there: it throws that in its turn. One error stands for all that are remembered
 * up to the task's own scope, and no further than a shield.
 */
export function interruption(scope: Scope): Promise<never> | null {
  const error = outermost(scope, handOut);
  if (error === null) return null;
  const wait = new Wait<never>(scope, interrupted);
  wait.cancel(error);
  return wait.promise;
}

/** The outermost of these cancellations, for code that has the error at once. */
export function forgetCancellation(scope: Scope): CancelledError | null {
  return outermost(scope, forget);
}

/** The same for code that throws it at once. */
export function throwCancellation(scope: Scope): void {
  const error = forgetCancellation(scope);
  if (error !== null) throw error;
}

const handOut = (scope: Scope) => scope.handOut();
const forget = (scope: Scope) => scope.forget();

function outermost(
  scope: Scope,
  take: (scope: Scope) => CancelledError | null,
): CancelledError | null {
  let taken: CancelledError | null = null;
  for (let each: Scope | null = scope; each !== null; each = each.parent) {
    if (each.pending !== null) taken = take(each) ?? taken;
    if (each.shielded) break;
  }
  return taken;
}

/** The cancellation remembered for code running in `scope`, left in place. */
export function cancellationAbove(scope: Scope): CancelledError | null {
  for (let each: Scope | null = scope; each !== null; each = each.parent) {
    if (each.pending !== null) return each.pending;
    if (each.shielded) return null;
  }
  return null;
}

/**
 * The scopes around a block: tells a cancellation of theirs from the block's own.
 * Made when the block is entered.
 *
 * What counts is whether one of them has more requests than at the entry, and
 * not which error comes out of the block: an error that was dealt with may come
 * by once more, from a task that was cancelled along with this one.
 */
export class Surroundings {
  readonly #innermost: Scope;
  readonly #atEntry: ReadonlyMap<Scope, number> | null;

  /** @param innermost The scope in which the block is entered. */
  constructor(innermost: Scope) {
    this.#innermost = innermost;
    this.#atEntry = requestsGot(innermost);
  }

  /** Whether one of them was asked to cancel, and that was not taken back. */
  cancelled(): boolean {
    return this.#asked().length > 0;
  }

  /** What was asked for furthest out, which stands for all; null for nothing. */
  cause(): CancelledError | null {
    return this.#asked().at(-1)?.cause ?? null;
  }

  /**
   * Lets the next wait in each of them throw what was asked for there. Each has
   * its own: the inner one may close before that wait comes, and takes what it
   * remembers along.
   */
  rearm(): void {
    for (const each of this.#asked()) each.remember(each.cause!);
  }

  /** Those that were asked to cancel since the entry; the innermost is first. */
  #asked(): readonly Scope[] {
    if (!isAnyAsked(this.#innermost)) return NONE;
    const asked: Scope[] = [];
    let each: Scope | null = this.#innermost;
    for (; each !== null; each = each.parent) {
      if (each.requests > (this.#atEntry?.get(each) ?? 0)) asked.push(each);
      if (each.shielded) break;
    }
    return asked;
  }
}

const NONE: readonly Scope[] = Object.freeze([]);

/**
 * The requests that code in `innermost` has got, or that are on their way, by the
 * scopes around it; what is remembered for its next wait is none. null if it
 * never had any.
 */
function requestsGot(innermost: Scope): ReadonlyMap<Scope, number> | null {
  if (!isAnyAsked(innermost)) return null;
  const got = new Map<Scope, number>();
  for (let each: Scope | null = innermost; each !== null; each = each.parent) {
    const { pending, requests } = each;
    if (requests > 0) got.set(each, pending === null ? requests : requests - 1);
    if (each.shielded) break;
  }
  return got;
}

/** The requests to cancel that code running in `scope` is under. */
export function requestsOn(scope: Scope): number {
  if (!isAnyAsked(scope)) return 0;
  let requests = 0;
  for (let each: Scope | null = scope; each !== null; each = each.parent) {
    requests += each.requests;
    if (each.shielded) break;
  }
  return requests;
}

/** Whether to look at all: of most tasks no scope was, and blocks can be deep. */
function isAnyAsked({ top }: Scope): boolean {
  return top.requests > 0 || top.requestsInside > 0;
}
