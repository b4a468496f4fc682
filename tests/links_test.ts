// node: skip reads the documentation, which is the same for every runtime
import { assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

/** Neither ours, nor what a checkout holds. */
const IGNORED = new Set([".git", "coverage", "node_modules", "npm", ".pages"]);

/** What `deno task site` has built. */
const SITE = new URL("site/", ROOT).href;

async function* filesBelow(folder: URL): AsyncIterable<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (IGNORED.has(name) || `${folder}${name}/` === SITE) continue;
    if (isDirectory) yield* filesBelow(new URL(`${name}/`, folder));
    else yield new URL(name, folder);
  }
}

const files = await Array.fromAsync(filesBelow(ROOT));
const pages = files.filter(({ pathname }) => pathname.endsWith(".md"));
const sources = files.filter(({ pathname }) => /\.[jt]s$/.test(pathname));

function short(url: URL): string {
  return url.href.slice(ROOT.href.length);
}

/** A page without its code, in which a bracket is no link. */
function prose(text: string): string {
  return text
    .replace(/^ *(`{3,}).*\n[^]*?^ *\1$/gm, "")
    .replace(/(`+)[^`\n][^`]*?\1/g, "code");
}

/** The targets of `[text](target)` and of `[text]: target`. */
function linksOf(text: string): string[] {
  return [
    ...text.matchAll(/\]\(\s*<?([^\s)>]+)>?(?:\s+"[^"]*")?\s*\)/g),
    ...text.matchAll(/^ {0,3}\[[^\]]+\]:\s+<?(\S+?)>?\s*$/gm),
  ].map(([, target]) => target!);
}

/** The anchors that GitHub and JSR give to the headings of a page. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (
    const [, title = ""] of text.replace(/^ *(`{3,}).*\n[^]*?^ *\1$/gm, "")
      .matchAll(/^#{1,6} +(.+?) *#*$/gm)
  ) {
    const base = title
      .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .replace(/[`*]/g, "")
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-");
    let anchor = base;
    for (let n = 1; anchors.has(anchor); n++) anchor = `${base}-${n}`;
    anchors.add(anchor);
  }
  return anchors;
}

/** What is wrong with a link of a file; `null` if nothing is. */
async function faultOf(target: string, from: URL): Promise<string | null> {
  if (/^[a-z][a-z+.-]*:/i.test(target)) {
    return /^https:\/\/[^/]+\.[^/]+|^mailto:./.test(target)
      ? null
      : `${short(from)}: ${target} is no address`;
  }
  const url = new URL(target, from);
  const anchor = decodeURIComponent(url.hash.slice(1));
  url.hash = "";
  const info = await Deno.stat(url).catch(() => null);
  if (info === null) return `${short(from)}: ${target} is not there`;
  if (anchor === "") return null;
  const anchors = info.isFile
    ? anchorsOf(await Deno.readTextFile(url))
    : new Set<string>();
  return anchors.has(anchor)
    ? null
    : `${short(from)}: ${target} has no such heading`;
}

async function faultsOf(text: string, from: URL): Promise<string[]> {
  const faults = await Promise.all(
    linksOf(text).map((target) => faultOf(target, from)),
  );
  return faults.filter((fault) => fault !== null);
}

/** The doc comments of a source, as Markdown. */
function commentsOf(text: string): string {
  return [...text.matchAll(/^ *\/\*\*[^]*?\*\//gm)]
    .map(([comment]) => comment.replace(/^ *(\/\*\*|\*\/|\* ?)/gm, ""))
    .join("\n");
}

/** Every word of a source that is not in a comment. */
function wordsOf(text: string): Set<string> {
  return new Set(text.replace(/\/\*[^]*?\*\//g, "").match(/[\w$]+/g));
}

Deno.test("pages link to files and headings that are there", async () => {
  const faults: string[] = [];
  for (const page of pages) {
    const text = await Deno.readTextFile(page);
    faults.push(...await faultsOf(prose(text), page));
  }
  assertEquals(faults, []);
});

Deno.test("doc comments link to files and headings that are there", async () => {
  const faults: string[] = [];
  for (const source of sources) {
    const text = commentsOf(await Deno.readTextFile(source));
    faults.push(...await faultsOf(prose(text), source));
  }
  assertEquals(faults, []);
});

Deno.test("doc comments link to symbols of their file or of the library", async () => {
  const faults: string[] = [];
  const exported = wordsOf(await Deno.readTextFile(new URL("mod.ts", ROOT)));
  const texts = await Promise.all(sources.map((url) => Deno.readTextFile(url)));
  const all = wordsOf(texts.join("\n"));
  for (const [index, text] of texts.entries()) {
    const known = wordsOf(text);
    for (
      const [, symbol = ""] of commentsOf(text).matchAll(
        /\{@link(?:code|plain)?\s+([^\s}|]+)/g,
      )
    ) {
      const [name = "", ...members] = symbol.split(/[.#]/);
      const isKnown = known.has(name) || exported.has(name);
      if (isKnown && members.every((member) => all.has(member))) continue;
      faults.push(`${short(sources[index]!)}: ${symbol}`);
    }
  }
  assertEquals(faults, []);
});

Deno.test("every page of docs/ can be reached from the README", async () => {
  const reached = new Set([new URL("README.md", ROOT).href]);
  for (const page of reached) {
    const text = await Deno.readTextFile(new URL(page));
    for (const target of linksOf(prose(text))) {
      const url = new URL(target, page);
      url.hash = "";
      if (url.href.startsWith(ROOT.href) && url.pathname.endsWith(".md")) {
        reached.add(url.href);
      }
    }
  }
  const lost = pages.filter(({ href }) =>
    href.startsWith(new URL("docs/", ROOT).href) && !reached.has(href)
  );
  assertEquals(lost.map(short), []);
});
