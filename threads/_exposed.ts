/** What workers may call in the thread that started them. */
import { type Context, contextOf } from "../loop/context.ts";
import { loopOf } from "../loop/event_loop.ts";
import { Completion, futureInternals } from "../loop/future.ts";
import type { Kernel } from "../loop/kernel.ts";
import type { Task } from "../loop/task.ts";
import { transfersOf } from "./_cloning.ts";
import { describeError, reviveError } from "./_errors.ts";
import type {
  CallMessage,
  CancelCallMessage,
  ReturnMessage,
} from "./_messages.ts";

/** The exposed functions, by name. */
export type Exposed = ReadonlyMap<string, (...args: never) => unknown>;

/** The calls of one worker; each is a task of the loop that has the job. */
export class ExposedCalls {
  readonly #exposed: Exposed;
  readonly #post: (
    message: ReturnMessage,
    transfer?: readonly object[],
  ) => void;
  readonly #running = new Map<number, Task<unknown>>();

  constructor(
    exposed: Exposed,
    post: (message: ReturnMessage, transfer?: readonly object[]) => void,
  ) {
    this.#exposed = exposed;
    this.#post = post;
  }

  /** @param context Of the job; `null` if it has ended. */
  call(
    { call, name, args }: CallMessage,
    context: Context | null,
    kernel: Kernel,
  ): void {
    let task: Task<unknown>;
    try {
      const fn = this.#find(name);
      task = loopOf(kernel).createTask(() => fn(...args as never), {
        name: `runCoroutineThreadsafe ${name}`,
        context: context?.copy() ?? contextOf(new Map()),
      });
    } catch (error) {
      return this.#fail(call, error);
    }
    this.#running.set(call, task);
    new Completion(task, () => this.#end(call, task), true);
  }

  cancel({ call, error }: CancelCallMessage): void {
    this.#running.get(call)?.cancel(reviveError(error));
  }

  /** There is no one left to be answered. */
  cancelAll(): void {
    for (const task of this.#running.values()) {
      task.cancel("The worker that called has ended");
    }
    this.#running.clear();
  }

  #find(name: string): (...args: never) => unknown {
    const fn = this.#exposed.get(name);
    if (fn !== undefined) return fn;
    const names = [...this.#exposed.keys()].join(", ");
    throw new ReferenceError(
      `Cannot call "${name}" from a worker as the main thread does not expose it: exposed are ${
        names || "none"
      }; see the option 'exposed' of WorkerPoolExecutor`,
    );
  }

  #end(call: number, task: Task<unknown>): void {
    if (!this.#running.delete(call)) return;
    const value = futureInternals.value(task);
    if (futureInternals.state(task) !== "finished") {
      return this.#fail(call, value);
    }
    try {
      this.#post({ kind: "return", call, value }, transfersOf(value));
    } catch (cause) {
      this.#fail(
        call,
        new TypeError(
          `Cannot give back the result of ${task.name} as it cannot be cloned`,
          { cause },
        ),
      );
    }
  }

  #fail(call: number, error: unknown): void {
    this.#post({ kind: "return", call, error: describeError(error) });
  }
}
