import { LONGEST_HOST_TIMER_MS } from "../_internal/constants.ts";
import { OSError, type QueueShutDown } from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import { onClose } from "../loop/closing.ts";
import type { Kernel } from "../loop/kernel.ts";
import { interruption, type Scope } from "../loop/scope.ts";
import { currentTask, type Task } from "../loop/task.ts";
import type { Runnable } from "../loop/types.ts";
import { type QueuedWait, WaitQueue } from "../loop/wait_queue.ts";
import { openBell } from "../platform/database.ts";
import { hostTimers } from "../platform/timers.ts";
import type { HostBell } from "../platform/types/database.ts";
import type { HostHandle } from "../platform/types/timers.ts";
import { untilAborted } from "../tasks/until_aborted.ts";
import type { Codec } from "./codec.ts";
import type {
  DeadLetter,
  DeadLetters,
  DurablePutOptions,
  DurableQueue,
  DurableStatistics,
  GiveBackOptions,
} from "./durable_queue.ts";
import { type Ending, EndWait } from "./_ending.ts";
import { checkGiveBack, checkPut } from "./job_options.ts";
import type { JobTable, NewJob, TakenJob } from "./_job_table.ts";
import { lostLeaseError, noLeaseError, shutDownError } from "./lease_errors.ts";
import { iterateLeases } from "./leased_items.ts";
import { type Lease, Leases } from "./leases.ts";
import { SessionWatch } from "./_session_watch.ts";

/** How often in a lease a session counts on, and looks at the others. */
const BEATS = 3;

export interface SqliteQueueSettings<T> {
  readonly maxSize: number;
  readonly leaseMs: number;
  readonly codec: Codec<T>;
}

/** A lease that is given back with the next transaction. */
interface Return<T> {
  readonly lease: Lease<T>;
  /** Whether the delivery counts as one that failed. */
  readonly counts: boolean;
}

type Put = QueuedWait<void, NewJob>;
type Get<T> = QueuedWait<Lease<T>, Ending<T> | null>;

/** What goes into a transaction; with it, waits as far as there are these. */
interface Batch<T> {
  readonly endings: readonly Ending<T>[];
  readonly returns: readonly Return<T>[];
  readonly puts: number;
  readonly gets: number;
}

/** What a transaction has come to, of which nobody is told before it is stored. */
class Outcome<T> {
  /** The numbers of the jobs that are done. */
  ended: ReadonlySet<number> = new Set();
  readonly stored: Put[] = [];
  readonly granted: { wait: Get<T>; lease: Lease<T> | null; error: unknown }[] =
    [];
}

/** At once, or none of it: a queue that is busy for one is so for all. */
const ALL = { puts: Infinity, gets: Infinity };
const NONE = { endings: [], returns: [], puts: 0, gets: 0 };

/**
 * Every call waits for a transaction, and a transaction does what all have asked
 * for since the last one: it is a step of the loop, behind the tasks that are
 * ready now. So a hundred workers cost the disk no more than one does.
 *
 * ```text
 *   put, get, taskDone --> wait --#soon()--> #flush(): BEGIN ... COMMIT --> told
 *                           |
 *                       cancelled: it leaves the queue, and is in no transaction
 * ```
 *
 * The transaction itself is synchronous, so none of its steps can be cancelled.
 * What `get` is granted is leased before its turn comes, and given back if it is
 * cancelled until then. Nobody is told of what is not committed.
 */
