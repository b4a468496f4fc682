/**
 * Node's built-in modules, reached when first asked for. Both runtimes have
 * `process.getBuiltinModule`; with it no module has to be imported before it
 * is known which runtime this is, and none is loaded that is not used.
 */

/** The built-in modules the library uses, and their types. */
interface Builtins {
  "node:child_process": typeof import("node:child_process");
  "node:crypto": typeof import("node:crypto");
  "node:dgram": typeof import("node:dgram");
  "node:dns": typeof import("node:dns");
  "node:events": typeof import("node:events");
  "node:fs": typeof import("node:fs");
  "node:http": typeof import("node:http");
  "node:net": typeof import("node:net");
  "node:os": typeof import("node:os");
  "node:path": typeof import("node:path");
  "node:sqlite": typeof import("node:sqlite");
  "node:stream": typeof import("node:stream");
  "node:tls": typeof import("node:tls");
  "node:url": typeof import("node:url");
  "node:util": typeof import("node:util");
  "node:v8": typeof import("node:v8");
  "node:worker_threads": typeof import("node:worker_threads");
}

interface ProcessWithBuiltins {
  getBuiltinModule<N extends keyof Builtins>(name: N): Builtins[N];
}

/** One of Node's built-in modules. */
export function builtin<N extends keyof Builtins>(name: N): Builtins[N] {
  return (globalThis as unknown as { process: ProcessWithBuiltins }).process
    .getBuiltinModule(name);
}
