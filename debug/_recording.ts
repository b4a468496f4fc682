/**
 * Notes what the tasks of a loop do, as quickly as it can: an event is a number or
 * two in a ring, and a name if it has one. What they mean is worked out when
 * somebody wants to see them; see _trace_events.ts.
 *
 * The clock is most of what an event could cost, and what happens in a task's
 * `sleep(0)` would be most of the events. So within a turn of the host
 *
 * - a `sleep(0)` is noted at its end alone: it began when the step before it had
 *   ended, which is when the next step of the loop began;
 * - the clock is not read where a step begins, as the one before has ended then;
 * - if steps take less than a microsecond, it is read at every 64th of them. If
 *   these have taken long after all, it is read at both ends of each of the next
 *   steps of their tasks.
 */
import { errorLine } from "../_internal/error_text.ts";
import { oneLine, show } from "../_internal/show.ts";
import type { CancelledError } from "../errors.ts";
import { systemClock } from "../loop/clock.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import { awaitedFuture, type Future, futureInternals } from "../loop/future.ts";
import type { Handle } from "../loop/handle.ts";
import {
  type Hooks,
  type Instrument,
  type WaitInfo,
  waitsBelow,
} from "../loop/hooks.ts";
import { kernelOf, type LoopKernel } from "../loop/kernel.ts";
import { liveTasks } from "../loop/live_tasks.ts";
import type { Scope } from "../loop/scope.ts";
import { currentTask, scopeOf, Task } from "../loop/task.ts";
import type { Wait } from "../loop/wait.ts";
import { hostTimers } from "../platform/timers.ts";

// What an event is; its lane stands above these bits.
export const KINDS = 15;
/** Its time was read. */
export const READ = 16;
export const LANE_BITS = 5;
const LARGEST_LANE = 2 ** (32 - LANE_BITS) - 1;
const LARGEST_ID = 2 ** 31 - 1;
export const CREATED = 1;
export const STARTED = 2;
export const ENDED = 3;
/** A wait began, which is drawn in the task's lane. */
export const WAIT = 4;
/** It ended: a step of the task begins. */
export const GO = 5;
/** The same of a wait that began while another was drawn there. */
export const WAIT_BESIDE = 6;
export const GO_BESIDE = 7;
/** A wait was decided on. */
export const DECIDED = 8;
export const CANCELLED = 9;
/** A callback has returned. */
export const CALLBACK = 10;
/** The host had a turn. */
export const TURN = 11;
/** A `sleep(0)` ended, whose beginning is not noted. */
export const GO_TURN = 12;

/** An event whose time was not read. */
export const UNREAD = -1;

/** Steps that take less than this on average have the clock read for some only. */
const SHORT_STEP_MS = 0.001;
const LARGEST_STRIDE = 64;
/** Such an interval is not what some short steps take. */
const ODD_INTERVAL_MS = 0.5;
/** For how many steps a task is watched that may have held the loop. */
const WATCHED_STEPS = 16;
const CACHED_LANES = 1024;

/** What is known of a task. */
export class Lane {
  readonly id: number;
  /** Null once it has ended. */
  task: Task<unknown> | null;
  /** Null once it has ended: it would keep the task, and its result. */
  scope: Scope | null;
  /** Of an ended task; that of another is asked for when it is needed. */
  name = "";
  readonly start: number;
  /** Who made it, and who awaits it; 0 if that is no task. */
  readonly maker: number;
  awaiter = 0;
  outcome: "pending" | "finished" | "failed" | "cancelled" = "pending";
  error = "";
  /**
   * A wait is drawn in the lane: whichever of the task's is not among those
   * below. It is not kept here: to put what is new into what is old is dear.
   */
  isWaiting = false;
  /** That wait, if it is a `sleep(0)`. */
  turn: WaitInfo | null = null;
  /** Which event its beginning is; -1 if it began before the recording. */
  waitEvent = -1;
  waitSlot = 0;
  /** Its name and its beginning, from the first look at it on. */
  what: string | null = null;
  since = 0;
  /** Other waits that go on at the same time. */
  beside: Map<WaitInfo, WaitBeside> | null = null;
  isFresh = false;
  /** For how many more steps the clock is read at both ends. */
  watched = 0;

