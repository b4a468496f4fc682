/**
 * Checks the documentation of every entry.
 *
 *     deno task doc:lint
 *
 * First `deno doc --lint` has its say, then come the rules it does not know.
 * Every public symbol has a description. A class or a function has an example,
 * which `deno task test` runs. Each parameter of a function, or of a method or
 * constructor of a class, has its `@param`, and no `@param` names one that is
 * not there; overloads may share one. What is tagged `@internal` is left out.
 *
 * A module comment shows an example, too.
 *
 * @module
 */

import {
  type Callable,
  type Declaration,
  denoDoc,
  type DocNode,
  type JsDoc,
  type Location,
  type Member,
  type Param,
  readDocs,
} from "./_doc_json.ts";
import { EXPORTS, ROOT } from "./_project.ts";

/** A line for each thing that is missing or wrong. */
type Faults = Set<string>;

/** The name of a parameter; a destructured one has none. */
function parameterName({ name, left, arg }: Param): string | undefined {
  return name ?? (left ?? arg)?.name;
}

function report(
  faults: Faults,
  { filename, line }: Location,
  problem: string,
): void {
  faults.add(`${filename.replace(ROOT.href, "")}:${line} ${problem}`);
}

/** One signature: of a function, a method or a constructor. */
interface Signature extends Callable {
  readonly location: Location;
  readonly jsDoc: JsDoc | undefined;
}

/** Checks the overloads of one name together. */
function checkParameters(
  faults: Faults,
  symbol: string,
  overloads: readonly Signature[],
): void {
  const [first] = overloads;
  if (!first) return;
  const tags = overloads.flatMap(({ jsDoc }) => jsDoc?.tags ?? []);
  if (tags.some(({ kind }) => kind === "internal")) return;
  const documented = tags.filter(({ kind }) => kind === "param")
    .map(({ name }) => name);
  const names = overloads.flatMap(({ params = [] }) =>
    params.map(parameterName)
  );
  for (const name of new Set(names)) {
    if (name === undefined || name.startsWith("_")) continue;
    if (!documented.includes(name)) {
      report(faults, first.location, `${symbol} has no @param for ${name}`);
    }
  }
  // A destructured parameter may be documented under any name.
  if (names.includes(undefined)) return;
  for (const name of new Set(documented)) {
    if (!names.includes(name)) {
      report(faults, first.location, `${symbol} has no parameter ${name}`);
    }
  }
}

/** Checks the constructors and methods of a class. */
function checkMembers(
  faults: Faults,
  symbol: string,
  { def }: Declaration,
): void {
  const signature = (member: Member, { params = [] }: Callable): Signature => ({
    location: member.location,
    jsDoc: member.jsDoc,
    params,
  });
  const groups = new Map<string, Signature[]>();
  const add = (name: string, found: Signature) => {
    groups.set(name, [...groups.get(name) ?? [], found]);
  };
  for (const member of def?.constructors ?? []) {
    add(`new ${symbol}()`, signature(member, member));
  }
  for (const member of def?.methods ?? []) {
    // The value that a setter takes is what its getter describes.
    if (member.kind !== "method") continue;
    add(`${symbol}.${member.name}()`, signature(member, member.functionDef));
  }
  for (const [name, overloads] of groups) {
    checkParameters(faults, name, overloads);
  }
}

/** Checks a symbol, of which overloads and merged types are declarations. */
function checkSymbol(faults: Faults, { name, declarations }: DocNode): void {
  // A reference is a re-export of what another entry documents.
  const own = declarations.filter(({ kind, declarationKind }) =>
    declarationKind === "export" && kind !== "reference"
  );
  const [first] = own;
  if (!first) return;
  if (!own.some(({ jsDoc }) => jsDoc?.doc?.trim())) {
    report(faults, first.location, `${name} has no description`);
  }
  const runnable = own.some(({ kind }) =>
    kind === "class" || kind === "function"
  );
  const hasExample = own.some(({ jsDoc }) =>
    jsDoc?.tags?.some(({ kind }) => kind === "example")
  );
  if (runnable && !hasExample) {
    report(faults, first.location, `${name} has no @example`);
  }
  checkParameters(
    faults,
    `${name}()`,
    own.filter(({ kind }) => kind === "function")
      .map(({ location, jsDoc, def }) => ({
        location,
        jsDoc,
        params: def?.params ?? [],
      })),
  );
  for (const declaration of own) {
    if (declaration.kind === "class") checkMembers(faults, name, declaration);
  }
}

async function main(): Promise<number> {
  const faults: Faults = new Set();
  const paths = Object.values(EXPORTS);
  const lint = await denoDoc(paths, "--lint");
  if (!lint.ok) console.error(lint.output);
  const files = [...(await readDocs(paths)).values()];
  for (const { symbols } of files) {
    for (const symbol of symbols) checkSymbol(faults, symbol);
  }
  for (const path of paths) {
    const text = await Deno.readTextFile(new URL(path, ROOT));
    const location = { filename: path.replace("./", ""), line: 1 };
    const [comment] = text.match(/^\/\*\*[^]*?^ \*\/$/m) ?? [""];
    if (!/^ \* @module\b/m.test(comment)) {
      report(faults, location, "has no module comment that ends in @module");
    }
    if (!/^ \* ```ts$/m.test(comment)) {
      report(
        faults,
        location,
        "has no example that runs in its module comment",
      );
    }
  }
  for (const fault of [...faults].sort()) console.error(fault);
  const names = new Set(
    files.flatMap(({ symbols }) => symbols.map(({ name }) => name)),
  );
  console.log(
    `${names.size} public symbols in ${paths.length} entries, ` +
      `${faults.size} problems`,
  );
  return lint.ok && faults.size === 0 ? 0 : 1;
}

if (import.meta.main) {
  Deno.exit(await main());
}
