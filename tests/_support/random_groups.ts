/**
 * Random programs of task groups in groups: with a limit, with each way to take
 * failures, with tasks that are started, looped over, cancelled and timed out,
 * made from a seed. After each, no task and no error may be lost.
 */
import {
  allTasks,
  createTask,
  InvalidStateError,
  isCancelledError,
  sleep,
  type Task,
  type TaskGroup,
  taskGroup,
  timeout,
  TimeoutError,
} from "@asyncio/asyncio";
import { makeRandom } from "../../_internal/random.ts";

/** The error that programs throw on purpose. */
class Failure extends Error {}

type Body = (group: Group | null) => Promise<void>;

const LONGEST_MS = 6;
const DEEPEST = 3;

/** A group of a program, and what is known of it. */
class Group {
  readonly made: Task[] = [];
  readonly ended = new Set<Task>();
  readonly starts: number[] = [];
  running = 0;
  isEager = false;

  readonly group: TaskGroup;
  readonly limit: number;

  constructor(group: TaskGroup, limit: number) {
    this.group = group;
    this.limit = limit;
  }
}

/** Options of {@linkcode faultsOf}. */
export interface RandomGroupsOptions {
  /** Whether steps come in another order than they are ready. */
  readonly isReordered?: boolean;
}

/** Runs the program of a seed in the running loop; gives what is wrong after it. */
export async function faultsOf(
  seed: number,
  options: RandomGroupsOptions = {},
): Promise<string[]> {
  const random = makeRandom(seed);
  const faults: string[] = [];
  const thrown = new Set<unknown>();
  const seen = new Set<unknown>();
  const tasks: Task[] = [];

  function expect(condition: boolean, fault: string): void {
    if (!condition) faults.push(fault);
  }

  function fail(): never {
    const failure = new Failure(`${thrown.size}`);
    thrown.add(failure);
    throw failure;
  }

  /** Somebody has the error, and with it all that is in it. */
  function see(error: unknown): void {
    if (error instanceof AggregateError) error.errors.forEach(see);
    else seen.add(error);
  }

  function body(depth: number): Body {
    const ops = Array.from({ length: 1 + random(3) }, () => op(depth));
    return async (group) => {
      for (const each of ops) await each(group);
    };
  }

  function op(depth: number): Body {
    const ms = random(LONGEST_MS);
    const which = random(1000);
    switch (random(depth < DEEPEST ? 12 : 6)) {
      case 0:
        return async () => {
          if (which % 2 === 0) fail();
          await sleep(ms);
        };
      case 1:
        return async () => {
          tasks[which % tasks.length]?.cancel(`${which}`);
          await sleep(0);
        };
      case 2:
      case 3:
      case 4:
        return () => sleep(ms);
      case 5:
        return async (group) => {
          if (group !== null) make(group, (inner) => sleep(ms, inner), which);
          await sleep(0);
        };
      case 6: {
        const inner = body(depth + 1);
        return async (group) => {
          try {
            await timeout(ms, () => inner(group));
          } catch (error) {
            if (!(error instanceof TimeoutError)) throw error;
          }
        };
      }
      case 7: {
        const inner = body(depth + 1);
        return async (group) => {
          try {
            await inner(group);
          } catch (error) {
            see(error);
            if (isCancelledError(error) && which % 2 === 0) throw error;
          }
        };
      }
      case 8: {
        const [before, after] = [body(depth + 1), body(depth + 1)];
        return (group) => start(group, before, after, which);
      }
      default:
        return groupOp(depth);
    }
  }

  /** A group: its block makes tasks, and may loop, fail, cancel and wait. */
  function groupOp(depth: number): Body {
    const limit = [1, 2, 3, Infinity][random(4)]!;
    const way = random(4);
    const bodies = Array.from(
      { length: random(6) },
      () => [body(depth + 1), random(1000)] as const,
    );
    const block = body(depth + 1);
    const isLooping = random(3) === 0;
    const isCancelling = random(8) === 0;
    const onError = way === 0 ? "cancel" : way === 1 ? "collect" : see;
    return async () => {
      let group: Group | undefined;
      try {
        await taskGroup(async (each) => {
          group = new Group(each, limit);
          for (const [inner, which] of bodies) make(group, inner, which);
          if (isLooping) return await loop(group);
          await block(group);
          if (isCancelling) each.cancel();
        }, {
          limit,
          onError: onError !== see || way === 2 ? onError : (error) => {
            see(error);
            if (limit === 1) fail();
          },
        });
      } finally {
        const { made, ended, running, starts, isEager } = group!;
        expect(running === 0, `${running} tasks outlive their group`);
        expect(
          made.every((task) => task.done()),
          "A group ended before its tasks",
        );
        expect(ended.size === 0 || isLooping, "There was no loop");
        // What starts eagerly needs no turn of its own.
        expect(
          isEager || options.isReordered === true || limit === Infinity ||
            starts.every((start, index) =>
              index === 0 || starts[index - 1]! < start
            ),
          `Tasks started as ${starts}`,
        );
      }
    };
  }

  async function loop(group: Group): Promise<void> {
    for await (const task of group.group) {
      expect(task.done(), "A loop gave a task that is not done");
      expect(!group.ended.has(task as Task), "A loop gave a task twice");
      group.ended.add(task as Task);
    }
    for (const task of group.made) {
      expect(group.ended.has(task), `A loop did not give ${task}`);
    }
  }

  function make(
    group: Group,
    inner: (group: Group) => Promise<unknown>,
    which: number,
  ): void {
    const eagerStart = which % 7 === 0;
    if (eagerStart) group.isEager = true;
    const index = group.made.length;
    let task: Task;
    try {
      task = group.group.createTask(() => runIn(group, index, inner), {
        eagerStart,
      });
    } catch (error) {
      if (!(error instanceof InvalidStateError)) throw error;
      return;
    }
    // An eager one may have made others by now.
    group.made.push(task);
    tasks.push(task);
  }

  async function runIn(
    group: Group,
    index: number,
    inner: (group: Group) => Promise<unknown>,
  ): Promise<void> {
    group.starts.push(index);
    group.running++;
    expect(
      group.running <= group.limit,
      `${group.running} tasks run in a group of ${group.limit}`,
    );
    try {
      await inner(group);
    } finally {
      group.running--;
    }
  }

  /** Starts a task in the group, which may end before it has started. */
  async function start(
    group: Group | null,
    before: Body,
    after: Body,
    which: number,
  ): Promise<void> {
    if (group === null) return;
    let hasStarted = false;
    try {
      // A task that holds the last place of its group would wait for ever.
      const value = await timeout(
        LONGEST_MS,
        () =>
          group.group.start<number>((started) =>
            runIn(group, group.made.length, async () => {
              group.isEager = true;
              await before(group);
              if (which % 5 === 0) return;
              hasStarted = true;
              started(which);
              await after(group);
            })
          ),
      );
      expect(hasStarted && value === which, "start() gave something else");
    } catch (error) {
      if (error instanceof TimeoutError) return;
      if (!(error instanceof InvalidStateError)) throw error;
      expect(!hasStarted, `start() threw ${error}`);
    }
  }

  const roots = Array.from({ length: 1 + random(3) }, () => body(0));
  const rootTasks = roots.map((each) => createTask(() => each(null)));
  tasks.push(...rootTasks);
  for (const task of rootTasks) await task.then(() => {}, see);
  for (const failure of thrown) {
    expect(
      seen.has(failure),
      `Failure ${(failure as Failure).message} is lost`,
    );
  }
  expect(allTasks().size === 1, `Left: ${[...allTasks()].join(", ")}`);
  return faults;
}
