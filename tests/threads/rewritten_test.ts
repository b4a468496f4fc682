// Functions as build tools leave them, by their text.
import {
  assertEquals,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import {
  timeout,
  TimeoutError,
  toThread,
  WorkerPoolExecutor,
} from "@asyncio/asyncio";

/** A function whose source is `text`, and which closes over nothing. */
function written(text: string): () => unknown {
  return new Function(`"use strict"; return (${text});`)();
}

const WHOLE: Readonly<Record<string, [text: string, result: unknown]>> = {
  "the helper that keeps names": [
    `() => { const inner = /* @__PURE__ */ __name(() => 1, "inner");
       class Local { static { __name(this, "Named"); } }
       return [inner(), inner.name, Local.name]; }`,
    [1, "inner", "Named"],
  ],
  "a second helper that keeps names": [
    `() => __name2(() => 1, "inner").name`,
    "inner",
  ],
  "an import as Vite writes it": [
    `() => (0, __vite_ssr_import_0__.checkCancelled)()`,
    undefined,
  ],
  "an import that Vitest has hoisted": [
    `() => __vi_import_0__.cancelSignal().aborted`,
    false,
  ],
  "a dynamic import as Vite writes it": [
    `async () => (await __vite_ssr_dynamic_import__("node:path")).basename("/a/b")`,
    "b",
  ],
  "an import as TypeScript writes it in CommonJS": [
    `() => (0, asyncio_1.cancelSignal)().aborted`,
    false,
  ],
  "an import as Babel writes it in CommonJS": [
    `() => (0, _asyncio.cancelSignal)().aborted`,
    false,
  ],
  "a dynamic import as TypeScript writes it in CommonJS": [
    `async () => (await Promise.resolve().then(() => __importStar(require("node:path")))).basename("/a/b")`,
    "b",
  ],
  "a dynamic import as esbuild writes it in CommonJS": [
    `async () => (await Promise.resolve().then(() => __toESM(require("node:path"), 1))).basename("/a/b")`,
    "b",
  ],
  "an import that esbuild has renamed": [
    `() => cancelSignal2().aborted`,
    false,
  ],
  "an import that Rollup has renamed": [
    `() => cancelSignal$1().aborted`,
    false,
  ],
  "a parameter of the name of a helper": [
    `(__name = (n) => n + 1) => __name(1)`,
    2,
  ],
  "a method with a provided name": [
    `() => ({ transfer: () => 4, transfer2: () => 5 }).transfer()`,
    4,
  ],
  "arguments of a function of its own": [
    `() => (function () { return arguments.length; })(1, 2)`,
    2,
  ],
  "this of a function of its own": [
    `() => ({ n: 3, read() { return this.n; } }).read()`,
    3,
  ],
};

for (const [kind, [text, result]] of Object.entries(WHOLE)) {
  Deno.test(`toThread() takes a function with ${kind}`, async () => {
    assertEquals(await toThread(written(text)), result);
  });
}

const CLOSED_OVER: Readonly<Record<string, [text: string, name: string]>> = {
  "what Vite imports": ["() => __vite_ssr_import_3__.limit + 1", "limit"],
  "a function that Vite imports": [
    "() => (0, __vite_ssr_import_3__.helper)(1)",
    "helper",
  ],
  "a function that TypeScript imports": [
    "() => (0, a_js_1.helper)()",
    "helper",
  ],
  "what TypeScript imports": ["() => limits_1.LIMIT", "LIMIT"],
  "what TypeScript exports": ["() => exports.limit", "limit"],
  "what Babel imports": ["() => _limits.LIMIT", "LIMIT"],
  "a variable that looks like an import": ["() => page_1 + 1", "page_1"],
  "the message port of a worker": ["() => postMessage(1)", "postMessage"],
  "a variable that a worker has one of": ["() => close()", "close"],
  "the loader of CommonJS": ["() => require('node:path').sep", "require"],
  "the folder of CommonJS": ["() => __dirname", "__dirname"],
  "this as a whole": ["() => this", "this"],
  "the type of this": ["() => typeof this", "this"],
  "whether there is a this": ["() => this === undefined", "this"],
  "a copy of this": ["() => ({ ...this })", "this"],
  "this in an inner arrow": ["() => [1].map(() => this)", "this"],
};

for (const [kind, [text, name]] of Object.entries(CLOSED_OVER)) {
  Deno.test(`toThread() names ${kind} as it was written`, async () => {
    const error = await assertRejects(
      () => toThread(written(text)),
      ReferenceError,
    );
    assertStringIncludes(error.message, `as it refers to "${name}", which`);
  });
}

Deno.test("toThread() refuses at the call what tools make of import.meta", () => {
  for (
    const name of ["__vite_ssr_import_meta__", "import_meta", "import_meta2"]
  ) {
    assertThrows(
      () => toThread(written(`() => ${name}.url`)),
      TypeError,
      "import.meta",
    );
  }
});

Deno.test("toThread() refuses an arrow function with arguments of outside", () => {
  function outer(): () => unknown {
    return () => arguments[0];
  }
  assertThrows(
    () => toThread(outer()),
    TypeError,
    "received an arrow function with the 'arguments' of what is around it",
  );
});

Deno.test("a job in a rewritten function can be cancelled", async () => {
  await using executor = new WorkerPoolExecutor({ maxWorkers: 1 });
  const spin = written(
    `() => { for (;;) (0, __vite_ssr_import_0__.checkCancelled)(); }`,
  );
  await assertRejects(
    () => timeout(20, () => executor.submit(spin)),
    TimeoutError,
  );
});
