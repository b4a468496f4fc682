// node: skip tests the build, which runs on Deno
import { SourceMap, type SourceMapPayload } from "node:module";
import {
  assert,
  assertEquals,
  assertFalse,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { toCode, toDeclarations } from "../../scripts/_transpile.ts";

function source(text: string): { path: string; text: string } {
  return { path: "loop/task.ts", text };
}

Deno.test("toCode() keeps the marks of pure calls, and no other comment", () => {
  const text = `/** A name. */
export class A {
  static readonly #named = /* @__PURE__ */ named(this, "A"); // for bundlers
}`;
  const { code } = toCode(source(text), "esm");
  assertStringIncludes(code, "#named = /* @__PURE__ */ named(this,");
  assertEquals(code.split("/*").length, 2);
});

Deno.test("toCode() makes specifiers lead to JavaScript", () => {
  const text = `import { a } from "./a.ts";
export { b } from "../b.ts";
export const c = () => [a, import("./c.ts"), import("package")];`;
  const { code } = toCode(source(text), "esm");
  assertStringIncludes(code, `import { a } from "./a.js";`);
  assertStringIncludes(code, `export { b } from "../b.js";`);
  assertStringIncludes(code, `import("./c.js")`);
  assertStringIncludes(code, `import("package")`);
});

Deno.test("toCode() keeps dynamic imports in CommonJS", () => {
  const text = `export const load = (url: string) => import(url);`;
  assertStringIncludes(toCode(source(text), "cjs").code, "import(url)");
});

Deno.test("toCode() lowers what Node 20 does not know", () => {
  const text = `export function f() { using a = g(); return a; }`;
  const { code } = toCode(source(text), "esm");
  assertFalse(/\busing a\b/.test(code));
});

Deno.test("toCode() reports what it cannot parse", () => {
  assertThrows(
    () => toCode(source("export const = 1;"), "esm"),
    Error,
    "Cannot build loop/task.ts",
  );
});

Deno.test("toDeclarations() writes methods named by symbols", async () => {
  const folder = `${await Deno.makeTempDir()}/`;
  await Deno.writeTextFile(
    `${folder}lock.ts`,
    `import type { Task } from "./task.ts";
export class Lock {
  readonly #task: Task | undefined = undefined;
  task(): Task | undefined { return this.#task; }
  loop(): import("./loop.ts").Loop | undefined { return undefined; }
  [Symbol.dispose](): void {}
}`,
  );
  const code = toDeclarations(folder, ["lock.ts"]).get("lock.ts")?.code ?? "";
  assertEquals(code.match(/\[Symbol\.dispose\]/g)?.length, 1);
  assertStringIncludes(code, `import type { Task } from "./task.js";`);
  assertStringIncludes(code, `import("./loop.js").Loop`);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("toCode() maps a line to the one it came from", () => {
  const text = `/** Doc. */
export interface A {}

export function f(): A {
  throw new Error();
}`;
  const { code, map } = toCode(source(text), "esm");
  const line = code.split("\n").findIndex((line) => line.includes("throw"));
  const sourceMap = new SourceMap(map as unknown as SourceMapPayload);
  const entry = sourceMap.findEntry(line, 4);
  assert("originalLine" in entry);
  assertEquals(entry.originalLine, 4);
});
