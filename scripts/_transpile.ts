import ts from "typescript";

/** The kind of module of the npm package, and that of a worker's script. */
export type Format = "esm" | "cjs";

/** A TypeScript file to turn into JavaScript. */
export interface Source {
  /** Its path, for messages and for source maps. */
  readonly path: string;
  /** Its text. */
  readonly text: string;
}

/** What came of a file. */
export interface Output {
  /** JavaScript or declarations. */
  readonly code: string;
  /** The source map as JSON, without its `sources`. */
  readonly map: Record<string, unknown>;
}

/** Gives an import's specifier its form in the output. */
export type Rewrite = (specifier: string) => string;

/** The specifier of a built file: `./a.ts` becomes `./a.js`. */
export function toJavaScript(specifier: string): string {
  return specifier.startsWith(".")
    ? specifier.replace(/\.ts$/, ".js")
    : specifier;
}

/** Rewrites the specifiers of imports, re-exports and `import("…")`. */
function rewriteSpecifiers(rewrite: Rewrite) {
  return <T extends ts.SourceFile | ts.Bundle>(
    context: ts.TransformationContext,
  ): (file: T) => T => {
    const { factory } = context;
    const literal = (node: ts.Node): ts.Node =>
      ts.isStringLiteral(node)
        ? factory.createStringLiteral(rewrite(node.text))
        : node;
    const visit = (node: ts.Node): ts.Node => {
      if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
        const specifier = node.moduleSpecifier;
        return ts.visitEachChild(
          node,
          (child) => child === specifier ? literal(child) : visit(child),
          context,
        );
      }
      if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
        return factory.updateImportTypeNode(
          node,
          factory.createLiteralTypeNode(
            literal(node.argument.literal) as ts.StringLiteral,
          ),
          node.attributes,
          node.qualifier,
          ts.visitNodes(node.typeArguments, visit, ts.isTypeNode),
          node.isTypeOf,
        );
      }
      if (
        ts.isCallExpression(node) &&
        node.expression.kind === ts.SyntaxKind.ImportKeyword
      ) {
        return factory.updateCallExpression(
          node,
          node.expression,
          undefined,
          node.arguments.map((argument) =>
            (ts.isStringLiteral(argument)
              ? literal(argument)
              : ts.visitNode(argument, visit)) as ts.Expression
          ),
        );
      }
      return ts.visitEachChild(node, visit, context);
    };
    return (file) => ts.visitNode(file, visit) as T;
  };
}

function parse(path: string, result: ts.TranspileOutput): Output {
  const [fault] = result.diagnostics ?? [];
  if (fault) {
    const text = ts.flattenDiagnosticMessageText(fault.messageText, "\n");
    throw new Error(`Cannot build ${path}: ${text}`);
  }
  return {
    // The caller names the map, as it names the file.
    code: result.outputText.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n"),
    map: JSON.parse(result.sourceMapText ?? "{}"),
  };
}

/**
 * Turns a file into JavaScript for Node 20.
 *
 * Types are not checked: `deno check` does that, with Deno's own types, which
 * the compiler from npm does not know. Dynamic imports stay what they are, in
 * CommonJS too, as a worker loads what users name by URL.
 */
export function toCode(
  source: Source,
  format: Format,
  rewrite: Rewrite = toJavaScript,
): Output {
  const output = parse(
    source.path,
    ts.transpileModule(source.text, {
      // The compiler decides by the extension which kind of module it writes.
      fileName: source.path.replace(/ts$/, format === "cjs" ? "cts" : "mts"),
      reportDiagnostics: true,
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.Node20,
        isolatedModules: true,
        // They are in the declarations, and the maps lead to the sources.
        removeComments: true,
        sourceMap: true,
      },
      transformers: { before: [rewriteSpecifiers(rewrite)] },
    }),
  );
  return { ...output, code: markPure(source.text, output.code) };
}

/**
 * Marks the calls that are pure in a source for bundlers. The compiler has thrown
 * the marks away with the other comments.
 */
function markPure(source: string, code: string): string {
  const marked = source.matchAll(/= \/\* @__PURE__ \*\/ (\w+)\(/g);
  for (const name of new Set([...marked].map(([, name = ""]) => name))) {
    code = code.replaceAll(`= ${name}(`, `= /* @__PURE__ */ ${name}(`);
  }
  return code;
}

/**
 * Turns the files of a library into their declarations.
 *
 * All at once and with the compiler's own library, unlike {@linkcode toCode}:
 * it must know `Symbol.dispose` to write a method of that name. Types are not
 * checked here either, and need not be inferred, as every export states its
 * own.
 *
 * @param root The folder that the files are in.
 * @param paths The files, from there.
 * @returns The declarations of each file.
 */
export function toDeclarations(
  root: string,
  paths: readonly string[],
): Map<string, Output> {
  const outputs = new Map<string, Output>();
  const program = ts.createProgram(paths.map((path) => root + path), {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.esnext.full.d.ts"],
    types: [],
    noCheck: true,
    isolatedDeclarations: true,
    allowImportingTsExtensions: true,
    declaration: true,
    declarationMap: true,
    emitDeclarationOnly: true,
    rootDir: root,
    outDir: root,
  });
  for (const path of paths) {
    const file = program.getSourceFile(root + path);
    const output: ts.TranspileOutput = { outputText: "" };
    const { diagnostics } = program.emit(
      file,
      (name, text) => {
        if (name.endsWith(".map")) output.sourceMapText = text;
        else output.outputText = text;
      },
      undefined,
      true,
      { afterDeclarations: [rewriteSpecifiers(toJavaScript)] },
    );
    outputs.set(
      path,
      parse(path, { ...output, diagnostics: [...diagnostics] }),
    );
  }
  return outputs;
}
