/**
 * The rules of this project that no general linter knows.
 *
 * They hold in library code only: the root files and the folders named in
 * {@linkcode LAYERS}. Tests, examples, scripts and benchmarks are programs, and
 * may do what programs do.
 *
 * - `layers`: an import points to the left of its own place in the order.
 * - `relative-imports`: library code imports its own files, with extension, and
 *   what a user may have, {@linkcode PEERS}, when it is needed.
 * - `private-files`: `_file.ts` is imported inside its own folder only.
 * - `platform-only`: `Deno`, `process`, `node:`, host timers and the URLs of
 *   source files (a worker's entry) belong in `platform/`.
 * - `node-20`: no syntax and no built-in that Node 20 lacks.
 * - `no-import-effects`, `no-top-level-await`, `no-console`: importing has no
 *   effect that anyone relies on, as a bundle leaves out what nobody names.
 * - `error-message`: one form for the text of errors.
 *
 * @module
 */

/** The places of library code, left to right; one row holds equals. */
export const LAYERS: readonly (readonly string[])[] = [
  ["errors.ts"],
  ["_internal"],
  ["platform"],
  ["loop"],
  ["tasks"],
  ["sync", "queue"],
  ["threads", "streams"],
  ["subprocess", "workers", "durable"],
  ["jetstream"],
  ["debug", "testing"],
  ["mod.ts"],
  ["cli"],
];

/** Packages that library code loads by `import()`, and the place that does. */
const PEERS: Readonly<Record<string, string>> = {
  "@nats-io/jetstream": "jetstream",
};

const ROOT = decodeURIComponent(new URL("../", import.meta.url).pathname);

/** What only `platform/` may name, and what to use in its place. */
const HOST_GLOBALS = new Set([
  "Buffer",
  "Deno",
  "clearImmediate",
  "clearInterval",
  "clearTimeout",
  "process",
  "require",
  "setImmediate",
  "setInterval",
  "setTimeout",
]);

/** Built-ins that Node 20 does not have, as `object.property` or a name. */
const TOO_NEW = new Set([
  "Array.fromAsync",
  "AsyncDisposableStack",
  "DisposableStack",
  "Promise.try",
  "Promise.withResolvers",
  "SuppressedError",
  "navigator",
]);

const CONTRACTION_REGEXP = /\b\w+(?:n't|'re|'ve|'ll)\b/;

/** A file's path from the root of the project, with forward slashes. */
function projectPath(filename: string): string {
  let path = filename.replaceAll("\\", "/");
  if (path.startsWith("file://")) {
    path = decodeURIComponent(new URL(path).pathname);
  }
  return path.startsWith(ROOT) ? path.slice(ROOT.length) : path;
}

/** The place in {@linkcode LAYERS}: a folder, or the name of a root file. */
function placeOf(path: string): string {
  return path.split("/")[0] ?? path;
}

function rankOf(place: string): number {
  return LAYERS.findIndex((row) => row.includes(place));
}

function isLibrary(path: string): boolean {
  return rankOf(placeOf(path)) >= 0;
}

/** Whether it may use what hosts have: `cli/` is a program of Node and Deno. */
function isPlatform(path: string): boolean {
  return ["cli", "platform"].includes(placeOf(path));
}

/** Where a relative import of a file leads, from the root of the project. */
function resolve(from: string, specifier: string): string {
  return new URL(specifier, `file:///${from}`).pathname.slice(1);
}

interface Import {
  readonly node: Deno.lint.Node;
  readonly specifier: string;
}

/** Calls back for each import, re-export and dynamic import of a literal. */
function onImport(visit: (found: Import) => void): Deno.lint.LintVisitor {
  const take = (node: { source: Deno.lint.Expression | null }) => {
    const { source } = node;
    if (source?.type !== "Literal" || typeof source.value !== "string") return;
    visit({ node: source, specifier: source.value });
  };
  return {
    ImportDeclaration: take,
    ExportNamedDeclaration: take,
    ExportAllDeclaration: take,
    ImportExpression: take,
  };
}

