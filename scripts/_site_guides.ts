/** The pages that are in the repository already, as they are. */
import { filesBelow, ROOT } from "./_project.ts";
import { codeBlock, escapeProse } from "./_site_markdown.ts";
import type { Page, SidebarItem } from "./_site_page.ts";

/** Pages beside those of `docs/`. */
const OTHER_PAGES = [
  "README.md",
  "CHANGELOG.md",
  "CONTRIBUTING.md",
  "bench/README.md",
  "bench/RESULTS.md",
];

/** The repository's own pages and programs. */
export interface Guides {
  readonly pages: readonly Page[];
  /** Paths of files that pages show. */
  readonly pictures: readonly string[];
  readonly guides: readonly SidebarItem[];
  readonly examples: readonly SidebarItem[];
}

/** The page of a file: a program has one that shows it. */
function pageOf(path: string): string {
  if (path === "README.md") return "index";
  return path.replace(/(^|\/)README\.md$/, "$1index").replace(/\.(md|ts)$/, "");
}

/** Links as the site has them: to pages, and to nothing outside of it. */
function resolveLinks(
  text: string,
  from: string,
  known: ReadonlySet<string>,
): string {
  return text.replace(
    /\]\((?![a-z]+:|#)([^)\s]+)\)/g,
    (link, target: string) => {
      const { pathname, hash } = new URL(target, new URL(from, ROOT));
      const base = ROOT.pathname;
      const path = decodeURIComponent(pathname.slice(base.length));
      if (known.has(path)) return `](/${pageOf(path)}.md${hash})`;
      const inside = `${path.replace(/\/$/, "")}/README.md`;
      if (known.has(inside)) return `](/${pageOf(inside)}.md)`;
      if (path === "LICENSE") return "](/LICENSE.md)";
      if (/\.(png|svg)$/.test(path)) return link;
      throw new Error(`${from} links to ${target}, which has no page`);
    },
  );
}

/** The lists of `docs/README.md`: headings with links below them. */
export function sidebarOf(list: string): SidebarItem[] {
  const sections = list.split(/^## /m).slice(1);
  return sections.map((section) => {
    const [text = "", ...lines] = section.split("\n");
    const items = [
      ...lines.join("\n").matchAll(
        /^ *- \[([^\]]+)\]\(([\w./-]+\.md)\)/gm,
      ),
    ].map(([, label = "", target = ""]) => ({
      text: label.replaceAll("`", ""),
      link: `/docs/${target.replace(/\.md$/, "")}`,
    }));
    return { text, items };
  }).filter(({ items }) => items.length > 0);
}

/** The README under a large title, with ways to go on. */
function homePage(text: string): string {
  const [, head = "", tagline = "", body = ""] =
    text.match(/^# \w+\n\n([^:]+): ([^]+?)\n\n([^]*)$/) ?? [];
  if (!body) throw new Error("The README does not begin with what it is");
  const actions = [
    { theme: "brand", text: "Start", link: "/docs/start" },
    { theme: "alt", text: "Guides", link: "/docs/" },
    { theme: "alt", text: "Reference", link: "/api/" },
  ];
  const hero = {
    name: "asyncio",
    text: head,
    tagline: (tagline.charAt(0).toUpperCase() + tagline.slice(1))
      .replaceAll("`", "").replace(/\s+/g, " "),
    actions,
  };
  return `---\nlayout: home\nhero: ${JSON.stringify(hero)}\n---\n\n${body}`;
}

/** A program as a page: its comment, then its code. */
function programPage(path: string, source: string): Page {
  const name = path.replace(/^examples\//, "");
  return {
    path: pageOf(path),
    text: [
      `# ${name}`,
      `\`deno task example ${name.replace(/\.ts$/, "")}\` runs it.`,
      codeBlock(source),
    ].join("\n\n"),
  };
}

/** Reads the pages of the repository. */
export async function readGuides(): Promise<Guides> {
  const docs = await filesBelow(ROOT, "docs/");
  const programs = (await filesBelow(ROOT, "examples/"))
    .filter((path) => path.endsWith(".ts"));
  const sources = [
    ...docs.filter((path) => path.endsWith(".md")),
    ...OTHER_PAGES,
  ];
  const list = "examples/README.md";
  const known = new Set([...sources, ...programs, list]);
  const read = (path: string) => Deno.readTextFile(new URL(path, ROOT));
  const pages = await Promise.all([
    ...sources.map(async (path) => ({
      path: pageOf(path),
      text: resolveLinks(
        escapeProse(
          path === "README.md" ? homePage(await read(path)) : await read(path),
        ),
        path,
        known,
      ),
    })),
    ...programs.map(async (path) => programPage(path, await read(path))),
    read("LICENSE").then((text) => ({
      path: "LICENSE",
      text: `# License\n\n${codeBlock(text, "text")}`,
    })),
  ]);
  const examples = programs.filter((path) => !/(^|\/)_/.test(path))
    .map((path) => ({
      text: path.replace(/^examples\/|\.ts$/g, ""),
      link: `/${pageOf(path)}`,
    }));
  pages.push({
    path: pageOf(list),
    text: [
      "# Examples",
      "Each is a program that runs as it is.",
      examples.map(({ text, link }) => `- [${text}](${link}.md)`).join("\n"),
    ].join("\n\n"),
  });
  return {
    pages,
    pictures: docs.filter((path) => /\.(png|svg)$/.test(path)),
    guides: sidebarOf(await read("docs/README.md")),
    examples: [{ text: "Examples", link: "/examples/", items: examples }],
  };
}
