/** How cost grows: the rows that run at several sizes, with what each item costs beside the row of a thousand. */

import { formatValue } from "./table.ts";
import type { PeerResult, Result } from "./run.ts";

const BASE = 1000;

/** One peer at one work: a value for each size that was measured. */
export interface Growth {
  readonly work: string;
  readonly peer: string;
  readonly unit: Result["unit"];
  readonly values: ReadonlyMap<number, number>;
}

/** What `results` has to say about growth: the rows with a size in their id, where there are several of a kind. */
export function growthOf(results: readonly Result[]): Growth[] {
  const found = new Map<string, Growth & { values: Map<number, number> }>();
  for (const result of results) {
    const [, name, size, metric = ""] = /^(.+)_(\d+)(\..+)?$/.exec(result.id) ??
      [];
    if (name === undefined || Number(size) < BASE) continue;
    for (const peer of result.peers) {
      if (!isFullSize(peer, Number(size))) continue;
      const key = `${name}${metric} ${peer.peer}`;
      const growth = found.get(key) ?? {
        work: name + metric,
        peer: peer.peer,
        unit: result.unit,
        values: new Map(),
      };
      growth.values.set(Number(size), peer.value);
      found.set(key, growth);
    }
  }
  return [...found.values()].filter(({ values }) =>
    values.has(BASE) && values.size > 1
  );
}

/** A peer that did less than the row's size says nothing about it. */
function isFullSize({ size }: PeerResult, ofRow: number): boolean {
  return size === ofRow;
}

/** The table's head and its lines, the same for the terminal and for Markdown. */
export function growthTable(results: readonly Result[]): string[][] {
  const all = growthOf(results);
  if (all.length === 0) return [];
  const sizes = [...new Set(all.flatMap(({ values }) => [...values.keys()]))]
    .sort((a, b) => a - b);
  return [
    [
      "work, each item",
      "peer",
      ...sizes.map((size) => `${size.toLocaleString("en")}`),
    ],
    ...all.map(({ work, peer, unit, values }) => [
      work,
      peer,
      ...sizes.map((size) => {
        const value = values.get(size);
        if (value === undefined) return "";
        // The resident set, in pages, may not have grown at all.
        const base = values.get(BASE) ?? 0;
        return size === BASE || base === 0
          ? formatValue(value, unit)
          : `${formatValue(value, unit)} (${(value / base).toFixed(2)}x)`;
      }),
    ]),
  ];
}