const layers: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    const place = placeOf(path);
    const rank = rankOf(place);
    if (rank < 0) return {};
    return onImport(({ node, specifier }) => {
      if (!specifier.startsWith(".")) return;
      const target = placeOf(resolve(path, specifier));
      if (target === place) return;
      const targetRank = rankOf(target);
      if (targetRank >= 0 && targetRank < rank) return;
      context.report({
        node,
        message: `${place} must not import ${target}`,
        hint: `The order is ${
          LAYERS.map((row) => row.join(", ")).join(" < ")
        }: import from the left, or move the code.`,
      });
    });
  },
};

const relativeImports: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    if (!isLibrary(path)) return {};
    return onImport(({ node, specifier }) => {
      if (/^\.\.?\/.*\.ts$/.test(specifier)) return;
      // `platform-only` speaks of these.
      if (specifier.startsWith("node:")) return;
      if (
        PEERS[specifier] === placeOf(path) &&
        (node as { parent?: Deno.lint.Node }).parent?.type ===
          "ImportExpression"
      ) return;
      context.report({
        node,
        message: `Library code must not import "${specifier}"`,
        hint: "Import a file of this project by its relative path and .ts.",
      });
    });
  },
};

const privateFiles: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    const place = placeOf(path);
    // Both look behind the public face on purpose.
    if (place === "tests" || place === "bench") return {};
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    return onImport(({ node, specifier }) => {
      if (!specifier.startsWith(".")) return;
      const target = resolve(path, specifier);
      const name = target.slice(target.lastIndexOf("/") + 1);
      if (!name.startsWith("_")) return;
      if (target.slice(0, -name.length) === folder) return;
      context.report({
        node,
        message: `${target} is private to its folder`,
        hint: "Import what the folder's mod.ts exports.",
      });
    });
  },
};

/** Whether an identifier stands for a value here, and is not just a name. */
function isReference(node: Deno.lint.Identifier): boolean {
  const parent = node.parent as Deno.lint.Node & {
    computed?: boolean;
    key?: unknown;
    property?: unknown;
    right?: unknown;
    shorthand?: boolean;
  };
  switch (parent.type) {
    case "MemberExpression":
      return parent.property !== node || parent.computed === true;
    case "Property":
      return parent.key !== node || parent.computed === true ||
        parent.shorthand === true;
    case "MethodDefinition":
    case "PropertyDefinition":
    case "TSPropertySignature":
    case "TSMethodSignature":
    case "TSAbstractMethodDefinition":
    case "TSAbstractPropertyDefinition":
      return parent.key !== node || parent.computed === true;
    case "TSQualifiedName":
      return parent.right !== node;
    case "ExportSpecifier":
    case "ImportSpecifier":
    case "LabeledStatement":
      return false;
    default:
      return true;
  }
}

/** The names that a binding pattern introduces. */
function boundNames(pattern: Deno.lint.Node | null | undefined): string[] {
  switch (pattern?.type) {
    case "Identifier":
      return [pattern.name];
    case "ObjectPattern":
      return pattern.properties.flatMap((property) =>
        boundNames(property.type === "Property" ? property.value : property)
      );
    case "ArrayPattern":
      return pattern.elements.flatMap((element) => boundNames(element));
    case "AssignmentPattern":
      return boundNames(pattern.left);
    case "RestElement":
      return boundNames(pattern.argument);
    default:
      return [];
  }
}

/**
 * Finds globals by name: references to names that the file binds nowhere. The
 * linter gives plugins no scopes; a file that binds `process` itself (a
 * parameter, say) is believed everywhere, which errs on the quiet side.
 */
