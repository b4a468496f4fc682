/** Whether what the built pages link to is there. */
import { filesBelow } from "./_project.ts";

interface BuiltPage {
  readonly links: readonly string[];
  readonly anchors: ReadonlySet<string>;
}

function unescapeHtml(text: string): string {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"').replaceAll("&amp;", "&");
}

function readPage(html: string): BuiltPage {
  const values = (attribute: string) =>
    [...html.matchAll(new RegExp(`\\s${attribute}="([^"]*)"`, "g"))]
      .map(([, value = ""]) => unescapeHtml(value));
  return {
    links: [...values("href"), ...values("src")],
    anchors: new Set(values("id")),
  };
}

/** A line for each link of a built site that leads nowhere. */
export async function deadLinks(site: URL): Promise<string[]> {
  const files = new Set(await filesBelow(site));
  const pages = new Map<string, BuiltPage>();
  for (const path of files) {
    if (!path.endsWith(".html")) continue;
    pages.set(path, readPage(await Deno.readTextFile(new URL(path, site))));
  }
  const faults: string[] = [];
  const origin = "http://site.invalid/";
  for (const [from, { links }] of pages) {
    for (const link of new Set(links)) {
      const { href, pathname, hash, origin: host } = new URL(
        link,
        origin + from,
      );
      if (!href.startsWith(origin)) {
        // There is no other host than those that the text names.
        if (host === "null" || /^https:\/\//.test(href)) continue;
        faults.push(`${from}: ${link} is no address`);
        continue;
      }
      const path = decodeURIComponent(pathname.slice(1));
      const target = [path, `${path}index.html`, `${path}.html`]
        .find((each) => files.has(each));
      const anchor = decodeURIComponent(hash.slice(1));
      if (target === undefined) faults.push(`${from}: ${link} is not there`);
      else if (anchor && pages.get(target)?.anchors.has(anchor) === false) {
        faults.push(`${from}: ${link} has no such heading`);
      }
    }
  }
  return faults;
}
