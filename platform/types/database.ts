/** What a statement takes and a row has. */
export type DatabaseValue = null | number | string | Uint8Array;

/** A row, by the names of its columns. */
export type DatabaseRow = Readonly<Record<string, DatabaseValue>>;

/** A prepared statement. */
export interface HostStatement {
  all(...parameters: DatabaseValue[]): readonly DatabaseRow[];
}

/** An SQLite database in a file. All errors are mapped. */
export interface HostDatabase {
  execute(sql: string): void;
  prepare(sql: string): HostStatement;
  close(): void;
}

/** A file whose only use is that others see it written to. */
export interface HostBell {
  /** Calls back soon after any process has rung; until it is closed. */
  listen(callback: () => void): void;
  ring(): void;
  close(): void;
}