function onGlobal(
  names: ReadonlySet<string>,
  report: (node: Deno.lint.Node, name: string) => void,
): Deno.lint.LintVisitor {
  const bound = new Set<string>();
  const found: { node: Deno.lint.Node; name: string }[] = [];
  const bind = (pattern: Deno.lint.Node | null | undefined) => {
    for (const name of boundNames(pattern)) bound.add(name);
  };
  const bindFunction = (node: { params: readonly unknown[] }) => {
    for (const parameter of node.params) bind(parameter as Deno.lint.Node);
  };
  return {
    VariableDeclarator: (node) => bind(node.id),
    FunctionDeclaration(node) {
      bind(node.id);
      bindFunction(node);
    },
    FunctionExpression: bindFunction,
    ArrowFunctionExpression: bindFunction,
    TSDeclareFunction: bindFunction,
    TSEmptyBodyFunctionExpression: bindFunction,
    TSFunctionType: bindFunction,
    TSCallSignatureDeclaration: bindFunction,
    TSConstructSignatureDeclaration: bindFunction,
    TSConstructorType: bindFunction,
    TSMethodSignature: bindFunction,
    ClassDeclaration: (node) => bind(node.id),
    CatchClause: (node) => bind(node.param),
    ImportSpecifier: (node) => bind(node.local),
    ImportDefaultSpecifier: (node) => bind(node.local),
    ImportNamespaceSpecifier: (node) => bind(node.local),
    Identifier(node) {
      if (names.has(node.name) && isReference(node)) {
        found.push({ node, name: node.name });
      }
    },
    MemberExpression(node) {
      const { object, property } = node;
      if (object.type !== "Identifier") return;
      if (property.type !== "Identifier" || node.computed) return;
      const name = object.name === "globalThis"
        ? property.name
        : `${object.name}.${property.name}`;
      if (names.has(name)) found.push({ node, name });
    },
    "Program:exit"() {
      for (const { node, name } of found) {
        if (!bound.has(name)) report(node, name);
      }
    },
  };
}

const platformOnly: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    if (!isLibrary(path) || isPlatform(path)) return {};
    const report = (node: Deno.lint.Node, name: string) => {
      context.report({
        node,
        message: `Only platform/ may use ${name}`,
        hint: "Import the capability from platform/.",
      });
    };
    return {
      ...onImport(({ node, specifier }) => {
        if (specifier.startsWith("node:")) report(node, specifier);
      }),
      ...onGlobal(HOST_GLOBALS, report),
      NewExpression(node) {
        const [path] = node.arguments;
        if (nameOf(node.callee) !== "URL" || path?.type !== "Literal") return;
        // No build rewrites such a string to the .js that it ships.
        if (/\.ts$/.test(String(path.value))) {
          report(node, "the URL of a source file");
        }
      },
    };
  },
};

const node20: Deno.lint.Rule = {
  create(context) {
    if (!isLibrary(projectPath(context.filename))) return {};
    return {
      ...onGlobal(TOO_NEW, (node, name) => {
        context.report({
          node,
          message: `Node 20 has no ${name}`,
          hint: "Write it out, or use what _internal/ has for it.",
        });
      }),
      VariableDeclaration(node) {
        if (node.kind !== "using" && node.kind !== "await using") return;
        context.report({
          node,
          message: `Node 20 has no ${node.kind}`,
          hint: "Use try and finally; only one of the npm builds lowers this.",
        });
      },
    };
  },
};

const noTopLevelAwait: Deno.lint.Rule = {
  create(context) {
    if (!isLibrary(projectPath(context.filename))) return {};
    const report = (node: Deno.lint.Node) => {
      const inside = context.sourceCode.getAncestors(node).some((ancestor) =>
        /Function/.test(ancestor.type) || ancestor.type === "StaticBlock"
      );
      if (inside) return;
      context.report({
        node,
        message: "Library code must not await at the top level",
        hint: "The require() of Node loads no module that does.",
      });
    };
    return {
      AwaitExpression: report,
      ForOfStatement(node) {
        if (node.await) report(node);
      },
    };
  },
};

/** Programs, which do something when they are started. */
const PROGRAMS = new Set([
  "cli/bin.ts",
  "cli/mod.ts",
  "threads/_worker_main.ts",
]);

const noImportEffects: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    if (!isLibrary(path) || PROGRAMS.has(path)) return {};
    const report = (node: Deno.lint.Node) =>
      context.report({
        node,
        message: "Importing library code must do nothing but define",
        hint: "Import by name what is needed, and call it when it is needed.",
      });
    return {
      "Program > ExpressionStatement": report,
      "Program > IfStatement": report,
      ImportDeclaration(node) {
        if (node.specifiers.length === 0) report(node);
      },
    };
  },
};

