/**
 * `Deno.test` on `node:test`, for the test files that run on Node and on Bun.
 *
 * What it lacks is the sanitizers: leaks are found on Deno, where the same files
 * run first. Hooks and snapshots are left out until a shared test needs them.
 */

import process from "node:process";
import type { TestContext } from "node:test";
import { format } from "node:util";

const { test } = "Bun" in globalThis
  ? await import("./_small_runner.ts") as unknown as typeof import("node:test")
  : await import("node:test");

type Body = (t: Deno.TestContext) => void | Promise<void>;

type Options = Partial<Omit<Deno.TestDefinition, "fn">> & {
  /** Why it is ignored; see `tests/_support/runtimes.ts`. */
  readonly reason?: string;
};

interface Definition {
  readonly name: string;
  readonly options: Options;
  readonly fn: Body;
}

/** The overloads of `Deno.test()` and `t.step()` as one. */
function definition(args: readonly unknown[]): Definition {
  const fn = args.find((arg) => typeof arg === "function") as Body | undefined;
  const options = args.find((arg) => typeof arg === "object") as
    | Options & { fn?: Body }
    | undefined;
  const name = args.find((arg) => typeof arg === "string") as
    | string
    | undefined;
  const body = fn ?? options?.fn;
  if (!body) throw new TypeError("Cannot register a test without a function");
  return {
    name: name ?? options?.name ?? body.name,
    options: options ?? {},
    fn: body,
  };
}

/** What Node understands of the options. */
function nodeOptions({ options }: Definition) {
  return {
    skip: (options.ignore ?? false) && (options.reason ?? true),
    ...(options.only ? { only: true } : {}),
    ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
  };
}

/** A context whose steps tell how they ended, as Deno's do. */
function denoContext(
  context: TestContext,
  parent?: Deno.TestContext,
): Deno.TestContext {
  const self: Partial<Deno.TestContext> = {
    name: context.name,
    origin: import.meta.url,
    ...(parent ? { parent } : {}),
    async step(...args: unknown[]): Promise<boolean> {
      const step = definition(args);
      let passed = step.options.ignore ?? false;
      await context.test(step.name, nodeOptions(step), async (inner) => {
        await step.fn(denoContext(inner, self as Deno.TestContext));
        passed = true;
      });
      return passed;
    },
  };
  return self as Deno.TestContext;
}

function register(found: Definition, more: Options = {}): void {
  const merged = { ...found, options: { ...found.options, ...more } };
  const repeats = merged.options.repeats ?? 0;
  test(merged.name, nodeOptions(merged), async (context) => {
    for (let round = 0; round <= repeats; round++) {
      await merged.fn(denoContext(context));
    }
  });
}

/** `Deno.test.each`: the cases, then the name, options and function. */
function each(cases: readonly unknown[]): Register {
  return (...args) => {
    const { name, options, fn } = definition(args);
    const body = fn as (...values: unknown[]) => void | Promise<void>;
    cases.forEach((value, index) => {
      const values = Array.isArray(value) ? value : [value];
      const title = /%[sdifjoO]/.test(name)
        ? format(name, ...values)
        : `${name} (${index + 1})`;
      register({
        name: title,
        options,
        fn: (t) => body(...values, ...(Array.isArray(value) ? [] : [t])),
      });
    });
  };
}

/** Takes what `Deno.test()` takes, in any of its forms. */
type Register = (...args: unknown[]) => void;

function registerWith(options?: Options): Register {
  return (...args) => register(definition(args), options);
}

/** What test files use of the global. */
interface DenoTest {
  readonly build: { readonly os: string };
  readonly test: Register & {
    readonly each: (cases: readonly unknown[]) => Register;
    readonly ignore: Register;
    readonly only: Register;
    readonly sanitizer: () => void;
  };
}

/** Replaces the global of that name, in test files only. */
export const Deno: DenoTest = {
  build: { os: process.platform === "win32" ? "windows" : process.platform },
  test: Object.assign(registerWith(), {
    each,
    ignore: registerWith({ ignore: true }),
    only: registerWith({ only: true }),
    sanitizer: () => {},
  }),
};
