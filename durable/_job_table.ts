/**
 * The jobs of a queue in an SQLite file, and who has leased them. Every method
 * is one transaction, and several are one inside of `atOnce`.
 *
 * A lease belongs to a session, which is a queue opened by a process. No clock
 * of the wall says when it runs out: a session counts on (its beat), and whoever
 * sees it stand still for too long, by a clock of its own, ends it.
 */
import { OSError } from "../errors.ts";
import { databasePath, openDatabase } from "../platform/database.ts";
import { hostTimers } from "../platform/timers.ts";
import type {
  DatabaseRow,
  DatabaseValue,
  HostDatabase,
  HostStatement,
} from "../platform/types/database.ts";

/** The first letters of the library, in the head of the file: whose it is. */
const APPLICATION = 0x6173796e;

const VERSION = 1;

/** How many jobs one statement stores: a call to SQLite costs as much as four. */
const ROWS_A_STATEMENT = 32;

const ROW_OF_JOB = "(?, ?, ?, 0, ?, ?, ?)";

/** How long a call waits for another process to finish writing. */
const BUSY_MS = 10_000;

/** How long to wait before a file that another process opens is tried again. */
const PAUSE_MS = 5;

const READY = 0;
const LEASED = 1;
const DELAYED = 2;
const DEAD = 3;

// Each job stands in the index of its state alone, so that it costs what its next
// step needs; of the ids there are only those that were given.
const SCHEMA = `
CREATE TABLE sessions (
  session INTEGER PRIMARY KEY AUTOINCREMENT,
  beat INTEGER NOT NULL,
  lease_ms REAL NOT NULL
);
CREATE TABLE jobs (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT,
  priority INTEGER NOT NULL,
  state INTEGER NOT NULL,
  session INTEGER,
  deliveries INTEGER NOT NULL,
  due REAL NOT NULL,
  put_at REAL NOT NULL,
  body BLOB NOT NULL
);
CREATE UNIQUE INDEX jobs_by_id ON jobs (id) WHERE id IS NOT NULL;
CREATE INDEX jobs_ready ON jobs (priority, number) WHERE state = ${READY};
CREATE INDEX jobs_leased ON jobs (session) WHERE state = ${LEASED};
CREATE INDEX jobs_due ON jobs (due) WHERE state = ${DELAYED};
CREATE INDEX jobs_dead ON jobs (number) WHERE state = ${DEAD};
PRAGMA application_id = ${APPLICATION};
PRAGMA user_version = ${VERSION};
`;

const INSERT_ONE = insertStatement(1);
const INSERT_MANY = insertStatement(ROWS_A_STATEMENT);

function insertStatement(rows: number): string {
  const values = Array(rows).fill(ROW_OF_JOB).join(", ");
  return `INSERT INTO jobs (id, priority, state, deliveries, due, put_at, body) VALUES ${values} ON CONFLICT (id) WHERE id IS NOT NULL DO NOTHING`;
}

/** A job to store. */
export interface NewJob {
  readonly body: Uint8Array;
  readonly id: string | null;
  readonly delay: number;
  readonly priority: number;
}

/** A job that was taken. */
export interface TakenJob {
  readonly number: number;
  readonly priority: number;
  readonly body: Uint8Array;
}

/** A session of any process, as it was seen. */
export interface SeenSession {
  readonly session: number;
  readonly beat: number;
  readonly leaseMs: number;
}

export class JobTable {
  readonly path: string;
  readonly #database: HostDatabase;
  readonly #statements = new Map<string, HostStatement>();
  readonly #maxDeliveries: number;

