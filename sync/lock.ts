import { checkFunction } from "../_internal/check.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { oneLine, show } from "../_internal/show.ts";
import { InvalidStateError } from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import type { Kernel } from "../loop/kernel.ts";
import { nameByOptions, type NamedOptions, titleOf } from "../loop/named.ts";
import { interruption, type Scope } from "../loop/scope.ts";
import type { Task } from "../loop/task.ts";
import type { Blockers } from "../loop/wait.ts";
import { WaitQueue } from "../loop/wait_queue.ts";
import type { Hold } from "./hold.ts";

/** What {@linkcode Lock.statistics} gives. */
export interface LockStatistics {
  /** Whether it is held. */
  readonly locked: boolean;
  /** The task that acquired it; `null` if none did, or no task. */
  readonly owner: Task<unknown> | null;
  /** How many wait for it. */
  readonly waiters: number;
}

/** What a {@linkcode Condition} may do with its lock. */
export interface LockInternals {
  /** The hold of whoever has the lock now. */
  holder(lock: Lock): LockHold | null;
  /** Acquires with a hold that exists, waiting in `scope`. */
  acquireAs(lock: Lock, scope: Scope, hold: LockHold): Promise<Hold>;
  /** The error of waiting in another loop than before. */
  bind(lock: Lock, kernel: Kernel): InvalidStateError | null;
}

let internals: LockInternals;
export { internals as lockInternals };

let releaseHold: (lock: Lock, hold: LockHold) => void;
let heldBy: (lock: Lock) => string;
let blockersOf: (lock: Lock) => Blockers | null;

/**
 * Lets one task at a time into a section of code that waits in the middle.
 * Between two `await`s nothing interleaves anyway: code that does not wait
 * needs no lock. Equivalent of `asyncio.Lock`.
 *
 * It is fair, first come, first served; a release hands it to the next in the
 * same step, so that no newcomer gets in between. It is not reentrant: a task
 * that acquires it twice waits for itself. Whoever knows it may release it.
 *
 * | operation | cost |
 * | --------- | ---- |
 * | acquire   | O(1) |
 * | release   | O(1) |
 * | cancel    | O(1) |
 *
 * @example One at a time
 * ```ts
 * import { gather, Lock, sleep } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const lock = new Lock();
 * const log: string[] = [];
 * const work = (name: string) => async () => {
 *   using _ = await lock.acquire();
 *   log.push(`${name} in`);
 *   await sleep(1);
 *   log.push(`${name} out`);
 * };
 * await gather([work("a"), work("b")]);
 * assertEquals(log, ["a in", "a out", "b in", "b out"]);
 * ```
 */
