import { show } from "../_internal/show.ts";
import type { Future } from "../loop/future.ts";

/**
 * The functions that a module exports, as they are called from another thread:
 * with the same arguments, and each gives a future.
 *
 * @typeParam M The module: `typeof import("./work.ts")`.
 *
 * @example The type of a module's proxy
 * ```ts
 * import type { Promised } from "@asyncio/asyncio";
 *
 * type Path = Promised<typeof import("node:path/posix")>;
 * const basename: Path["basename"] | null = null;
 * console.log(basename);
 * ```
 */
export type Promised<M> = {
  readonly [
    K in keyof M as M[K] extends (...args: never) => unknown ? K : never
  ]: M[K] extends (...args: infer A) => infer R
    ? (...args: A) => Future<Awaited<R>>
    : never;
};

/** Calls one function of the module. */
export type ModuleCaller = (
  name: string,
  args: readonly unknown[],
) => Future<unknown>;

/** The module's name as workers import it. */
export function moduleUrl(specifier: string | URL): string {
  if (specifier instanceof URL) return specifier.href;
  if (typeof specifier !== "string") {
    throw new TypeError(
      `Cannot use a module in workers as 'specifier' must be a URL or a string: received ${
        show(specifier)
      }`,
    );
  }
  if (/^\.{0,2}\//.test(specifier)) {
    throw new TypeError(
      `Cannot use a module in workers as 'specifier' must not be relative, since it is not known to what: received ${
        show(specifier)
      }; write new URL(${show(specifier)}, import.meta.url)`,
    );
  }
  return specifier;
}

/** The proxy. A function of a name is always the same. */
export function proxyOf<M>(call: ModuleCaller): Promised<M> {
  const functions = new Map<string, (...args: unknown[]) => Future<unknown>>();
  return new Proxy(Object.create(null), {
    get(_target, name) {
      // Awaiting the proxy itself must not call the module.
      if (typeof name === "symbol" || name === "then") return undefined;
      let fn = functions.get(name);
      if (fn === undefined) {
        fn = (...args) => call(name, args);
        functions.set(name, fn);
      }
      return fn;
    },
  });
}
