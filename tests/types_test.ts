// node: skip the compiler looks at the sources, which are the same everywhere
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

async function deno(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  assert(success, `deno ${args.join(" ")}\n${text.decode(stderr)}`);
  return text.decode(stdout);
}

interface TsType {
  readonly kind: string;
  readonly repr?: string;
  readonly value?: unknown;
}

interface Param {
  readonly name?: string;
  readonly optional?: boolean;
  readonly tsType?: TsType;
  /** Of a parameter with a default: the parameter itself. */
  readonly left?: Param;
}

interface Callable {
  readonly params: readonly Param[];
}

interface Symbol {
  readonly name: string;
  readonly declarations: readonly {
    readonly kind: string;
    readonly def?: Partial<Callable> & {
      readonly properties?: readonly {
        readonly name: string;
        readonly optional?: boolean;
        readonly tsType?: TsType;
      }[];
      readonly constructors?: readonly Callable[];
      readonly methods?: readonly {
        readonly name: string;
        /** Not that of an interface. */
        readonly functionDef?: Callable;
      }[];
    };
  }[];
}

/** All that is public, as `deno doc` knows it. */
async function publicSymbols(): Promise<readonly Symbol[]> {
  const { nodes } = JSON.parse(await deno("doc", "--json", "mod.ts")) as {
    nodes: Record<string, { symbols: readonly Symbol[] }>;
  };
  return Object.values(nodes).flatMap(({ symbols }) => symbols);
}

/** The interfaces of which everything is optional, and those named so. */
function optionsTypes(symbols: readonly Symbol[]): Map<string, Symbol> {
  const found = new Map<string, Symbol>();
  for (const symbol of symbols) {
    const [declaration] = symbol.declarations;
    if (declaration?.kind !== "interface") continue;
    const { properties = [] } = declaration.def ?? {};
    const isOptions = symbol.name.endsWith("Options") ||
      (properties.length > 0 && properties.every(({ optional }) => optional));
    if (isOptions) found.set(symbol.name, symbol);
  }
  return found;
}

Deno.test("the types say what tests/types/ says they do", async () => {
  const files: string[] = [];
  for await (const { name } of Deno.readDir(new URL("tests/types/", ROOT))) {
    files.push(`tests/types/${name}`);
  }
  assert(files.length > 1);
  const map = "--import-map=import_map.offline.json";
  await deno("check", "--quiet", map, ...files.sort());
});

Deno.test("an option that may be left out may be undefined", async () => {
  const types = optionsTypes(await publicSymbols());
  assert(types.has("QueueOptions") && types.has("WriteBufferLimits"));
  const strict: string[] = [];
  for (const [name, symbol] of types) {
    for (const property of symbol.declarations[0]?.def?.properties ?? []) {
      const { kind, value } = property.tsType ?? { kind: "" };
      const members = kind === "union" ? value as TsType[] : [];
      const allows = members.some(({ repr }) => repr === "undefined") ||
        property.tsType?.repr === "unknown";
      if (property.optional && !allows) strict.push(`${name}.${property.name}`);
    }
  }
  assertEquals(strict, []);
});

// By the name tests/options_test.ts finds what takes them, on every runtime.
Deno.test("a parameter for options is called options", async () => {
  const symbols = await publicSymbols();
  const types = optionsTypes(symbols);
  const misnamed: string[] = [];
  for (const { name, declarations } of symbols) {
    const callables = declarations.flatMap(({ def }) => [
      ...(def?.params === undefined ? [] : [{ params: def.params }]),
      ...(def?.constructors ?? []),
      ...(def?.methods ?? []).flatMap(({ functionDef }) => functionDef ?? []),
    ]);
    for (const param of callables.flatMap(({ params }) => params)) {
      const { name: paramName, tsType } = param.left ?? param;
      const isOptions = types.has(tsType?.repr ?? "") ||
        (tsType?.kind === "typeLiteral" && (param.left ?? param).optional);
      if (isOptions && paramName !== "options") {
        misnamed.push(`${name}: ${paramName}`);
      }
    }
  }
  assertEquals(misnamed, []);
});
