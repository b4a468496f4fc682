// node: skip Deno.lint exists on Deno only
import { assertEquals } from "@std/assert";
import plugin from "../../tools/lint_plugin.ts";

/** The rules that a piece of code breaks, with what each says. */
function faults(path: string, source: string): string[] {
  return Deno.lint.runPlugin(plugin, path, source).map(({ id, message }) =>
    `${id.replace("asyncio/", "")}: ${message}`
  );
}

Deno.test("layers reports an import that points to the right", () => {
  const source = `import { run } from "../tasks/mod.ts";`;
  assertEquals(faults("loop/future.ts", source), [
    "layers: loop must not import tasks",
  ]);
  assertEquals(faults("streams/transport.ts", source), []);
});

Deno.test("layers reports an import of an equal", () => {
  const source = `import { Lock } from "../sync/mod.ts";`;
  assertEquals(faults("queue/queue.ts", source), [
    "layers: queue must not import sync",
  ]);
});

Deno.test("layers reports types, re-exports and dynamic imports too", () => {
  const message = ["layers: platform must not import loop"];
  for (
    const source of [
      `import type { Task } from "../../loop/mod.ts";`,
      `export { Task } from "../../loop/mod.ts";`,
      `export * from "../../loop/mod.ts";`,
      `export const task = () => import("../../loop/mod.ts");`,
    ]
  ) {
    assertEquals(faults("platform/deno/net.ts", source), message);
  }
});

Deno.test("layers knows the two root files and foreign folders", () => {
  assertEquals(
    faults("errors.ts", `import { heap } from "./_internal/heap.ts";`),
    ["layers: errors.ts must not import _internal"],
  );
  assertEquals(
    faults(
      "_internal/heap.ts",
      `import { InternalError } from "../errors.ts";`,
    ),
    [],
  );
  assertEquals(
    faults("loop/task.ts", `import { run } from "../mod.ts";`),
    ["layers: loop must not import mod.ts"],
  );
  assertEquals(
    faults("loop/task.ts", `import { check } from "../tests/check.ts";`),
    ["layers: loop must not import tests"],
  );
  assertEquals(
    faults("mod.ts", `export { explore } from "./testing/mod.ts";`),
    [],
  );
});

Deno.test("layers leaves tests, examples and scripts alone", () => {
  const source = `import { Task } from "../loop/mod.ts";`;
  for (const path of ["tests/a_test.ts", "examples/a.ts", "scripts/a.ts"]) {
    assertEquals(faults(path, source), []);
  }
});

Deno.test("relative-imports reports bare names and missing extensions", () => {
  assertEquals(
    faults("loop/task.ts", `import { Task } from "@asyncio/asyncio";`),
    [`relative-imports: Library code must not import "@asyncio/asyncio"`],
  );
  assertEquals(
    faults("loop/task.ts", `import { Future } from "./future";`),
    [`relative-imports: Library code must not import "./future"`],
  );
  assertEquals(
    faults("examples/echo.ts", `import { run } from "@asyncio/asyncio";`),
    [],
  );
  const peer = `await import("@nats-io/jetstream");`;
  const load = `export const load = async () => { ${peer} };`;
  assertEquals(faults("jetstream/_client.ts", load), []);
  assertEquals(faults("loop/task.ts", load), [
    `relative-imports: Library code must not import "@nats-io/jetstream"`,
  ]);
});

Deno.test("private-files reports an import from another folder", () => {
  const source = `import { poke } from "../loop/_state.ts";`;
  const message = ["private-files: loop/_state.ts is private to its folder"];
  assertEquals(faults("tasks/gather.ts", source), message);
  assertEquals(faults("examples/echo.ts", source), message);
  assertEquals(faults("loop/task.ts", `import { a } from "./_state.ts";`), []);
  assertEquals(faults("tests/loop_test.ts", source), []);
});

Deno.test("platform-only reports what belongs to a host", () => {
  const cases: [source: string, name: string][] = [
    [`export const pid = (): number => Deno.pid;`, "Deno"],
    [`export let server: Deno.Listener;`, "Deno"],
    [`export const pid = (): number => process.pid;`, "process"],
    [`export const known = typeof process;`, "process"],
    [`export const known = globalThis.process;`, "process"],
    [`export const timer = setTimeout(() => {}, 1);`, "setTimeout"],
    [
      `export const url = new URL("./_worker.ts", import.meta.url);`,
      "the URL of a source file",
    ],
    [
      `import { once } from "node:events";\nexport const o = once();`,
      "node:events",
    ],
    [`import type { Socket } from "node:net";`, "node:net"],
  ];
  for (const [source, name] of cases) {
    assertEquals(
      faults("loop/task.ts", source),
      [`platform-only: Only platform/ may use ${name}`],
      source,
    );
    assertEquals(faults("platform/node/net.ts", source), []);
    assertEquals(faults("scripts/build.ts", source), []);
  }
});

