/**
 * Checks the documentation of every entry.
 *
 *     deno task doc:lint
 *     deno task doc:html
 *
 * First `deno doc --lint` has its say, then come the rules it does not know.
 * Every public symbol has a description. A class or a function has an example,
 * which `deno task test` runs. Each parameter of a function, or of a method or
 * constructor of a class, has its `@param`, and no `@param` names one that is
 * not there; overloads may share one. What is tagged `@internal` is left out.
 *
 * A module comment shows an example, too.
 *
 * With `--html` the documentation is written to `site/`, as pages.
 * What is tagged `@ignore` is left out of them.
 *
 * @module
 */

import {
  type CommandResult,
  execute,
  EXPORTS,
  NAME,
  ROOT,
  toPath,
} from "./_project.ts";

interface Tag {
  readonly kind: string;
  readonly name?: string;
}

interface JsDoc {
  readonly doc?: string;
  readonly tags?: readonly Tag[];
}

interface Param {
  readonly name?: string;
  /** Of a parameter with a default: the parameter itself. */
  readonly left?: Param;
  /** Of a rest parameter: the parameter itself. */
  readonly arg?: Param;
}

interface Location {
  readonly filename: string;
  readonly line: number;
}

interface Callable {
  readonly params?: readonly Param[];
}

interface Member {
  readonly name: string;
  readonly location: Location;
  readonly jsDoc?: JsDoc;
}

interface Declaration {
  readonly kind: string;
  readonly declarationKind: string;
  readonly location: Location;
  readonly jsDoc?: JsDoc;
  readonly def?: Callable & {
    readonly constructors?: readonly (Member & Callable)[];
    readonly methods?:
      readonly (Member & { kind: string; functionDef: Callable })[];
  };
}

interface DocNode {
  readonly name: string;
  readonly declarations: readonly Declaration[];
}

interface DocFile {
  readonly symbols: readonly DocNode[];
}

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

/** Runs `deno doc` on all entries. */
async function denoDoc(
  paths: readonly string[],
  ...flags: readonly string[]
): Promise<CommandResult> {
  const files = paths.map((path) => toPath(new URL(path, ROOT)));
  return await execute(Deno.execPath(), ["doc", ...flags, ...files]);
}

/** The modules of the package, by the name of their folder of pages. */
const MODULES: readonly (readonly [page: string, specifier: string])[] = Object
  .keys(EXPORTS).filter((key) => key !== ".")
  .map((key) => [key.slice(2), NAME + key.slice(1)]);

async function* htmlBelow(folder: URL): AsyncIterable<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* htmlBelow(new URL(`${name}/`, folder));
    else if (name.endsWith(".html")) yield new URL(name, folder);
  }
}

/**
 * Names the package in what a page says to import, where the tool has only the
 * name of the folder, and on the first page links the modules, which it lists
 * nowhere.
 */
async function nameModules(site: URL): Promise<void> {
  for (const [page, specifier] of MODULES) {
    for await (const url of htmlBelow(new URL(`${page}/`, site))) {
      const html = await Deno.readTextFile(url);
      const from = `from &quot;${page}&quot;;`;
      const named = html.replaceAll(from, `from &quot;${specifier}&quot;;`);
      if (named !== html) await Deno.writeTextFile(url, named);
    }
  }
  const first = new URL("index.html", site);
  let html = await Deno.readTextFile(first);
  for (const [page, specifier] of MODULES) {
    const name = `<code>${specifier}</code>`;
    if (!html.includes(name)) {
      throw new Error(`The comment of mod.ts does not name ${specifier}`);
    }
    html = html.replace(name, `<a href="./${page}/index.html">${name}</a>`);
  }
  await Deno.writeTextFile(first, html);
}

/** Writes the pages. */
async function buildHtml(): Promise<number> {
  const folder = new URL("site/", ROOT);
  const site = toPath(folder);
  const { ok, output } = await denoDoc(
    Object.values(EXPORTS),
    "--html",
    `--name=${NAME}`,
    `--output=${site}`,
  );
  if (ok) await nameModules(folder);
  console.log(output.trim());
  return ok ? 0 : 1;
}

async function main(): Promise<number> {
  const faults: Faults = new Set();
  const paths = Object.values(EXPORTS);
  const lint = await denoDoc(paths, "--lint");
  if (!lint.ok) console.error(lint.output);
  const json = await denoDoc(paths, "--json");
  if (!json.ok) {
    throw new Error(`Cannot read the documentation: ${json.output}`);
  }
  const files: DocFile[] = Object.values(JSON.parse(json.stdout).nodes);
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
  Deno.exit(await (Deno.args.includes("--html") ? buildHtml() : main()));
}
