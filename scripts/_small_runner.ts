/**
 * What `_deno_shim.ts` uses of `node:test`, for Bun, whose own module of that
 * name works under `bun test` only, and there without steps in tests. Tests run
 * one after the other, as they were registered, and the report ends as Node's
 * does in TAP.
 */

import process from "node:process";

/** Of the options of `node:test`, those that are used. */
interface Options {
  /** Whether to leave it out, or why. */
  readonly skip?: boolean | string;
  /** In milliseconds. */
  readonly timeout?: number;
}

type Body = (context: Context) => void | Promise<void>;

/** What a test is given, and what its steps are made with. */
interface Context {
  readonly name: string;
  test(name: string, options: Options, fn: Body): Promise<void>;
}

const counts = { pass: 0, fail: 0, skipped: 0 };

/** Ends when all tests that were registered have. */
let last: Promise<unknown> = Promise.resolve();

/** The tests and steps that run, the innermost last. */
const running: Run[] = [];

class Run implements Context {
  readonly name: string;
  #error: { readonly thrown: unknown } | null = null;

  constructor(name: string) {
    this.name = name;
  }

  /** Tells of an error, of which the first one counts. */
  fail(thrown: unknown): void {
    this.#error ??= { thrown };
  }

  async test(name: string, options: Options, fn: Body): Promise<void> {
    const isGood = await runOne(name, options, fn);
    if (!isGood) this.fail(new Error(`The step failed: ${name}`));
  }

  async end(fn: Body, timeout: number | undefined): Promise<boolean> {
    running.push(this);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((_, reject) => {
      if (timeout === undefined) return;
      const error = new Error(`The test took longer than ${timeout} ms`);
      timer = setTimeout(reject, timeout, error);
    });
    try {
      await (timeout === undefined ? fn(this) : Promise.race([fn(this), late]));
      // An error of nobody comes with the next turn at the latest.
      await new Promise((resolve) => setImmediate(resolve));
    } catch (error) {
      this.fail(error);
    }
    clearTimeout(timer);
    running.pop();
    if (this.#error === null) return true;
    report("not ok", this.name, this.#error.thrown);
    return false;
  }
}

// As they are before a test fakes them.
const { setTimeout, clearTimeout, setImmediate } = globalThis;

function report(word: string, name: string, error?: unknown): void {
  console.log(`${"    ".repeat(running.length)}${word} - ${name}`);
  if (error !== undefined) console.log(error);
}

async function runOne(
  name: string,
  { skip = false, timeout }: Options,
  fn: Body,
): Promise<boolean> {
  if (skip !== false) {
    counts.skipped++;
    report("ok", `${name} # SKIP${skip === true ? "" : ` ${skip}`}`);
    return true;
  }
  const isGood = await new Run(name).end(fn, timeout);
  counts[isGood ? "pass" : "fail"]++;
  if (isGood) report("ok", name);
  return isGood;
}

/** Runs a test when those before it have ended. */
export function test(name: string, options: Options, fn: Body): void {
  last = last.then(() => runOne(name, options, fn));
}

for (const event of ["uncaughtException", "unhandledRejection"] as const) {
  process.on(event, (error: unknown) => {
    const run = running.at(-1);
    if (run !== undefined) return run.fail(error);
    counts.fail++;
    report("not ok", `between tests, ${event}`, error);
  });
}

process.on("exit", () => {
  for (const { name } of running) {
    counts.fail++;
    report(
      "not ok",
      name,
      new Error("Nothing is left that could end the test"),
    );
  }
  for (const [word, count] of Object.entries(counts)) {
    console.log(`# ${word} ${count}`);
  }
  if (counts.fail > 0) process.exitCode = 1;
});
