import { LONGEST_HOST_TIMER_MS } from "../_internal/constants.ts";
import { onClose } from "../loop/closing.ts";
import { currentScope } from "../loop/current.ts";
import { type EventLoop, loopOf } from "../loop/event_loop.ts";
import type { Kernel } from "../loop/kernel.ts";
import { interruption, type Scope } from "../loop/scope.ts";
import { currentTask, type Task } from "../loop/task.ts";
import { type QueuedWait, WaitQueue } from "../loop/wait_queue.ts";
import { hostTimers } from "../platform/timers.ts";
import type { HostHandle } from "../platform/types/timers.ts";
import { untilAborted } from "../tasks/until_aborted.ts";
import type { Codec } from "../durable/codec.ts";
import type {
  DeadLetters,
  DurablePutOptions,
  DurableQueue,
  DurableStatistics,
  GiveBackOptions,
} from "../durable/durable_queue.ts";
import { checkGiveBack, checkPut } from "../durable/job_options.ts";
import {
  lostLeaseError,
  noLeaseError,
  shutDownError,
} from "../durable/lease_errors.ts";
import { iterateLeases } from "../durable/leased_items.ts";
import { type Lease, Leases } from "../durable/leases.ts";
import { Bell } from "./_bell.ts";
import { isMissing, pause, toOSError } from "./_client.ts";
import type { JetStreamConnection, JetStreamMessage } from "./connection.ts";
import { JetStreamDeadLetters } from "./_dead_letters.ts";
import { Delivery } from "./_delivery.ts";
import { DelayedJobs } from "./_delayed_jobs.ts";
import { frame } from "./_frame.ts";
import { JOBS, jobSubject, LATER, laterSubject } from "./_layout.ts";
import { Pulls } from "./_pulls.ts";
import { Room } from "./_room.ts";
import { countsOf, type Server } from "./_server.ts";

/** How often in a lease it is renewed. */
const BEATS = 3;

/** How long a server that is gone is noticed at the latest, in beats or this. */
const LONGEST_HEARTBEAT_MS = 2_000;

/** How long one try of an acknowledgement may take. */
const SETTLE_MS = 2_000;

/** How long `close` waits for a server that does not answer. */
const CLOSE_MS = 2_000;

export interface JetStreamQueueSettings<T> {
  readonly maxSize: number;
  readonly leaseMs: number;
  readonly maxDeliveries: number;
  readonly codec: Codec<T>;
}

interface Job {
  readonly body: Uint8Array;
  readonly id: string | null;
  readonly delay: number;
}

type Getter<T> = QueuedWait<Lease<T>, undefined>;

