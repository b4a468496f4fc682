/** What `deno doc --json` says of the entries of the package. */
import { type CommandResult, execute, ROOT, toPath } from "./_project.ts";

/** A tag of a comment, such as `@param`. */
export interface Tag {
  readonly kind: string;
  readonly name?: string;
  readonly doc?: string;
  /** Of `@throws`: the class of the error. */
  readonly tsType?: DocType;
  /** Of `@default`: the value, as written. */
  readonly value?: string;
}

/** A doc comment. */
export interface JsDoc {
  readonly doc?: string;
  readonly tags?: readonly Tag[];
}

/** A parameter as it is declared. */
export interface Param {
  readonly kind?: string;
  readonly name?: string;
  readonly optional?: boolean;
  readonly tsType?: DocType;
  /** Of a parameter with a default: the parameter itself. */
  readonly left?: Param;
  /** Of a parameter with a default: the default. */
  readonly right?: string;
  /** Of a rest parameter: the parameter itself. */
  readonly arg?: Param;
}

/** A type parameter. */
export interface TypeParam {
  readonly name: string;
  readonly constraint?: DocType;
  readonly default?: DocType;
}

/** A place in a file. */
export interface Location {
  readonly filename: string;
  readonly line: number;
}

/** What can be called. */
export interface Callable {
  readonly params?: readonly Param[];
  readonly typeParams?: readonly TypeParam[];
  readonly returnType?: DocType;
}

/** What a class or an interface has. */
export interface Member {
  readonly name: string;
  readonly location: Location;
  readonly jsDoc?: JsDoc;
  readonly optional?: boolean;
  readonly isStatic?: boolean;
}

/** A property of a class, an interface or a type. */
export interface Property extends Member {
  readonly readonly?: boolean;
  readonly tsType?: DocType;
}

/** A method of a class, a getter or a setter. */
export interface Method extends Member {
  readonly kind: "method" | "getter" | "setter";
  /** Missing in an interface, whose methods are callable themselves. */
  readonly functionDef?: Callable;
}

/** What a declaration declares; which parts it has depends on its kind. */
export interface Definition extends Callable {
  readonly tsType?: DocType;
  readonly constructors?: readonly (Member & Callable)[];
  readonly properties?: readonly Property[];
  /** Of a class; those of an interface are {@linkcode Callable} themselves. */
  readonly methods?: readonly (Method & Callable)[];
  /** Of a class its base, of an interface its bases. */
  readonly extends?: string | readonly DocType[];
  readonly superTypeParams?: readonly DocType[];
  readonly implements?: readonly DocType[];
}

/** One declaration of a name. */
export interface Declaration {
  readonly kind: string;
  readonly declarationKind: string;
  readonly location: Location;
  readonly jsDoc?: JsDoc;
  readonly def?: Definition;
}

/** A name, of which overloads and merged types are declarations. */
export interface DocNode {
  readonly name: string;
  readonly declarations: readonly Declaration[];
}

/** What one entry exports. */
export interface DocFile {
  readonly "module_doc"?: JsDoc;
  readonly symbols: readonly DocNode[];
}

/** What a type is made of, by its kind. */
interface TypeValues {
  array: DocType;
  conditional: {
    readonly checkType: DocType;
    readonly extendsType: DocType;
    readonly trueType: DocType;
    readonly falseType: DocType;
  };
  fnOrConstructor: {
    readonly constructor: boolean;
    readonly params: readonly Param[];
    readonly typeParams?: readonly TypeParam[];
    readonly tsType: DocType;
  };
  indexedAccess: { readonly objType: DocType; readonly indexType: DocType };
  infer: { readonly typeParam: TypeParam };
  intersection: readonly DocType[];
  keyword: string;
  literal: {
    readonly kind: string;
    readonly string?: string;
    readonly number?: number;
    readonly boolean?: boolean;
    readonly tsTypes?: readonly DocType[];
  };
  mapped: {
    readonly readonly?: boolean | "+" | "-";
    readonly optional?: boolean | "+" | "-";
    readonly typeParam: TypeParam;
    readonly nameType?: DocType;
    readonly tsType?: DocType;
  };
  parenthesized: DocType;
  rest: DocType;
  this: undefined;
  tuple: readonly DocType[];
  typeLiteral: {
    readonly properties?: readonly Property[];
    readonly methods?: readonly (Member & Callable)[];
  };
  typeOperator: { readonly operator: string; readonly tsType: DocType };
  typePredicate: {
    readonly asserts?: boolean;
    readonly param: { readonly type: string; readonly name?: string };
    readonly type?: DocType;
  };
  typeQuery: string;
  typeRef: {
    readonly typeName: string;
    readonly typeParams?: readonly DocType[];
  };
  union: readonly DocType[];
}

/** A type. */
export type DocType = {
  readonly [K in keyof TypeValues]: {
    readonly kind: K;
    readonly repr?: string;
    readonly value: TypeValues[K];
  };
}[keyof TypeValues];

/** Runs `deno doc` on files of the project. */
export async function denoDoc(
  paths: readonly string[],
  ...flags: readonly string[]
): Promise<CommandResult> {
  const files = paths.map((path) => toPath(new URL(path, ROOT)));
  return await execute(Deno.execPath(), ["doc", ...flags, ...files]);
}

/** Reads the documentation of files, by their path. */
export async function readDocs(
  paths: readonly string[],
): Promise<Map<string, DocFile>> {
  const { ok, stdout, output } = await denoDoc(paths, "--json");
  if (!ok) throw new Error(`Cannot read the documentation: ${output}`);
  const { nodes }: { nodes: Record<string, DocFile> } = JSON.parse(stdout);
  return new Map(
    paths.map((path) => {
      const file = nodes[new URL(path, ROOT).href];
      if (!file) throw new Error(`There is no documentation of ${path}`);
      return [path, file];
    }),
  );
}
