/**
 * The habits that make our prose hard to read, as a rule for textlint.
 *
 * A page or a comment is read by people who do not know its writer. What is
 * listed here has crept in again and again; each pattern comes with what to
 * write in its place. Code is not looked at.
 *
 * @module
 */

import type { TextlintKernelRule } from "@textlint/kernel";

/** A rule that only reports. */
type Linter = Extract<
  TextlintKernelRule["rule"],
  (...args: never[]) => unknown
>;

/** A habit: how it looks, and what is better. */
interface Habit {
  /** It has to match the words at fault and nothing around them. */
  readonly pattern: RegExp;
  readonly better: string;
}

const IF = `write "if": say "where" of places only`;

/** Code in a sentence is a placeholder when the patterns are tried. */
const CODE = "\u{FFFC}";

/** The habits, each with the advice that is printed. */
export const HABITS: readonly Habit[] = [
  {
    // `null` where there is none
    pattern: new RegExp(
      `(?<=(?<!\\bat the |${CODE})(?:${CODE}+|\\b(?:null|false|true|undefined|nothing|empty|[0-9])),? )` +
        "where(?= (?:it|there|that|they|none|nothing|nobody|the|this|one|its|either)\\b)",
      "gi",
    ),
    better: IF,
  },
  {
    pattern:
      /(?<!, )\bwhere(?= (?:it|there|that|they) (?:is|are|was|were|has|have|does|do|did|can) (?:no|not|none|nothing|neither|one|room)\b(?! such))/gi,
    better: IF,
  },
  {
    pattern: /(?<!, )\bwhere(?= (?:none|nobody|no one|nothing)\b(?! catch))/gi,
    better: IF,
  },
  {
    pattern:
      /(?<=\b(?:also|even) )where\b(?! (?:it was|there|another|Python)\b)/gi,
    better: IF,
  },
  {
    pattern: new RegExp(
      `(?<=\\b(?:Thrown|Throws)(?: by ${CODE}+)? )where\\b`,
      "g",
    ),
    better: `write "if" or "when"`,
  },
  {
    pattern: /(?<=, )where(?= there (?:is one|are both|are any)\b)/gi,
    better: IF,
  },
  {
    pattern: /(?<=; )where\b(?! (?:Python|Twisted|trio)\b)/gi,
    better: IF,
  },
  {
    // Where a worker is killed, what waited is reset.
    pattern:
      /(?<=[.:)] |^)Where(?= (?!(?:to|Python|Twisted|trio) )[^.:;?,]*, (?!(?:and|or|the innermost)\b)(?:it|the|they|that|this|there|an?|all|nothing|one|each|its|what|use|put|write|you|another|[A-Z]|\S+ (?:is|are|has|have|goes|was))\b)/g,
    better: IF,
  },
  {
    pattern:
      /(?<!\b(?:any|some|no|every)(?:thing|one|body|where) )(?<!\b(?:or|all|little|much|nobody|what|who|where|how|whatever|whoever|wherever|no one) )\belse\b/gi,
    better: `write "otherwise", or begin a sentence with "If"`,
  },
  {
    pattern: /(?<!\bever )\bso many\b(?! (?:small|that)\b)/gi,
    better: `write "that many", "as many as", or the name of the number`,
  },
  {
    pattern: /\banswers? to(?= \u{FFFC})/giu,
    better: `write "Equivalent of"`,
  },
  {
    pattern:
      /\b(?:stands?|stood)\b(?= (?:on|in|above|below|apart|behind|before|beside|over|under|between|further|there|at|by|anywhere|nowhere|around|up)\b)/gi,
    better: `say what it does or where it is: "is", "comes", "waits"`,
  },
  { pattern: /\banew\b/gi, better: `write "again"` },
  {
    pattern: /\b(?:thereby|therein|thereof|whereby|wherein|hereby|herein)\b/gi,
    better: "write a sentence of its own",
  },
];

/** What of a node of textlint's tree the rule needs. */
interface TxtNode {
  readonly type: string;
  readonly range: readonly [start: number, end: number];
  readonly children?: readonly TxtNode[];
}

/** The words of a node, as long as its source; code is a placeholder. */
function wordsOf(node: TxtNode, source: string): string {
  const [start] = node.range;
  let words = source;
  const visit = (each: TxtNode) => {
    if (["Code", "Html", "Image"].includes(each.type)) {
      const [from, to] = each.range;
      words = words.slice(0, from - start) + CODE.repeat(to - from) +
        words.slice(to - start);
    }
    for (const child of each.children ?? []) visit(child);
  };
  visit(node);
  // The address of a link is not read.
  return words.replace(
    /\]\([^)\s]*\)/g,
    (all) => "]" + " ".repeat(all.length - 1),
  )
    .replace(/\s/g, " ");
}

/** The rule. */
export function habits(
  { Syntax, getSource, report, RuleError }: Parameters<Linter>[0],
): ReturnType<Linter> {
  const look = (node: Parameters<typeof report>[0]): void => {
    const words = wordsOf(node, getSource(node));
    for (const { pattern, better } of HABITS) {
      for (const { index, 0: found } of words.matchAll(pattern)) {
        report(node, new RuleError(`"${found}": ${better}`, { index }));
      }
    }
  };
  return { [Syntax.Paragraph]: look, [Syntax.TableCell]: look };
}
