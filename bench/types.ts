/**
 * What a benchmark row is. A row says which work is done, how each peer does it, and what our side must reach beside
 * them. Nothing here or under `rows/` may name `Deno`, so that the same files can run our side on Node.
 */

/** Does `rounds` rounds of the row's work, `size` operations each. Everything it starts is over when it resolves. */
export type Work = (rounds: number, size: number) => Promise<unknown>;

/** Does the whole work once, on `size` items, and says what it measured, by metric name. */
export type Measurement = (size: number) => Promise<Record<string, number>>;

/** Imports what a peer needs and gives its implementation; called in that peer's own process only. */
export type Load<T> = () => Promise<T>;

/**
 * What must hold beside one peer. Ratios are the peer's cost over ours, so 3 means that ours is three times cheaper.
 * `atMost` is the other way round: our cost over the peer's. `within` bounds the other side: the peer, which is a variant
 * of ours, costs at most that fraction more. `below` is no ratio: ours, in the unit of the metric, is at most that.
 */
export type Target =
  | { readonly peer: string; readonly atLeast: number }
  | { readonly peer: string; readonly atMost: number }
  | { readonly peer: string; readonly within: number }
  | { readonly peer: "ours"; readonly below: number };

/** What is measured: nanoseconds per operation, bytes per item, or a number of things. Less is better in all. */
export type Unit = "ns" | "bytes" | "count";

/** One number a row yields, with its targets. */
export interface Metric {
  readonly name: string;
  readonly unit: Unit;
  readonly targets: readonly Target[];
}

/** Python libraries that are built on asyncio. */
export const GUESTS = ["anyio", "aiostream"] as const;

export type Guest = typeof GUESTS[number];

export function isGuest(peer: string): peer is Guest {
  return (GUESTS as readonly string[]).includes(peer);
}

interface RowBase {
  /** Name for `--filter` and the worker; also the name of the function in `python/`. */
  readonly id: string;
  /** What is done, in words. */
  readonly title: string;
  /** Operations in one round (timed rows), or items in the one run (measured rows). */
  readonly size: number;
  /** Smaller sizes for peers that cannot do `size` items in reasonable time or memory; costs are per item anyway. */
  readonly sizes?: Readonly<Record<string, number>>;
  /** Whether `python/` has this row: it then runs on asyncio and uvloop. */
  readonly python: boolean;
  /** The libraries on asyncio that have this row in `python/guests.py`. */
  readonly guests?: readonly Guest[];
  /** At most so many rounds, where one takes long. */
  readonly maxRounds?: number;
  /** How a peer does this work, where it is not obvious. */
  readonly notes?: Readonly<Record<string, string>>;
}

/** A row timed over many rounds: the harness finds the number of rounds that fill a sample. */
export interface TimedRow extends RowBase {
  readonly kind: "timed";
  readonly targets: readonly Target[];
  readonly peers: Readonly<Record<string, Load<Work>>>;
}

/** A row run once a process, which takes its own measurements. */
export interface MeasuredRow extends RowBase {
  readonly kind: "measured";
  readonly metrics: readonly Metric[];
  readonly peers: Readonly<Record<string, Load<Measurement>>>;
}

/** A row about whole programs that import a peer; `programs.ts` measures it from outside. */
export interface ProgramRow extends RowBase {
  readonly kind: "program";
  readonly measure: "start-up" | "size";
  readonly metrics: readonly Metric[];
  /** What a peer's program imports. */
  readonly modules: Readonly<Record<string, string>>;
}

export type Row = TimedRow | MeasuredRow | ProgramRow;

/** What one process prints as its last line: for each metric the median over its samples, and how many ops that was. */
export interface WorkerResult {
  /** Why this peer, as it is on this machine, cannot do the row. */
  readonly skipped?: string;
  readonly metrics: Readonly<
    Record<string, { readonly ops: number; readonly value: number }>
  >;
}

/** The metrics of any row: a timed row has one, without a name. */
export function metricsOf(row: Row): readonly Metric[] {
  return row.kind === "timed"
    ? [{ name: "", unit: "ns", targets: row.targets }]
    : row.metrics;
}
