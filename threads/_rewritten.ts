/**
 * What build tools make of a function's source before it gets here: names that
 * stand for imports, and helpers of theirs that are outside of the function.
 */

/** How Vite and compilers to CommonJS name what they made of an import. */
const VITE = String.raw`__(?:vite_ssr|vi)_import_\d+__`;
const COMMON_JS = String.raw`[A-Za-z_$][\w$]*`;
const NAMESPACE_REGEXP = new RegExp(
  // A call of what was imported has its own form, which nobody writes by hand.
  String.raw`(?<![\w$.])(${VITE})\s*\.|\(0,\s*(${COMMON_JS})\.`,
  "g",
);
/** esbuild and its kin keep the names of functions by this. */
const NAME_REGEXP = /(?<![\w$.])__name\d*(?=\()/g;

/** What stands for `import.meta`. */
export const META_REGEXP: RegExp =
  /(?<![\w$.])(__vite_ssr_import_meta__|import_meta\d*)(?![\w$])/;

const REQUIRED = String
  .raw`\(?(?:0, )?(?:\w+\.)?__(?:importStar|toESM)\)?\(require\(("[^"]*"|'[^']*')\)(?:, \d)?\)`;
const DYNAMIC_REGEXP = new RegExp(
  String
    .raw`Promise\.resolve\(\)\.then\(\(\) => ${REQUIRED}\)|__vite_ssr_dynamic_import__(?=\()`,
  "g",
);

/** Gives dynamic imports the form back in which they were written. */
export function restore(source: string): string {
  if (!source.includes("import") && !source.includes("__toESM")) return source;
  return source.replace(
    DYNAMIC_REGEXP,
    (_, specifier?: string) =>
      specifier === undefined ? "import" : `import(${specifier})`,
  );
}

/**
 * What a function needs that a build tool has put outside of it, by name.
 *
 * @param provided What is provided by name, also under a name that a bundler has
 * made of it: `transfer2`, `transfer$1`.
 */
export function missing(
  source: string,
  provided: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const [name] of source.matchAll(NAME_REGEXP)) found[name] = keepName;
  for (const [, vite, other] of source.matchAll(NAMESPACE_REGEXP)) {
    const name = vite ?? other as string;
    if (!(name in globalThis)) found[name] = namespace(provided);
  }
  for (const [name, value] of Object.entries(provided)) {
    const copies = new RegExp(
      `(?<![\\w$.])${name}(?:\\d+|\\$\\d+)(?![\\w$])`,
      "g",
    );
    for (const [copy] of source.matchAll(copies)) found[copy] = value;
  }
  return found;
}

function keepName(target: object, value: string): object {
  return Object.defineProperty(target, "name", { value, configurable: true });
}

/** What was imported: this library's functions are there, and nothing else. */
function namespace(provided: Readonly<Record<string, unknown>>): object {
  return new Proxy(Object.create(null), {
    get(_, name) {
      if (Object.hasOwn(provided, name)) return provided[name as string];
      throw new ReferenceError(`${String(name)} is not defined`);
    },
  });
}

const PROPERTY_REGEXP = /^(?:exports|[\w$]+_\d+|_[\w$]+)$/;

/** What the user wrote, if a tool has made `name` of it. */
export function asWritten(source: string, name: string): string {
  if (!PROPERTY_REGEXP.test(name)) return name;
  const escaped = name.replaceAll("$", "\\$");
  const [, property] = new RegExp(
    String.raw`(?<![\w$.])${escaped}\.([\w$]+)`,
  ).exec(source) ?? [];
  return property ?? name;
}
