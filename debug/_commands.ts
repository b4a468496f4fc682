/** What an inspector answers. Each command gives the lines of its answer. */
import { futureInternals } from "../loop/future.ts";
import type { Task } from "../loop/task.ts";
import { whereaboutsOf } from "../loop/whereabouts.ts";
import { formatCallGraph } from "./call_graph.ts";

interface Command {
  readonly usage: string;
  readonly help: string;
  answer(tasks: readonly Task<unknown>[], argument: string): string[];
}

const COMMANDS: Readonly<Record<string, Command>> = {
  ps: {
    usage: "ps",
    help: "a table of the tasks",
    answer: (tasks) => table(tasks),
  },
  pstree: {
    usage: "pstree",
    help: "the tasks below those that await them",
    answer: (tasks) => tree(tasks),
  },
  where: {
    usage: "where TASK",
    help: "where a task is, and who awaits it",
    answer: (tasks, name) =>
      forEach(tasks, name, (task) => formatCallGraph(task).split("\n")),
  },
  cancel: {
    usage: "cancel TASK",
    help: "asks a task to cancel",
    answer: (tasks, name) =>
      forEach(tasks, name, (task) => {
        task.cancel("asked for by the inspector");
        return [`asked ${task.name} to cancel`];
      }),
  },
  help: {
    usage: "help",
    help: "the commands",
    answer: () =>
      Object.values(COMMANDS).map(({ usage, help }) =>
        `${usage.padEnd(12)} ${help}`
      ),
  },
};

/**
 * Answers one line.
 *
 * @param tasks The tasks to speak of.
 * @param line What the client sent.
 */
export function answer(
  tasks: readonly Task<unknown>[],
  line: string,
): string[] {
  const [name = "", argument = ""] = line.trim().split(/\s+(.*)/);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  return command === undefined
    ? [`no such command: ${name}`, "try: help"]
    : command.answer(tasks, argument);
}

/** Whether a line is one of the commands, with no argument to one that has none. */
export function isCommand(line: string): boolean {
  const [name = "", argument = ""] = line.trim().split(/\s+(.*)/);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  return command !== undefined &&
    (argument === "" || command.usage.includes(" "));
}

/** Names need not be unique: the command is for every task that has it. */
function forEach(
  tasks: readonly Task<unknown>[],
  name: string,
  answer: (task: Task<unknown>) => string[],
): string[] {
  const named = tasks.filter((task) => task.name === name);
  return named.length === 0 ? [`no such task: ${name}`] : named.flatMap(answer);
}

function table(tasks: readonly Task<unknown>[]): string[] {
  const rows = [
    ["task", "awaited by", "state"],
    ...tasks.map((task) => {
      const { awaiters, state } = whereaboutsOf(task);
      return [task.name, awaiters.join(", ") || "-", state];
    }),
  ];
  const widths = [0, 1].map((column) =>
    Math.max(...rows.map((row) => row[column]!.length))
  );
  return rows.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")
      .trimEnd()
  );
}

function tree(tasks: readonly Task<unknown>[]): string[] {
  const awaited = new Map<unknown, Task<unknown>[]>();
  const roots: Task<unknown>[] = [];
  for (const task of tasks) {
    const awaiters = futureInternals.awaiters(task);
    if (awaiters.size === 0) roots.push(task);
    for (const each of awaiters) {
      const below = awaited.get(each);
      if (below === undefined) awaited.set(each, [task]);
      else below.push(task);
    }
  }
  const shown = new Set<Task<unknown>>();
  const lines = roots.flatMap((root) => branch(root, awaited, shown, []));
  // Whoever is below no root awaits itself, by way of others.
  for (const task of tasks) {
    if (!shown.has(task)) lines.push(...branch(task, awaited, shown, []));
  }
  return lines.length === 0 ? ["no tasks"] : lines;
}

function branch(
  task: Task<unknown>,
  awaited: ReadonlyMap<unknown, Task<unknown>[]>,
  shown: Set<Task<unknown>>,
  path: readonly Task<unknown>[],
): string[] {
  const indent = path.length === 0
    ? ""
    : `${"   ".repeat(path.length - 1)}\u2514\u2500 `;
  if (path.includes(task)) return [`${indent}${task.name} (a cycle)`];
  shown.add(task);
  const below = awaited.get(task) ?? [];
  return [
    `${indent}${task.name}: ${whereaboutsOf(task).state}`,
    ...below.flatMap((each) => branch(each, awaited, shown, [...path, task])),
  ];
}
