import { checkFunction, checkInteger } from "../_internal/check.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { show } from "../_internal/show.ts";
import { InvalidStateError } from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import { loopOf } from "../loop/event_loop.ts";
import { nameByOptions, type NamedOptions, titleOf } from "../loop/named.ts";
import { interruption, type Scope } from "../loop/scope.ts";
import { Task } from "../loop/task.ts";
import type { Blockers } from "../loop/wait.ts";
import { WaitQueue } from "../loop/wait_queue.ts";
import type { Hold } from "./hold.ts";

/** Set by the class below. */
let giveBack: (limiter: CapacityLimiter, token: Token) => void;
let blockersOf: (limiter: CapacityLimiter) => Blockers | null;

/** What {@linkcode CapacityLimiter.statistics} gives. */
export interface CapacityLimiterStatistics {
  /** How many tokens there are. */
  readonly totalTokens: number;
  /** How many of them are borrowed. */
  readonly borrowedTokens: number;
  /** Who has borrowed one: tasks, and what else tokens were borrowed for. */
  readonly borrowers: readonly object[];
  /** How many wait for one. */
  readonly waiters: number;
}

/**
 * A number of tokens, each lent to one task at a time: a semaphore that knows who
 * has what, and whose size can be changed while it is in use. Equivalent of the
 * `CapacityLimiter` of trio and anyio.
 *
 * A task can have one token; a second one for it is an error, as it would wait
 * for itself. Code that runs in no task counts as one borrower, its loop. For
 * whatever is not a task, there is {@linkcode CapacityLimiter.acquireOnBehalfOf}.
 *
 * It is fair, first come, first served.
 *
 * | operation               | cost                                      |
 * | ----------------------- | ----------------------------------------- |
 * | acquire, release        | O(1)                                      |
 * | cancel                  | O(1)                                      |
 * | setting `totalTokens`   | O(1), and O(1) for each that is let in    |
 *
 * @example Fewer at a time while the other side is slow
 * ```ts
 * import { CapacityLimiter, sleep, taskGroup } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const limiter = new CapacityLimiter(10);
 * limiter.totalTokens = 2;
 * let most = 0;
 * await taskGroup((group) => {
 *   for (let i = 0; i < 5; i++) {
 *     group.createTask(async () => {
 *       using _ = await limiter.acquire();
 *       most = Math.max(most, limiter.borrowedTokens);
 *       await sleep(1);
 *     });
 *   }
 * });
 * assertEquals(most, 2);
 * ```
 */
