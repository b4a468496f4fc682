/** How answers look in a terminal. */
import { showSpan } from "../_internal/show_span.ts";
import type { InspectedLoop, InspectedTask } from "../loop/inspection.ts";
import {
  indentation,
  levelOf,
  listed,
  tableLines,
  treeLines,
} from "../loop/outline.ts";
import type { Frame } from "./_blocked.ts";
import { type CopyFacts, type Facts, idText, taskIn } from "./_target.ts";

/** What the terminal can do. */
export interface Style {
  readonly hasColor: boolean;
  /** Longer lines are cut; `null` if there is no terminal. */
  readonly width: number | null;
}

const BOLD = ["\x1b[1m", "\x1b[22m"] as const;
const DIM = ["\x1b[2m", "\x1b[22m"] as const;

/** What the output is. */
interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

/** A wait that lasts less than this is not worth a word, in milliseconds. */
const WORTH_TELLING_MS = 1000;

/** @param env Has `NO_COLOR` if colours are not wanted: see https://no-color.org. */
export function styleOf(
  { isTTY = false, columns }: Output,
  env: Readonly<Record<string, string | undefined>>,
): Style {
  return {
    hasColor: isTTY && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb",
    width: isTTY ? columns ?? null : null,
  };
}

/** The tasks of all loops, as a table each. */
export function table(facts: Facts, style: Style): string[] {
  return perLoop(facts, style, tableOf);
}

/** The tasks of all loops, below those that await them. */
export function tree(facts: Facts, style: Style): string[] {
  return perLoop(facts, style, treeOf);
}

function perLoop(
  { copies, notes }: Facts,
  style: Style,
  show: (loop: InspectedLoop, style: Style, label: string) => string[],
): string[] {
  const lines: string[] = [];
  const busy = copies.map((copy) => ({
    ...copy,
    loops: copy.loops.filter(({ total }) => total > 0),
  }));
  const count = busy.flatMap(({ loops }) => loops).length;
  const hasThreads = busy.some(({ thread, loops }) =>
    thread !== null && loops.length > 0
  );
  for (const { place, thread, label, loops } of busy) {
    const isSecond = copies.some((other) =>
      other.thread === thread && other.place !== place
    );
    for (const loop of loops) {
      if (lines.length > 0) lines.push("");
      if (count > 1) {
        const where = hasThreads ? ` in ${thread ?? "the main thread"}` : "";
        const copy = isSecond ? ` of the copy ${place}` : "";
        const title = `${loop.text}${where}${copy}: ${counted(loop.total)}`;
        lines.push(mark(cut(title, style), BOLD, style));
      }
      for (const line of show(loop, style, label)) lines.push(line);
      const others = loop.total - loop.tasks.length;
      if (others > 0) {
        lines.push(
          mark(`and ${others} more tasks: --limit shows them`, DIM, style),
        );
      }
    }
  }
  if (lines.length === 0) lines.push("no tasks");
  return [...lines, ...notes];
}

function counted(tasks: number): string {
  return tasks === 1 ? "1 task" : `${tasks} tasks`;
}

function tableOf(
  { tasks }: InspectedLoop,
  style: Style,
  label: string,
): string[] {
  const names = new Map(tasks.map(({ id, name }) => [id, name]));
  const [head = "", ...rows] = tableLines([
    ["id", "task", "awaited by", "for", "state"],
    ...tasks.map((task) => [
      idText(label, task.id),
      task.name,
      listed(
        task.awaitedBy.map((each) => names.get(each) ?? idText(label, each)),
      ),
      spanOf(task),
      task.state,
    ]),
  ]).map((line) => cut(line, style));
  return [mark(head, BOLD, style), ...rows];
}

/** How long a task has waited: `>2 s` if it may be longer. */
function spanOf({ waitingMs, isAtLeast }: InspectedTask): string {
  if (waitingMs === null) return "-";
  return `${isAtLeast ? ">" : ""}${showSpan(waitingMs)}`;
}

/** The same behind the state, if it is long enough. */
function stateOf(task: InspectedTask): string {
  const { state, waitingMs } = task;
  return waitingMs === null || waitingMs < WORTH_TELLING_MS
    ? state
    : `${state} for ${spanOf(task)}`;
}

function treeOf({ tasks }: InspectedLoop, style: Style): string[] {
  const shown = new Set(tasks.map(({ id }) => id));
  const below = new Map<number, InspectedTask[]>();
  for (const task of tasks) {
    for (const id of task.awaitedBy) {
      const known = below.get(id);
      if (known === undefined) below.set(id, [task]);
      else known.push(task);
    }
  }
  return treeLines(tasks, {
    isRoot: ({ awaitedBy }) => !awaitedBy.some((id) => shown.has(id)),
    below: ({ id }) => below.get(id) ?? [],
    name: ({ name }) => name,
    state: stateOf,
  }).map((line) => cut(line, style));
}

/**
 * Where the tasks of a name or an id are, and who awaits them, up to the root; no
 * lines if there are none.
 */
export function chains(
  { copies, notes }: Facts,
  wanted: string,
  style: Style,
): string[] {
  const lines = copies.flatMap((copy) => {
    const asked = taskIn(copy.label, wanted);
    return copy.loops.flatMap((loop) => {
      const named = loop.tasks.filter(({ id, name }) =>
        name === asked || `#${id}` === asked
      );
      return named.length === 0 ? [] : chainsOf(loop, named, { copy, style });
    });
  });
  return lines.length === 0 ? [] : [...lines, ...notes];
}

function chainsOf(
  { tasks }: InspectedLoop,
  named: readonly InspectedTask[],
  { copy, style }: { copy: CopyFacts; style: Style },
): string[] {
  const byId = new Map(tasks.map((task) => [task.id, task]));
  const lines: string[] = [];
  for (const first of named) {
    const seen = new Set<number>();
    const left = [{ task: first, depth: 0 }];
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const { task, depth } = next;
      const space = indentation(depth, 2);
      const by = depth === 0 ? "" : `${levelOf(depth)}awaited by `;
      if (seen.has(task.id)) {
        lines.push(cut(`${space}${by}${task.name} (shown above)`, style));
        continue;
      }
      seen.add(task.id);
      const thread = depth === 0 && copy.thread !== null
        ? ` in ${copy.thread}`
        : "";
      const title = `${space}${by}${task.name}${thread}: ${stateOf(task)}`;
      lines.push(cut(title, style));
      for (const frame of task.frames) {
        lines.push(mark(cut(`${space}  ${frame.trim()}`, style), DIM, style));
      }
      for (const id of task.awaitedBy.toReversed()) {
        const each = byId.get(id);
        if (each !== undefined) left.push({ task: each, depth: depth + 1 });
      }
    }
  }
  return lines;
}

/** What holds the loop. */
export function stack(frames: readonly Frame[], style: Style): string[] {
  const [innermost, ...others] = frames.map((frame) =>
    `${frame.function} (${frame.file}:${frame.line}:${frame.column})`
  );
  return [
    mark(
      `The loop is held by ${innermost ?? "code without a stack"}`,
      BOLD,
      style,
    ),
    ...others.map((line) => cut(`  called by ${line}`, style)),
  ];
}

function mark(
  text: string,
  [on, off]: readonly [string, string],
  { hasColor }: Style,
): string {
  return hasColor ? `${on}${text}${off}` : text;
}

function cut(line: string, { width }: Style): string {
  return width === null || line.length <= width
    ? line
    : `${line.slice(0, width - 1)}\u2026`;
}