  constructor(
    id: number,
    task: Task<unknown> | null,
    start: number,
    maker: number,
  ) {
    this.id = id;
    this.task = task;
    this.scope = task === null ? null : scopeOf(task);
    this.start = start;
    this.maker = maker;
  }

  /** The wait that is drawn in the lane, if one is. */
  get wait(): WaitInfo | null {
    if (!this.isWaiting || this.scope === null) return null;
    const { beside, turn } = this;
    return waitsBelow(this.scope).find((each) =>
      each === turn || !isTurn(each) && !beside?.has(each)
    ) ?? null;
  }

  /** Its name as a line of text. */
  get title(): string {
    if (this.id === 0) return "(in no task)";
    return oneLine(this.task === null ? this.name : this.task.name);
  }
}

/** A wait that is not drawn in the lane. */
interface WaitBeside {
  readonly id: number;
  readonly event: number;
  readonly since: number;
  what: string | null;
}

/** What stands for a wait that began before the oldest event. */
export interface Began {
  readonly what: string;
  readonly since: number;
}

/** A request to cancel. */
export interface Cancelling {
  readonly message: string;
  readonly by?: string;
  readonly reason?: string;
}

export class Recording implements Instrument {
  readonly capacity: number;
  readonly start: number;
  /** The lane of code in no task. */
  readonly root: Lane;
  readonly lanes: Map<number, Lane> = new Map();
  readonly times: Float64Array;
  readonly heads: Int32Array;
  readonly others: Int32Array;
  readonly notes: unknown[] = [];
  /** How many events there were. */
  count = 0;
  /** Where the last one is. */
  #lastSlot = -1;
  readonly #kernel: LoopKernel;
  readonly #loop: EventLoop;
  readonly #now: () => number;
  /** Another one may jump, and is no more than a variable. */
  readonly #isSystemClock: boolean;
  readonly #byScope = new Map<Scope, Lane>();
  /** The lanes of tasks that have ended, for who goes on at their end. */
  readonly #ended = new WeakMap<Task<unknown>, Lane>();
  readonly #cache: Lane[];
  /** The tasks whose waits nobody has looked at. */
  #fresh: Lane[] = [];
  #lastLane = 0;
  /** Of the waits beside others. */
  #lastId = 0;
  #lastTime: number;
  /** The first event whose time was not read. */
  #firstUnread = 0;
  /** The host has had a turn since the last event, so the clock is read. */
  #isStale = true;
  /** The end of the present turn will be heard of. */
  #isArmed = false;
  /** The loop has had so much to do that it had to give the host a turn. */
  #isBusy = false;
  /** They put aside where a `sleep(0)` has ended. */
  readonly #hooks: Hooks;
  /** How many they were to put aside. */
  #turns = 0;
  /** How many steps have ended since the clock was read, and how many may. */
  #steps = 0;
  #stride = 1;
  /** What the last steps took each that the clock was not read for. */
  #usual = 0;
  readonly #hear = (): void => {
    this.#isArmed = this.#isBusy = false;
    if (this.#isOn) this.#endTurn();
  };
  readonly #longStepMs: number;
  /** How many tasks are watched; see {@linkcode Lane}. */
  #watched = 0;
  #isOn = true;

