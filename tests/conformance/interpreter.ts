/** Runs a random program in virtual time, and gives its trace. */
import {
  allTasks,
  Condition,
  createTask,
  currentTask,
  Event,
  type EventLoop,
  ExceptionGroup,
  type Future,
  gather,
  isCancelledError,
  Lock,
  newEventLoop,
  Queue,
  run,
  Semaphore,
  shield,
  sleep,
  type Task,
  taskGroup,
  timeout,
  VirtualClock,
  wait,
} from "@asyncio/asyncio";
import type { Block, Name, Operation, Program } from "./programs.ts";

/** When the program is over, and its tasks are cancelled. */
const END = 200;
const CLEAN_UPS = 30;

class Boom extends Error {
  override name = "Boom";
}

/**
 * @param debug Whether the loop is in debug mode, which changes nothing.
 * @returns What happened, in order, and how it ended.
 */
export async function trace(
  program: Program,
  debug: boolean,
): Promise<string[]> {
  const loop = newEventLoop({ clock: new VirtualClock() });
  loop.setDebug(debug);
  // What nobody retrieves is reported by both, at other times.
  loop.setExceptionHandler(() => {});
  const machine = new Machine(loop);
  let lines: string[] = [];
  await run(async () => {
    await machine.run(program);
    lines = [...machine.lines];
    // The children of a gathering that has failed go on.
    await end(() => [...allTasks()].filter((each) => each !== currentTask()));
  }, { loop });
  return lines;
}

/** Cancels tasks until they have ended: what they do then may wait again. */
async function end(tasks: () => readonly Task<unknown>[]): Promise<void> {
  for (let round = 0; round < CLEAN_UPS; round++) {
    const alive = tasks().filter((task) => !task.done());
    if (alive.length === 0) break;
    for (const task of alive) task.cancel();
    await sleep(10);
  }
}

