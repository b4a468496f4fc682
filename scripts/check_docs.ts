/**
 * Checks the documentation of every entry.
 *
 *     deno task doc:lint
 *
 * First `deno doc --lint` has its say, then come the rules it does not know.
 * Every public symbol has a description. A class or a function has an example
 * that `deno task test` runs. What is asynchronous says what cancelling it does,
 * and a number of milliseconds says that it is one. Each parameter of a function, or of a method or
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
  type DocType,
  type JsDoc,
  type Location,
  type Member,
  readDocs,
} from "./_doc_json.ts";
import { EXPORTS, ROOT } from "./_project.ts";
import { parameterName, parameterType, typeText } from "./_type_text.ts";

/** A line for each thing that is missing or wrong. */
export type Faults = Set<string>;

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

/** All that a comment says. */
function textOf(jsDoc: JsDoc | undefined): string {
  const tags = jsDoc?.tags?.filter(({ kind }) => kind !== "example") ?? [];
  return [
    jsDoc?.doc,
    ...tags.flatMap(({ doc, tsType }) => [tsType && typeText(tsType), doc]),
  ].join(" ");
}

/** What is waited for. */
const ASYNC_TYPES = new Set([
  "AsyncGenerator",
  "AsyncIterable",
  "AsyncIterableIterator",
  "AsyncIterator",
  "Promise",
  "PromiseLike",
]);

/** Checks that what is asynchronous says what a cancellation does. */
function checkCancelling(
  faults: Faults,
  symbol: string,
  overloads: readonly Signature[],
): void {
  const [first] = overloads;
  const isAsync = overloads.some(({ returnType }) =>
    returnType?.kind === "typeRef" && ASYNC_TYPES.has(returnType.value.typeName)
  );
  if (!first || !isAsync) return;
  if (overloads.some(({ jsDoc }) => /cancel/i.test(textOf(jsDoc)))) return;
  report(faults, first.location, `${symbol} does not tell of cancelling`);
}

/** Names of what is measured in milliseconds. */
const TIME_NAME =
  /(?:^|[a-z])(?:Ms|Delay|Timeout|Interval|Deadline)$|^(?:ms|delay|timeout|interval|deadline|when)$/;

function isNumber(type: DocType | undefined): boolean {
  if (type?.kind === "union") return type.value.some(isNumber);
  return type?.kind === "keyword" && type.value === "number";
}

/** Checks that a time says what it is measured in. */
function checkUnit(
  faults: Faults,
  place: Location,
  name: string,
  text: string,
): void {
  if (TIME_NAME.test(name) && !/milliseconds|loop\.time\(\)/.test(text)) {
    report(faults, place, `${name} does not say that it is in milliseconds`);
  }
}

/** The same for parameters. */
function checkUnits(
  faults: Faults,
  symbol: string,
  overloads: readonly Signature[],
): void {
  for (const { jsDoc, params = [], location } of overloads) {
    if (jsDoc === undefined) continue;
    for (const param of params) {
      const name = parameterName(param);
      if (name === undefined || !isNumber(parameterType(param))) continue;
      checkUnit(faults, location, name, `${symbol} ${textOf(jsDoc)}`);
    }
  }
}

/** Checks the members of a class or an interface. */
function checkMembers(
  faults: Faults,
  symbol: string,
  { kind, def }: Declaration,
): void {
  const signature = (
    member: Member,
    { params = [], returnType }: Callable,
  ): Signature => ({
    location: member.location,
    jsDoc: member.jsDoc,
    params,
    ...returnType ? { returnType } : {},
  });
  for (const { name, location, jsDoc, tsType } of def?.properties ?? []) {
    if (isNumber(tsType)) checkUnit(faults, location, name, textOf(jsDoc));
  }
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
    // A method of an interface has its signature itself.
    const callable = member.functionDef ?? member;
    add(`${symbol}.${member.name}()`, signature(member, callable));
  }
  for (const [name, overloads] of groups) {
    if (kind === "class") checkParameters(faults, name, overloads);
    checkCancelling(faults, name, overloads);
    checkUnits(faults, name, overloads);
  }
}

/** Checks a symbol, of which overloads and merged types are declarations. */
export function checkSymbol(
  faults: Faults,
  { name, declarations }: DocNode,
): void {
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
    jsDoc?.tags?.some(({ kind, doc = "" }) =>
      kind === "example" && /^```ts$/m.test(doc)
    )
  );
  if (runnable && !hasExample) {
    report(faults, first.location, `${name} has no @example that runs`);
  }
  const overloads = own.filter(({ kind }) => kind === "function")
    .map(({ location, jsDoc, def }) => ({
      location,
      jsDoc,
      params: def?.params ?? [],
      ...def?.returnType ? { returnType: def.returnType } : {},
    }));
  checkParameters(faults, `${name}()`, overloads);
  checkCancelling(faults, `${name}()`, overloads);
  checkUnits(faults, `${name}()`, overloads);
  for (const declaration of own) {
    checkMembers(faults, name, declaration);
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
