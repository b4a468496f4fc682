/** The reference: a page for each public name, from its comment. */
import type {
  Callable,
  Declaration,
  DocFile,
  DocNode,
  DocType,
  JsDoc,
  Member,
  Method,
  Param,
  Property,
  Tag,
} from "./_doc_json.ts";
import { codeBlock, escapeProse, oneLine, slugify } from "./_site_markdown.ts";
import type { Page, SidebarItem } from "./_site_page.ts";
import {
  parameterName,
  parameterType,
  propertyText,
  signatureText,
  typeParamsText,
  typeText,
} from "./_type_text.ts";

/** The kinds of names, in the order in which a module lists them. */
const KINDS = {
  function: "Functions",
  class: "Classes",
  interface: "Interfaces",
  typeAlias: "Types",
  variable: "Constants",
} as const;

type Kind = keyof typeof KINDS;

const BADGES: Readonly<Record<Kind, string>> = {
  function: "function",
  class: "class",
  interface: "interface",
  typeAlias: "type",
  variable: "constant",
};

/** From the page of a name to the root of the site, wherever that is served. */
const TO_ROOT = "../../../";

/** An entry of the package with its documentation. */
export interface Entry {
  /** What users import, such as `@asyncio/asyncio/queue`. */
  readonly specifier: string;
  /** Its folder of pages, such as `queue`; of the root "". */
  readonly folder: string;
  readonly docs: DocFile;
}

/** The reference of all entries. */
export interface Reference {
  readonly pages: readonly Page[];
  /** The lists beside the pages, by the path that those pages have. */
  readonly sidebars: Readonly<Record<string, readonly SidebarItem[]>>;
}

/** A name with what its page needs to know. */
interface Symbol {
  readonly name: string;
  readonly kind: Kind;
  readonly entry: Entry;
  readonly declarations: readonly Declaration[];
  /** The path of its page, from the root of the site. */
  readonly path: string;
}

type Symbols = ReadonlyMap<string, Symbol>;

function isKind(kind: string): kind is Kind {
  return kind in KINDS;
}

/** A name such as `[Symbol.dispose]`, which is not the text of a link. */
function escapeName(name: string): string {
  return name.replace(/[[\]]/g, "\\$&");
}

function isInternal(jsDoc: JsDoc | undefined): boolean {
  return jsDoc?.tags?.some(({ kind }) => kind === "internal") ?? false;
}

function symbolOf(entry: Entry, { name, declarations }: DocNode): Symbol {
  const kind = declarations[0]?.kind ?? "";
  if (!isKind(kind)) throw new Error(`${name} is of an unknown kind: ${kind}`);
  // Not every file system tells taskGroup.html from TaskGroup.html.
  const path = `api/${entry.folder}/${BADGES[kind]}/${name}`;
  return { name, kind, entry, declarations, path };
}

/** The head of a class, with how it is made. */
function classText(
  head: string,
  constructors: readonly (Member & Callable)[],
): string {
  const lines = constructors.map((each) => {
    const text = signatureText("constructor", each);
    return `  ${text.replaceAll("\n", "\n  ")};\n`;
  });
  return lines.length === 0 ? head : `${head} {\n${lines.join("")}}`;
}

/** The names of a module, by kind. */
function groups(
  symbols: Symbols,
  entry: Entry,
): (readonly [string, readonly Symbol[]])[] {
  const own = [...symbols.values()].filter((each) => each.entry === entry);
  return Object.entries(KINDS)
    .map(([kind, title]) =>
      [
        title,
        own.filter((each) => each.kind === kind)
          .sort((a, b) => a.name.localeCompare(b.name)),
      ] as const
    )
    .filter(([, each]) => each.length > 0);
}

/** Writes the page of one name. */
class Writer {
  readonly #symbols: Symbols;

  constructor(symbols: Symbols) {
    this.#symbols = symbols;
  }