  constructor(loop: EventLoop, capacity: number, longStepMs: number) {
    this.#longStepMs = longStepMs;
    this.#loop = loop;
    this.#kernel = kernelOf(loop);
    this.capacity = capacity;
    this.times = new Float64Array(capacity);
    this.heads = new Int32Array(capacity);
    this.others = new Int32Array(capacity);
    const { clock } = this.#kernel;
    this.#isSystemClock = clock === systemClock;
    this.#now = () => clock.now();
    this.start = this.#lastTime = this.#now();
    this.root = new Lane(0, null, this.start, 0);
    this.lanes.set(0, this.root);
    this.#cache = new Array(CACHED_LANES).fill(this.root);
    for (const task of liveTasks(this.#kernel)) this.#open(task, 0);
    for (const lane of this.lanes.values()) {
      if (lane.scope !== null) this.#adopt(lane, waitsBelow(lane.scope));
    }
    this.#adopt(this.root, waitsBelow(this.#kernel.root));
    this.#lookAtWaits();
    loop.addInstrument(this);
    this.#hooks = this.#kernel.hooks!;
  }

  /** The time up to which it has recorded. */
  get end(): number {
    return this.#isOn ? this.#now() : this.#lastTime;
  }

  /** How many of the events were dropped. */
  get dropped(): number {
    return Math.max(0, this.count - this.capacity);
  }

  /** Ends it. What was recorded stays. */
  stop(): void {
    if (!this.#isOn) return;
    this.flush();
    this.#lastTime = this.#now();
    this.#isOn = false;
    this.#hooks.turns.length = 0;
    this.#loop.removeInstrument(this);
  }

  /** Makes all that was noted so far ready to be read. */
  flush(): void {
    if (!this.#isOn) return;
    this.#endTurn();
    this.#lookAtWaits(true);
  }

  // -- what the loop tells --------------------------------------------------

  taskCreated(task: Task<unknown>): void {
    const maker = currentTask();
    // It may be one of another copy of this package.
    const makerLane = maker instanceof Task ? this.#find(scopeOf(maker)) : null;
    const now = this.#read();
    const lane = this.#open(task, makerLane?.id ?? 0, now);
    this.#noteMore(CREATED, lane.id, now, makerLane?.id ?? 0, null);
  }

  taskStarted(task: Task<unknown>): void {
    const { id } = this.#laneOf(task);
    this.#note(STARTED, id, this.#isStale ? this.#read() : UNREAD);
  }

  taskEnded(task: Task<unknown>): void {
    const lane = this.#find(scopeOf(task)) ?? this.#open(task, 0);
    this.#note(ENDED, lane.id, this.#endStep(lane));
    const state = futureInternals.state(task);
    lane.outcome = state;
    // It does not count as looking at its error.
    if (state === "failed") {
      lane.error = oneLine(errorLine(futureInternals.value(task)));
    }
    lane.name = task.name;
    lane.task = lane.beside = null;
    lane.isWaiting = false;
    lane.turn = null;
    if (lane.watched > 0) this.#watched--;
    lane.watched = 0;
    this.#ended.set(task, lane);
    this.#byScope.delete(scopeOf(task));
    lane.scope = null;
  }

  taskCancelRequested(task: Task<unknown>, error: CancelledError): void {
    const { id } = this.#laneOf(task);
    const { message, by, reason } = error;
    const note: Cancelling = {
      message,
      ...(by === undefined ? undefined : { by }),
      ...(reason === undefined ? undefined : { reason: show(reason) }),
    };
    this.#noteMore(CANCELLED, id, this.#read(), 0, note);
  }

  waitStarted(wait: WaitInfo): void {
    if (isTurn(wait)) return this.#turnStarted(wait);
    const lane = this.#laneOfWait(wait);
    const time = this.#endStep(lane);
    if (!lane.isFresh) {
      lane.isFresh = true;
      this.#fresh.push(lane);
    }
    if (lane.isWaiting || lane.id === 0) this.#beginBeside(lane, wait, time);
    else this.#begin(lane, time);
  }

  waitDecided(wait: WaitInfo, by: Future<unknown> | null): void {
    // Its own turn, which it has given itself, is nobody's doing.
    if (!(by instanceof Task) || by === wait.task) return;
    if (scopeOf(by).kernel !== this.#kernel) return;
    const lane = this.#laneOfWait(wait);
    const id = lane.beside?.get(wait)?.id ?? 0;
    if (id === 0 && !lane.isWaiting) return;
    const waker = this.#ended.get(by) ?? this.#find(scopeOf(by));
    if (waker === null) return;
    const time = this.#isStale ? this.#read() : UNREAD;
    this.#noteMore(DECIDED, lane.id, time, waker.id, id);
  }

  waitEnded(wait: WaitInfo): void {
    if (this.#turns > 0) this.#noteTurns();
    const lane = this.#laneOfWait(wait);
    if (isTurn(wait) && lane.turn !== wait) return this.#turnEnded(lane);
    const time = this.#isStale || lane.watched > 0 ? this.#read() : UNREAD;
    if (lane.beside !== null && this.#endBeside(lane, wait, time)) return;
    if (!lane.isWaiting) return;
    lane.isWaiting = false;
    lane.turn = null;
    const what = lane.what ?? titleOf(wait);
    const { waitEvent, since } = lane;
    if (waitEvent >= 0 && waitEvent > this.count - this.capacity) {
      this.notes[lane.waitSlot] = what;
      this.#noteMore(GO, lane.id, time, 0, null);
    } else {
      const began: Began | null = lane.what === null ? null : { what, since };
      this.#noteMore(GO, lane.id, time, 0, began);
    }
  }

  turnEnded(): void {
    this.#isBusy = true;
    this.#endTurn();
  }

  loopIdle(): void {
    this.#isBusy = false;
    if (!this.#isStale || !this.#isSystemClock) this.#listen();
  }

  callbackStarted(): void {
    if (this.#isStale) this.#note(TURN, 0, this.#read());
  }

  callbackEnded(handle: Handle): void {
    const before = this.#lastTime;
    const time = this.#endStep(this.root);
    if (time === UNREAD) return;
    const isLong = time - before >= this.#longStepMs;
    this.#noteMore(CALLBACK, 0, time, 0, isLong ? String(handle) : null);
  }

  /** A `sleep(0)` is noted if the host, or code of other libraries, came before. */
  #turnStarted(wait: WaitInfo): void {
    if (!this.#isStale && this.#watched === 0) return;
    const lane = this.#laneOfWait(wait);
    if (!this.#isStale && lane.watched === 0) return;
    if (lane.isWaiting || lane.id === 0) return;
    lane.turn = wait;
    this.#begin(lane, this.#endStep(lane));
  }

  #turnEnded(lane: Lane): void {
    const time = this.#endStep(lane);
    this.#note(GO_TURN, lane.id, time);
    if (this.#isStale || this.#watched > 0 || !this.#hooks.isAlone()) return;
    this.#turns = Math.max(0, this.#stride - this.#steps - 1);
    this.#hooks.turnsLeft = this.#turns;
  }

  /** Notes the ends of `sleep(0)` that were put aside. */
  #noteTurns(): void {
    const hooks = this.#hooks;
    const { turns } = hooks;
    const first = this.#turns - 1;
    const last = hooks.turnsLeft + hooks.turnsRefused;
    this.#turns = hooks.turnsLeft = hooks.turnsRefused = 0;
    this.#steps += first - last + 1;
    for (let i = first; i >= last; i--) {
      const lane = this.#laneIn(turns[i]!);
      if (lane.turn === null) this.#add(GO_TURN, lane.id);
      else {
        lane.isWaiting = false;
        lane.turn = null;
        this.#noteMore(GO, lane.id, UNREAD, 0, null);
      }
    }
  }

  #begin(lane: Lane, time: number): void {
    lane.isWaiting = true;
    lane.what = null;
    this.#noteMore(WAIT, lane.id, time, 0, null);
    lane.waitEvent = this.count - 1;
    lane.waitSlot = this.#lastSlot;
  }

  // -- waits beside others --------------------------------------------------

  #beginBeside(lane: Lane, wait: WaitInfo, time: number): void {
    const { count } = this;
    const id = this.#nextId();
    lane.beside ??= new Map();
    lane.beside.set(wait, {
      id,
      event: count,
      since: time === UNREAD ? this.#lastTime : time,
      what: null,
    });
    this.#noteMore(WAIT_BESIDE, lane.id, time, id, null);
  }

  /** @returns False if it is no such wait. */
  #endBeside(lane: Lane, wait: WaitInfo, time: number): boolean {
    const beside = lane.beside?.get(wait);
    if (beside === undefined) return false;
    lane.beside!.delete(wait);
    const { event, since } = beside;
    const name = beside.what ?? titleOf(wait);
    if (event >= 0 && event > this.count - this.capacity) {
      this.notes[event % this.capacity] = name;
      this.#noteMore(GO_BESIDE, lane.id, time, beside.id, null);
    } else {
      const began: Began = { what: name, since };
      this.#noteMore(GO_BESIDE, lane.id, time, beside.id, began);
    }
    return true;
  }

  /** What waits already when the recording begins. */
  #adopt(lane: Lane, waits: readonly Wait<unknown>[]): void {
    for (const wait of waits) {
      if (isTurn(wait)) continue;
      if (!lane.isWaiting && lane.id !== 0) {
        lane.isWaiting = true;
        lane.since = this.start;
      } else {
        lane.beside ??= new Map();
        lane.beside.set(wait, {
          id: this.#nextId(),
          event: -1,
          since: this.start,
          what: null,
        });
      }
      if (lane.isFresh) continue;
      lane.isFresh = true;
      this.#fresh.push(lane);
    }
  }

  /**
   * Says what waits are for that have lasted until now, as long as what they wait
   * for is as it was: a lock has the same holder.
   */
  #lookAtWaits(isLast: boolean = false): void {
    if (this.#fresh.length === 0) return;
    const fresh = this.#fresh;
    this.#fresh = [];
    const shortcuts = new Map();
    for (const lane of fresh) {
      lane.isFresh = false;
      const wait = lane.wait as Wait<unknown> | null;
      if (wait !== null && !isLast && wait.isReady()) {
        // It needs no more than its turn, and has that soon.
        lane.isFresh = true;
        this.#fresh.push(lane);
      } else if (wait !== null) {
        if (lane.what === null) this.#lookAt(lane, wait);
        if (lane.awaiter === 0) this.#findAwaiter(lane, shortcuts);
      }
      if (lane.beside === null) continue;
      for (const [wait, beside] of lane.beside) {
        if (beside.what === null) beside.what = describe(wait);
      }
    }
  }

  #lookAt(lane: Lane, wait: WaitInfo): void {
    lane.what = describe(wait);
    const { waitEvent } = lane;
    if (waitEvent < 0 || waitEvent < this.count - this.capacity) return;
    const slot = lane.waitSlot;
    const isRead = (this.heads[slot]! & READ) !== 0;
    lane.since = isRead ? this.times[slot]! : this.#lastTime;
    this.notes[slot] = lane.what;
  }

  #findAwaiter(
    lane: Lane,
    shortcuts: Map<Future<unknown>, Future<unknown>>,
  ): void {
    if (lane.task === null) return;
    for (const each of futureInternals.awaiters(lane.task, shortcuts)) {
      if (!(each instanceof Task)) continue;
      lane.awaiter = this.#find(scopeOf(each))?.id ?? 0;
      return;
    }
  }

  // -- lanes ----------------------------------------------------------------

  /** What goes on when its task has ended is in none. */
  #laneOf(task: Task<unknown>): Lane {
    const lane = this.#find(scopeOf(task));
    return lane ?? (task.done() ? this.root : this.#open(task, 0));
  }

  #laneOfWait(wait: WaitInfo): Lane {
    return this.#laneIn((wait as Wait<unknown>).scope.top);
  }

  #laneIn(top: Scope): Lane {
    const lane = this.#cache[top.number & (CACHED_LANES - 1)]!;
    if (lane.scope === top) return lane;
    return top.task === null ? this.root : this.#laneOf(top.task);
  }

  #find(scope: Scope): Lane | null {
    const lane = this.#byScope.get(scope);
    if (lane === undefined) return null;
    // Scopes are numbered in the order in which they are used first.
    this.#cache[scope.number & (CACHED_LANES - 1)] = lane;
    return lane;
  }

