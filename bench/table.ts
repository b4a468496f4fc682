/** Prints results for people: a block a row as it comes, and one table of ratios at the end. */

import type { PeerResult, Result } from "./run.ts";
import type { Row, Target, Unit } from "./types.ts";

/** One row's numbers, a line a peer, with what it must reach. */
export function formatResult(result: Result, row: Row): string {
  const lines = result.peers.map((peer) => [
    `  ${peer.peer}`,
    formatValue(peer.value, result.unit),
    peer.opsPerSecond === undefined ? "" : `${compact(peer.opsPerSecond)}/s`,
    formatSpread(peer),
    formatRatio(peer),
    row.notes?.[peer.peer] ?? "",
  ]);
  const failed = Object.entries(result.failed).map(([peer, words]) =>
    `  ${peer}: ${words}`
  );
  const targets = result.targets.map(({ target, met }) =>
    `  target ${formatTarget(target, result.unit)}: ${met ? "met" : "MISSED"}`
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
  return formatTable(summaryTable(results, peerNames, false));
}

/** A head and a line for each row; columns of peers that took part in none are left out. */
export function summaryTable(
  results: readonly Result[],
  peerNames: readonly string[],
  withSpread: boolean,
): string[][] {
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
      ...withSpread ? [ours === undefined ? "" : formatSpread(ours)] : [],
      ...columns.map((name) => formatTimes(find(name)?.ratio?.median)),
      result.targets.map(({ target, met }) =>
        `${formatTarget(target, result.unit)}${met ? "" : " MISSED"}`
      ).join(", "),
    ];
  });
  const head = [
    "work",
    "ours",
    ...withSpread ? ["±"] : [],
    ...columns,
    "target",
  ];
  return [head, ...rows];
}

/** Lines with their columns aligned, numbers to the right. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const right = (rows[0] ?? []).map((_, column) =>
    rows.slice(1).every((row) => /^[\d<-]|^$/.test(row[column] ?? ""))
  );
  return align(rows, right).join("\n");
}

function formatSpread({ spread }: PeerResult): string {
  return `±${(spread * 50).toFixed(0)}%`;
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
export function formatTarget(target: Target, unit: Unit): string {
  if ("atLeast" in target) {
    return target.atLeast === 1
      ? `ahead of ${target.peer}`
      : `>=${target.atLeast}x ${target.peer}`;
  }
  if ("atMost" in target) return `<=${target.atMost}x ${target.peer}`;
  if ("within" in target) {
    return `${target.peer} <=+${target.within * 100}%`;
  }
  return `<=${formatValue(target.below, unit)}`;
}

/** A value with its unit: `148 ns`, `1,148 B`, `15.2 ms`. */
export function formatValue(value: number, unit: Unit): string {
  if (unit === "ns" && value >= 1e6) return `${number(value / 1e6)} ms`;
  if (unit === "count") return value.toLocaleString("en");
  return `${number(value)} ${unit === "ns" ? "ns" : "B"}`;
}

function number(value: number): string {
  const digits = value < 100 ? 1 : 0;
  return value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
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
