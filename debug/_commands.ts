/** What an inspector answers. Each command gives the lines of its answer. */
import { oneLine } from "../_internal/show.ts";
import { cancelSafely } from "../loop/cancel_each.ts";
import { findStuck } from "../loop/cycles.ts";
import { describeCycle } from "../loop/deadlock.ts";
import { futureInternals } from "../loop/future.ts";
import { listed, tableLines } from "../loop/outline.ts";
import type { Task } from "../loop/task.ts";
import { taskTree } from "../loop/task_tree.ts";
import { nameOf, whereaboutsOf } from "../loop/whereabouts.ts";
import { callGraphLines } from "./call_graph.ts";

/** What a task that an inspector cancels is told. */
export const CANCEL_REASON = "asked for by the inspector";

interface Command {
  readonly usage: string;
  readonly help: string;
  answer(tasks: readonly Task<unknown>[], argument: string): string[];
}

const COMMANDS: Readonly<Record<string, Command>> = {
  ps: {
    usage: "GET /ps",
    help: "a table of the tasks",
    answer: (tasks) => table(tasks),
  },
  pstree: {
    usage: "GET /pstree",
    help: "the tasks below those that await them",
    answer: (tasks) => taskTree(tasks),
  },
  where: {
    usage: "GET /where?task=NAME",
    help: "where a task is, and who awaits it",
    answer: (tasks, name) => forAll(tasks, name, callGraphLines),
  },
  deadlocks: {
    usage: "GET /deadlocks",
    help: "tasks that wait for each other",
    answer: deadlocks,
  },
  cancel: {
    usage: "POST /cancel?task=NAME",
    help: "asks a task to cancel",
    answer: (tasks, name) =>
      forAll(tasks, name, (named) =>
        named.map((task) => {
          cancelSafely(task, CANCEL_REASON);
          return `asked ${nameOf(task)} to cancel`;
        })),
  },
  help: {
    usage: "GET /help",
    help: "the commands",
    answer: () =>
      Object.values(COMMANDS).map(({ usage, help }) =>
        `${usage.padEnd(23)} ${help}`
      ),
  },
};

/** The commands there are. */
export const commandNames: readonly string[] = Object.keys(COMMANDS);

/**
 * The lines that a command gives.
 *
 * @param tasks The tasks to speak of.
 * @param command One of those above.
 * @param argument The name of a task, for a command that is for one.
 */
export function answer(
  tasks: readonly Task<unknown>[],
  command: string,
  argument: string,
): string[] {
  return COMMANDS[command]!.answer(tasks, argument);
}

function deadlocks(tasks: readonly Task<unknown>[]): string[] {
  const [first] = tasks;
  if (first === undefined) return ["no deadlocks"];
  const { cycles } = findStuck(futureInternals.kernel(first));
  return cycles.length === 0
    ? ["no deadlocks"]
    : cycles.flatMap((cycle) => describeCycle(cycle).split("\n"));
}

/**
 * Names need not be unique: the command is for all that have it. One that is
 * not shown as it is, is found by what is shown as well.
 */
function forAll(
  tasks: readonly Task<unknown>[],
  name: string,
  answer: (named: readonly Task<unknown>[]) => string[],
): string[] {
  const named = tasks.filter((task) =>
    task.name === name || nameOf(task) === name
  );
  return named.length === 0
    ? [`no such task: ${oneLine(name)}`]
    : answer(named);
}

function table(tasks: readonly Task<unknown>[]): string[] {
  const shortcuts = new Map();
  return tableLines([
    ["task", "awaited by", "state"],
    ...tasks.map((task) => {
      const { awaiters, state } = whereaboutsOf(task, shortcuts);
      return [nameOf(task), listed(awaiters), state];
    }),
  ]);
}
