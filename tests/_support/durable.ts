/** Files for queues, which are gone after the test. */
import {
  type DurableQueue,
  openSqliteQueue,
  type SqliteQueueOptions,
} from "@asyncio/asyncio/durable";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs a test with the path of a file that is not there yet. */
export async function withPath(
  fn: (path: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "durable-"));
  try {
    await fn(join(folder, "jobs.db"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Opens a queue for which the disk is full after a few pages. */
export async function openOnSmallDisk<T>(
  path: string,
): Promise<DurableQueue<T>> {
  const { DatabaseSync } = await import("node:sqlite");
  const { exec } = DatabaseSync.prototype;
  // SQLite itself says that the disk is full at the page after these.
  DatabaseSync.prototype.exec = function (sql) {
    exec.call(this, sql);
    if (sql.includes("CREATE")) exec.call(this, "PRAGMA max_page_count=20");
  };
  return await openSqliteQueue<T>(path)
    .finally(() => DatabaseSync.prototype.exec = exec);
}

/** Runs a test with a queue in a file of its own. */
export function withQueue<T>(
  fn: (queue: DurableQueue<T>, path: string) => Promise<void>,
  options: SqliteQueueOptions<T> = {},
): Promise<void> {
  return withPath(async (path) => {
    const queue = await openSqliteQueue<T>(path, {
      synchronous: "normal",
      ...options,
    });
    try {
      await fn(queue, path);
    } finally {
      await queue.close();
    }
  });
}
