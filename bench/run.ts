/** Runs one row: all its peers in turn, a fresh process each, round after round, and sums up. */

import { median } from "./measure.ts";
import type { Peer } from "./peers.ts";
import { runProcess } from "./process.ts";
import { runProgramRow } from "./programs.ts";
import {
  isGuest,
  type Metric,
  metricsOf,
  type Row,
  type Target,
  type Unit,
  type WorkerResult,
} from "./types.ts";

/** Samples in one process; the rounds are what counts. */
const SAMPLES = 3;

/** How often and how long to measure. */
export interface RunOptions {
  readonly rounds: number;
  readonly sampleMs: number;
  /** Told before each process. */
  readonly onProgress?: (text: string) => void;
}

/** What came out for one peer: the median over the rounds, and how far they lay apart. */
export interface PeerResult {
  readonly peer: string;
  /** How many items it did: a peer may do fewer than the row. */
  readonly size: number;
  /** In the unit of the metric. */
  readonly value: number;
  /** For rows in time. */
  readonly opsPerSecond?: number;
  /** (highest − lowest) / median over the rounds. */
  readonly spread: number;
  /** The value of each round. */
  readonly rounds: readonly number[];
  /** This peer's cost over ours, taken in each round: the median and the extremes. */
  readonly ratio?: {
    readonly median: number;
    readonly low: number;
    readonly high: number;
  };
}

/** What a target came to. */
export interface TargetResult {
  readonly target: Target;
  readonly met: boolean;
}

/** One line of the table: a metric of a row. */
export interface Result {
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
  readonly peers: readonly PeerResult[];
  readonly targets: readonly TargetResult[];
  /** Peers that could not do it, and why. */
  readonly failed: Readonly<Record<string, string>>;
}

/** Runs every peer that has an implementation of this row. */
export async function runRow(
  row: Row,
  peers: readonly Peer[],
  options: RunOptions,
): Promise<Result[]> {
  const { sampleMs, onProgress } = options;
  const rounds = Math.min(options.rounds, row.maxRounds ?? Infinity);
  const taking = peers.filter(({ name }) => takesPart(row, name));
  const results = new Map<string, WorkerResult[]>();
  const failed: Record<string, string> = {};
  for (let round = 1; round <= rounds; round++) {
    for (const peer of taking) {
      const { name } = peer;
      if (name in failed) continue;
      onProgress?.(`${row.id}: round ${round} of ${rounds}, ${name}`);
      try {
        const result = row.kind === "program"
          ? await runProgramRow(row, peer)
          : await runWorker(row, peer, sampleMs);
        if (result.skipped !== undefined) failed[name] = result.skipped;
        else results.set(name, [...results.get(name) ?? [], result]);
      } catch (error) {
        failed[name] = `failed, ${(error as Error).message}`;
        results.delete(name);
      }
    }
  }
  return metricsOf(row).map((metric) => sumUp(row, metric, results, failed));
}

function takesPart(row: Row, peer: string): boolean {
  if (peer === "asyncio" || peer === "uvloop") return row.python;
  if (isGuest(peer)) return row.guests?.includes(peer) ?? false;
  return peer in (row.kind === "program" ? row.modules : row.peers);
}

async function runWorker(
  row: Row,
  peer: Peer,
  sampleMs: number,
): Promise<WorkerResult> {
  const { ok, stdout, stderr } = await runProcess(peer.command([
    row.id,
    peer.name,
    String(row.sizes?.[peer.name] ?? row.size),
    String(sampleMs),
    String(SAMPLES),
    String(sampleMs * 2),
  ]));
  if (!ok) throw new Error(lastWords(stderr));
  return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
}

function sumUp(
  row: Row,
  metric: Metric,
  results: ReadonlyMap<string, readonly WorkerResult[]>,
  failed: Readonly<Record<string, string>>,
): Result {
  const values = (peer: string): number[] =>
    (results.get(peer) ?? []).map(({ metrics }) =>
      metrics[metric.name]?.value ?? NaN
    );
  const measured = [...results.keys()].filter((peer) =>
    !values(peer).some(Number.isNaN)
  );
  const ours = measured.includes("ours") ? values("ours") : [];
  const peers = measured.map((peer): PeerResult => {
    const rounds = values(peer);
    const value = median(rounds);
    const ratios = rounds.map((cost, i) => cost / (ours[i] ?? NaN));
    return {
      peer,
      size: row.sizes?.[peer] ?? row.size,
      value,
      ...(metric.unit === "ns" && { opsPerSecond: 1e9 / value }),
      spread: (Math.max(...rounds) - Math.min(...rounds)) / value,
      rounds,
      ...(peer !== "ours" && ours.length > 0 && {
        ratio: {
          median: median(ratios),
          low: Math.min(...ratios),
          high: Math.max(...ratios),
        },
      }),
    };
  });
  return {
    id: metric.name === "" ? row.id : `${row.id}.${metric.name}`,
    title: metric.name === "" ? row.title : `${row.title}: ${metric.name}`,
    unit: metric.unit,
    peers,
    targets: metric.targets.flatMap((target) => {
      const peer = peers.find(({ peer }) => peer === target.peer);
      const met = peer === undefined ? undefined : isMet(target, peer);
      return met === undefined ? [] : [{ target, met }];
    }),
    failed,
  };
}

function isMet(
  target: Target,
  { value, ratio }: PeerResult,
): boolean | undefined {
  if ("below" in target) return value <= target.below;
  if (ratio === undefined) return undefined;
  if ("atLeast" in target) return ratio.median >= target.atLeast;
  if ("atMost" in target) return 1 / ratio.median <= target.atMost;
  return ratio.median <= 1 + target.within;
}

function lastWords(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim()).filter(Boolean);
  return lines.find((line) => /error/i.test(line)) ?? lines.at(-1) ??
    "failed without a word";
}
