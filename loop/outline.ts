/**
 * Outlines of what may be nested ever so deep: an indentation that grew with
 * each level would make a long chain into text without end.
 */

/** Levels that are indented; those further down stand below each other. */
const INDENTED = 20;

/** Blanks before an entry: `width` for each level, up to a limit. */
export function indentation(depth: number, width: number): string {
  return " ".repeat(Math.min(depth, INDENTED) * width);
}

/** What an entry begins with that the indentation no longer tells: its level. */
export function levelOf(depth: number): string {
  return depth > INDENTED ? `[${depth}] ` : "";
}
