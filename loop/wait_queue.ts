/**
 * The one fair queue of waits: first in, first out, any of them removed in
 * O(1). Locks, queues, conditions and barriers use it.
 *
 * ```text
 *   wait() --> waiting --settleFirst()--> granted --its turn--> has it
 *                 |                          |
 *             cancelled                  cancelled
 *                 v                          v
 *            off the list         takeBack(): the next one has it
 * ```
 *
 * What a wait was granted is reserved for it from that moment on, and it takes
 * it in its turn of the ready queue. Cancelled in between, it gets the
 * CancelledError, as in asyncio (C16), and what was reserved for it goes on to
 * the next. So nothing is ever given to the dead.
 */
import { InvalidStateError } from "../errors.ts";
import type { Kernel } from "./kernel.ts";
import { whatOf } from "./named.ts";
import type { Scope } from "./scope.ts";
import type { Task } from "./task.ts";
import { type Blockers, Wait, type WaitSource } from "./wait.ts";

/** What a primitive does about its waits. */
export interface WaitQueueOptions<T, B, O extends object = object> {
  /** What it is the queue of: a lock, which may have a name. */
  owner?: O;
  /** A wait that was granted something is cancelled: it goes to another. */
  takeBack?: (wait: QueuedWait<T, B>) => void;
  /** A wait that was granted nothing is cancelled: others may have waited behind. */
  left?: (wait: QueuedWait<T, B>) => void;
  /** The turn of a wait has come: what it gets. Without this, what was granted. */
  take?: (wait: QueuedWait<T, B>) => T;
  /** For debug mode: what one who looks for the cause wants to know as well. */
  detail?: (owner: O) => string;
  /** It is bound to a loop only while something waits. */
  rebinds?: boolean;
  /** The tasks that alone can end its waits. */
  blockers?: (owner: O) => Blockers | null;
}

// deno-lint-ignore no-explicit-any -- whatever owns it
type OwnedOptions<T, B> = Readonly<WaitQueueOptions<T, B, any>>;

/**
 * @typeParam T What the waits come to.
 * @typeParam B What they bring with them: the item that `put` waits with.
 */
export class WaitQueue<T, B = undefined> implements WaitSource {
  readonly #what: string;
  readonly #options: OwnedOptions<T, B>;
  #waiting = new WaitList<QueuedWait<T, B>>();
  #granted = new WaitList<QueuedWait<T, B>>();
  #kernel: Kernel | null = null;

  /**
   * @param what What waits here, for messages: `Lock.acquire`.
   * @param options What happens to a wait that was granted something.
   */
  constructor(what: string, options: OwnedOptions<T, B> = NO_OPTIONS) {
    this.#what = what;
    this.#options = options;
  }

  /** Its owner, and who can end its waits: for the search for deadlocks. */
  get options(): OwnedOptions<T, B> {
    return this.#options;
  }

  /** How many wait and were granted nothing. */
  get size(): number {
    return this.#waiting.size;
  }

  /** How many were granted something and have not taken it yet. */
  get grantedSize(): number {
    return this.#granted.size;
  }

  /** The tasks that wait and were granted nothing. */
  *tasks(): Iterable<Task<unknown>> {
    for (let wait = this.#waiting.first; wait !== null; wait = wait.behind) {
      if (wait.task !== null) yield wait.task;
    }
  }

  /** The next to be granted something. */
  get first(): QueuedWait<T, B> | null {
    return this.#waiting.first;
  }