Deno.test("platform-only does not take a name for the global", () => {
  for (
    const source of [
      `export class Child { process = 1; Deno(): void {} }`,
      `export function stop(process: Child): void { process.kill(); }`,
      `const { process } = start();\nexport const k = process.kill();`,
      `import { process } from "./process.ts";\nexport const k = process.kill();`,
      `export const kill = (child: Child): void => child.process.kill();`,
      `export const names = { process: 1, setTimeout: 2 };`,
      `export interface Timers { setTimeout(process: number): void }`,
      `export const folder = new URL("./", import.meta.url);`,
    ]
  ) {
    assertEquals(faults("subprocess/process.ts", source), [], source);
  }
});

Deno.test("node-20 reports what only newer runtimes have", () => {
  const cases: [source: string, name: string][] = [
    [`export function f(): void { using a = b(); a.c(); }`, "using"],
    [
      `export async function f(): Promise<void> { await using a = b(); a.c(); }`,
      "await using",
    ],
    [
      `export const d = Promise.withResolvers<void>();`,
      "Promise.withResolvers",
    ],
    [`export const a = Array.fromAsync(b);`, "Array.fromAsync"],
    [`export const a = new DisposableStack();`, "DisposableStack"],
    [`export const a = navigator.userAgent;`, "navigator"],
  ];
  for (const [source, name] of cases) {
    assertEquals(
      faults("platform/timers.ts", source),
      [`node-20: Node 20 has no ${name}`],
      source,
    );
    assertEquals(faults("tests/a_test.ts", source), []);
  }
});

Deno.test("no-import-effects reports what an import would do", () => {
  const message = [
    "no-import-effects: Importing library code must do nothing but define",
  ];
  for (
    const source of [
      `import "./b.ts";`,
      `register(() => 1);`,
      `if (isDeno) watch();`,
    ]
  ) {
    assertEquals(faults("loop/a.ts", source), message, source);
    assertEquals(faults("threads/_worker_main.ts", source), [], source);
    assertEquals(faults("examples/a.ts", source), [], source);
  }
  assertEquals(
    faults(
      "loop/a.ts",
      `import { b } from "./b.ts";
       const c = new WeakSet<object>();
       export function d(): void { b(); if (c) b(); }`,
    ),
    [],
  );
});

Deno.test("no-top-level-await reports only the top level", () => {
  const message = [
    "no-top-level-await: Library code must not await at the top level",
  ];
  assertEquals(faults("loop/a.ts", `export const a = await b();`), message);
  assertEquals(faults("loop/a.ts", `for await (const a of b) a();`), message);
  assertEquals(
    faults(
      "loop/a.ts",
      `export const a = async (): Promise<void> => { await b(); };
       export async function c(): Promise<void> { for await (const d of e) d; }
       export class F { async g(): Promise<void> { await b(); } }`,
    ),
    [],
  );
  assertEquals(faults("examples/a.ts", `await b();`), []);
});

Deno.test("no-console reports printing outside platform", () => {
  const source = `export const lose = () => console.error("lost");`;
  assertEquals(faults("loop/a.ts", source), [
    "no-console: Library code must not print",
  ]);
  assertEquals(faults("platform/log.ts", source), []);
  assertEquals(faults("bench/a.ts", source), []);
});

Deno.test("error-message reports each fault of form", () => {
  const cases: [source: string, fault: string][] = [
    [`throw new Error("loop is closed");`, "starts with a small letter"],
    ["throw new Error(`loop ${a} is closed`);", "starts with a small letter"],
    [`throw new Error("Loop is closed.");`, "ends with a period"],
    ["throw new Error(`Cannot run ${a}.`);", "ends with a period"],
    [`throw new Error("Cannot run " + a + ".");`, "ends with a period"],
    [`throw new QueueFull("queue is full");`, "starts with a small letter"],
    [`throw new Error("Loop isn't open");`, "has a contraction"],
    [
      "throw new RangeError(`'size' must be positive: received ${a}`);",
      'does not say "Cannot …"',
    ],
    [
      "throw new RangeError(`Cannot grow as 'size' must be positive`);",
      'does not say ": received …"',
    ],
    [`export const e = new TypeError("no.");`, "starts with a small letter"],
    [
      "class A extends Error { constructor(n: number) { super(`${n} left.`); } }",
      "ends with a period",
    ],
  ];
  for (const [source, fault] of cases) {
    assertEquals(
      faults("loop/a.ts", source),
      [`error-message: The text of this error ${fault}`],
      source,
    );
    assertEquals(faults("tests/a_test.ts", source), []);
  }
});

Deno.test("error-message accepts the project's form", () => {
  for (
    const source of [
      `throw new Error("Event loop is closed");`,
      "throw new RangeError(`Cannot grow as 'size' must be > 0: received ${a}`);",
      "throw new Error(`${name} is not running`);",
      `throw new CancelledError();`,
      `throw new QueueShutDown("");`,
      `throw error;`,
      `throw new Error(text);`,
      `export const m = new Map("a.");`,
      `class A extends B { constructor() { super("a."); } }`,
    ]
  ) {
    assertEquals(faults("loop/a.ts", source), [], source);
  }
});
