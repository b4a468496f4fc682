/** `bench/RESULTS.md`: a run that was kept, as a page. */

import { growthTable } from "./growth.ts";
import type { Absent } from "./peers.ts";
import type { Result } from "./run.ts";
import { summaryTable } from "./table.ts";

/** What `--json` prints. */
export interface Report {
  readonly date: string;
  readonly minutes: number;
  readonly machine: {
    readonly os: string;
    readonly arch: string;
    readonly cores: number;
    readonly load: readonly number[];
    readonly deno: Readonly<Record<string, string>>;
  };
  readonly rounds: number;
  readonly peers: readonly {
    readonly name: string;
    readonly version: string;
  }[];
  readonly skipped: readonly Absent[];
  readonly results: readonly Result[];
}

const HEADING = /^## (.*)$/gm;

/**
 * The page: a section for each runtime, made of one report or more. What
 * `earlier` has of other runtimes stays as it is.
 */
export function toMarkdown(
  reports: readonly Report[],
  earlier: string = "",
): string {
  const sections = sectionsOf(earlier);
  const groups = Map.groupBy(reports, (report) => versionOf(report));
  for (const [version, parts] of groups) {
    sections.set(version, section(joined(parts)));
  }
  return [
    "# Results",
    "Written by `deno task bench --write`, from runs with `--json`; do not edit. [README.md](README.md) says how to read it.",
    ...sections.values(),
  ].join("\n\n") + "\n";
}

/** The sections of a page, by their headings. */
function sectionsOf(page: string): Map<string, string> {
  const found = [...page.matchAll(HEADING)];
  return new Map(found.map(({ 1: heading = "", index }, i) => [
    heading,
    page.slice(index, found[i + 1]?.index).trimEnd(),
  ]));
}

function versionOf({ peers }: Report): string {
  return peers.find(({ name }) => name === "ours")?.version ??
    "our side is missing";
}

/** A long run in parts: as if they had been one, which ended with the last. */
function joined(parts: readonly Report[]): Report {
  const last = parts.at(-1)!;
  const byName = <T extends { readonly name: string }>(lists: T[]): T[] => [
    ...new Map(lists.map((each) => [each.name, each])).values(),
  ];
  const minutes = parts.reduce((sum, part) => sum + part.minutes, 0);
  return {
    ...last,
    minutes: Math.round(minutes * 10) / 10,
    rounds: Math.min(...parts.map(({ rounds }) => rounds)),
    peers: byName(parts.flatMap(({ peers }) => peers)),
    skipped: byName(parts.flatMap(({ skipped }) => skipped)),
    results: parts.flatMap(({ results }) => results),
  };
}

function section(report: Report): string {
  const { machine, results } = report;
  const growth = growthTable(results);
  const failed = results.flatMap(({ id, failed }) =>
    Object.entries(failed).map(([peer, why]) => `- \`${id}\`, ${peer}: ${why}`)
  );
  return [
    `## ${versionOf(report)}`,
    `${
      report.date.slice(0, 10)
    }, ${machine.os} ${machine.arch}, ${machine.cores} cores, load ${
      (machine.load[0] ?? 0).toFixed(2)
    } at the end, at least ${report.rounds} alternating rounds, ${report.minutes} minutes.`,
    list(report.peers.map(({ name, version }) => `- ${name}: ${version}`)),
    list(
      report.skipped.map(({ name, reason }) => `- ${name}: skipped, ${reason}`),
    ),
    "Each cell is the peer's cost over ours: above 1, ours is cheaper. `±` is half the distance of our lowest round from our highest.",
    table(
      summaryTable(results, report.peers.map(({ name }) => name), true),
    ),
    ...growth.length === 0 ? [] : [
      "### How cost grows",
      "What an item costs at each size, and beside the row of 1,000.",
      table(growth),
    ],
    ...failed.length === 0 ? [] : ["### Left out", list(failed)],
  ].filter((part) => part !== "").join("\n\n");
}

function list(lines: readonly string[]): string {
  return lines.join("\n");
}

function table([head = [], ...lines]: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [head, head.map(() => "---"), ...lines].map(row).join("\n");
}