export class JetStreamQueue<T> implements DurableQueue<T> {
  // What was sent is not taken back: `put`, `taskDone` and `giveBack` wait for the
  // server's answer as for any promise, and a cancellation that comes meanwhile is
  // remembered. What comes from the server is held here, and its lease renewed,
  // until the turn of the wait that it was granted to.
  readonly #connection: JetStreamConnection;
  readonly #server: Server;
  readonly #settings: JetStreamQueueSettings<T>;
  readonly #pulls: Pulls;
  readonly #delayed: DelayedJobs;
  readonly #bell: Bell;
  readonly #room: Room;
  readonly #dead: JetStreamDeadLetters<T>;
  readonly #statuses: AsyncIterable<{ readonly type: string }>;
  readonly #leases = new Leases<T>((lease, task) =>
    this.#orphaned(lease, task)
  );
  /** All that this process has, by the number that its lease has for a session. */
  readonly #held = new Map<number, Delivery>();
  #deliveries = 0;
  /** What has come and was granted to nobody yet. */
  #arrived: number[] = [];
  readonly #granted = new Map<Getter<T>, Lease<T>>();
  readonly #getters: WaitQueue<Lease<T>> = new WaitQueue("DurableQueue.get", {
    rebinds: true,
    take: (wait) => this.#collect(wait),
    takeBack: (wait) => this.#uncollect(wait),
  });
  /** Iterators that are about to wait for an item. */
  #expected = 0;
  readonly #putters: WaitQueue<void> = new WaitQueue("DurableQueue.put", {
    rebinds: true,
    takeBack: () => this.#endTurn(),
  });
  /** That of whoever's turn it is to put: if it is closed, nobody's. */
  #turn: Kernel | null = null;
  /** The one whose turn it is to put, while there is no room. */
  readonly #blocked: WaitQueue<void> = new WaitQueue("DurableQueue.put", {
    rebinds: true,
  });
  readonly #joiners: WaitQueue<void> = new WaitQueue("DurableQueue.join", {
    rebinds: true,
  });
  /** How often it was heard that something is different. */
  #changes = 0;
  #toldChanges = 0;
  /** That of those who wait. */
  #loop: EventLoop | null = null;
  #unbind: () => void = () => {};
  #isWoken = false;
  #beatTimer: HostHandle;
  #isShutDown = false;
  #isClosed = false;
  #isDisconnected = false;

  constructor(
    connection: JetStreamConnection,
    server: Server,
    settings: JetStreamQueueSettings<T>,
  ) {
    this.#connection = connection;
    this.#server = server;
    this.#settings = settings;
    const heartbeatMs = Math.min(this.#beatMs, LONGEST_HEARTBEAT_MS);
    this.#pulls = new Pulls(
      connection,
      server.pullSubject(JOBS),
      heartbeatMs,
      {
        onMessage: (message) => this.#arrive(message),
        onNone: () => this.#getters.failAll(() => this.#shutDownError("get")),
        onLost: () => this.#wake(),
        onRefused: () => void this.#look(),
      },
    );
    this.#delayed = new DelayedJobs(
      connection,
      server,
      heartbeatMs,
      async (delivery) => {
        // Of those that wait for items, nobody got it.
        await this.#dead.add(delivery, 0);
        await delivery.finish(SETTLE_MS);
        this.#heardOwn();
      },
    );
    this.#bell = new Bell(
      connection,
      server.name,
      // Who waits asks again with every beat.
      3 * this.#beatMs,
      () => this.#heard(),
    );
    this.#room = new Room(server, settings.maxSize);
    this.#dead = new JetStreamDeadLetters(
      server,
      settings.codec,
      () => {
        if (this.#isClosed) throw this.#shutDownError("look into");
      },
    );
    this.#statuses = connection.status();
    void this.#follow();
    void connection.closed().then(() => this.#disconnected());
    this.#beatTimer = this.#nextBeat();
  }

  get #beatMs(): number {
    return Math.min(this.#settings.leaseMs / BEATS, LONGEST_HOST_TIMER_MS);
  }

  put(item: T, options: DurablePutOptions = {}): Promise<void> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    if (this.#isShutDown) return Promise.reject(this.#shutDownError("put"));
    try {
      const job = this.#toJob(item, options);
      return untilAborted(options.signal, () => {
        const scope = currentScope();
        return this.#settings.maxSize === Infinity
          ? this.#store(job, scope, {}).then(() => {})
          : this.#putInTurn(job, scope);
      });
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #toJob(item: T, options: DurablePutOptions): Job {
    const { id, delay, priority } = checkPut(options);
    if (priority !== 0) {
      throw new RangeError(
        `Cannot put an item into the queue as JetStream has no priorities, so 'priority' must be 0: received ${priority}; open a queue for each priority`,
      );
    }
    // Also to check it.
    jobSubject(this.#server.name, id);
    return { body: this.#settings.codec.encode(item), id, delay };
  }

  /** @returns Its number; `null` if `expect` does not hold. */
  #store(
    job: Job,
    scope: Scope,
    expect: { lastSequence?: number },
  ): Promise<number | null> {
    const { body, id, delay } = job;
    const { name } = this.#server;
    const isLater = delay > 0;
    const subject = isLater ? laterSubject(name, id) : jobSubject(name, id);
    const stored = isLater
      ? frame({
        due: Math.min(Date.now() + delay, Number.MAX_SAFE_INTEGER),
      }, body)
      : body;
    const options = { msgID: this.#server.newWriteId(), expect };
    if (id === null) {
      return this.#server.store(subject, stored, options, scope);
    }
    const other = isLater ? jobSubject(name, id) : laterSubject(name, id);
    return this.#storeNamed(
      subject,
      other,
      () =>
        this.#server.store(subject, stored, {
          ...options,
          expect: { ...expect, lastSubjectSequence: 0 },
        }, scope),
    );
  }

  /** With an id: 0 if the queue has one, to be taken or kept back. */
  async #storeNamed(
    subject: string,
    other: string,
    store: () => Promise<number | null>,
  ): Promise<number | null> {
    const isThere = async (subject: string) =>
      await this.#server.find({ "last_by_subj": subject }) !== null;
    if (await isThere(other)) return 0;
    return await store() ?? (await isThere(subject) ? 0 : null);
  }

  async #putInTurn(job: Job, scope: Scope): Promise<void> {
    const { kernel } = scope;
    if (this.#turn !== null && !this.#turn.closed) {
      await this.#putters.wait(scope);
    }
    this.#turn = kernel;
    try {
      while (!await this.#putWithRoom(job, scope));
    } finally {
      if (this.#turn === kernel) this.#endTurn();
    }
    this.#heardOwn();
  }

  /** @returns Whether it was put; otherwise something is different by now. */
  async #putWithRoom(job: Job, scope: Scope): Promise<boolean> {
    const changes = this.#changes;
    const lastSequence = await this.#room.next();
    if (this.#isShutDown) throw this.#shutDownError("put");
    if (lastSequence !== null) {
      const seq = await this.#store(job, scope, { lastSequence });
      // With an id that is there, nothing was put, and nothing is known.
      this.#room.changed(seq === 0 ? null : seq);
      return seq !== null;
    }
    await this.#waitForChange(this.#blocked, scope, changes);
    return false;
  }

  #endTurn(): void {
    if (!this.#putters.settleFirst()) this.#turn = null;
  }

  /** Waits until something is different from what it was after `changes`. */
  async #waitForChange(
    waits: WaitQueue<void>,
    scope: Scope,
    changes: number,
  ): Promise<void> {
    this.#bind(scope.kernel);
    this.#bell.ask();
    const interrupted = interruption(scope);
    if (interrupted !== null) return await interrupted;
    if (this.#changes === changes) await waits.wait(scope);
  }

  get(): Promise<T> {
    return this.#getLease().then(({ item }) => item);
  }

  #getLease(): Promise<Lease<T>> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    if (this.#isClosed) return Promise.reject(this.#shutDownError("get"));
    try {
      this.#bind(scope.kernel);
      const waiting = this.#getters.wait(scope);
      // After all that are about to wait as well, so that one message asks for
      // the items of all of them.
      this.#wake();
      return waiting;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #arrive(message: JetStreamMessage): void {
    const delivery = new Delivery(this.#connection, message, hostTimers.now());
    const number = ++this.#deliveries;
    this.#held.set(number, delivery);
    if (this.#isClosed || this.#loop?.isClosed() === true) {
      this.#letGo(number, false);
      return;
    }
    this.#arrived.push(number);
    this.#wake();
  }

  #collect(wait: Getter<T>): Lease<T> {
    const lease = this.#granted.get(wait)!;
    this.#granted.delete(wait);
    this.#leases.add(lease);
    return lease;
  }

  #uncollect(wait: Getter<T>): void {
    const lease = this.#granted.get(wait)!;
    this.#granted.delete(wait);
    // For the next one that waits, if there is one.
    this.#arrived.unshift(lease.session);
    this.#wake();
  }

  taskDone(): Promise<void> {
    return this.#settle("end a lease", (lease) => this.#finish(lease));
  }

  giveBack(options: GiveBackOptions = {}): Promise<void> {
    return this.#settle("give back an item", (lease) => {
      const delay = checkGiveBack(options);
      return this.#return(lease, delay);
    });
  }

  #settle(
    action: string,
    work: (lease: Lease<T>) => Promise<void>,
  ): Promise<void> {
    const lease = this.#leases.firstOf(currentTask());
    if (lease === null || this.#isClosed) {
      return Promise.reject(noLeaseError(action, this));
    }
    return work(lease);
  }

  #finish(lease: Lease<T>): Promise<void> {
    return this.#answered(
      "end a lease",
      lease,
      (delivery) => delivery.finish(SETTLE_MS),
    );
  }

  #return(lease: Lease<T>, delay: number): Promise<void> {
    return this.#answered(
      "give back an item",
      lease,
      (delivery) =>
        delivery.deliveries < this.#settings.maxDeliveries
          ? delivery.giveBack(delay, SETTLE_MS)
          : this.#moveToDead(delivery),
    );
  }

  /** Ends a lease, and tries again until it is known to have run out. */
  async #answered(
    action: string,
    lease: Lease<T>,
    work: (delivery: Delivery) => Promise<void>,
  ): Promise<void> {
    // It stays among those that are held, and is renewed until the answer.
    this.#leases.remove(lease);
    const delivery = this.#held.get(lease.session);
    let cause: unknown;
    try {
      for (;;) {
        if (delivery === undefined || this.#isOver(delivery)) {
          throw lostLeaseError(action, this, cause);
        }
        try {
          await work(delivery);
          break;
        } catch (error) {
          cause = error;
          if (this.#connection.isClosed()) throw toOSError(action, error);
        }
        await pause(this.#beatMs / BEATS);
      }
    } finally {
      this.#held.delete(lease.session);
    }
    this.#heardOwn();
  }

  /** Whether its lease has run out, as far as is known here. */
  #isOver({ renewedAt }: Delivery): boolean {
    return hostTimers.now() - renewedAt > this.#settings.leaseMs;
  }

  async #moveToDead(delivery: Delivery): Promise<void> {
    // Beyond that, the server has delivered it only to be moved.
    const { maxDeliveries } = this.#settings;
    const deliveries = Math.min(delivery.deliveries, maxDeliveries);
    await this.#dead.add(delivery, deliveries);
    await delivery.finish(SETTLE_MS);
  }

  /** A task ended with a lease: what it did not finish is for others. */
  #orphaned(lease: Lease<T>, task: Task<unknown>): void {
    // That a task is cancelled says nothing against its item.
    this.#letGo(lease.session, !task.cancelled());
  }

  /** No caller could be told of an error: then the lease runs out. */
  #letGo(number: number, counts: boolean): void {
    const delivery = this.#held.get(number);
    if (delivery === undefined) return;
    if (counts && delivery.deliveries >= this.#settings.maxDeliveries) {
      void this.#bury(number, delivery);
      return;
    }
    this.#held.delete(number);
    if (!this.#connection.isClosed()) delivery.letGo();
    this.#heardOwn();
  }

  async #bury(number: number, delivery: Delivery): Promise<void> {
    try {
      await this.#moveToDead(delivery);
    } catch {
      // Whoever gets it next tries again.
    } finally {
      this.#held.delete(number);
    }
    this.#heardOwn();
  }

  async join(): Promise<void> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return await interrupted;
    this.#delayed.start();
    for (;;) {
      if (this.#isClosed) throw this.#shutDownError("join");
      const changes = this.#changes;
      const info = await this.#server.info();
      if (countsOf(info, this.#server.name).alive === 0) return;
      if (this.#isClosed) throw this.#shutDownError("join");
      await this.#waitForChange(this.#joiners, scope, changes);
    }
  }

  shutdown(): void {
    if (this.#isShutDown) return;
    this.#isShutDown = true;
    const makeError = () => this.#shutDownError("put");
    this.#putters.failAll(makeError);
    this.#blocked.failAll(makeError);
    // Those that wait get what there is, and are then told.
    this.#wake();
  }

  async statistics(): Promise<DurableStatistics> {
    if (this.#isClosed) throw this.#shutDownError("look into");
    const server = this.#server;
    const { dead, alive } = countsOf(await server.info(), server.name);
    const later = await server.consumer(LATER);
    const { num_ack_pending: leased } = await server.consumer(JOBS);
    const delayed = later.num_pending + later.num_ack_pending;
    return Object.freeze({
      ready: Math.max(0, alive - delayed - leased),
      leased,
      delayed,
      dead,
      oldestAge: alive === 0 ? 0 : await this.#oldestAge(),
    });
  }

  async #oldestAge(): Promise<number> {
    let oldest = Infinity;
    for (const kind of ["job", "later"]) {
      const first = await this.#server.find({
        seq: 1,
        "next_by_subj": `${this.#server.name}.${kind}.*`,
      });
      if (first !== null) oldest = Math.min(oldest, first.time.getTime());
    }
    return oldest === Infinity ? 0 : Math.max(0, Date.now() - oldest);
  }

  get deadLetters(): DeadLetters<T> {
    return this.#dead;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#end();
    const connection = this.#connection;
    if (connection.isClosed()) return;
    for (const number of this.#held.keys()) this.#letGo(number, false);
    this.#bell.close();
    const closing = Promise.all([this.#pulls.close(), this.#delayed.close()])
      .then(() => connection.flush());
    await Promise.race([closing, this.#timeLimit(closing)]);
  }

  /** A server that does not answer has the leases run out. */
  async #timeLimit(closing: Promise<void>): Promise<void> {
    let timer: HostHandle = null;
    await new Promise<void>((resolve) => {
      timer = hostTimers.setTimer(resolve, CLOSE_MS);
      closing.then(resolve, resolve);
    });
    hostTimers.clearTimer(timer);
  }

  #end(): void {
    this.#isClosed = true;
    this.#unbind();
    this.shutdown();
    const makeError = () => this.#shutDownError("get");
    this.#getters.failAll(makeError);
    this.#getters.failGranted(makeError);
    this.#granted.clear();
    this.#joiners.failAll(() => this.#shutDownError("join"));
    hostTimers.clearTimer(this.#beatTimer);
    (this.#statuses as { stop?: () => void }).stop?.();
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<T, undefined> {
    return iterateLeases<T>({
      // The body may have ended it itself, as it does with a `Queue`.
      isOpen: (lease) => this.#leases.has(lease),
      check: () => {
        if (this.#isClosed) throw this.#shutDownError("end a lease");
      },
      next: (last) =>
        last === null ? this.#getLease() : this.#finishAndGet(last),
      leave: async (last) => {
        if (!this.#isClosed) await this.#return(last, 0);
      },
    });
  }

  /** The next item is on its way while the server hears that one is done. */
  async #finishAndGet(last: Lease<T>): Promise<Lease<T>> {
    this.#expected++;
    try {
      const finishing = this.#finish(last);
      this.#ask();
      await finishing;
    } catch (error) {
      this.#expected--;
      this.#wake();
      throw error;
    }
    const waiting = this.#getLease();
    this.#expected--;
    return await waiting;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Those that wait are of the present loop: another one may never run again. */
  #bind(kernel: Kernel): void {
    const loop = loopOf(kernel);
    // What a put of a closed loop does while the server answers wakes nobody.
    if (this.#loop === loop || kernel.closed) return;
    this.#loop = loop;
    this.#isWoken = false;
    this.#unbind();
    this.#unbind = onClose(kernel, () => this.#leaveBehind());
  }

  /** The loop is closed, with all that waits in it. */
  #leaveBehind(): void {
    const isAsked = this.#getters.size > 0;
    this.#getters.leaveBehind();
    this.#joiners.leaveBehind();
    for (const number of this.#arrived.splice(0)) this.#letGo(number, false);
    // Or what was asked for comes here, and counts as delivered.
    if (isAsked && !this.#connection.isClosed()) this.#pulls.forget();
  }

  /** Something is different here, of which no other process knows. */
  #heardOwn(): void {
    if (!this.#connection.isClosed() && !this.#isClosed) this.#bell.ring();
    this.#heard();
  }

  /** Something is different: those that wait for that look again. */
  #heard(): void {
    this.#changes++;
    if (this.#blocked.size > 0 || this.#joiners.size > 0) this.#wake();
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
    if (this.#changes !== this.#toldChanges) {
      this.#toldChanges = this.#changes;
      this.#blocked.settleAll();
      this.#joiners.settleAll();
    }
    const arrived = this.#arrived;
    this.#arrived = [];
    for (const number of arrived) this.#grant(number);
    this.#ask();
  }

  #grant(number: number): void {
    const delivery = this.#held.get(number);
    if (delivery === undefined) return;
    const wait = this.#getters.first;
    if (delivery.deliveries > this.#settings.maxDeliveries) {
      void this.#bury(number, delivery);
    } else if (wait !== null) this.#give(wait, number, delivery);
    else if (this.#expected > this.#arrived.length) this.#arrived.push(number);
    else this.#letGo(number, false);
  }

  #give(wait: Getter<T>, session: number, delivery: Delivery): void {
    let item: T;
    try {
      item = this.#settings.codec.decode(delivery.body);
    } catch (error) {
      // It would fail whoever gets it, time after time.
      void this.#bury(session, delivery);
      this.#getters.fail(wait, error);
      return;
    }
    const lease = { number: delivery.seq, session, item, task: wait.task };
    this.#granted.set(wait, lease);
    this.#getters.settle(wait, lease);
    this.#heardOwn();
  }

  #ask(): void {
    if (this.#connection.isClosed()) return;
    const { size } = this.#getters;
    if (size > 0) this.#delayed.start();
    if (!this.#isShutDown) {
      this.#pulls.want(size + this.#expected - this.#arrived.length);
    } else if (size > 0) this.#pulls.wantNow();
  }

  #failWaiting(error: unknown): void {
    for (const waits of [this.#blocked, this.#getters, this.#joiners]) {
      waits.failAll(() => error);
    }
  }

  /** The server refuses: what waits is failed if it will go on to. */
  async #look(): Promise<void> {
    if (this.#isClosed || this.#getters.size === 0) return;
    try {
      await this.#server.consumer(JOBS);
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      if (cause && isMissing(cause)) this.#failWaiting(error);
    }
  }

  /** A connection that was made again has forgotten nothing but its requests. */
  async #follow(): Promise<void> {
    for await (const { type } of this.#statuses) {
      if (this.#isClosed) return;
      if (type !== "reconnect") continue;
      this.#pulls.forget();
      this.#delayed.forget();
      this.#heard();
    }
  }

  #disconnected(): void {
    if (this.#isClosed) return;
    this.#isDisconnected = true;
    this.#end();
  }

  #nextBeat(): HostHandle {
    return hostTimers.setTimer(() => {
      this.#beatTimer = this.#nextBeat();
      void this.#beat();
    }, this.#beatMs);
  }

  async #beat(): Promise<void> {
    if (this.#connection.isClosed()) return;
    this.#pulls.check();
    this.#delayed.check();
    if (this.#blocked.size > 0 || this.#joiners.size > 0) {
      // What rang may not have come.
      this.#bell.ask();
      this.#heard();
    }
    const held = [...this.#held.values()];
    if (held.length === 0) return;
    const now = hostTimers.now();
    for (const delivery of held) if (!this.#isOver(delivery)) delivery.renew();
    try {
      await this.#connection.flush();
    } catch {
      // The connection is closed, and the leases run out.
      return;
    }
    for (const delivery of held) {
      if (!this.#isOver(delivery)) delivery.renewedAt = now;
    }
  }

  #shutDownError(action: string): Error {
    if (this.#isDisconnected) {
      return toOSError(action, { name: "ClosedConnectionError" });
    }
    return shutDownError(action, this, this.#isClosed ? "closed" : "shut down");
  }

  toString(): string {
    const state = this.#isClosed
      ? " closed"
      : this.#isShutDown
      ? " shut down"
      : "";
    return `<JetStreamQueue ${this.#server.name}${state}>`;
  }
}
