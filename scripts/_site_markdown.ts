/** Markdown as the site's generator takes it. */

/**
 * The anchor of a heading, as on GitHub, so that a link to a heading works in
 * both places.
 */
export function slugify(title: string): string {
  return title
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/[`*]/g, "")
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, "")
    .replaceAll(" ", "-");
}

/** Changes a text outside of its code. */
export function mapProse(
  text: string,
  change: (prose: string) => string,
): string {
  const code = /^ *(`{3,}).*\n[^]*?^ *\1 *$|(?<!`)(`+)(?!`)[^]*?[^`]\2(?!`)/gm;
  let result = "";
  let end = 0;
  for (const match of text.matchAll(code)) {
    result += change(text.slice(end, match.index)) + match[0];
    end = match.index + match[0].length;
  }
  return result + change(text.slice(end));
}

/** Keeps prose from being taken for the tags or the templates of a component. */
export function escapeProse(text: string): string {
  return mapProse(
    text,
    (prose) => prose.replaceAll("<", "&lt;").replaceAll("{{", "&#123;&#123;"),
  );
}

/** A block of code; the fence is longer than any in it. */
export function codeBlock(code: string, language = "ts"): string {
  const longest = [...code.matchAll(/^`{3,}/gm)]
    .reduce((length, [fence]) => Math.max(length, fence.length), 2);
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${code.trimEnd()}\n${fence}`;
}

/** The text of a page or cell on one line. */
export function oneLine(text: string): string {
  return text.trim().replace(/\s*\n\s*/g, " ");
}