  /** The address of a name or of its member; `null` if it has no page. */
  #address(name: string, member = ""): string | null {
    const symbol = this.#symbols.get(name);
    if (!symbol) return null;
    const found = symbol.declarations.flatMap(({ def }) => [
      ...def?.properties ?? [],
      ...def?.methods ?? [],
    ]).find((each) => each.name === member && !isInternal(each.jsDoc));
    const title = found &&
      ("kind" in found && found.kind === "method" ? `${member}()` : member);
    return `/${symbol.path}.md${title ? `#${slugify(title)}` : ""}`;
  }

  /** A comment as Markdown, its links resolved. */
  comment(text = ""): string {
    const linked = text.trim().replace(
      /\{@link(code|plain)?\s+([^\s}|]+)\s*\|?\s*([^}]*)\}/g,
      (_all, how: string | undefined, target: string, label: string) => {
        const [name = "", member] = target.split(/[.#]/);
        const shown = label.trim() || target;
        const title = how === "code" ? `\`${shown}\`` : shown;
        if (/^https?:/.test(target)) return `[${title}](${target})`;
        const address = this.#address(name, member);
        return address === null ? title : `[${title}](${address})`;
      },
    );
    return escapeProse(linked);
  }

  /** A type as code in which known names are links. */
  type(type: DocType): string {
    const html = typeText(type).replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;").replaceAll("{", "&#123;").replaceAll(
        "|",
        "&#124;",
      )
      .replaceAll("[", "&#91;").replaceAll("*", "&#42;").replaceAll(
        "_",
        "&#95;",
      )
      .replace(/\b[A-Z]\w+\b/g, (name) => {
        const symbol = this.#symbols.get(name);
        return symbol
          ? `<a href="${TO_ROOT}${symbol.path}.html">${name}</a>`
          : name;
      });
    return `<code>${html}</code>`;
  }

  #parameters(
    params: readonly Param[],
    tags: readonly Tag[],
    heading: string,
  ): string[] {
    if (params.length === 0) return [];
    const documented = tags.filter(({ kind }) => kind === "param");
    return [
      `${heading} Parameters`,
      params.map((param, index) => {
        // A destructured one is documented under a name of the comment's own.
        const name = parameterName(param) ?? documented[index]?.name ?? "";
        const tag = documented.find((each) => each.name === name);
        const type = parameterType(param);
        const isOptional = param.optional || param.kind === "assign";
        return `- \`${name}\`${type ? ` ${this.type(type)}` : ""}` +
          (isOptional ? " *optional*" : "") +
          (tag?.doc ? `<br>${oneLine(this.comment(tag.doc))}` : "");
      }).join("\n"),
    ];
  }

  #typeParameters(tags: readonly Tag[], heading: string): string[] {
    const templates = tags.filter(({ kind }) => kind === "template");
    if (templates.length === 0) return [];
    return [
      `${heading} Type parameters`,
      templates.map(({ name, doc }) =>
        `- \`${name}\`<br>${oneLine(this.comment(doc))}`
      ).join("\n"),
    ];
  }

  #returns(
    { returnType }: Callable,
    tags: readonly Tag[],
    heading: string,
  ): string[] {
    const doc = tags.find(({ kind }) => kind === "return")?.doc;
    const isNothing = returnType === undefined ||
      (returnType.kind === "keyword" && returnType.value === "void");
    if (isNothing && !doc) return [];
    return [
      `${heading} Returns`,
      [returnType ? this.type(returnType) : "", doc ? this.comment(doc) : ""]
        .filter(Boolean).join("<br>"),
    ];
  }

  /** What being cancelled does is told apart from what goes wrong. */
  #errors(tags: readonly Tag[], heading: string): string[] {
    const thrown = tags.filter(({ kind }) => kind === "throws");
    const isCancelled = ({ tsType }: Tag) =>
      tsType?.kind === "typeRef" && tsType.value.typeName === "CancelledError";
    const lines = (chosen: readonly Tag[]) =>
      chosen.map(({ tsType, doc }) =>
        `- ${tsType ? `${this.type(tsType)}<br>` : ""}` +
        oneLine(this.comment(doc))
      ).join("\n");
    const [cancelled, others] = [
      thrown.filter(isCancelled),
      thrown.filter((tag) => !isCancelled(tag)),
    ];
    return [
      ...cancelled.length > 0
        ? [`${heading} Cancellation`, lines(cancelled)]
        : [],
      ...others.length > 0 ? [`${heading} Errors`, lines(others)] : [],
    ];
  }

  #examples(tags: readonly Tag[], heading: string): string[] {
    return tags.filter(({ kind }) => kind === "example").flatMap(({ doc }) => {
      const [title = "", ...code] = (doc ?? "").trim().split("\n");
      return title.startsWith("```")
        ? [`${heading} Example`, [title, ...code].join("\n")]
        : [`${heading} Example: ${this.comment(title)}`, code.join("\n")];
    });
  }

  /** All there is to say of one signature. */
  signature(
    jsDoc: JsDoc | undefined,
    callable: Callable,
    heading: string,
  ): string[] {
    const tags = jsDoc?.tags ?? [];
    return [
      ...this.#typeParameters(tags, heading),
      ...this.#parameters(callable.params ?? [], tags, heading),
      ...this.#returns(callable, tags, heading),
      ...this.#errors(tags, heading),
      ...this.#examples(tags, heading),
    ];
  }

  #property(property: Property): string[] {
    const value = property.jsDoc?.tags?.find(({ kind }) => kind === "default");
    // As a heading of each would be a long list of one word each.
    return [
      `### ${escapeName(property.name)}`,
      codeBlock(propertyText(property)),
      this.comment(property.jsDoc?.doc),
      ...value?.value ? [`By default \`${value.value.trim()}\`.`] : [],
      ...this.#errors(property.jsDoc?.tags ?? [], "####"),
      ...this.#examples(property.jsDoc?.tags ?? [], "####"),
    ];
  }

  #accessor(method: Method): string[] {
    const type = method.functionDef?.returnType;
    return this.#property({
      ...method,
      readonly: true,
      ...type ? { tsType: type } : {},
    });
  }

  /** The overloads of a method. */
  #method(
    name: string,
    overloads: readonly (Member & { readonly callable: Callable })[],
  ): string[] {
    return [
      `### ${escapeName(name)}()`,
      codeBlock(
        overloads.map(({ callable, isStatic, optional }) =>
          (isStatic ? "static " : "") +
          signatureText(name + (optional ? "?" : ""), callable)
        ).join("\n"),
      ),
      ...overloads.flatMap(({ jsDoc, callable }) => [
        this.comment(jsDoc?.doc),
        ...this.signature(jsDoc, callable, "####"),
      ]),
    ];
  }

  #inherited(base: string): string[] {
    const methods = this.#symbols.get(base)?.declarations
      .flatMap(({ def }) => [...def?.properties ?? [], ...def?.methods ?? []])
      .filter(({ jsDoc }) => jsDoc !== undefined && !isInternal(jsDoc)) ?? [];
    const names = [...new Set(methods.map(({ name }) => name))];
    if (names.length === 0) return [];
    return [
      `## Inherited from ${base}`,
      names.map((name) => `[\`${name}\`](${this.#address(base, name)})`)
        .join(", "),
    ];
  }

  /** The members of a class or an interface. */
  #members({ def }: Declaration): string[] {
    if (!def) return [];
    const shown = <M extends Member>(members: readonly M[] = []) =>
      members.filter(({ jsDoc }) => jsDoc !== undefined && !isInternal(jsDoc));
    const all = shown<Method & Callable>(def.methods);
    const accessors = all.filter(({ kind }) => kind === "getter");
    const methods = Map.groupBy(
      all.filter(({ kind }) => kind === "method").map((method) => ({
        ...method,
        callable: method.functionDef ?? method,
      })),
      ({ name }) => name,
    );
    const properties = shown<Property>(def.properties);
    const bases = typeof def.extends === "string"
      ? [def.extends]
      : (def.extends ?? []).map((type) =>
        type.kind === "typeRef" ? type.value.typeName : typeText(type)
      );
    return [
      ...properties.length + accessors.length > 0
        ? [
          "## Properties",
          ...properties.flatMap((each) => this.#property(each)),
          ...accessors.flatMap((each) => this.#accessor(each)),
        ]
        : [],
      ...methods.size > 0 ? ["## Methods"] : [],
      ...[...methods].flatMap(([name, each]) => this.#method(name, each)),
      ...bases.flatMap((base) => this.#inherited(base)),
    ];
  }

  /** A declaration in one block of code. */
  #declaration(name: string, { kind, def = {} }: Declaration): string {
    const bases = typeof def.extends === "string"
      ? def.extends +
        (def.superTypeParams?.length
          ? `<${def.superTypeParams.map(typeText).join(", ")}>`
          : "")
      : (def.extends ?? []).map(typeText).join(", ");
    const heir = bases ? ` extends ${bases}` : "";
    const others = (def.implements ?? []).map(typeText).join(", ");
    const title = name + typeParamsText(def.typeParams);
    switch (kind) {
      case "function":
        return `function ${signatureText(name, def)}`;
      case "class":
        return classText(
          `class ${title}${heir}${others ? ` implements ${others}` : ""}`,
          def.constructors ?? [],
        );
      case "interface":
        return `interface ${title}${heir}`;
      case "typeAlias":
        return `type ${title} = ${
          def.tsType ? typeText(def.tsType) : "unknown"
        }`;
      default:
        return `const ${name}: ${
          def.tsType ? typeText(def.tsType) : "unknown"
        }`;
    }
  }

  /** The page of a name. */
  page({ name, kind, entry, declarations, path }: Symbol): Page {
    const shown = declarations.filter(({ jsDoc }) => !isInternal(jsDoc));
    const what = kind === "typeAlias" || kind === "interface" ? "type " : "";
    const parts = [
      `# ${name}${kind === "function" ? "()" : ""} ` +
      `<Badge type="info" text="${BADGES[kind]}" />`,
      codeBlock(`import { ${what}${name} } from "${entry.specifier}";`),
      ...shown.flatMap((declaration, index) => {
        const { jsDoc, def = {} } = declaration;
        const tags = jsDoc?.tags ?? [];
        const text = this.comment(jsDoc?.doc);
        // The examples of a class come before its many members.
        if (declaration.kind !== "function") {
          return [
            text,
            ...index === 0 || kind !== "function"
              ? [codeBlock(this.#declaration(name, declaration))]
              : [],
            ...this.#examples(tags, "##"),
            ...this.#typeParameters(tags, "##"),
            ...(def.constructors ?? [])
              .filter((each) => each.jsDoc && !isInternal(each.jsDoc))
              .flatMap((each) => [
                "## Constructor",
                this.comment(each.jsDoc?.doc),
                ...this.signature(each.jsDoc, each, "###"),
              ]),
            ...this.#members(declaration),
          ];
        }
        return [
          ...shown.length > 1 ? [`## Signature ${index + 1}`] : [],
          codeBlock(this.#declaration(name, declaration)),
          text,
          ...this.signature(jsDoc, def, shown.length > 1 ? "###" : "##"),
        ];
      }),
    ];
    return { path, text: parts.filter(Boolean).join("\n\n") };
  }

  /** The first sentence of what is said of a name. */
  summary({ declarations }: Symbol): string {
    const doc = declarations.find(({ jsDoc }) => jsDoc?.doc)?.jsDoc?.doc ?? "";
    const [paragraph = ""] = doc.trim().split("\n\n");
    const text = oneLine(paragraph);
    const [sentence] = text.match(/^.*?[^.][.:](?= [A-Z`]|$)/) ?? [text];
    return this.comment(sentence).replaceAll("|", "\\|");
  }

  /** The page that lists the names of a module. */
  module(entry: Entry): Page {
    const { module_doc: comment } = entry.docs;
    const tables = groups(this.#symbols, entry).flatMap(([title, symbols]) => [
      `## ${title}`,
      "| name | what it is |\n| --- | --- |\n" +
      symbols.map((symbol) =>
        `| [\`${symbol.name}\`](/${symbol.path}.md) | ${this.summary(symbol)} |`
      ).join("\n"),
    ]);
    const examples = this.#examples(comment?.tags ?? [], "##");
    return {
      path: entry.folder ? `api/${entry.folder}/index` : "api/index",
      text: [
        `# ${entry.folder || "Reference"}`,
        codeBlock(`import * as asyncio from "${entry.specifier}";`),
        this.comment(comment?.doc),
        ...examples,
        ...tables,
      ].join("\n\n"),
    };
  }
}

/** Links the modules that the comment of the root lists. */
function linkModules(text: string, entries: readonly Entry[]): string {
  return entries.reduce((linked, { specifier, folder }) => {
    const name = `\`${specifier}\``;
    if (folder === "") return linked;
    if (!linked.includes(name)) {
      throw new Error(`The comment of mod.ts does not name ${specifier}`);
    }
    return linked.replace(name, `[${name}](/api/${folder}/index.md)`);
  }, text);
}

/** Makes the pages; the root's names are those of the other entries. */
export function makeReference(entries: readonly Entry[]): Reference {
  const symbols = new Map<string, Symbol>();
  const order = entries.find(({ folder }) => folder === "")
    ?.docs.module_doc?.doc ?? "";
  const modules = entries.filter(({ folder }) => folder !== "")
    .sort((a, b) => order.indexOf(a.specifier) - order.indexOf(b.specifier));
  for (const entry of modules) {
    for (const node of entry.docs.symbols) {
      if (!symbols.has(node.name)) {
        symbols.set(node.name, symbolOf(entry, node));
      }
    }
  }
  const writer = new Writer(symbols);
  const root = entries.filter(({ folder }) => folder === "").map((entry) => {
    for (const { name } of entry.docs.symbols) {
      if (!symbols.has(name)) throw new Error(`${name} is in no module`);
    }
    const { path, text } = writer.module(entry);
    return { path, text: linkModules(text, entries) };
  });
  // Only the module that is looked at shows its names: all of them, on each of
  // hundreds of pages, would be most of the site.
  const list = (open?: Entry): SidebarItem[] => [
    { text: "Reference", link: "/api/" },
    ...modules.map((entry) => ({
      text: entry.folder,
      link: `/api/${entry.folder}/`,
      items: entry !== open ? [] : groups(symbols, entry).map(
        ([text, each]) => ({
          text,
          items: each.map(({ name, path }) => ({
            text: name,
            link: `/${path}`,
          })),
        }),
      ),
    })),
  ];
  return {
    pages: [
      ...root,
      ...modules.map((entry) => writer.module(entry)),
      ...[...symbols.values()].map((symbol) => writer.page(symbol)),
    ],
    sidebars: Object.fromEntries([
      ["/api/", list()],
      ...modules.map((entry) => [`/api/${entry.folder}/`, list(entry)]),
    ]),
  };
}