  private constructor(
    path: string,
    maxDeliveries: number,
    synchronous: "full" | "normal",
  ) {
    this.path = path;
    // SQLite has no infinity among its integers.
    this.#maxDeliveries = Math.min(maxDeliveries, Number.MAX_SAFE_INTEGER);
    this.#database = openDatabase(this.path);
    try {
      this.#prepareFile(synchronous);
      this.#database.execute(`PRAGMA busy_timeout = ${BUSY_MS}`);
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  /**
   * Opens the file, or makes it, and waits for others that do the same. It tries
   * again by itself, as SQLite does not wait for everything that opening needs:
   * not for the change to a write-ahead log, and not where two wait for each
   * other.
   */
  static async open(
    path: string | URL,
    maxDeliveries: number,
    synchronous: "full" | "normal",
    signal: AbortSignal | undefined,
  ): Promise<JobTable> {
    const file = databasePath(path);
    const until = hostTimers.now() + BUSY_MS;
    for (;;) {
      signal?.throwIfAborted();
      try {
        return new JobTable(file, maxDeliveries, synchronous);
      } catch (error) {
        const isBusy = error instanceof OSError && error.code === "EBUSY";
        if (!isBusy || hostTimers.now() > until) throw error;
      }
      await new Promise<void>((resolve) => {
        hostTimers.setTimer(resolve, PAUSE_MS);
      });
    }
  }

  #prepareFile(synchronous: "full" | "normal"): void {
    // Before anything is written: a file of somebody else stays as it is.
    this.#inTransaction("BEGIN", () => {
      if (!this.#isNew()) this.#check();
    });
    this.#database.execute("PRAGMA journal_mode = WAL");
    this.#database.execute(`PRAGMA synchronous = ${synchronous}`);
    // Or each statement that changes several rows makes a file, to undo itself.
    this.#database.execute("PRAGMA temp_store = MEMORY");
    this.atOnce(() => {
      // Another process may have made the tables since.
      if (this.#isNew()) this.#database.execute(SCHEMA);
      else this.#check();
    });
  }

  /** Asked in a transaction, as is the other: a file that is half made is none. */
  #isNew(): boolean {
    const [row] = this.#all("SELECT COUNT(*) AS count FROM sqlite_schema");
    return row!["count"] === 0 && this.#pragma("application_id") === 0 &&
      this.#pragma("user_version") === 0;
  }

