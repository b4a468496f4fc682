/** Prints results for people: a block a row as it comes, and one table of ratios at the end. */

import type { PeerResult, Result } from "./run.ts";
import type { Row, Target, Unit } from "./types.ts";

/** One row's numbers, a line a peer, with what it must reach. */
export function formatResult(result: Result, row: Row): string {
  const lines = result.peers.map((peer) => [
    `  ${peer.peer}`,
    formatValue(peer.value, result.unit),
    peer.opsPerSecond === undefined ? "" : `${compact(peer.opsPerSecond)}/s`,
    `±${(peer.spread * 50).toFixed(0)}%`,
    formatRatio(peer),
    row.notes?.[peer.peer] ?? "",
  ]);
  const failed = Object.entries(result.failed).map(([peer, words]) =>
    `  ${peer}: failed, ${words}`
  );
  const targets = result.targets.map(({ target, met }) =>
    `  target ${formatTarget(target)}: ${met ? "met" : "MISSED"}`
  );
  return [
    `${result.title}  [${result.id}]`,
    ...align(lines, [false, true, true, true, false, false]),
    ...failed,
    ...targets,
    "",
  ].join("\n");
}

/** The table of ratios: what each peer costs for each row, in units of what ours costs. */
export function formatSummary(
  results: readonly Result[],
  peerNames: readonly string[],
): string {
  const columns = peerNames.filter((name) =>
    name !== "ours" &&
    results.some(({ peers }) => peers.some(({ peer }) => peer === name))
  );
  const rows = results.map((result) => {
    const find = (name: string): PeerResult | undefined =>
      result.peers.find(({ peer }) => peer === name);
    const ours = find("ours");
    return [
      result.title,
      ours === undefined ? "-" : formatValue(ours.value, result.unit),
      ...columns.map((name) => formatTimes(find(name)?.ratio?.median)),
      result.targets.map(({ target, met }) =>
        `${formatTarget(target)}${met ? "" : " MISSED"}`
      ).join(", "),
    ];
  });
  const right = [false, true, ...columns.map(() => true), false];
  return align([["work", "ours", ...columns, "target"], ...rows], right)
    .join("\n");
}

function formatRatio({ ratio }: PeerResult): string {
  if (ratio === undefined) return "";
  const { median, low, high } = ratio;
  return `${formatTimes(median)} ours (${times(low)}–${times(high)})`;
}

function formatTimes(ratio: number | undefined): string {
  return ratio === undefined ? "" : `${times(ratio)}x`;
}

function times(ratio: number): string {
  if (ratio < 1) return ratio.toPrecision(2);
  return ratio.toFixed(ratio < 10 ? 2 : ratio < 100 ? 1 : 0);
}

/** A target in words: `>=3x uvloop`, `<=2x bare`, `debug-off <=+5%`. */
export function formatTarget(target: Target): string {
  if ("atLeast" in target) {
    return target.atLeast === 1
      ? `ahead of ${target.peer}`
      : `>=${target.atLeast}x ${target.peer}`;
  }
  if ("atMost" in target) return `<=${target.atMost}x ${target.peer}`;
  return `${target.peer} <=+${target.within * 100}%`;
}

function formatValue(value: number, unit: Unit): string {
  const digits = value < 100 ? 1 : 0;
  const text = value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return `${text} ${unit === "ns" ? "ns" : "B"}`;
}

function compact(value: number): string {
  return value.toLocaleString("en", {
    notation: "compact",
    maximumSignificantDigits: 3,
  });
}

function align(
  rows: readonly (readonly string[])[],
  right: readonly boolean[],
): string[] {
  const widths = right.map((_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0))
  );
  return rows.map((row) =>
    row.map((cell, column) =>
      right[column]
        ? cell.padStart(widths[column] ?? 0)
        : cell.padEnd(widths[column] ?? 0)
    ).join("  ").trimEnd()
  );
}