export class Lock {
  /** The hold that counts, also while it is on its way to its waiter. */
  #holder: LockHold | null = null;
  readonly #waiters: WaitQueue<Hold, LockHold> = new WaitQueue(
    "Lock.acquire",
    {
      owner: this,
      takeBack: () => this.#handOn(),
      detail: heldBy,
      blockers: blockersOf,
    },
  );

  /**
   * Makes a lock that nobody holds.
   *
   * @param options Its name.
   * @throws {TypeError} When `options` is not an object, or has an unknown name.
   */
  constructor(options?: NamedOptions) {
    if (options !== undefined) nameByOptions("create a lock", this, options);
  }

  /**
   * Waits until the lock is free and takes it. What it resolves to releases the
   * lock at the end of the block: `using _ = await lock.acquire()`.
   *
   * @returns The hold. It releases the lock once, and only while it is the one
   * that holds it.
   * @throws {CancelledError} When the task is cancelled; the lock is then not
   * taken, and the next in line gets it.
   * @throws {InvalidStateError} When it has to wait, and the lock has been
   * waited for in another loop.
   */
  acquire(): Promise<Hold> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    return this.#acquire(scope, new LockHold(this, scope.task));
  }

  /**
   * Takes the lock if one would not have to wait for it.
   *
   * @example What somebody does already is left to them
   * ```ts
   * import { Lock } from "@asyncio/asyncio";
   * import { assert, assertEquals } from "@std/assert";
   *
   * const refreshing = new Lock();
   * using hold = refreshing.tryAcquire();
   * assert(hold);
   * assertEquals(refreshing.tryAcquire(), null);
   * ```
   *
   * @returns The hold; `null` if the lock is held.
   */
  tryAcquire(): Hold | null {
    if (this.#holder !== null) return null;
    return this.#holder = new LockHold(this, currentScope().task);
  }

  /**
   * Releases the lock, whoever holds it, and hands it to the first that waits.
   *
   * @throws {InvalidStateError} When it is not held, or was released before and
   * is on its way to the next in line.
   */
  release(): void {
    if (!this.#isHeld()) {
      throw new InvalidStateError(
        `Cannot release a lock as it is not held: received a call on ${this}`,
      );
    }
    this.#handOn();
  }

  /**
   * Whether it is held. One that was released while others wait for it is held
   * by the first of them, from that moment on.
   *
   * @returns True while it is held.
   */
  locked(): boolean {
    return this.#holder !== null;
  }

  /**
   * Runs `fn` while holding the lock.
   *
   * @typeParam T What `fn` returns.
   *
   * @example The same as a block with `using`
   * ```ts
   * import { Lock } from "@asyncio/asyncio";
   * import { assert, assertFalse } from "@std/assert";
   *
   * const lock = new Lock();
   * assert(await lock.with(() => lock.locked()));
   * assertFalse(lock.locked());
   * ```
   *
   * @param fn What to run.
   * @returns What `fn` returns.
   * @throws {CancelledError} When the task is cancelled while it waits.
   * @throws {TypeError} When `fn` is not a function.
   * @throws {InvalidStateError} As {@linkcode Lock.acquire} does.
   */
  async with<T>(fn: () => PromiseLike<T> | T): Promise<T> {
    checkFunction("hold a lock", "fn", fn);
    const hold = await this.acquire();
    try {
      return await fn();
    } finally {
      hold[Symbol.dispose]();
    }
  }

  /**
   * Its state, for logs and tests.
   *
   * @returns A frozen object; not a live view.
   */
  statistics(): LockStatistics {
    return Object.freeze({
      locked: this.locked(),
      owner: this.#holder?.task ?? null,
      waiters: this.#waiters.size,
    });
  }

  /**
   * The lock and its state.
   *
   * @returns For example `<Lock locked by="Task-1" waiters=2>`.
   */
  toString(): string {
    return `<${titleOf(this, "Lock")} ${this.#state()}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "Lock";
  }

  #acquire(scope: Scope, hold: LockHold): Promise<Hold> {
    if (this.#holder !== null) return this.#waiters.wait(scope, hold);
    this.#holder = hold;
    return scope.kernel.succeed<Hold>(scope, hold);
  }

  /** Someone has it: it is not on its way from one to the next. */
  #isHeld(): boolean {
    return this.#holder !== null && this.#waiters.grantedSize === 0;
  }

  #handOn(): void {
    const next = this.#waiters.first;
    this.#holder = next === null ? null : next.brought;
    if (next !== null) this.#waiters.settleFirst(next.brought);
  }

  #heldBy(): string {
    const owner = this.#holder?.task ?? null;
    if (owner === null) return "";
    const name = oneLine(owner.name);
    return `held by ${name}${owner.done() ? ", which has ended" : ""}`;
  }

  #state(): string {
    const { locked, owner, waiters } = this.statistics();
    if (!locked) return "unlocked";
    const by = owner === null ? "" : ` by=${show(owner.name)}`;
    return `locked${by}${waiters > 0 ? ` waiters=${waiters}` : ""}`;
  }

  static {
    inspectByToString(this.prototype);
    heldBy = (lock) => lock.#heldBy();
    blockersOf = (lock) => {
      const task = lock.#holder?.task ?? null;
      return task === null ? null : { tasks: [task], needsAll: false };
    };
    internals = {
      holder: (lock) => lock.#isHeld() ? lock.#holder : null,
      acquireAs: (lock, scope, hold) => lock.#acquire(scope, hold),
      bind: (lock, kernel) => lock.#waiters.bind(kernel),
    };
    releaseHold = (lock, hold) => {
      if (lock.#holder === hold) lock.#handOn();
    };
  }
}

/** One acquisition of a lock. */
export class LockHold implements Hold {
  /** Who acquired it. */
  readonly task: Task<unknown> | null;
  readonly #lock: Lock;

  constructor(lock: Lock, task: Task<unknown> | null) {
    this.#lock = lock;
    this.task = task;
  }

  [Symbol.dispose](): void {
    releaseHold(this.#lock, this);
  }

  [Symbol.asyncDispose](): Promise<void> {
    releaseHold(this.#lock, this);
    return Promise.resolve();
  }
}