export class CapacityLimiter {
  #total: number;
  /** Who has a token, also one that is still on its way. */
  readonly #borrowers = new Map<object, Token>();
  /** Who waits for one. */
  readonly #pending = new Set<object>();
  readonly #waiters: WaitQueue<Hold, Token> = new WaitQueue(
    "CapacityLimiter.acquire",
    {
      owner: this,
      blockers: blockersOf,
      takeBack: ({ brought }) => this.#giveBack(brought.borrower),
      left: ({ brought }) => this.#pending.delete(brought.borrower),
      take: ({ brought }) => {
        brought.isTaken = true;
        return brought;
      },
    },
  );

  /**
   * Makes a limiter.
   *
   * @param totalTokens How many tokens there are; `Infinity` for no limit, and 0
   * to let nobody in for now.
   * @param options Its name.
   * @throws {TypeError} When `totalTokens` is not a number, or `options` is not
   * an object or has an unknown name.
   * @throws {RangeError} When `totalTokens` is negative or not an integer.
   */
  constructor(totalTokens: number, options?: NamedOptions) {
    const action = "create a capacity limiter";
    checkTotal(action, totalTokens);
    this.#total = totalTokens;
    if (options !== undefined) nameByOptions(action, this, options);
  }

  /**
   * How many tokens there are. Can be set: with more, those that wait go on;
   * with fewer than are borrowed, nobody is let in until enough have come back.
   */
  get totalTokens(): number {
    return this.#total;
  }

  set totalTokens(total: number) {
    checkTotal("set the capacity of a limiter", total);
    this.#total = total;
    this.#letIn();
  }

  /** How many tokens are borrowed. */
  get borrowedTokens(): number {
    return this.#borrowers.size;
  }

  /**
   * How many tokens are free; less than 0 if more are borrowed than there are
   * now.
   */
  get availableTokens(): number {
    return this.#total - this.#borrowers.size;
  }

  /**
   * Waits until a token is free and borrows it for the current task. What it
   * resolves to gives it back at the end of the block:
   * `using _ = await limiter.acquire()`.
   *
   * @returns The hold. It gives the token back once, in whatever task.
   * @throws {CancelledError} When the task is cancelled; no token is then
   * borrowed.
   * @throws {InvalidStateError} When the task has a token, or waits for one; or
   * when it has to wait, and the limiter has been waited for in another loop.
   */
  acquire(): Promise<Hold> {
    const scope = currentScope();
    return this.#acquire(scope, borrowerOf(scope));
  }

  /**
   * Borrows a token for the current task if one would not have to wait for it.
   *
   * @returns The hold; `null` if none is free, or others wait.
   * @throws {InvalidStateError} When the task has a token, or waits for one.
   */
  tryAcquire(): Hold | null {
    return this.tryAcquireOnBehalfOf(borrowerOf(currentScope()));
  }

  /**
   * Gives back the token of the current task: to the first that waits.
   *
   * @throws {InvalidStateError} When the task has none.
   */
  release(): void {
    this.releaseOnBehalfOf(borrowerOf(currentScope()));
  }

  /**
   * The same as {@linkcode CapacityLimiter.acquire} for what is no task: a
   * connection, a job.
   *
   * @example A token for each connection
   * ```ts
   * import { CapacityLimiter } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const limiter = new CapacityLimiter(2);
   * const connection = { id: 7 };
   * await limiter.acquireOnBehalfOf(connection);
   * assertEquals(limiter.statistics().borrowers, [connection]);
   * limiter.releaseOnBehalfOf(connection);
   * ```
   *
   * @param borrower Any object; it is the borrower until it gives the token back.
   * @returns The hold. It gives the token back once.
   * @throws {CancelledError} When the task is cancelled; no token is then
   * borrowed.
   * @throws {InvalidStateError} When `borrower` has a token, or waits for one; or
   * as {@linkcode CapacityLimiter.acquire} does.
   * @throws {TypeError} When `borrower` is no object.
   */
  acquireOnBehalfOf(borrower: object): Promise<Hold> {
    try {
      checkBorrower("borrow a token", borrower);
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#acquire(currentScope(), borrower);
  }

  /**
   * The same as {@linkcode CapacityLimiter.tryAcquire} for what is no task.
   *
   * @param borrower Any object.
   * @returns The hold; `null` if no token is free, or others wait.
   * @throws {InvalidStateError} When `borrower` has a token, or waits for one.
   * @throws {TypeError} When `borrower` is no object.
   */
  tryAcquireOnBehalfOf(borrower: object): Hold | null {
    checkBorrower("borrow a token", borrower);
    const error = this.#refusal(borrower);
    if (error !== null) throw error;
    return this.#isFree() ? this.#lend(new Token(this, borrower)) : null;
  }

  /**
   * The same as {@linkcode CapacityLimiter.release} for what is no task.
   *
   * @param borrower Who has borrowed a token.
   * @throws {InvalidStateError} When it has none.
   */
  releaseOnBehalfOf(borrower: object): void {
    const token = this.#borrowers.get(borrower);
    // One on its way is not there yet, and goes on by its cancellation only.
    if (token === undefined || !token.isTaken) {
      throw new InvalidStateError(
        `Cannot give back a token as ${
          show(borrower)
        } has none: received a call on ${this}`,
      );
    }
    token[Symbol.dispose]();
  }

  /**
   * Runs `fn` with a token of the current task.
   *
   * @typeParam T What `fn` returns.
   *
   * @example The same as a block with `using`
   * ```ts
   * import { CapacityLimiter } from "@asyncio/asyncio";
   * import { assertEquals } from "@std/assert";
   *
   * const limiter = new CapacityLimiter(1);
   * assertEquals(await limiter.with(() => limiter.availableTokens), 0);
   * assertEquals(limiter.availableTokens, 1);
   * ```
   *
   * @param fn What to run.
   * @returns What `fn` returns.
   * @throws {CancelledError} When the task is cancelled while it waits.
   * @throws {TypeError} When `fn` is not a function.
   * @throws {InvalidStateError} As {@linkcode CapacityLimiter.acquire} does.
   */
  async with<T>(fn: () => PromiseLike<T> | T): Promise<T> {
    checkFunction("hold a token", "fn", fn);
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
  statistics(): CapacityLimiterStatistics {
    return Object.freeze({
      totalTokens: this.#total,
      borrowedTokens: this.#borrowers.size,
      borrowers: Object.freeze([...this.#borrowers.keys()]),
      waiters: this.#waiters.size,
    });
  }

  /**
   * The limiter and its state.
   *
   * @returns For example `<CapacityLimiter borrowed=2 of 10 waiters=1>`.
   */
  toString(): string {
    const waiting = this.#waiters.size;
    const waiters = waiting > 0 ? ` waiters=${waiting}` : "";
    return `<${
      titleOf(this, "CapacityLimiter")
    } borrowed=${this.#borrowers.size} of ${this.#total}${waiters}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "CapacityLimiter";
  }

  #acquire(scope: Scope, borrower: object): Promise<Hold> {
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    const error = this.#refusal(borrower);
    if (error !== null) return Promise.reject(error);
    const token = new Token(this, borrower);
    if (this.#isFree()) {
      return scope.kernel.succeed<Hold>(scope, this.#lend(token));
    }
    const refusal = this.#waiters.bind(scope.kernel);
    if (refusal !== null) return Promise.reject(refusal);
    this.#pending.add(borrower);
    return this.#waiters.wait(scope, token);
  }

  #isFree(): boolean {
    return this.#borrowers.size < this.#total && this.#waiters.first === null;
  }

  #lend(token: Token): Token {
    this.#borrowers.set(token.borrower, token);
    token.isTaken = true;
    return token;
  }

  #refusal(borrower: object): InvalidStateError | null {
    const has = this.#borrowers.has(borrower);
    if (!has && !this.#pending.has(borrower)) return null;
    return new InvalidStateError(
      `Cannot borrow a token as ${show(borrower)} ${
        has ? "has one" : "waits for one"
      } already: received a call on ${this}`,
    );
  }

  #giveBack(borrower: object): void {
    this.#borrowers.delete(borrower);
    this.#letIn();
  }

  #letIn(): void {
    for (
      let first = this.#waiters.first;
      first !== null && this.#borrowers.size < this.#total;
      first = this.#waiters.first
    ) {
      const token = first.brought;
      this.#pending.delete(token.borrower);
      this.#borrowers.set(token.borrower, token);
      this.#waiters.settleFirst(token);
    }
  }

  static {
    inspectByToString(this.prototype);
    giveBack = (limiter, { borrower }) => limiter.#giveBack(borrower);
    blockersOf = (limiter) => {
      const tasks: Task<unknown>[] = [];
      for (const borrower of limiter.#borrowers.keys()) {
        // What else a token was borrowed for may give it back at any time.
        if (!(borrower instanceof Task)) return null;
        tasks.push(borrower);
      }
      return { tasks, needsAll: false };
    };
  }
}

/** A token of a borrower. */
class Token implements Hold {
  readonly borrower: object;
  /** The borrower has it; it is not on its way, nor given back. */
  isTaken = false;
  readonly #limiter: CapacityLimiter;

  constructor(limiter: CapacityLimiter, borrower: object) {
    this.#limiter = limiter;
    this.borrower = borrower;
  }

  [Symbol.dispose](): void {
    if (!this.isTaken) return;
    this.isTaken = false;
    giveBack(this.#limiter, this);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this[Symbol.dispose]();
  }
}

/** Whose code runs in `scope`. */
function borrowerOf({ task, kernel }: Scope): object {
  return task ?? loopOf(kernel);
}

function checkBorrower(action: string, borrower: unknown): void {
  const type = typeof borrower;
  if ((type === "object" && borrower !== null) || type === "function") return;
  throw new TypeError(
    `Cannot ${action} as 'borrower' must be an object: received ${
      show(borrower)
    }`,
  );
}

function checkTotal(action: string, total: unknown): void {
  if (total !== Infinity) checkInteger(action, "totalTokens", total, 0);
}
