/**
 * Lists as text: tables, and outlines of what may be nested to any depth. An
 * indentation that grew with each level would make a long chain into text without
 * end.
 */

/** Levels that are indented. Deeper ones are all indented like the last of them. */
const INDENTED = 20;
/** A cell that is longer than this does not widen its column. */
const WIDEST_COLUMN = 40;
/** Of a longer list of names, the others are counted. */
const NAMED = 3;

/** Blanks before an entry: `width` for each level, up to a limit. */
export function indentation(depth: number, width: number): string {
  return " ".repeat(Math.min(depth, INDENTED) * width);
}

/** What an entry begins with that the indentation no longer tells: its level. */
export function levelOf(depth: number): string {
  return depth > INDENTED ? `[${depth}] ` : "";
}

/** The first names of a list, and how many others there are. */
export function listed(names: readonly string[]): string {
  const others = names.length - NAMED;
  return others > 0
    ? `${names.slice(0, NAMED).join(", ")} and ${others} more`
    : names.join(", ") || "-";
}

/** Rows of as many cells each, as lines in columns. The last cell is not padded. */
export function tableLines(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, { length }] of row.entries()) {
      const width = Math.min(length, WIDEST_COLUMN);
      if (width > (widths[column] ?? 0)) widths[column] = width;
    }
  }
  return rows.map((row) => {
    const last = row.length - 1;
    return row.map((cell, column) =>
      column === last ? cell : cell.padEnd(widths[column]!)
    ).join("  ").trimEnd();
  });
}

/** What is in a tree, and how it is shown. */
export interface Branches<T> {
  isRoot(item: T): boolean;
  /** What is below an item. It may lead back to the item. */
  below(item: T): readonly T[];
  name(item: T): string;
  state(item: T): string;
}

/** Items as a tree, in their order. What is in several places is shown once. */
export function treeLines<T>(
  items: readonly T[],
  branches: Branches<T>,
): string[] {
  const shown = new Set<T>();
  const lines: string[] = [];
  const grow = (root: T) => growBranch(root, branches, { shown, lines });
  for (const item of items) if (branches.isRoot(item)) grow(item);
  // What is below no root is below itself, by way of others.
  for (const item of items) if (!shown.has(item)) grow(item);
  return lines;
}

/** A chain may be longer than the stack is deep: no calls in calls. */
function growBranch<T>(
  root: T,
  { below, name, state }: Branches<T>,
  { shown, lines }: { shown: Set<T>; lines: string[] },
): void {
  const way: T[] = [];
  const isOnWay = new Set<T>();
  const left = [{ item: root, depth: 0 }];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { item, depth } = next;
    while (way.length > depth) isOnWay.delete(way.pop()!);
    const title = `${twig(depth)}${levelOf(depth)}${name(item)}`;
    if (shown.has(item)) {
      lines.push(`${title} (${isOnWay.has(item) ? "a cycle" : "shown above"})`);
      continue;
    }
    shown.add(item);
    way.push(item);
    isOnWay.add(item);
    lines.push(`${title}: ${state(item)}`);
    const items = below(item);
    for (let i = items.length - 1; i >= 0; i--) {
      left.push({ item: items[i]!, depth: depth + 1 });
    }
  }
}

function twig(depth: number): string {
  return depth === 0 ? "" : `${indentation(depth - 1, 3)}\u2514\u2500 `;
}
