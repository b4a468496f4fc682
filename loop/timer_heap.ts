/** What is in the timer heap, and is told when its time has come. */
export interface Timer {
  /** When it is due, on the scale of the loop's clock. */
  readonly deadline: number;
  /** Orders timers of one instant. */
  readonly order: number;
  /** Index in the heap, -1 while outside of it. Kept by the heap. */
  heapIndex: number;
  /** The `Scope` of the code that it wakes; see vanish.ts. */
  readonly scope?: object | null;
  /** Its time has come; it has left the heap. */
  due(): void;
}

/**
 * A loop's timers, the earliest on top. As in `Heap`, each knows where it
 * stands, so that a cancelled one is gone at once.
 *
 * There may be a million of them, and then what costs is to look at one. So the
 * deadlines are in an array of their own, and each node has four children,
 * side by side in memory: half as many levels as with two.
 */
export class TimerHeap {
  readonly #timers: Timer[] = [];
  readonly #deadlines: number[] = [];

  get size(): number {
    return this.#timers.length;
  }

  /** All of them, in no order. */
  get items(): readonly Timer[] {
    return this.#timers;
  }

  peek(): Timer | undefined {
    return this.#timers[0];
  }

  push(timer: Timer): void {
    this.#deadlines.push(timer.deadline);
    this.#up(timer, this.#timers.push(timer) - 1);
  }

  /** Takes `timer` out; false if it is not in this heap. */
  remove(timer: Timer): boolean {
    const timers = this.#timers;
    const index = timer.heapIndex;
    if (index < 0 || timers[index] !== timer) return false;
    const deadlines = this.#deadlines;
    const last = timers.pop() as Timer;
    const lastDeadline = deadlines.pop() as number;
    timer.heapIndex = -1;
    if (last !== timer) {
      deadlines[index] = lastDeadline;
      this.#down(last, index);
    }
    return true;
  }

  clear(): void {
    for (const timer of this.#timers) timer.heapIndex = -1;
    this.#timers.length = this.#deadlines.length = 0;
  }

  /** `timer`, whose deadline is at `index`, goes up from there. */
  #up(timer: Timer, index: number): void {
    const timers = this.#timers;
    const deadlines = this.#deadlines;
    const deadline = deadlines[index] as number;
    while (index > 0) {
      const above = (index - 1) >> 2;
      const parent = timers[above] as Timer;
      const parentDeadline = deadlines[above] as number;
      if (
        deadline > parentDeadline ||
        (deadline === parentDeadline && timer.order > parent.order)
      ) break;
      this.#put(parent, parentDeadline, index);
      index = above;
    }
    this.#put(timer, deadline, index);
  }

  /** The same down; if it is at home there, or should go up, it goes up. */
  #down(timer: Timer, index: number): void {
    const timers = this.#timers;
    const deadlines = this.#deadlines;
    const deadline = deadlines[index] as number;
    const size = timers.length;
    for (let first = 4 * index + 1; first < size; first = 4 * index + 1) {
      const end = Math.min(first + 4, size);
      let least = first;
      let leastDeadline = deadlines[first] as number;
      for (let each = first + 1; each < end; each++) {
        const eachDeadline = deadlines[each] as number;
        if (
          eachDeadline < leastDeadline ||
          (eachDeadline === leastDeadline && this.#isEarlier(each, least))
        ) {
          least = each;
          leastDeadline = eachDeadline;
        }
      }
      const child = timers[least] as Timer;
      if (
        deadline < leastDeadline ||
        (deadline === leastDeadline && timer.order < child.order)
      ) break;
      this.#put(child, leastDeadline, index);
      index = least;
    }
    deadlines[index] = deadline;
    this.#up(timer, index);
  }

  #put(timer: Timer, deadline: number, index: number): void {
    this.#deadlines[index] = deadline;
    this.#timers[index] = timer;
    timer.heapIndex = index;
  }

  /** Of two of one instant. */
  #isEarlier(index: number, than: number): boolean {
    const timers = this.#timers;
    return (timers[index] as Timer).order < (timers[than] as Timer).order;
  }
}
