import { checkInteger, checkSpan, checkString } from "../_internal/check.ts";
import { LONGEST_HOST_TIMER_MS } from "../_internal/constants.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { InvalidStateError, QueueShutDown } from "../errors.ts";
import { getEventLoop } from "../loop/ambient.ts";
import { currentScope } from "../loop/current.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import { interruption, type Scope } from "../loop/scope.ts";
import { currentTask, type Task } from "../loop/task.ts";
import { type QueuedWait, WaitQueue } from "../loop/wait_queue.ts";
import { openBell } from "../platform/database.ts";
import { hostTimers } from "../platform/timers.ts";
import type { HostBell } from "../platform/types/database.ts";
import type { HostHandle } from "../platform/types/timers.ts";
import type { Codec } from "./codec.ts";
import type {
  DeadLetter,
  DeadLetters,
  DurablePutOptions,
  DurableQueue,
  DurableStatistics,
  GiveBackOptions,
} from "./durable_queue.ts";
import type { JobTable, NewJob } from "./_job_table.ts";
import { type Lease, Leases } from "./_leases.ts";
import { SessionWatch } from "./_session_watch.ts";

const PUT_OPTIONS = new OptionNames<DurablePutOptions>(
  { id: true, delay: true, priority: true },
  { string: "id", number: "delay" },
);

const GIVE_BACK_OPTIONS = new OptionNames<GiveBackOptions>(
  { delay: true },
  { number: "delay" },
);

/** How often in a lease a session counts on, and looks at the others. */
const BEATS = 3;

export interface SqliteQueueSettings<T> {
  readonly maxSize: number;
  readonly leaseMs: number;
  readonly codec: Codec<T>;
}