  /**
   * Waits at the end of the queue.
   *
   * @param brought Kept on the wait, for whoever grants it something.
   */
  wait(scope: Scope, brought?: B): Promise<T> {
    const refusal = this.bind(scope.kernel);
    if (refusal !== null) return Promise.reject(refusal);
    const wait = new QueuedWait<T, B>(scope, this, brought as B);
    this.#waiting.push(wait);
    const { passInLine } = scope.kernel;
    if (passInLine !== null) passInLine(this.#waiting, wait);
    return wait.promise;
  }

  /** Grants the first wait `value`; false if there is none. */
  settleFirst(value: T): boolean {
    const first = this.#waiting.first;
    if (first === null) return false;
    this.settle(first, value);
    return true;
  }

  /** Grants `value` to a wait that may be anywhere in the queue. */
  settle(wait: QueuedWait<T, B>, value: T): void {
    this.#waiting.remove(wait);
    this.#granted.push(wait);
    wait.grant(value);
  }

  settleAll(value: T): void {
    while (this.settleFirst(value));
  }

  /**
   * What the last grant was about is gone: that wait is the first in the queue
   * again, and its turn comes to nothing.
   */
  ungrantLast(): void {
    const last = this.#granted.last;
    if (last === null) return;
    this.#granted.remove(last);
    last.granted = false;
    this.#waiting.unshift(last);
  }

  /** Takes what the first wait has brought, and ends that for good. */
  commitFirst(value: T): B {
    const first = this.#waiting.first!;
    this.commit(first, value);
    return first.brought;
  }

  /** The same for a wait that may be anywhere in the queue. */
  commit(wait: QueuedWait<T, B>, value: T): void {
    this.#waiting.remove(wait);
    wait.commit(value);
  }

  /** Fails a wait that was granted nothing. */
  fail(wait: QueuedWait<T, B>, error: unknown): void {
    this.#waiting.remove(wait);
    wait.fail(error);
  }

  /** Fails those of which `matches` is true, whatever they were granted. */
  failWhere(matches: (brought: B) => boolean, makeError: () => unknown): void {
    for (const list of [this.#granted, this.#waiting]) {
      let wait = list.first;
      while (wait !== null) {
        const { behind }: QueuedWait<T, B> = wait;
        if (matches(wait.brought)) {
          list.remove(wait);
          wait.fail(makeError());
        }
        wait = behind;
      }
    }
  }

  /** Fails all that wait and were granted nothing. */
  failAll(makeError: () => unknown): void {
    for (let wait = this.#waiting.first; wait; wait = this.#waiting.first) {
      this.#waiting.remove(wait);
      wait.fail(makeError());
    }
  }

  /** Fails those that were granted something and have not taken it yet. */
  failGranted(makeError: () => unknown): void {
    for (let wait = this.#granted.first; wait; wait = this.#granted.first) {
      this.#granted.remove(wait);
      wait.fail(makeError());
    }
  }

  /**
   * A primitive belongs to the loop in which something first waited on it:
   * gives the error for a call from any other.
   */
  bind(kernel: Kernel): InvalidStateError | null {
    if (this.#options.rebinds && this.#kernel !== kernel) {
      if (this.#kernel?.closed) this.leaveBehind();
      if (this.#waiting.size + this.#granted.size === 0) this.#kernel = kernel;
    }
    this.#kernel ??= kernel;
    if (this.#kernel === kernel) return null;
    return new InvalidStateError(
      `Cannot wait in ${this.#what} as it is bound to another event loop: received a call from ${kernel}`,
    );
  }

  /**
   * Its loop is closed: no turn comes there, so what waits holds up nobody, and
   * what it was granted goes back. It can still be cancelled.
   */
  leaveBehind(): void {
    let granted = this.#granted.first;
    this.#waiting = new WaitList();
    this.#granted = new WaitList();
    this.#kernel = null;
    for (; granted !== null; granted = granted.behind) {
      this.#options.takeBack?.(granted);
    }
  }

  abandon(wait: Wait<unknown>): void {
    const queued = wait as QueuedWait<T, B>;
    // It was left behind, and is on no list.
    if (this.#options.rebinds && wait.scope.kernel !== this.#kernel) return;
    if (queued.granted) {
      this.#granted.remove(queued);
      this.#options.takeBack?.(queued);
    } else {
      this.#waiting.remove(queued);
      this.#options.left?.(queued);
    }
  }

  /** Called by a wait in its turn: what it gets. */
  take(wait: QueuedWait<T, B>, granted: T): T {
    this.#granted.remove(wait);
    const { take } = this.#options;
    return take === undefined ? granted : take(wait);
  }

  /** What waits here, and on what; not how that is now. */
  get title(): string {
    return whatOf(this.#options.owner, this.#what);
  }

  describe(): string {
    const { owner, detail } = this.#options;
    const what = this.title;
    const more = detail?.(owner) ?? "";
    return more === "" ? what : `${what} (${more})`;
  }
}

const NO_OPTIONS = {};

/** A wait in a {@linkcode WaitQueue}. */
export class QueuedWait<T, B> extends Wait<T> {
  /** What it came with. */
  declare readonly brought: B;
  declare granted: boolean;
  /** Neighbours among the waits for the same thing. */
  declare ahead: this | null;
  declare behind: this | null;

  constructor(scope: Scope, queue: WaitQueue<T, B>, brought: B) {
    super(scope, queue);
    this.brought = brought;
    this.granted = false;
    this.ahead = null;
    this.behind = null;
    this.started();
  }

  grant(value: T): void {
    this.granted = true;
    this.offer(value);
  }

  protected override take(): void {
    // The grant for which it has this turn was taken back.
    if (!this.granted) return;
    let value: T;
    try {
      value = (this.source as WaitQueue<T, B>).take(this, this.outcome as T);
    } catch (error) {
      this.throwIn(error);
      return;
    }
    this.finish(value);
  }
}

/** A list through the waits' own links. */
// deno-lint-ignore no-explicit-any -- any wait of a queue
class WaitList<W extends QueuedWait<any, any>> {
  first: W | null = null;
  last: W | null = null;
  size = 0;

  push(wait: W): void {
    if (this.last === null) this.first = wait;
    else {
      this.last.behind = wait;
      wait.ahead = this.last;
    }
    this.last = wait;
    this.size++;
  }

  unshift(wait: W): void {
    if (this.first === null) this.last = wait;
    else {
      this.first.ahead = wait;
      wait.behind = this.first;
    }
    this.first = wait;
    this.size++;
  }

  remove(wait: W): void {
    const { ahead, behind } = wait;
    if (ahead === null) this.first = behind as W | null;
    else ahead.behind = behind;
    if (behind === null) this.last = ahead as W | null;
    else behind.ahead = ahead;
    wait.ahead = wait.behind = null;
    this.size--;
  }
}
