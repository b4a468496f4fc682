/**
 * The tasks of a group in the order of their ends, for loops over the group:
 * kept from the first loop on until one of the loops has taken them.
 *
 * A loop that waits is granted a turn, and takes what is there in it. Cancelled
 * until then it has taken nothing, and another loop is granted the turn.
 */
import { RingBuffer } from "../_internal/ring_buffer.ts";
import { currentScope } from "../loop/current.ts";
import { interruption } from "../loop/scope.ts";
import type { Task } from "../loop/task.ts";
import { WaitQueue } from "../loop/wait_queue.ts";

/**
 * A task that is done, as `for await` over a {@linkcode TaskGroup} gives it. Its
 * type has no `then`, as TypeScript takes whatever has one for awaited there;
 * look at its `result()`.
 *
 * @typeParam T What the task returned.
 */
export type DoneTask<T = unknown> = Omit<Task<T>, "then" | "catch" | "finally">;

const END = { done: true, value: undefined } as const;

export class EndedTasks {
  readonly #isEmpty: () => boolean;
  readonly #tasks = new RingBuffer<Task<unknown>>();
  readonly #loops: WaitQueue<IteratorResult<DoneTask, undefined>>;

  /**
   * @param group What is looped over, for messages.
   * @param isEmpty Whether no task is left that could end.
   */
  constructor(group: string, isEmpty: () => boolean) {
    this.#isEmpty = isEmpty;
    this.#loops = new WaitQueue(`the next end of a task of ${group}`, {
      take: () => this.#shift(),
      takeBack: () => this.#grant(),
    });
  }

  add(task: Task<unknown>): void {
    this.#tasks.push(task);
    this.#grant();
  }

  /** None is left that could end. */
  end(): void {
    this.#loops.settleAll(END);
  }

  /** One loop; all of them share the tasks. */
  iterate(): AsyncIterableIterator<DoneTask, undefined> {
    return {
      next: () => this.#next(),
      return: () => Promise.resolve(END),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  #next(): Promise<IteratorResult<DoneTask, undefined>> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    if (this.#isFree()) return scope.kernel.succeed(scope, this.#shift());
    return this.#isEmpty() ? Promise.resolve(END) : this.#loops.wait(scope);
  }

  /** Whether there is one more than the loops that were granted a turn take. */
  #isFree(): boolean {
    return this.#tasks.size > this.#loops.grantedSize;
  }

  #grant(): void {
    if (this.#isFree()) this.#loops.settleFirst(END);
  }

  /** In an object, as a promise of the task itself would wait for its result. */
  #shift(): IteratorResult<DoneTask, undefined> {
    const task = this.#tasks.shift();
    return task === undefined ? END : { done: false, value: task };
  }
}
