/** Asks the copies of the library in the program, by a debugger's session. */
import type { InspectedLoop } from "../loop/inspection.ts";
import { attach, type Attached } from "./_attach.ts";
import { type Frame, whatHolds } from "./_blocked.ts";
import { Failure } from "./_failure.ts";
import { type Session, Silence } from "./_session.ts";
import {
  checkVersion,
  type CopyFacts,
  type Facts,
  type Target,
  taskIn,
  threadOf,
  VERSION,
} from "./_target.ts";
import { openWorkers, type Worker } from "./_workers.ts";

/** A worker thread whose loop is held is not waited for longer than this. */
const WORKER_MS = 2000;

interface Found<A> {
  readonly place: string;
  /** Null for a version that cannot be asked, or a copy that has no loop. */
  readonly version: unknown;
  readonly answer?: A;
}

/**
 * Runs in the program: no more than an expression, and plain data as its value.
 *
 * @param asked What copies of this version are asked, by their number.
 */
function expression(asked: readonly (string | null)[]): string {
  return `(globalThis[Symbol.for("@asyncio/asyncio/copies")]?.copies ?? []).map(
    ({ place, inspection }, index) => {
      if (inspection === undefined) return { place, version: null };
      const version = inspection.version ?? 0;
      if (version !== ${VERSION}) return { place, version };
      const asked = ${JSON.stringify(asked)};
      const text = asked[Math.min(index, asked.length - 1)];
      if (text === null) return { place, version };
      const [method, argument] = text.split(/:(.*)/s);
      const answer = inspection[method](
        method === "loops" ? Number(argument) : argument,
      );
      return { place, version, answer };
    })`;
}

/** A thread of the program, and the copies in it. */
interface Thread {
  readonly session: Session;
  readonly worker: Worker | null;
}

/** A program whose debugger's inspector is open. */
class Debugged implements Target {
  readonly session: Session;
  readonly detach: () => Promise<void>;

  constructor({ session, detach }: Attached) {
    this.session = session;
    this.detach = detach;
  }

  oldest(limit: number): Promise<Facts> {
    return this.#facts(null, () => `loops:${limit}`);
  }

  wanted(task: string): Promise<Facts> {
    return this.#facts(threadOf(task), (label) => {
      const wanted = taskIn(label, task);
      return wanted === null ? null : `where:${wanted}`;
    });
  }

  async cancel(task: string): Promise<string[]> {
    const { answers } = await this.#ask<string[]>(threadOf(task), (label) => {
      const wanted = taskIn(label, task);
      return wanted === null ? null : `cancel:${wanted}`;
    });
    return answers.flatMap(({ answer }) => answer);
  }

  blocked(): Promise<Frame[] | null> {
    return whatHolds(this.session);
  }

  async #facts(
    thread: string | null,
    ask: (label: string) => string | null,
  ): Promise<Facts> {
    const { answers, notes } = await this.#ask<InspectedLoop[]>(thread, ask);
    return {
      notes,
      copies: answers.map(({ answer, ...copy }) => ({
        ...copy,
        loops: answer,
      })),
    };
  }

  /**
   * Asks each copy in each thread.
   *
   * @param thread The worker thread that is to be among them.
   */
  async #ask<A>(
    thread: string | null,
    ask: (label: string) => string | null,
  ): Promise<{
    answers: (Omit<CopyFacts, "loops"> & { answer: A })[];
    notes: string[];
  }> {
    const found: { worker: Worker | null; copies: Found<A>[] }[] = [];
    const notes: string[] = [];
    for (const worker of await openWorkers(this.session, thread)) {
      try {
        const { session } = worker;
        // deno-lint-ignore no-await-in-loop -- one after the other
        const copies = await askThread<A>({ session, worker }, ask);
        found.push({ worker, copies });
      } catch (error) {
        if (!(error instanceof Silence)) throw error;
        notes.push(
          `${worker.title} does not answer: something holds its loop`,
        );
      }
    }
    // The last one, as the program may end with the task that this cancels.
    const main = { session: this.session, worker: null };
    found.unshift({ worker: null, copies: await askThread<A>(main, ask) });
    if (
      found.every(({ copies }) => copies.length === 0) && notes.length === 0
    ) {
      throw new Failure(
        "The program has not loaded @asyncio/asyncio, or an older version of it",
      );
    }
    const answers = found.flatMap(({ worker, copies }) =>
      copies.flatMap(({ place, version, answer }, index) => {
        if (version !== null) checkVersion(version, place);
        if (answer === undefined) return [];
        const label = labelOf(worker, index);
        return [{ place, thread: worker?.title ?? null, label, answer }];
      })
    );
    return { answers, notes };
  }
}

function askThread<A>(
  { session, worker }: Thread,
  ask: (label: string) => string | null,
): Promise<Found<A>[]> {
  // Hardly any program has more copies than that.
  const asked = [0, 1, 2, 3].map((index) => ask(labelOf(worker, index)));
  return session.evaluate<Found<A>[]>(
    expression(asked),
    worker === null ? undefined : WORKER_MS,
  );
}

function labelOf(worker: Worker | null, index: number): string {
  const thread = worker === null ? "" : `w${worker.id}`;
  return index === 0 ? thread : `${thread}c${index + 1}`;
}

/** @param target A process id, or `HOST:PORT` of an open inspector. */
export async function attachDebugger(target: string): Promise<Target> {
  return new Debugged(await attach(target));
}
