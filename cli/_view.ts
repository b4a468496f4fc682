/** How answers look in a terminal. */
import type { InspectedLoop, InspectedTask } from "../loop/inspection.ts";
import {
  indentation,
  levelOf,
  listed,
  tableLines,
  treeLines,
} from "../loop/outline.ts";
import type { Frame } from "./_blocked.ts";
import type { CopyFacts } from "./_copies.ts";

/** What the terminal can do. */
export interface Style {
  readonly hasColor: boolean;
  /** Longer lines are cut; `null` if there is no terminal. */
  readonly width: number | null;
}

const BOLD = ["\x1b[1m", "\x1b[22m"] as const;
const DIM = ["\x1b[2m", "\x1b[22m"] as const;

/** The tasks of all loops, as a table each. */
export function table(copies: readonly CopyFacts[], style: Style): string[] {
  return perLoop(copies, style, tableOf);
}

/** The tasks of all loops, below those that await them. */
export function tree(copies: readonly CopyFacts[], style: Style): string[] {
  return perLoop(copies, style, treeOf);
}

function perLoop(
  copies: readonly CopyFacts[],
  style: Style,
  show: (loop: InspectedLoop, style: Style) => string[],
): string[] {
  const lines: string[] = [];
  const busy = copies.map(({ place, loops }) => ({
    place,
    loops: loops.filter(({ total }) => total > 0),
  }));
  const count = busy.flatMap(({ loops }) => loops).length;
  for (const { place, loops } of busy) {
    for (const loop of loops) {
      if (lines.length > 0) lines.push("");
      if (count > 1) {
        const where = copies.length > 1 ? ` of ${place}` : "";
        lines.push(mark(`${loop.text}${where}`, BOLD, style));
      }
      for (const line of show(loop, style)) lines.push(line);
      const others = loop.total - loop.tasks.length;
      if (others > 0) {
        lines.push(
          mark(`and ${others} more tasks: --limit shows them`, DIM, style),
        );
      }
    }
  }
  return lines.length === 0 ? ["no tasks"] : lines;
}

function tableOf({ tasks }: InspectedLoop, style: Style): string[] {
  const names = new Map(tasks.map(({ id, name }) => [id, name]));
  const [head = "", ...rows] = tableLines([
    ["id", "task", "awaited by", "state"],
    ...tasks.map(({ id, name, awaitedBy, state }) => [
      `#${id}`,
      name,
      listed(awaitedBy.map((each) => names.get(each) ?? `#${each}`)),
      state,
    ]),
  ]).map((line) => cut(line, style));
  return [mark(head, BOLD, style), ...rows];
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
    state: ({ state }) => state,
  }).map((line) => cut(line, style));
}

/** Where a task is, and who awaits it, up to the root. */
export function chains(
  { tasks }: InspectedLoop,
  named: readonly InspectedTask[],
  style: Style,
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
      lines.push(cut(`${space}${by}${task.name}: ${task.state}`, style));
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