  #open(task: Task<unknown>, maker: number, start: number = this.start): Lane {
    do this.#lastLane = this.#lastLane % LARGEST_LANE + 1; while (
      this.lanes.has(this.#lastLane)
    );
    const lane = new Lane(this.#lastLane, task, start, maker);
    this.lanes.set(lane.id, lane);
    this.#byScope.set(lane.scope as Scope, lane);
    return lane;
  }

  #nextId(): number {
    return this.#lastId = this.#lastId % LARGEST_ID + 1;
  }

  // -- events ---------------------------------------------------------------

  #note(kind: number, lane: number, time: number): void {
    if (this.#turns > 0) this.#noteTurns();
    this.#add(kind, lane);
    if (time === UNREAD) return;
    this.heads[this.#lastSlot]! |= READ;
    this.times[this.#lastSlot] = time;
    this.#firstUnread = this.count;
  }

  #add(kind: number, lane: number): void {
    const next = this.#lastSlot + 1;
    const slot = next === this.capacity ? 0 : next;
    const dropped = this.heads[slot]!;
    this.heads[slot] = kind | lane << LANE_BITS;
    this.#lastSlot = slot;
    this.count++;
    if ((dropped & KINDS) === ENDED) this.lanes.delete(dropped >>> LANE_BITS);
  }

  #noteMore(
    kind: number,
    lane: number,
    time: number,
    other: number,
    note: unknown,
  ): void {
    this.#note(kind, lane, time);
    this.others[this.#lastSlot] = other;
    this.notes[this.#lastSlot] = note;
  }

  /** A step has ended: gives the time if it is worth while to read it. */
  #endStep(lane: Lane): number {
    if (this.#turns > 0) this.#noteTurns();
    this.#steps++;
    if (lane.watched > 0) {
      if (--lane.watched === 0) this.#watched--;
    } else if (this.#steps < this.#stride && !this.#isStale) return UNREAD;
    if (this.#isStale) return this.#read();
    const before = this.#lastTime;
    const steps = this.#steps;
    const took = this.#read() - before;
    if (took >= this.#longStepMs && steps > 1) this.#watch(lane);
    if (took < SHORT_STEP_MS * steps) {
      this.#usual = took / steps;
      this.#stride = Math.min(LARGEST_STRIDE, this.#stride * 2);
    } else this.#stride = 1;
    return this.#lastTime;
  }

  /** One of the last steps took long: next time it is known which. */
  #watch(lane: Lane): void {
    const lanes = [lane];
    const from = Math.max(this.#firstUnread, this.count - this.capacity);
    for (let event = from; event < this.count; event++) {
      const id = this.heads[event % this.capacity]! >>> LANE_BITS;
      const each = this.lanes.get(id);
      if (each !== undefined) lanes.push(each);
    }
    for (const each of lanes) {
      // Those that have ended would stay watched, and code in no task as well.
      if (each.task === null) continue;
      if (each.watched === 0) this.#watched++;
      each.watched = WATCHED_STEPS;
    }
  }

  #read(): number {
    const now = this.#now();
    this.#steps = 0;
    if (this.#isStale) this.#beginTurn(now);
    return this.#lastTime = now;
  }

  #beginTurn(now: number): void {
    if (this.#isSystemClock) this.#isStale = false;
    // A clock that jumps does not wait for the host.
    else if (now !== this.#lastTime) this.#lookAtWaits();
    // The loop will tell when it has had enough, or nothing more to do.
    if (!this.#isBusy) this.#listen();
  }

  #listen(): void {
    if (this.#isArmed) return;
    this.#isArmed = true;
    hostTimers.setImmediate(this.#hear);
  }

  /** The host has had a turn, or somebody wants to see what was recorded. */
  #endTurn(): void {
    if (this.#turns > 0) this.#noteTurns();
    if (this.count > 0) this.#closeTurn();
    this.#isStale = true;
    this.#lookAtWaits();
  }

  #closeTurn(): void {
    const { capacity } = this;
    const unread = Math.min(this.count - this.#firstUnread, capacity);
    const before = this.#lastTime;
    let now = this.#now();
    // What else the host has done meanwhile is not theirs, as far as that can be told.
    const isOdd = now - before > ODD_INTERVAL_MS;
    if (!isOdd) now = Math.min(now, before + unread * this.#usual);
    else if (now - before >= this.#longStepMs && unread > 1) {
      this.#watch(this.root);
    }
    const last = this.#lastSlot;
    const kind = this.heads[last]! & KINDS;
    if (isStepEnd(kind)) {
      if (unread === 0) return;
      this.heads[last]! |= READ;
      this.times[last] = now;
      this.#firstUnread = this.count;
    } else if (kind !== TURN) {
      // What the code does behind an await of another library's is no step.
      this.#note(TURN, 0, now);
    }
    this.#lastTime = now;
  }
}

/** After these the loop is free. */
export function isStepEnd(kind: number): boolean {
  return kind === WAIT || kind === WAIT_BESIDE || kind === ENDED ||
    kind === CALLBACK;
}

function isTurn(wait: WaitInfo): boolean {
  return (wait as Wait<unknown>).source.isTurn === true;
}

/** What a wait is for, as it is now. */
function describe(wait: WaitInfo): string {
  const future = awaitedFuture(wait as Wait<unknown>);
  if (future instanceof Task) return `the task ${future.name}`;
  try {
    return wait.what;
  } catch (error) {
    // A class of the program's own; the rest is to be shown all the same.
    return `it threw ${errorLine(error)}`;
  }
}

/** What a wait was for that did not last; who holds a lock is another by now. */
function titleOf(wait: WaitInfo): string {
  return (wait as Wait<unknown>).source.title ?? describe(wait);
}
