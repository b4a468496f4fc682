import { OSError } from "../errors.ts";
import { can, DATABASES, refusal } from "./limits.ts";
import { mapError } from "./map_error.ts";
import { builtin } from "./shared/builtin.ts";
import { systemError } from "./system_errors.ts";
import { hostTimers } from "./timers.ts";
import type { HostBell, HostDatabase } from "./types/database.ts";

/** The codes of SQLite's errors that have a counterpart in the system. */
const CODES: Readonly<Record<number, string>> = {
  5: "EBUSY",
  6: "EBUSY",
  8: "EROFS",
  10: "EIO",
  13: "ENOSPC",
  14: "ENOENT",
};

/** What to do about an error of SQLite. */
const ADVICE: Readonly<Record<number, string>> = {
  5: "another process does not let go of it",
  8: "let this process write to it, and to its folder",
  13: "make room on the disk",
  14: "its folder must be there, and this process may write to it",
  26: "take the path of a database, or one where no file is yet",
};

/** The error of SQLite, of the system or of Deno's permissions as the library's. */
function databaseError(error: unknown, action: string): unknown {
  const { message, code: reason, name } = error as {
    message?: string;
    code?: unknown;
    name?: string;
  };
  let { errcode } = error as { errcode?: number };
  // Deno's own refusal, which its node:sqlite gives a code of SQLite.
  if (name === "NotCapable") return systemError("EPERM", action, error);
  // Deno opens it by another way, whose errors have no number.
  if (message?.startsWith("unable to open database file")) errcode ??= 14;
  // Nor have those of several statements at a time.
  else if (message?.startsWith("database is locked")) errcode ??= 5;
  if (errcode === undefined) {
    return /^E[A-Z]+$/.test(`${reason}`) ? mapError(error, action) : error;
  }
  const code = CODES[errcode & 0xff] ?? "EINVAL";
  const advice = ADVICE[errcode & 0xff];
  return new OSError(
    `Cannot ${action} as SQLite refused: ${message}${
      advice === undefined ? "" : `; ${advice}`
    }`,
    { code, cause: error },
  );
}

function mapped<T>(action: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw databaseError(error, action);
  }
}

/**
 * Opens a database, or makes one. A call does not wait for another process: who
 * wants that sets `busy_timeout`.
 */
export function openDatabase(path: string): HostDatabase {
  if (!can(DATABASES)) throw refusal(DATABASES, "open a database");
  // Missing in an early Node 22, and in a Bun that has no such module yet.
  const sqlite = builtin("node:sqlite");
  if (sqlite === undefined) {
    throw new OSError(
      "Cannot open a database as this runtime has no node:sqlite: take Deno 2, Node 22.13 or a later one, or a Bun that has it",
      { code: "ENOTSUP" },
    );
  }
  const open = `open the database ${path}`;
  const database = mapped(open, () => new sqlite.DatabaseSync(path));
  const action = `use the database ${path}`;
  const execute = (sql: string) => mapped(action, () => database.exec(sql));
  return {
    execute,
    prepare(sql) {
      const statement = mapped(action, () => database.prepare(sql));
      return {
        // To the last row: only then has SQLite committed, or said why not.
        all: (...parameters) =>
          mapped(
            action,
            () =>
              statement.all(...parameters) as ReturnType<
                ReturnType<HostDatabase["prepare"]>["all"]
              >,
          ),
      };
    },
    close: () => database.close(),
  };
}

/** How often the bell rings by itself if the host cannot watch its file. */
const LOOK_MS = 50;

/** Opens the bell of a file, which processes ring for one another. */
export function openBell(path: string): HostBell {
  const fs = builtin("node:fs");
  const action = `open the file ${path}`;
  const file = mapped(action, () => fs.openSync(path, "a+"));
  let stop: (() => void) | null = null;
  const look = (callback: () => void): () => void => {
    let timer = hostTimers.setTimer(next, LOOK_MS);
    function next(): void {
      timer = hostTimers.setTimer(next, LOOK_MS);
      callback();
    }
    return () => hostTimers.clearTimer(timer);
  };
  const watch = (callback: () => void): () => void => {
    const watcher = fs.watch(path, callback);
    watcher.on("error", () => {
      watcher.close();
      stop = look(callback);
    });
    return () => watcher.close();
  };
  return {
    listen(callback) {
      if (stop !== null) return;
      try {
        stop = watch(callback);
      } catch {
        // The system has no watches left, or none for this kind of disk.
        stop = look(callback);
      }
    },
    ring() {
      // The time of change is what others see; the file stays empty.
      fs.futimesSync(file, new Date(), new Date());
    },
    close() {
      stop?.();
      fs.closeSync(file);
    },
  };
}

/** The path of a file from a path or a `file:` URL. */
export function databasePath(path: string | URL): string {
  return typeof path === "string"
    ? path
    : builtin("node:url").fileURLToPath(path);
}