export class SqliteQueue<T> implements DurableQueue<T> {
  // All work on the file is synchronous, so no step of it can be cancelled. What
  // a wait is granted is leased before its turn comes, and given back if the wait
  // is cancelled until then.
  readonly #table: JobTable;
  readonly #bell: HostBell;
  readonly #settings: SqliteQueueSettings<T>;
  readonly #watch: SessionWatch;
  readonly #leases = new Leases<T>((lease, task) =>
    this.#orphaned(lease, task)
  );
  readonly #granted = new Map<QueuedWait<Lease<T>, undefined>, Lease<T>>();
  readonly #getters: WaitQueue<Lease<T>> = new WaitQueue("DurableQueue.get", {
    take: (wait) => this.#collect(wait),
    takeBack: (wait) => this.#uncollect(wait),
  });
  readonly #putters: WaitQueue<void, NewJob> = new WaitQueue(
    "DurableQueue.put",
  );
  readonly #joiners: WaitQueue<void> = new WaitQueue("DurableQueue.join");
  /** What could not be given back, as the file could not be written to. */
  #owed: { lease: Lease<T>; counts: boolean }[] = [];
  #session: number;
  #loop: EventLoop | null = null;
  #isWoken = false;
  #beatTimer: HostHandle;
  #dueTimer: HostHandle | null = null;
  #isShutDown = false;
  #isClosed = false;

  constructor(table: JobTable, settings: SqliteQueueSettings<T>) {
    this.#table = table;
    this.#settings = settings;
    this.#bell = openBell(`${table.path}-wake`);
    this.#session = table.begin(settings.leaseMs);
    this.#watch = new SessionWatch(this.#beatMs);
    this.#look();
    this.#beatTimer = this.#nextBeat();
  }

  get #beatMs(): number {
    return this.#settings.leaseMs / BEATS;
  }

  put(item: T, options: DurablePutOptions = {}): Promise<void> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    if (this.#isShutDown) return Promise.reject(this.#shutDownError("put"));
    try {
      const job = this.#toJob(item, options);
      // Those that wait for room come first.
      if (
        this.#putters.size > 0 || !this.#table.put(job, this.#settings.maxSize)
      ) return this.#wait(this.#putters, scope, job);
      this.#changed();
    } catch (error) {
      return Promise.reject(error);
    }
    return scope.kernel.succeed(scope, undefined);
  }

  #toJob(item: T, options: DurablePutOptions): NewJob {
    const action = "put an item into the queue";
    checkOptions(action, options, PUT_OPTIONS);
    const { id, delay = 0, priority = 0 } = options;
    if (id !== undefined) checkString(action, "id", id);
    checkInteger(action, "priority", priority, Number.MIN_SAFE_INTEGER);
    return {
      body: this.#settings.codec.encode(item),
      id: id ?? null,
      delay: checkSpan(action, "delay", delay),
      priority,
    };
  }

  get(): Promise<T> {
    return this.#getLease().then(({ item }) => item);
  }

  #getLease(): Promise<Lease<T>> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    try {
      // Those that wait come first, and have a lease as soon as there is one.
      const lease = this.#isClosed || this.#getters.size > 0
        ? null
        : this.#lease(currentTask());
      if (lease !== null) {
        this.#leases.add(lease);
        // Elsewhere somebody may wait for the room.
        if (this.#settings.maxSize !== Infinity) this.#changed();
        return scope.kernel.succeed(scope, lease);
      }
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#isShutDown
      ? Promise.reject(this.#shutDownError("get"))
      : this.#wait(this.#getters, scope);
  }

  #lease(task: Task<unknown> | null): Lease<T> | null {
    const job = this.#table.take(this.#session);
    if (job === null) return null;
    try {
      const item = this.#settings.codec.decode(job.body);
      return { number: job.number, session: this.#session, item, task };
    } catch (error) {
      // It would fail whoever gets it, time after time.
      this.#table.bury(job.number, this.#session);
      throw error;
    }
  }

  #collect(wait: QueuedWait<Lease<T>, undefined>): Lease<T> {
    const lease = this.#granted.get(wait)!;
    this.#granted.delete(wait);
    this.#leases.add(lease);
    return lease;
  }

  #uncollect(wait: QueuedWait<Lease<T>, undefined>): void {
    const lease = this.#granted.get(wait)!;
    this.#granted.delete(wait);
    this.#letGo(lease, false);
  }

  taskDone(): Promise<void> {
    return this.#settle("end a lease", (lease) => this.#finish(lease));
  }

  giveBack(options: GiveBackOptions = {}): Promise<void> {
    const action = "give back an item";
    return this.#settle(action, (lease) => {
      checkOptions(action, options, GIVE_BACK_OPTIONS);
      const delay = checkSpan(action, "delay", options.delay ?? 0);
      this.#leases.remove(lease);
      if (!this.#return(lease, delay, true)) throw this.#lostError(action);
    });
  }

  /** With the lease of the current task: no wait, so nothing to cancel. */
  #settle(action: string, work: (lease: Lease<T>) => void): Promise<void> {
    const lease = this.#leases.firstOf(currentTask());
    if (lease === null || this.#isClosed) {
      return Promise.reject(
        new InvalidStateError(
          `Cannot ${action} as the current task has none: received a call on ${this}`,
        ),
      );
    }
    try {
      work(lease);
    } catch (error) {
      return Promise.reject(error);
    }
    return Promise.resolve();
  }

  #finish(lease: Lease<T>): void {
    // If the file cannot be written to, the lease stays and can be ended again.
    const isOurs = this.#table.finish(lease.number, lease.session);
    this.#leases.remove(lease);
    if (!isOurs) throw this.#lostError("end a lease");
    this.#changed();
  }

  #return(lease: Lease<T>, delay: number, counts: boolean): boolean {
    const isOurs = this.#table.giveBack(lease, delay, counts);
    this.#changed();
    return isOurs;
  }

  /** A task ended with a lease: what it did not finish is for others. */
  #orphaned(lease: Lease<T>, task: Task<unknown>): void {
    // That a task is cancelled says nothing against its item.
    this.#letGo(lease, !task.cancelled());
  }

  /** No caller could be told of an error, so the next beat tries again. */
  #letGo(lease: Lease<T>, counts: boolean): void {
    if (this.#isClosed) return;
    try {
      this.#return(lease, 0, counts);
    } catch {
      this.#owed.push({ lease, counts });
    }
  }

  join(): Promise<void> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    try {
      if (this.#isClosed) throw this.#shutDownError("join");
      if (!this.#table.isUnfinished()) {
        return scope.kernel.succeed(scope, undefined);
      }
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#wait(this.#joiners, scope);
  }

  #wait<R, B>(
    waits: WaitQueue<R, B>,
    scope: Scope,
    brought?: B,
  ): Promise<R> {
    try {
      this.#loop ??= getEventLoop();
      this.#bell.listen(() => this.#wake());
      const waiting = waits.wait(scope, brought);
      // Another process may have rung before this one listened.
      this.#pump();
      return waiting;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  shutdown(): void {
    this.#isShutDown = true;
    this.#putters.failAll(() => this.#shutDownError("put"));
    this.#getters.failAll(() => this.#shutDownError("get"));
  }

  statistics(): Promise<DurableStatistics> {
    return this.#read(() => {
      const oldest = this.#table.oldest();
      return Object.freeze({
        ...this.#table.count(),
        oldestAge: oldest === null ? 0 : Math.max(0, Date.now() - oldest),
      });
    });
  }

  get deadLetters(): DeadLetters<T> {
    const counted = (work: () => number) =>
      this.#read(() => {
        const count = work();
        this.#changed();
        return count;
      });
    return {
      list: () =>
        this.#read(() =>
          this.#table.dead().map((row): DeadLetter<T> => ({
            number: row["number"] as number,
            id: row["id"] as string | null,
            deliveries: row["deliveries"] as number,
            item: this.#readable(row["body"] as Uint8Array),
          }))
        ),
      requeue: () => counted(() => this.#table.requeueDead()),
      empty: () => counted(() => this.#table.deleteDead()),
    };
  }

  #readable(body: Uint8Array): T | undefined {
    try {
      return this.#settings.codec.decode(body);
    } catch {
      // It may be dead for just this; its number and id tell which it is.
      return undefined;
    }
  }

  async #read<R>(work: () => R): Promise<R> {
    if (this.#isClosed) throw this.#shutDownError("look into");
    return work();
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = true;
    this.shutdown();
    this.#getters.failGranted(() => this.#shutDownError("get"));
    this.#joiners.failAll(() => this.#shutDownError("join"));
    this.#granted.clear();
    hostTimers.clearTimer(this.#beatTimer);
    if (this.#dueTimer !== null) hostTimers.clearTimer(this.#dueTimer);
    try {
      this.#table.end(this.#session, null);
      this.#bell.ring();
    } catch (error) {
      return Promise.reject(error);
    } finally {
      this.#bell.close();
      this.#table.close();
    }
    return Promise.resolve();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> {
    const end = { done: true, value: undefined } as const;
    let lease: Lease<T> | null = null;
    const next = async (): Promise<IteratorResult<T, undefined>> => {
      const last = lease;
      lease = null;
      // The body may have ended it itself, as it does with a `Queue`.
      if (last !== null && this.#leases.has(last)) this.#finish(last);
      try {
        lease = await this.#getLease();
      } catch (error) {
        if (error instanceof QueueShutDown) return end;
        throw error;
      }
      return { done: false, value: lease.item };
    };
    return {
      next,
      return: async () => {
        const last = lease;
        lease = null;
        if (last !== null && !this.#isClosed && this.#leases.has(last)) {
          this.#leases.remove(last);
          this.#return(last, 0, true);
        }
        return end;
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Something is different in the file: for those who wait here and elsewhere. */
  #changed(): void {
    this.#bell.ring();
    this.#pump();
  }

  /** From a callback of the host: the waits are those of a loop. */
  #wake(): void {
    const loop = this.#loop;
    if (this.#isWoken || this.#isClosed || loop === null || loop.isClosed()) {
      return;
    }
    this.#isWoken = true;
    loop.callSoonThreadsafe(() => {
      this.#isWoken = false;
      this.#pump();
    });
  }

  /** Grants those that wait what there is by now. */
  #pump(): void {
    if (this.#isClosed) return;
    try {
      this.#pumpPutters();
      while (this.#getters.first !== null) {
        const wait = this.#getters.first;
        const lease = this.#lease(wait.task);
        if (lease === null) break;
        this.#granted.set(wait, lease);
        this.#getters.settle(wait, lease);
        if (this.#settings.maxSize !== Infinity) this.#bell.ring();
        this.#pumpPutters();
      }
      if (this.#getters.first !== null) this.#wakeWhenDue();
      if (this.#joiners.first !== null && !this.#table.isUnfinished()) {
        this.#joiners.settleAll();
      }
    } catch (error) {
      this.#failWaiting(error);
    }
  }

  #failWaiting(error: unknown): void {
    for (const waits of [this.#putters, this.#getters, this.#joiners]) {
      waits.failAll(() => error);
    }
  }

  #pumpPutters(): void {
    for (let put = this.#putters.first; put; put = this.#putters.first) {
      if (!this.#table.put(put.brought, this.#settings.maxSize)) return;
      this.#putters.commitFirst(undefined);
      this.#bell.ring();
    }
  }

  #wakeWhenDue(): void {
    if (this.#dueTimer !== null) hostTimers.clearTimer(this.#dueTimer);
    this.#dueTimer = null;
    const due = this.#table.nextDue();
    if (due === null) return;
    const ms = Math.min(Math.max(1, due - Date.now()), LONGEST_HOST_TIMER_MS);
    this.#dueTimer = hostTimers.setTimer(() => {
      this.#dueTimer = null;
      this.#wake();
    }, ms);
  }

  #nextBeat(): HostHandle {
    const ms = Math.min(this.#beatMs, LONGEST_HOST_TIMER_MS);
    return hostTimers.setTimer(() => {
      this.#beatTimer = this.#nextBeat();
      this.#beat();
    }, ms);
  }

  #beat(): void {
    try {
      // Ended by another: this process stood still for longer than a lease.
      if (!this.#table.beat(this.#session)) {
        this.#session = this.#table.begin(this.#settings.leaseMs);
      }
      const owed = this.#owed;
      this.#owed = [];
      for (const { lease, counts } of owed) this.#letGo(lease, counts);
      this.#look();
      this.#wake();
    } catch (error) {
      // A disk that is full for a moment must not end the program: the waits
      // fail, and the leases run out if the disk stays full.
      this.#failWaiting(error);
    }
  }

  #look(): void {
    const now = hostTimers.now();
    for (const seen of this.#watch.look(this.#table.sessions(), now)) {
      if (seen.session === this.#session) continue;
      if (this.#table.end(seen.session, seen.beat)) this.#bell.ring();
    }
  }

  #lostError(action: string): InvalidStateError {
    return new InvalidStateError(
      `Cannot ${action} as it ran out, and another may have the item: received a call on ${this}; give the queue a longer 'leaseMs', or let the loop run in between`,
    );
  }

  #shutDownError(action: string): QueueShutDown {
    return new QueueShutDown(
      `Cannot ${action} as the queue is ${
        this.#isClosed ? "closed" : "shut down"
      }: received a call on ${this}`,
    );
  }

  toString(): string {
    const state = this.#isClosed
      ? " closed"
      : this.#isShutDown
      ? " shut down"
      : "";
    return `<SqliteQueue ${this.#table.path}${state}>`;
  }
}
