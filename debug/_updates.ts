/**
 * What a page is told as time goes by: at first everything, and then what is no
 * longer as it was, by server-sent events.
 */
import type { Kernel } from "../loop/kernel.ts";
import type { HttpBody, HttpOutput } from "../platform/types/http.ts";
import { Audience } from "./_audience.ts";
import { type Numbers, type Snapshot, takeSnapshot } from "./_snapshot.ts";

/** What a page is told. */
export interface Update {
  readonly now: number;
  readonly total: number;
  /** By how much the loop is behind, in milliseconds. */
  readonly lagMs: number;
  /** Rows that are new or have changed. */
  readonly tasks: readonly unknown[];
  readonly resources: readonly unknown[];
  /** The numbers of those that are there no longer. */
  readonly gone: readonly number[];
  readonly deadlocks: Snapshot["deadlocks"];
}

/** A row and its number, as text. */
type Texts = ReadonlyMap<number, string>;

/** One page, and what it knows. */
class Page {
  readonly output: HttpOutput;
  #tasks: Texts = new Map();
  #resources: Texts = new Map();

  constructor(output: HttpOutput) {
    this.output = output;
  }

  tell(
    { now, total, deadlocks }: Snapshot,
    lagMs: number,
    tasks: Texts,
    resources: Texts,
  ): void {
    // It is told the more as soon as it has caught up.
    if (this.output.isBehind) return;
    const gone = [
      ...missing(this.#tasks, tasks),
      ...missing(this.#resources, resources),
    ];
    // The rows are texts already.
    this.output.write(
      `data: {"now":${now},"total":${total},"lagMs":${lagMs.toFixed(1)},` +
        `"tasks":[${changed(this.#tasks, tasks)}],` +
        `"resources":[${changed(this.#resources, resources)}],` +
        `"gone":${JSON.stringify(gone)},` +
        `"deadlocks":${JSON.stringify(deadlocks)}}\n\n`,
    );
    this.#tasks = tasks;
    this.#resources = resources;
  }
}

/** The pages that are open. While there are none, nobody looks at the loop. */
export class Updates {
  readonly #kernel: Kernel;
  readonly #numbers: Numbers;
  readonly #audience = new Audience<Page>((pages, lagMs) =>
    this.#tell(pages, lagMs)
  );

  constructor(kernel: Kernel, numbers: Numbers) {
    this.#kernel = kernel;
    this.#numbers = numbers;
  }

  get isFull(): boolean {
    return this.#audience.isFull;
  }

  /** Tells a page from now on. */
  open(output: HttpOutput): HttpBody {
    return this.#audience.add(new Page(output));
  }

  stop(): void {
    this.#audience.stop();
  }

  #tell(pages: Iterable<Page>, lagMs: number): void {
    const snapshot = takeSnapshot(this.#kernel, this.#numbers);
    const tasks = textsOf(snapshot.tasks);
    const resources = textsOf(snapshot.resources);
    for (const page of pages) page.tell(snapshot, lagMs, tasks, resources);
  }
}

function textsOf(rows: readonly { readonly id: number }[]): Texts {
  return new Map(rows.map((row) => [row.id, JSON.stringify(row)]));
}

function changed(old: Texts, now: Texts): string {
  const rows: string[] = [];
  for (const [id, text] of now) if (old.get(id) !== text) rows.push(text);
  return rows.join(",");
}

function missing(old: Texts, now: Texts): number[] {
  return [...old.keys()].filter((id) => !now.has(id));
}
