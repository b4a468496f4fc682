// node: skip it looks at the documentation, from Deno
import { assertEquals } from "@std/assert";
import type { DocType, JsDoc } from "../../scripts/_doc_json.ts";
import { checkSymbol } from "../../scripts/check_docs.ts";

const EXAMPLE = { kind: "example", doc: "One\n```ts\nawait wait(1);\n```" };

/** What is wrong with a function that waits, by its comment. */
function faultsOf(jsDoc: JsDoc): string[] {
  const faults = new Set<string>();
  const promise: DocType = {
    kind: "typeRef",
    value: { typeName: "Promise", typeParams: [] },
  };
  checkSymbol(faults, {
    name: "wait",
    declarations: [{
      kind: "function",
      declarationKind: "export",
      location: { filename: "wait.ts", line: 1 },
      jsDoc,
      def: {
        params: [{
          kind: "identifier",
          name: "ms",
          tsType: { kind: "keyword", value: "number" },
        }],
        returnType: promise,
      },
    }],
  });
  return [...faults].map((fault) => fault.replace("wait.ts:1 ", ""));
}

Deno.test("checkSymbol() is content with what says all there is to say", () => {
  assertEquals(
    faultsOf({
      doc: "Waits.",
      tags: [
        EXAMPLE,
        { kind: "param", name: "ms", doc: "How long, in milliseconds." },
        { kind: "throws", doc: "When the task is cancelled." },
      ],
    }),
    [],
  );
});

Deno.test("checkSymbol() misses cancelling, units and an example that runs", () => {
  assertEquals(
    faultsOf({
      doc: "Waits.",
      tags: [
        { ...EXAMPLE, doc: EXAMPLE.doc.replace("```ts", "```ts ignore") },
        { kind: "param", name: "ms", doc: "How long." },
      ],
    }),
    [
      "wait has no @example that runs",
      "wait() does not tell of cancelling",
      "ms does not say that it is in milliseconds",
    ],
  );
});
