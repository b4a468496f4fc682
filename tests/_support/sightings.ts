/** Notes in which async context code is called. */
import { assertEquals } from "@std/assert";
import { AsyncLocalStorage } from "node:async_hooks";

/** What was seen where, each once. */
export class Sightings {
  readonly storage: AsyncLocalStorage<string> = new AsyncLocalStorage();
  readonly seen: Map<string, Set<string | undefined>> = new Map();

  note(where: string): void {
    const stores = this.seen.get(where) ?? new Set();
    this.seen.set(where, stores.add(this.storage.getStore()));
  }

  /** A function that notes. */
  noting(where: string): () => void {
    return () => this.note(where);
  }

  check(expected: Record<string, string>): void {
    const seen = [...this.seen].map(([where, stores]) => [
      where,
      [...stores].join(),
    ]);
    assertEquals(Object.fromEntries(seen), expected);
  }
}