  /** Throws if the file is not a queue of this version. */
  #check(): void {
    const isQueue = this.#pragma("application_id") === APPLICATION;
    const version = this.#pragma("user_version");
    if (isQueue && version === VERSION) return;
    throw new OSError(
      isQueue
        ? `Cannot open the queue ${this.path} as it must be of version ${VERSION}: received one of version ${version}; open it with the version of the library that wrote it`
        : `Cannot open the queue ${this.path} as it must be a queue or a new file: received another program's database`,
      { code: "EINVAL" },
    );
  }

  #pragma(name: string): DatabaseValue {
    return this.#all(`PRAGMA ${name}`)[0]?.[name] ?? null;
  }

  #all(sql: string, ...parameters: DatabaseValue[]): readonly DatabaseRow[] {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement.all(...parameters);
  }

  /** Does several things in one transaction: all of them or none. */
  atOnce<R>(work: () => R): R {
    return this.#inTransaction("BEGIN IMMEDIATE", work);
  }

  #inTransaction<R>(begin: "BEGIN" | "BEGIN IMMEDIATE", work: () => R): R {
    this.#all(begin);
    try {
      const result = work();
      this.#all("COMMIT");
      return result;
    } catch (error) {
      try {
        this.#all("ROLLBACK");
      } catch {
        // SQLite has rolled back by itself, as it does when the disk is full.
      }
      throw error;
    }
  }

  /** Begins a session. */
  begin(leaseMs: number): number {
    const [row] = this.#all(
      "INSERT INTO sessions (beat, lease_ms) VALUES (0, ?) RETURNING session",
      leaseMs,
    );
    return row!["session"] as number;
  }

  /** Counts on; false if the session was ended by another. */
  beat(session: number): boolean {
    return this.#all(
      "UPDATE sessions SET beat = beat + 1 WHERE session = ? RETURNING session",
      session,
    ).length === 1;
  }

  sessions(): SeenSession[] {
    return this.#all("SELECT session, beat, lease_ms FROM sessions")
      .map((row) => ({
        session: row["session"] as number,
        beat: row["beat"] as number,
        leaseMs: row["lease_ms"] as number,
      }));
  }

  /** Ends a session that was seen with `beat` last: what it had is back. */
  end(session: number, beat: number | null): boolean {
    return this.atOnce(() => {
      const ended = this.#all(
        "DELETE FROM sessions WHERE session = ?1 AND (?2 IS NULL OR beat = ?2) RETURNING session",
        session,
        beat,
      ).length === 1;
      if (ended) {
        this.#all(
          `UPDATE jobs SET session = NULL, state = CASE WHEN deliveries >= ? THEN ${DEAD} ELSE ${READY} END WHERE state = ${LEASED} AND session = ?`,
          this.#maxDeliveries,
          session,
        );
      }
      return ended;
    });
  }

  /** For how many more jobs there is room. */
  room(maxSize: number): number {
    if (maxSize === Infinity) return Infinity;
    const [row] = this.#all(
      `SELECT COUNT(*) AS count FROM (SELECT 1 FROM jobs WHERE state = ${READY} UNION ALL SELECT 1 FROM jobs WHERE state = ${DELAYED} LIMIT ?)`,
      // What is no integer of SQLite's is no limit.
      Math.min(maxSize, Number.MAX_SAFE_INTEGER),
    );
    return maxSize - (row!["count"] as number);
  }

  has(id: string): boolean {
    return this.#all("SELECT 1 FROM jobs WHERE id = ? AND id IS NOT NULL", id)
      .length > 0;
  }

  /** Stores jobs, without those whose id is there. */
  put(jobs: readonly NewJob[]): void {
    const now = Date.now();
    let done = 0;
    for (; jobs.length - done >= ROWS_A_STATEMENT; done += ROWS_A_STATEMENT) {
      this.#insert(jobs.slice(done, done + ROWS_A_STATEMENT), now);
    }
    for (; done < jobs.length; done++) this.#insert([jobs[done]!], now);
  }

  #insert(jobs: readonly NewJob[], now: number): void {
    const parameters: DatabaseValue[] = [];
    for (const { body, id, delay, priority } of jobs) {
      const state = delay > 0 ? DELAYED : READY;
      parameters.push(id, priority, state, now + delay, now, body);
    }
    const sql = jobs.length === 1 ? INSERT_ONE : INSERT_MANY;
    this.#all(sql, ...parameters);
  }

  /** Whether a job can be taken by now; it locks nobody out. */
  isAnyReady(): boolean {
    const due = this.nextDue();
    return (due !== null && due <= Date.now()) ||
      this.#all(`SELECT 1 FROM jobs WHERE state = ${READY} LIMIT 1`).length > 0;
  }

  /** Leases the next jobs to a session: `count`, or as many as there are. */
  take(session: number, count: number): TakenJob[] {
    this.#wakeDelayed();
    const which = count === 1 ? "=" : "IN";
    const rows = this.#all(
      `UPDATE jobs SET state = ${LEASED}, session = ?1, deliveries = deliveries + 1 WHERE number ${which} (SELECT number FROM jobs WHERE state = ${READY} ORDER BY priority, number LIMIT ?2) AND EXISTS (SELECT 1 FROM sessions WHERE session = ?1) RETURNING number, priority, body`,
      session,
      count,
    );
    const jobs = rows.map((row) => ({
      number: row["number"] as number,
      priority: row["priority"] as number,
      body: row["body"] as Uint8Array,
    }));
    // SQLite does not say in which order it returns them.
    return jobs.sort((a, b) => a.priority - b.priority || a.number - b.number);
  }

  #wakeDelayed(): void {
    const due = this.nextDue();
    const now = Date.now();
    if (due === null || due > now) return;
    this.#all(
      `UPDATE jobs SET state = ${READY} WHERE state = ${DELAYED} AND due <= ?`,
      now,
    );
  }

  /** When the next delayed job is due, by the clock of the wall. */
  nextDue(): number | null {
    const [row] = this.#all(
      `SELECT MIN(due) AS due FROM jobs WHERE state = ${DELAYED}`,
    );
    return row!["due"] as number | null;
  }

  /** The jobs are done: gives those whose lease was still the session's. */
  finish(numbers: readonly number[], session: number): ReadonlySet<number> {
    const rows = numbers.length === 1
      ? this.#all(
        `DELETE FROM jobs WHERE number = ? AND session = ? AND state = ${LEASED} RETURNING number`,
        numbers[0]!,
        session,
      )
      : this.#all(
        `DELETE FROM jobs WHERE number IN (SELECT value FROM json_each(?)) AND session = ? AND state = ${LEASED} RETURNING number`,
        JSON.stringify(numbers),
        session,
      );
    return new Set(rows.map((row) => row["number"] as number));
  }

  /**
   * Gives a job back; false if the lease is no longer the session's.
   *
   * @param counts Whether the delivery counts as one that failed.
   */
  giveBack(
    job: { readonly number: number; readonly session: number },
    delay: number,
    counts: boolean,
  ): boolean {
    const state = delay > 0 ? DELAYED : READY;
    return this.#all(
      `UPDATE jobs SET session = NULL, due = ?1, deliveries = deliveries - ?2, state = CASE WHEN ?2 = 0 AND deliveries >= ?3 THEN ${DEAD} ELSE ${state} END WHERE number = ?4 AND session = ?5 AND state = ${LEASED} RETURNING number`,
      Date.now() + delay,
      counts ? 0 : 1,
      this.#maxDeliveries,
      job.number,
      job.session,
    ).length === 1;
  }

  /** Makes a leased job a dead letter. */
  bury(number: number, session: number): void {
    this.#all(
      `UPDATE jobs SET session = NULL, state = ${DEAD} WHERE number = ? AND session = ? AND state = ${LEASED}`,
      number,
      session,
    );
  }

  isUnfinished(): boolean {
    return this.#all(
      `${
        [READY, LEASED, DELAYED]
          .map((state) => `SELECT 1 FROM jobs WHERE state = ${state}`)
          .join(" UNION ALL ")
      } LIMIT 1`,
    ).length > 0;
  }

  count(): { ready: number; leased: number; delayed: number; dead: number } {
    const [row] = this.#all(
      `SELECT ${
        [READY, LEASED, DELAYED, DEAD].map((state) =>
          `(SELECT COUNT(*) FROM jobs WHERE state = ${state}) AS state_${state}`
        ).join(", ")
      }`,
    );
    return {
      ready: row![`state_${READY}`] as number,
      leased: row![`state_${LEASED}`] as number,
      delayed: row![`state_${DELAYED}`] as number,
      dead: row![`state_${DEAD}`] as number,
    };
  }

  /** When the oldest job that is not dead was put. */
  oldest(): number | null {
    const [row] = this.#all(
      `SELECT MIN(put_at) AS oldest FROM jobs WHERE state <> ${DEAD}`,
    );
    return row!["oldest"] as number | null;
  }

  dead(): readonly DatabaseRow[] {
    return this.#all(
      `SELECT number, id, deliveries, body FROM jobs WHERE state = ${DEAD} ORDER BY number`,
    );
  }

  requeueDead(): number {
    return this.#all(
      `UPDATE jobs SET state = ${READY}, deliveries = 0 WHERE state = ${DEAD} RETURNING number`,
    ).length;
  }

  deleteDead(): number {
    return this.#all(
      `DELETE FROM jobs WHERE state = ${DEAD} RETURNING number`,
    ).length;
  }

  close(): void {
    this.#database.close();
  }
}
