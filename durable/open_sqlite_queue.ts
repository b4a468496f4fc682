import {
  checkCount,
  checkDuration,
  checkInteger,
  checkOneOf,
} from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { checkCodec, type Codec, JSON_CODEC } from "./codec.ts";
import type { DurableQueue } from "./durable_queue.ts";
import { JobTable } from "./_job_table.ts";
import { SqliteQueue } from "./_sqlite_queue.ts";

/**
 * Options of {@linkcode openSqliteQueue}.
 *
 * @typeParam T What the queue holds.
 */
export interface SqliteQueueOptions<T> {
  /**
   * How many items it holds before `put` waits, without those that are leased;
   * any number at 0.
   *
   * @default {0}
   */
  maxSize?: number | undefined;
  /**
   * For how long a process may stand still, in milliseconds, before others get
   * what it has leased. While it runs, it renews its leases.
   *
   * @default {30_000}
   */
  leaseMs?: number | undefined;
  /**
   * How often an item is delivered before it becomes a dead letter.
   *
   * @default {10}
   */
  maxDeliveries?: number | undefined;
  /**
   * How items are stored: as JSON, if not by this.
   */
  codec?: Codec<T> | undefined;
  /**
   * With `"full"`, what was put or done is on the disk before it is said to be.
   * With `"normal"`, which is quicker, it survives the process, and when the
   * machine loses power the last of it may be lost.
   *
   * @default {"full"}
   */
  synchronous?: "full" | "normal" | undefined;
  /**
   * Gives it up when it is aborted while another process opens the file, and
   * throws its reason.
   */
  signal?: AbortSignal | undefined;
}

const OPTIONS = new OptionNames<SqliteQueueOptions<unknown>>(
  {
    maxSize: true,
    leaseMs: true,
    maxDeliveries: true,
    codec: true,
    synchronous: true,
    signal: "signal",
  },
  { number: "maxSize" },
);

/** Below this, a busy machine would lose leases. */
const LEAST_LEASE_MS = 100;

/**
 * Opens a queue in an SQLite file, or makes it. Every process of the machine may
 * open it. A cancellation does not interrupt it. asyncio has no equivalent.
 *
 * Beside the file there are those of SQLite, and one that ends in `-wake`, by
 * which processes tell one another that there is something new.
 *
 * @typeParam T What the queue holds.
 *
 * @example A job that outlives the process
 * ```ts
 * import { openSqliteQueue } from "@asyncio/asyncio/durable";
 * import { assertEquals } from "@std/assert";
 *
 * const path = `${await Deno.makeTempDir()}/jobs.db`;
 * const first = await openSqliteQueue<string>(path);
 * await first.put("resize cat.png");
 * await first.close();
 *
 * const second = await openSqliteQueue<string>(path);
 * assertEquals(await second.get(), "resize cat.png");
 * await second.taskDone();
 * await second.close();
 * ```
 *
 * @param path The file.
 * @param options How much it holds, and for how long items are leased.
 * @returns The queue. Close it: until then it keeps the program alive.
 * @throws {TypeError} When an argument is of another type.
 * @throws {RangeError} When an option is out of range.
 * @throws {OSError} When the file cannot be opened, is no database, is another
 * program's, or of another version; also on a runtime without SQLite.
 * @throws The reason of `signal`, when it is aborted before the file is open.
 */
export async function openSqliteQueue<T>(
  path: string | URL,
  options: SqliteQueueOptions<T> = {},
): Promise<DurableQueue<T>> {
  const action = "open a queue";
  if (typeof path !== "string" && !(path instanceof URL)) {
    throw new TypeError(
      `Cannot ${action} as 'path' must be a string or a URL: received ${
        show(path)
      }`,
    );
  }
  if (path === "" || path === ":memory:") {
    throw new RangeError(
      `Cannot ${action} as 'path' must be that of a file: received ${
        show(path)
      }; use a Queue for what need not outlive the process`,
    );
  }
  if (path instanceof URL && path.protocol !== "file:") {
    throw new TypeError(
      `Cannot ${action} as 'path' must be the URL of a file: received ${
        show(path.protocol)
      }`,
    );
  }
  checkOptions(action, options, OPTIONS);
  const {
    maxSize = 0,
    leaseMs = 30_000,
    maxDeliveries = 10,
    codec = JSON_CODEC as Codec<T>,
    synchronous = "full",
    signal,
  } = options;
  checkCount(action, "maxSize", maxSize, 0);
  checkDuration(action, "leaseMs", leaseMs);
  checkInteger(action, "leaseMs", leaseMs, LEAST_LEASE_MS);
  checkCount(action, "maxDeliveries", maxDeliveries, 1);
  checkOneOf(action, "synchronous", synchronous, ["full", "normal"]);
  const checked = checkCodec(action, codec);
  const table = await JobTable.open(path, maxDeliveries, synchronous, signal);
  try {
    return new SqliteQueue(table, {
      maxSize: maxSize === 0 ? Infinity : maxSize,
      leaseMs,
      codec: checked,
    });
  } catch (error) {
    table.close();
    throw error;
  }
}