export class SqliteQueue<T> implements DurableQueue<T> {
  readonly #table: JobTable;
  readonly #bell: HostBell;
  readonly #settings: SqliteQueueSettings<T>;
  readonly #watch: SessionWatch;
  readonly #leases = new Leases<T>((lease, task) =>
    this.#orphaned(lease, task)
  );
  readonly #granted = new Map<Get<T>, Lease<T>>();
  readonly #getters: WaitQueue<Lease<T>, Ending<T> | null> = new WaitQueue(
    "DurableQueue.get",
    {
      rebinds: true,
      take: (wait) => this.#collect(wait),
      takeBack: (wait) => this.#uncollect(wait),
    },
  );
  readonly #putters: WaitQueue<void, NewJob> = new WaitQueue(
    "DurableQueue.put",
    { rebinds: true },
  );
  readonly #joiners: WaitQueue<void> = new WaitQueue("DurableQueue.join", {
    rebinds: true,
  });
  /** For the next transaction. */
  #endings: Ending<T>[] = [];
  /** The same; it stays while the file cannot be written to. */
  #returns: Return<T>[] = [];
  #session: number;
  /** The loop of those that wait. */
  #kernel: Kernel | null = null;
  #unbind: () => void = () => {};
  readonly #step: Runnable = {
    runsCode: false,
    run: () => {
      this.#isSoon = false;
      this.#flush();
    },
    describe: () => `a transaction of ${this}`,
  };
  #isSoon = false;
  #isFlushing = false;
  /** Something was asked for since the last transaction, and not just heard of. */
  #isAsked = false;
  #isListening = false;
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
      return untilAborted(
        options.signal,
        () => this.#wait(this.#putters, currentScope(), job),
      );
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #toJob(item: T, options: DurablePutOptions): NewJob {
    const checked = checkPut(options);
    return { body: this.#settings.codec.encode(item), ...checked };
  }

  get(): Promise<T> {
    return this.#getLease(null).then(({ item }) => item);
  }

  /** @param ending A lease that ends first: if that fails, so does this. */
  #getLease(ending: Ending<T> | null): Promise<Lease<T>> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    return this.#isClosed
      ? Promise.reject(this.#shutDownError("get"))
      : this.#wait(this.#getters, scope, ending);
  }

  #collect(wait: Get<T>): Lease<T> {
    const lease = this.#granted.get(wait)!;
    this.#granted.delete(wait);
    this.#leases.add(lease);
    return lease;
  }

  #uncollect(wait: Get<T>): void {
    const lease = this.#granted.get(wait)!;
    this.#granted.delete(wait);
    this.#letGo(lease, false);
  }

  taskDone(): Promise<void> {
    const scope = currentScope();
    const lease = this.#leases.firstOf(currentTask());
    if (lease === null || this.#isClosed) {
      return Promise.reject(noLeaseError("end a lease", this));
    }
    const wait = new EndWait(scope);
    this.#bind(scope.kernel);
    this.#end(lease, (error) => {
      if (error === null) wait.settle();
      else wait.fail(error);
    });
    return wait.promise;
  }

  #end(lease: Lease<T>, told: (error: unknown) => void): Ending<T> {
    const ending = { lease, told };
    this.#leases.remove(lease);
    this.#endings.push(ending);
    this.#soon();
    return ending;
  }

  /** No wait, so nothing to cancel. */
  giveBack(options: GiveBackOptions = {}): Promise<void> {
    const action = "give back an item";
    try {
      const delay = checkGiveBack(options);
      const lease = this.#leases.firstOf(currentTask());
      if (lease === null || this.#isClosed) throw noLeaseError(action, this);
      this.#giveBack(action, lease, delay);
    } catch (error) {
      return Promise.reject(error);
    }
    return Promise.resolve();
  }

  #giveBack(action: string, lease: Lease<T>, delay: number): void {
    // If the file cannot be written to, the lease stays and can be ended again.
    const isOurs = this.#table.giveBack(lease, delay, true);
    this.#leases.remove(lease);
    if (!isOurs) throw lostLeaseError(action, this);
    this.#changed();
  }

  /** A task ended with a lease: what it did not finish is for others. */
  #orphaned(lease: Lease<T>, task: Task<unknown>): void {
    // That a task is cancelled says nothing against its item.
    this.#letGo(lease, !task.cancelled());
  }

  /** Of all that end in this turn as one; the loop may end with them. */
  #letGo(lease: Lease<T>, counts: boolean): void {
    if (this.#isClosed) return;
    this.#returns.push({ lease, counts });
    if (this.#returns.length === 1) {
      hostTimers.queueMicrotask(() => this.#flush());
    }
  }

  join(): Promise<void> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    try {
      if (this.#isClosed) throw this.#shutDownError("join");
      // What was not awaited counts as well.
      this.#flush();
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
    this.#bind(scope.kernel);
    const waiting = waits.wait(scope, brought);
    this.#isAsked = true;
    this.#soon();
    return waiting;
  }

  /** What was asked for in another loop is not left to that one. */
  #bind(kernel: Kernel): void {
    if (this.#kernel === kernel) return;
    this.#flush();
    this.#kernel = kernel;
    this.#isSoon = false;
    this.#unbind();
    this.#unbind = onClose(kernel, () => {
      // An item that these got would be kept from all others.
      this.#getters.leaveBehind();
      this.#joiners.leaveBehind();
    });
  }

  shutdown(): void {
    this.#flush();
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
    this.#flush();
    return work();
  }

  close(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    this.#isClosed = this.#isShutDown = true;
    this.#unbind();
    this.#getters.failAll(() => this.#shutDownError("get"));
    this.#getters.failGranted(() => this.#shutDownError("get"));
    this.#joiners.failAll(() => this.#shutDownError("join"));
    for (const lease of this.#granted.values()) {
      this.#returns.push({ lease, counts: false });
    }
    this.#granted.clear();
    // What was asked for before is done, whether or not it is awaited.
    this.#work();
    this.#putters.failAll(() => this.#shutDownError("put"));
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
    return iterateLeases<T>({
      // The body may have ended it itself, as it does with a `Queue`.
      isOpen: (lease) => this.#leases.has(lease),
      check: () => {
        if (this.#isClosed) throw this.#shutDownError("end a lease");
      },
      next: (last) => {
        if (last === null) return this.#getLease(null);
        const ending = this.#end(last, (error) => {
          if (error === null) return;
          this.#getters.failWhere((brought) => brought === ending, () => error);
        });
        return this.#getLease(ending);
      },
      leave: async (last) => {
        if (!this.#isClosed) this.#giveBack("give back an item", last, 0);
      },
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Something is different in the file: for those who wait here and elsewhere. */
  #changed(): void {
    this.#bell.ring();
    this.#soon();
  }

  #soon(): void {
    if (this.#isSoon || this.#isClosed) return;
    const kernel = this.#kernel;
    // Nobody waits any more, but something may be left to give back.
    if (kernel === null || kernel.closed) return this.#flush();
    this.#isSoon = true;
    kernel.push(this.#step);
  }

  #flush(): void {
    // A codec may use the queue, and is called in the middle of a transaction.
    if (this.#isClosed || this.#isFlushing) return;
    this.#isFlushing = true;
    try {
      this.#work();
      this.#expect();
    } catch (error) {
      this.#failWaiting(error);
    } finally {
      this.#isFlushing = false;
    }
  }

  /** One transaction of all that is asked for. */
  #work(): void {
    const endings = this.#endings;
    const returns = this.#returns;
    const isAsked = this.#isAsked;
    this.#endings = [];
    this.#returns = [];
    this.#isAsked = false;
    if (endings.length + returns.length === 0 && !isAsked) {
      // Only heard of: to look first locks nobody out.
      if (!this.#isWanted()) return;
    }
    try {
      this.#transact({ endings, returns, ...ALL });
    } catch (error) {
      // Each for itself, as one may be too big and the others not; but if
      // another process does not let go of the file, all have waited enough.
      if (error instanceof OSError && error.code === "EBUSY") {
        this.#refuse({ endings, returns, ...ALL }, error);
      } else this.#workOneByOne(endings, returns);
    }
  }

  #isWanted(): boolean {
    return this.#putters.first !== null ||
      (this.#getters.first !== null && this.#table.isAnyReady());
  }

  #workOneByOne(
    endings: readonly Ending<T>[],
    returns: readonly Return<T>[],
  ): void {
    for (const ending of endings) this.#try({ ...NONE, endings: [ending] });
    for (const each of returns) this.#try({ ...NONE, returns: [each] });
    while (this.#putters.first !== null && this.#try({ ...NONE, puts: 1 }));
    while (this.#getters.first !== null && this.#try({ ...NONE, gets: 1 }));
  }

  /** False if there was nothing to do. */
  #try(batch: Batch<T>): boolean {
    try {
      return this.#transact(batch);
    } catch (error) {
      this.#refuse(batch, error);
      return true;
    }
  }

  /** What was to be in a transaction that failed. */
  #refuse({ endings, returns, puts, gets }: Batch<T>, error: unknown): void {
    for (const { lease, told } of endings) {
      // It stays, and can be ended again.
      this.#leases.add(lease);
      told(error);
    }
    // No caller can be told: the next transaction tries again.
    this.#returns.push(...returns);
    for (; puts > 0 && this.#putters.first !== null; puts--) {
      this.#putters.fail(this.#putters.first, error);
    }
    for (; gets > 0 && this.#getters.first !== null; gets--) {
      this.#getters.fail(this.#getters.first, error);
    }
  }

  #transact(batch: Batch<T>): boolean {
    const outcome = new Outcome<T>();
    const { endings, returns } = batch;
    if (this.#isOneStatement(batch)) this.#do(batch, outcome);
    else this.#table.atOnce(() => this.#do(batch, outcome));
    const { ended, stored, granted } = outcome;
    for (const { lease, told } of endings) {
      told(
        ended.has(lease.number) ? null : lostLeaseError("end a lease", this),
      );
    }
    // Each is told in the next step, so the first comes last.
    for (const put of stored.reverse()) this.#putters.commit(put, undefined);
    for (const { wait, lease, error } of granted) {
      if (lease === null) this.#getters.fail(wait, error);
      else if (wait.isPending()) {
        this.#granted.set(wait, lease);
        this.#getters.settle(wait, lease);
      } else this.#letGo(lease, false);
    }
    if (this.#isNews(returns.length, outcome)) this.#bell.ring();
    return endings.length + returns.length + stored.length + granted.length > 0;
  }

  /** Which SQLite makes a transaction of by itself, at less cost. */
  #isOneStatement({ endings, returns, puts, gets }: Batch<T>): boolean {
    if (returns.length > 0 || (gets > 0 && this.#getters.size > 0)) {
      return false;
    }
    const stored = Math.min(puts, this.#putters.size);
    return endings.length === 0
      ? stored === 1 && this.#settings.maxSize === Infinity
      : stored === 0 && endings.length === 1;
  }

  /** Whether others may wait for it: a ring costs each of them a look. */
  #isNews(returned: number, { ended, stored, granted }: Outcome<T>): boolean {
    return stored.length > 0 || returned > 0 ||
      (granted.length > 0 && this.#settings.maxSize !== Infinity) ||
      (ended.size > 0 && !this.#table.isUnfinished());
  }

  #do({ endings, returns, puts, gets }: Batch<T>, outcome: Outcome<T>): void {
    if (endings.length > 0) outcome.ended = this.#finish(endings);
    for (const { lease, counts } of returns) {
      this.#table.giveBack(lease, 0, counts);
    }
    let put = this.#putters.first;
    let get = this.#getters.first;
    for (;;) {
      const jobs: NewJob[] = [];
      let room = put === null || puts === 0
        ? 0
        : this.#table.room(this.#settings.maxSize);
      for (; put !== null && outcome.stored.length < puts; put = put.behind) {
        const { id } = put.brought;
        // One that is there already needs no room.
        const isThere = room !== Infinity && id !== null &&
          (jobs.some((job) => job.id === id) || this.#table.has(id));
        if (!isThere) {
          if (room <= 0) break;
          room--;
          jobs.push(put.brought);
        }
        outcome.stored.push(put);
      }
      this.#table.put(jobs);
      const taken = get === null || gets === 0 ? [] : this.#take(
        Math.min(gets, this.#getters.size) - outcome.granted.length,
      );
      for (const job of taken) {
        outcome.granted.push(this.#toGrant(get!, job));
        get = get!.behind;
      }
      // What was taken has left room for those who wait for it.
      if (taken.length === 0 || put === null || puts === 0) return;
    }
  }

  #finish(endings: readonly Ending<T>[]): ReadonlySet<number> {
    const session = endings[0]!.lease.session;
    if (endings.every(({ lease }) => lease.session === session)) {
      const numbers = endings.map(({ lease }) => lease.number);
      return this.#table.finish(numbers, session);
    }
    return new Set(
      endings.flatMap(({ lease }) => [
        ...this.#table.finish([lease.number], lease.session),
      ]),
    );
  }

  #take(count: number): TakenJob[] {
    return count > 0 ? this.#table.take(this.#session, count) : [];
  }

  #toGrant(wait: Get<T>, { number, body }: TakenJob) {
    const session = this.#session;
    try {
      const item = this.#settings.codec.decode(body);
      const lease: Lease<T> = { number, session, item, task: wait.task };
      return { wait, lease, error: null };
    } catch (error) {
      // It would fail whoever gets it, time after time.
      this.#table.bury(number, session);
      return { wait, lease: null, error };
    }
  }

  /** For those that still wait: what is to wake them. */
  #expect(): void {
    if (this.#isShutDown) {
      this.#getters.failAll(() => this.#shutDownError("get"));
    }
    if (this.#joiners.first !== null && !this.#table.isUnfinished()) {
      this.#joiners.settleAll();
    }
    const isWaiting = this.#getters.size + this.#putters.size +
      this.#joiners.size;
    if (isWaiting === 0) return;
    if (this.#getters.first !== null) this.#wakeWhenDue();
    if (!this.#isListening) {
      this.#bell.listen(() => this.#wake());
      this.#isListening = true;
      // Another process may have rung before this one listened.
      this.#soon();
    }
  }

  /** From a callback of the host. */
  #wake(): void {
    if (
      this.#getters.size + this.#putters.size + this.#joiners.size +
          this.#returns.length > 0
    ) this.#soon();
  }

  #failWaiting(error: unknown): void {
    for (const waits of [this.#putters, this.#getters, this.#joiners]) {
      waits.failAll(() => error);
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

  #shutDownError(action: string): QueueShutDown {
    return shutDownError(action, this, this.#isClosed ? "closed" : "shut down");
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
