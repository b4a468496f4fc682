/**
 * How a queue lies in JetStream: a stream of its name, from which what is done is
 * gone, and two consumers, which every process shares.
 *
 * ```text
 *   NAME.job.*    what can be taken: `-`, or its id      consumer `jobs`
 *   NAME.later.*  what is kept back, the same            consumer `later`
 *   NAME.dead     dead letters                           no consumer
 * ```
 */
import { show } from "../_internal/show.ts";
import { OSError } from "../errors.ts";
import { type Config, isMissing, type Manager, toOSError } from "./_client.ts";

export const JOBS = "jobs";
export const LATER = "later";

/** The last part of the subject of a job without an id. */
const NO_ID = "-";

/** Of an answer that was lost, a second try is known within this time. */
const DUPLICATE_WINDOW_MS = 120_000;

const NANOS = 1_000_000;

/** Some 285 years, which the server can still count. */
const MOST_NANOS = 9e18;

/** The bytes of an id; a subject is part of one line of the protocol. */
const LONGEST_ID = 512;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function nanos(ms: number): number {
  return Math.min(Math.round(ms) * NANOS, MOST_NANOS);
}

export interface Layout {
  readonly name: string;
  readonly leaseMs: number;
  readonly replicas: number;
}

function idToken(id: string | null): string {
  if (id === null) return NO_ID;
  const bytes = encoder.encode(id);
  if (bytes.length > LONGEST_ID) {
    throw new RangeError(
      `Cannot put an item into the queue as 'id' must have at most ${LONGEST_ID} bytes: received ${bytes.length}`,
    );
  }
  // Neither a dot nor a star, and never the dash alone.
  return `=${[...bytes].map((b) => b.toString(16).padStart(2, "0")).join("")}`;
}

/** The id in the subject of a job; `null` also if another program chose it. */
export function idOf(subject: string): string | null {
  const token = subject.slice(subject.lastIndexOf(".") + 1);
  if (!/^=(?:[0-9a-f]{2})*$/.test(token)) return null;
  const pairs = token.slice(1).match(/../g) ?? [];
  return decoder.decode(
    Uint8Array.from(pairs, (pair) => Number.parseInt(pair, 16)),
  );
}

export function jobSubject(name: string, id: string | null): string {
  return `${name}.job.${idToken(id)}`;
}

export function laterSubject(name: string, id: string | null): string {
  return `${name}.later.${idToken(id)}`;
}

export function deadSubject(name: string): string {
  return `${name}.dead`;
}

function streamConfig({ name, replicas, leaseMs }: Layout): Config {
  return {
    name,
    subjects: [`${name}.job.*`, `${name}.later.*`, deadSubject(name)],
    retention: "workqueue",
    storage: "file",
    num_replicas: replicas,
    // An item may be moved to the dead letters again after a lease.
    duplicate_window: nanos(Math.max(DUPLICATE_WINDOW_MS, 2 * leaseMs)),
  };
}

function consumerConfig(layout: Layout, consumer: string): Config {
  const subject = consumer === JOBS ? "job" : "later";
  return {
    durable_name: consumer,
    filter_subject: `${layout.name}.${subject}.*`,
    ack_policy: "explicit",
    ack_wait: nanos(layout.leaseMs),
    // Dead letters are moved by whoever gets them, so that none is lost.
    max_deliver: -1,
    max_ack_pending: -1,
    max_waiting: 10_000,
  };
}

/** What of a configuration is of no account. */
const IGNORED = ["max_waiting"];

/** What would drop items, or refuse them. */
const LIMITS: Config = {
  "max_msgs": -1,
  "max_bytes": -1,
  "max_age": 0,
  "max_msgs_per_subject": -1,
  sealed: false,
  "deny_delete": false,
};

function same(wanted: unknown, found: unknown): boolean {
  if (!Array.isArray(wanted)) return wanted === found;
  return Array.isArray(found) &&
    JSON.stringify([...wanted].sort()) === JSON.stringify([...found].sort());
}

/** Throws if what is there is not what this queue needs. */
function compare(what: string, wanted: Config, found: Config): void {
  for (const [key, value] of Object.entries(wanted)) {
    if (IGNORED.includes(key) || same(value, found[key])) continue;
    const hint = key === "ack_wait"
      ? "open it with the same 'leaseMs' in every process"
      : key === "num_replicas"
      ? "open it with the same 'replicas' in every process"
      : "give the queue another name, or delete the stream";
    throw new OSError(
      `Cannot open a queue as ${what} has another configuration: '${key}' must be ${
        show(value)
      }, received ${show(found[key])}; ${hint}`,
    );
  }
}

/** Finds the stream and its consumers, or makes them. */
export async function prepare(
  manager: Manager,
  layout: Layout,
): Promise<void> {
  const { name } = layout;
  const { streams, consumers } = manager;
  try {
    const wanted = streamConfig(layout);
    const found = await orNull(streams.info(name));
    if (found === null) await streams.add(wanted);
    else {
      compare(
        `the stream ${show(name)}`,
        { ...wanted, ...LIMITS },
        found.config,
      );
    }
    for (const consumer of [JOBS, LATER]) {
      const config = consumerConfig(layout, consumer);
      const there = await orNull(consumers.info(name, consumer));
      // Two processes that add it at a time add the same.
      if (there === null) await consumers.add(name, config);
      else {
        compare(
          `the consumer ${show(consumer)} of the stream ${show(name)}`,
          config,
          there.config,
        );
      }
    }
  } catch (error) {
    throw toOSError("open a queue", error);
  }
}

function orNull<T>(asked: Promise<T>): Promise<T | null> {
  return asked.catch((error) => {
    if (isMissing(error)) return null;
    throw error;
  });
}