const noConsole: Deno.lint.Rule = {
  create(context) {
    const path = projectPath(context.filename);
    if (!isLibrary(path) || isPlatform(path)) return {};
    return onGlobal(new Set(["console"]), (node) => {
      context.report({
        node,
        message: "Library code must not print",
        hint: "Report through the loop's exception handler or return a text.",
      });
    });
  },
};

interface Message {
  /** What the text starts with; empty if that is only known at run time. */
  readonly start: string;
  /** What it ends with, likewise. */
  readonly end: string;
  /** All its fixed parts. */
  readonly text: string;
}

/** The fixed parts of a string literal, a template or a sum of these. */
function messageOf(node: Deno.lint.Node | undefined): Message | undefined {
  switch (node?.type) {
    case "Literal":
      return typeof node.value === "string"
        ? { start: node.value, end: node.value, text: node.value }
        : undefined;
    case "TemplateLiteral": {
      const parts = node.quasis.map((quasi) => quasi.cooked);
      return {
        start: parts[0] ?? "",
        end: parts.at(-1) ?? "",
        // A character no message has, so that no word spans a hole.
        text: parts.join("\0"),
      };
    }
    case "BinaryExpression": {
      if (node.operator !== "+") return undefined;
      const left = messageOf(node.left);
      const right = messageOf(node.right);
      if (!left && !right) return undefined;
      return {
        start: left?.start ?? "",
        end: right?.end ?? "",
        text: `${left?.text ?? "\0"}${right?.text ?? "\0"}`,
      };
    }
    default:
      return undefined;
  }
}

/** What is wrong with the text of an error, if anything. */
function fault(message: Message, errorName: string): string | undefined {
  if (/^\p{Ll}/u.test(message.start)) return "starts with a small letter";
  if (/\.\s*$/.test(message.end)) return "ends with a period";
  if (CONTRACTION_REGEXP.test(message.text)) return "has a contraction";
  const argument = errorName === "TypeError" || errorName === "RangeError";
  if (!argument || !/\bmust\b/.test(message.text)) return undefined;
  if (!message.start.startsWith("Cannot ")) return 'does not say "Cannot …"';
  if (!/: received\b/.test(message.text)) return 'does not say ": received …"';
  return undefined;
}

function nameOf(node: Deno.lint.Node | null): string {
  if (node?.type === "Identifier") return node.name;
  if (node?.type === "MemberExpression") return nameOf(node.property);
  return "";
}

const errorMessage: Deno.lint.Rule = {
  create(context) {
    if (!isLibrary(projectPath(context.filename))) return {};
    const examine = (node: Deno.lint.Node | undefined, errorName: string) => {
      const message = messageOf(node);
      if (!node || !message) return;
      const wrong = fault(message, errorName);
      if (wrong === undefined) return;
      context.report({
        node,
        message: `The text of this error ${wrong}`,
        hint:
          "Write: Cannot <act> as '<name>' must be <what>: received <value>",
      });
    };
    return {
      NewExpression(node) {
        const name = nameOf(node.callee);
        const thrown = node.parent.type === "ThrowStatement";
        // The web's own messages have the web's form.
        if (name === "DOMException") return;
        if (thrown || /(?:Error|ExceptionGroup)$/.test(name)) {
          examine(node.arguments[0], name);
        }
      },
      CallExpression(node) {
        if (node.callee.type !== "Super") return;
        const owner = context.sourceCode.getAncestors(node).findLast((
          ancestor,
        ) =>
          ancestor.type === "ClassDeclaration" ||
          ancestor.type === "ClassExpression"
        );
        const parent = nameOf(owner?.superClass ?? null);
        if (/(?:Error|ExceptionGroup)$/.test(parent)) {
          examine(node.arguments[0], parent);
        }
      },
    };
  },
};

const plugin: Deno.lint.Plugin = {
  name: "asyncio",
  rules: {
    "error-message": errorMessage,
    "layers": layers,
    "no-console": noConsole,
    "no-import-effects": noImportEffects,
    "no-top-level-await": noTopLevelAwait,
    "node-20": node20,
    "platform-only": platformOnly,
    "private-files": privateFiles,
    "relative-imports": relativeImports,
  },
};

export default plugin;
