// node: skip it makes pages of the documentation, from Deno
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { DocFile, DocType } from "../../scripts/_doc_json.ts";
import { deadLinks } from "../../scripts/_site_check.ts";
import { readGuides, sidebarOf } from "../../scripts/_site_guides.ts";
import { escapeProse, slugify } from "../../scripts/_site_markdown.ts";
import { makeReference } from "../../scripts/_site_reference.ts";
import { signatureText, typeText } from "../../scripts/_type_text.ts";

function ref(typeName: string, ...typeParams: DocType[]): DocType {
  return { kind: "typeRef", value: { typeName, typeParams } };
}

const STRING: DocType = { kind: "keyword", value: "string" };
const NUMBER: DocType = { kind: "keyword", value: "number" };

Deno.test("typeText() writes a type as one would", () => {
  const fn: DocType = {
    kind: "fnOrConstructor",
    value: {
      constructor: false,
      params: [{ kind: "identifier", name: "n", tsType: NUMBER }],
      tsType: ref("Promise", STRING),
    },
  };
  assertEquals(typeText(fn), "(n: number) => Promise<string>");
  assertEquals(
    typeText({ kind: "union", value: [fn, STRING] }),
    "((n: number) => Promise<string>) | string",
  );
  assertEquals(
    typeText({
      kind: "array",
      value: { kind: "union", value: [STRING, NUMBER] },
    }),
    "(string | number)[]",
  );
});

Deno.test("signatureText() breaks a long signature into lines", () => {
  const params = ["first", "second", "third", "fourth", "fifth"].map((
    name,
  ) => ({
    kind: "identifier",
    name,
    tsType: STRING,
  }));
  assertEquals(
    signatureText("call", { params: params.slice(0, 1), returnType: NUMBER }),
    "call(first: string): number",
  );
  assertEquals(
    signatureText("call", { params, returnType: NUMBER }),
    "call(\n  first: string,\n  second: string,\n  third: string,\n" +
      "  fourth: string,\n  fifth: string,\n): number",
  );
});

const DOCS: DocFile = {
  "module_doc": { doc: "What is there: `lib/sub`." },
  symbols: [{
    name: "wait",
    declarations: [{
      kind: "function",
      declarationKind: "export",
      location: { filename: "wait.ts", line: 1 },
      jsDoc: {
        doc: "Waits for a {@linkcode Bell}. Then goes on if a < b.",
        tags: [
          { kind: "param", name: "bell", doc: "What to wait for." },
          {
            kind: "throws",
            tsType: ref("CancelledError"),
            doc: "When cancelled.",
          },
          { kind: "throws", tsType: ref("TypeError"), doc: "When it is none." },
        ],
      },
      def: {
        params: [{ kind: "identifier", name: "bell", tsType: ref("Bell") }],
        returnType: ref("Promise", STRING),
      },
    }],
  }, {
    name: "Bell",
    declarations: [{
      kind: "class",
      declarationKind: "export",
      location: { filename: "bell.ts", line: 1 },
      jsDoc: { doc: "Rings." },
      def: {},
    }],
  }],
};

Deno.test("makeReference() links types, and tells cancelling from errors", () => {
  const { pages, sidebars } = makeReference([
    { specifier: "lib", folder: "", docs: { ...DOCS, symbols: [] } },
    { specifier: "lib/sub", folder: "sub", docs: DOCS },
  ]);
  const page = pages.find(({ path }) => path === "api/sub/function/wait");
  assert(page);
  assertMatch(page.text, /import \{ wait \} from "lib\/sub";/);
  assertMatch(
    page.text,
    /Waits for a \[`Bell`\]\(\/api\/sub\/class\/Bell\.md\)/,
  );
  assertMatch(page.text, /if a &lt; b/);
  assertMatch(page.text, /<a href="[^"]*sub\/class\/Bell\.html">Bell<\/a>/);
  const [, cancelled = "", errors = ""] = page.text.split(
    /## Cancellation|## Errors/,
  );
  assertMatch(cancelled, /When cancelled\./);
  assertMatch(errors, /When it is none\./);
  assertEquals(Object.keys(sidebars), ["/api/", "/api/sub/"]);
});

Deno.test("escapeProse() leaves code alone", () => {
  assertEquals(
    escapeProse("a < b, `a < b` and {{ x }}\n\n```ts\nif (a < b) {{}}\n```"),
    "a &lt; b, `a < b` and &#123;&#123; x }}\n\n```ts\nif (a < b) {{}}\n```",
  );
});

Deno.test("slugify() makes the anchors that GitHub makes", () => {
  assertEquals(slugify("`TCP_NODELAY`, and more!"), "tcp_nodelay-and-more");
});

Deno.test("sidebarOf() takes the sections and links of a list", () => {
  assertEquals(
    sidebarOf("# Guides\n\nText.\n\n## Use\n\n- [Start](start.md): to begin\n"),
    [{ text: "Use", items: [{ text: "Start", link: "/docs/start" }] }],
  );
});

Deno.test("every example has a page, and every link of a guide leads to one", async () => {
  const { pages, examples } = await readGuides();
  const paths = new Set(pages.map(({ path }) => path));
  assert(paths.has("examples/hello_world"));
  const [list] = examples;
  assertEquals(
    list?.items?.filter(({ link = "" }) => !paths.has(link.slice(1))),
    [],
  );
  for (const { path, text } of pages) {
    for (const [, target = ""] of text.matchAll(/\]\(\/([^)#]+)\.md/g)) {
      if (target.startsWith("api/")) continue;
      assert(paths.has(target), `${path} links to ${target}`);
    }
  }
});

Deno.test("deadLinks() finds pages and headings that are not there", async () => {
  const folder = await Deno.makeTempDir();
  const site = new URL(`file://${folder}/`);
  const write = (name: string, html: string) =>
    Deno.writeTextFile(new URL(name, site), html);
  try {
    await write("a.html", `<h1 id="top"></h1><a href="/b.html#here">b</a>`);
    await write(
      "b.html",
      `<a href="a#top">a</a> <a href="https://x.org">x</a>`,
    );
    assertEquals(await deadLinks(site), [
      "a.html: /b.html#here has no such heading",
    ]);
    await write("b.html", `<h2 id="here"></h2><a href="./c.html">c</a>`);
    assertEquals(await deadLinks(site), ["b.html: ./c.html is not there"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
