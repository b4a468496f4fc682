/** What an inspector answers. Each command gives the lines of its answer. */
import { oneLine } from "../_internal/show.ts";
import { cancelSafely } from "../loop/cancel_each.ts";
import { type Future, futureInternals } from "../loop/future.ts";
import type { Task } from "../loop/task.ts";
import { nameOf, stateOf, whereaboutsOf } from "../loop/whereabouts.ts";
import { indentation, levelOf } from "./_outline.ts";
import { callGraphLines } from "./call_graph.ts";

/** Those who await a task, in the table of tasks; there may be ever so many. */
const NAMED_AWAITERS = 3;
/** A longer cell sticks out, and does not widen all other rows. */
const WIDEST_COLUMN = 40;

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
    answer: (tasks, name) => forAll(tasks, name, callGraphLines),
  },
  cancel: {
    usage: "cancel TASK",
    help: "asks a task to cancel",
    answer: (tasks, name) =>
      forAll(tasks, name, (named) =>
        named.map((task) => {
          cancelSafely(task, "asked for by the inspector");
          return `asked ${nameOf(task)} to cancel`;
        })),
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
  const { name, argument, command } = parse(line);
  return command === undefined
    ? [`no such command: ${oneLine(name)}`, "try: help"]
    : command.answer(tasks, argument);
}

/** Whether a line is one of the commands, with no argument to one that has none. */
export function isCommand(line: string): boolean {
  const { argument, command } = parse(line);
  return command !== undefined &&
    (argument === "" || command.usage.includes(" "));
}

interface Request {
  readonly name: string;
  readonly argument: string;
  /** `undefined` if there is none of that name. */
  readonly command: Command | undefined;
}

function parse(line: string): Request {
  const [name = "", argument = ""] = line.trim().split(/\s+(.*)/);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  return { name, argument, command };
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
  const shortcuts: Shortcuts = new Map();
  const rows = [
    ["task", "awaited by", "state"],
    ...tasks.map((task) => {
      const { awaiters, state } = whereaboutsOf(task, shortcuts);
      return [nameOf(task), listed(awaiters), state];
    }),
  ];
  const widths = [0, 0];
  for (const row of rows) {
    for (let column = 0; column < widths.length; column++) {
      const width = Math.min(row[column]!.length, WIDEST_COLUMN);
      if (width > widths[column]!) widths[column] = width;
    }
  }
  return rows.map((row) =>
    row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")
      .trimEnd()
  );
}

function listed(names: readonly string[]): string {
  const others = names.length - NAMED_AWAITERS;
  return others > 0
    ? `${names.slice(0, NAMED_AWAITERS).join(", ")} and ${others} more`
    : names.join(", ") || "-";
}

type Shortcuts = Map<Future<unknown>, Future<unknown>>;

function tree(tasks: readonly Task<unknown>[]): string[] {
  const shortcuts: Shortcuts = new Map();
  const awaited = new Map<unknown, Task<unknown>[]>();
  const roots: Task<unknown>[] = [];
  for (const task of tasks) {
    const awaiters = futureInternals.awaiters(task, shortcuts);
    if (awaiters.size === 0) roots.push(task);
    for (const each of awaiters) {
      const below = awaited.get(each);
      if (below === undefined) awaited.set(each, [task]);
      else below.push(task);
    }
  }
  const shown = new Set<Task<unknown>>();
  const lines: string[] = [];
  for (const root of roots) growBranch(root, awaited, shown, lines);
  // Whoever is below no root awaits itself, by way of others.
  for (const task of tasks) {
    if (!shown.has(task)) growBranch(task, awaited, shown, lines);
  }
  return lines.length === 0 ? ["no tasks"] : lines;
}

/** A chain may be longer than the stack is deep: no calls in calls. */
function growBranch(
  root: Task<unknown>,
  awaited: ReadonlyMap<unknown, Task<unknown>[]>,
  shown: Set<Task<unknown>>,
  lines: string[],
): void {
  const way: Task<unknown>[] = [];
  const isOnWay = new Set<Task<unknown>>();
  const left = [{ task: root, depth: 0 }];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { task, depth } = next;
    while (way.length > depth) isOnWay.delete(way.pop()!);
    const title = `${twig(depth)}${levelOf(depth)}${nameOf(task)}`;
    if (shown.has(task)) {
      lines.push(`${title} (${isOnWay.has(task) ? "a cycle" : "shown above"})`);
      continue;
    }
    shown.add(task);
    way.push(task);
    isOnWay.add(task);
    lines.push(`${title}: ${stateOf(task)}`);
    const below = awaited.get(task) ?? [];
    for (let i = below.length - 1; i >= 0; i--) {
      left.push({ task: below[i]!, depth: depth + 1 });
    }
  }
}

function twig(depth: number): string {
  return depth === 0 ? "" : `${indentation(depth - 1, 3)}\u2514\u2500 `;
}
