/**
 * Node's built-in modules, reached when first asked for. Both runtimes have
 * `process.getBuiltinModule`; with it no module has to be imported before it
 * is known which runtime this is, and none is loaded that is not used.
 */

/** The built-in modules the library uses, and their types. */
interface Builtins {
  "node:async_hooks": typeof import("node:async_hooks");
}

interface ProcessWithBuiltins {
  getBuiltinModule<N extends keyof Builtins>(name: N): Builtins[N];
}

/** One of Node's built-in modules. */
export function builtin<N extends keyof Builtins>(name: N): Builtins[N] {
  return (globalThis as unknown as { process: ProcessWithBuiltins }).process
    .getBuiltinModule(name);
}