class Machine {
  readonly lines: string[] = [];
  readonly #loop: EventLoop;
  readonly #events = [new Event(), new Event()];
  readonly #queues = [
    new Queue<string>(),
    new Queue<string>({ maxSize: 1 }),
  ];
  readonly #locks = [new Lock(), new Lock()];
  readonly #semaphores = [new Semaphore(1), new Semaphore(1)];
  readonly #futures: readonly Future<number>[];
  readonly #condition = new Condition();
  readonly #tasks: Task<string>[] = [];
  readonly #spawned: Task<string>[] = [];

  constructor(loop: EventLoop) {
    this.#loop = loop;
    this.#futures = [loop.createFuture<number>(), loop.createFuture<number>()];
  }

  async run(program: Program): Promise<void> {
    for (const [index, block] of program.entries()) {
      this.#tasks.push(createTask(() => this.#task(`${index}`, block)));
    }
    await sleep(END);
    this.lines.push("--");
    await end(() => [...this.#tasks, ...this.#spawned]);
    for (const [index, task] of this.#tasks.entries()) {
      this.lines.push(`task ${index} ${stateOf(task)}`);
    }
    this.lines.push(
      `queues ${this.#queues.map((queue) => queue.size)}` +
        ` locks ${this.#locks.map((lock) => lock.locked())}` +
        ` semaphores ${this.#semaphores.map((each) => each.locked())}`,
    );
  }

  async #task(me: string, block: Block): Promise<string> {
    await this.#block(me, block);
    this.lines.push(`${me} end`);
    return "r";
  }

  // One `async` function for all operations of a block: the more there are
  // around a wait, the sooner the code has had its fifty microtasks.
  async #block(me: string, block: Block): Promise<void> {
    for (const operation of block) {
      const { name, helpers } = operation;
      try {
        const value = await (helpers === 0
          ? this.#actions[name](me, operation)
          : this.#helped(me, operation, helpers));
        this.#note(me, `${name} ${value ?? "-"}`);
      } catch (error) {
        this.#note(me, `${name} !${nameOf(error)}`);
        throw error;
      }
    }
  }

  async #helped(
    me: string,
    operation: Operation,
    helpers: number,
  ): Promise<unknown> {
    return await (helpers === 1
      ? this.#actions[operation.name](me, operation)
      : this.#helped(me, operation, helpers - 1));
  }

  #note(me: string, what: string): void {
    this.lines.push(`${me} ${what} c${currentTask()!.cancelling()}`);
  }

  #cancel(which: number): boolean {
    return this.#tasks[which % this.#tasks.length]!.cancel();
  }

  #cancelNoting(me: string, which: number): () => void {
    return () => this.lines.push(`callback of ${me} ${this.#cancel(which)}`);
  }

  #start(me: string, block: Block): Task<string> {
    const task = createTask(() => this.#task(me, block));
    this.#spawned.push(task);
    return task;
  }

  async #held(
    lock: Lock | Semaphore,
    me: string,
    block: Block,
  ): Promise<void> {
    await lock.acquire();
    try {
      await this.#block(me, block);
    } finally {
      lock.release();
    }
  }

  readonly #actions: Readonly<
    Record<Name, (me: string, operation: Operation) => unknown>
  > = {
    sleepZero: () => sleep(0),
    sleep: (_, { delay }) => sleep(delay),
    waitForEvent: async (_, { which }) => {
      await this.#events[which % 2]!.wait();
    },
    setEvent: (_, { which }) => this.#events[which % 2]!.set(),
    clearEvent: (_, { which }) => this.#events[which % 2]!.clear(),
    get: (_, { which }) => this.#queues[which % 2]!.get(),
    put: (me, { which }) => this.#queues[which % 2]!.put(me),
    cancel: (_, { which }) => this.#cancel(which),
    awaitFuture: (_, { which }) => this.#futures[which % 2]!,
    setFuture: (_, { which }) => {
      const future = this.#futures[which % 2]!;
      if (!future.done()) future.setResult(which);
    },
    awaitTask: (_, { which }) => {
      const task = this.#tasks[which % this.#tasks.length]!;
      return task === currentTask() ? "itself" : task;
    },
    cancelSoon: (me, { which }) => {
      this.#loop.callSoon(this.#cancelNoting(me, which));
    },
    setEventSoon: (_, { which }) => {
      this.#loop.callSoon(() => this.#events[which % 2]!.set());
    },
    cancelLater: (me, { which, delay }) => {
      this.#loop.callLater(delay, this.#cancelNoting(me, which));
    },
    fail: () => {
      throw new Boom();
    },
    addDoneCallback: (me, { which }) => {
      const index = which % this.#tasks.length;
      this.#tasks[index]!.addDoneCallback(() =>
        this.lines.push(`${index} done, for ${me}`)
      );
    },
    notify: async () => {
      await this.#condition.acquire();
      try {
        this.#condition.notify();
      } finally {
        this.#condition.release();
      }
    },
    waitForCondition: async () => {
      await this.#condition.acquire();
      try {
        await this.#condition.wait();
      } finally {
        this.#condition.release();
      }
    },
    timeout: (me, { delay, blocks: [block] }) =>
      timeout(delay, () => this.#block(me, block!)),
    timeoutZero: (me, { blocks: [block] }) =>
      timeout(0, () => this.#block(me, block!)),
    reschedule: (me, { delay, blocks: [block] }) =>
      timeout(9, (handle) => {
        handle.reschedule(this.#loop.time() + delay - 2);
        return this.#block(me, block!);
      }),
    group: (me, { blocks }) =>
      taskGroup(async (group) => {
        for (const [index, block] of blocks.slice(0, -1).entries()) {
          group.createTask(() => this.#task(`${me}.${index}`, block));
        }
        await this.#block(me, blocks.at(-1)!);
      }),
    gather: (me, operation) => this.#gather(me, operation, false),
    gatherAll: (me, operation) => this.#gather(me, operation, true),
    waitForFirst: async (me, { blocks }) => {
      const tasks = blocks.map((block, index) =>
        this.#start(`${me}.${index}`, block)
      );
      const { done } = await wait(tasks, { returnWhen: "FIRST_COMPLETED" });
      return done.size;
    },
    swallow: async (me, { blocks: [block] }) => {
      try {
        await this.#block(me, block!);
      } catch (error) {
        this.lines.push(`${me} swallowed ${nameOf(error)}`);
      }
    },
    uncancel: async (me, { blocks: [block] }) => {
      try {
        await this.#block(me, block!);
      } catch (error) {
        if (!isCancelledError(error)) throw error;
        currentTask()!.uncancel();
      }
    },
    finally: async (me, { blocks: [block, cleanUp] }) => {
      try {
        await this.#block(me, block!);
      } finally {
        await this.#block(me, cleanUp!);
      }
    },
    lock: (me, { which, blocks: [block] }) =>
      this.#held(this.#locks[which % 2]!, me, block!),
    semaphore: (me, { which, blocks: [block] }) =>
      this.#held(this.#semaphores[which % 2]!, me, block!),
    shield: async (me, { blocks: [block] }) => {
      await shield(this.#start(`${me}.shielded`, block!));
    },
    spawn: (me, { blocks: [block] }) => {
      this.#start(`${me}.spawned`, block!);
    },
  };

  async #gather(
    me: string,
    { blocks }: Operation,
    returnExceptions: boolean,
  ): Promise<number> {
    const fns = blocks.map((block, index) => () =>
      this.#task(`${me}.${index}`, block)
    );
    return (await gather(fns, { returnExceptions })).length;
  }
}

function stateOf(task: Task<unknown>): string {
  if (!task.done()) return "pending";
  if (task.cancelled()) return "cancelled";
  const error = task.exception();
  return error === undefined ? "finished" : `failed ${nameOf(error)}`;
}

function nameOf(error: unknown): string {
  return error instanceof ExceptionGroup
    ? `Group(${error.errors.map(nameOf)})`
    : (error as Error).name;
}
