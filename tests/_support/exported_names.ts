/** What the tests of the pages that map names share. */
import { assert } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);

interface Member {
  readonly name: string;
  readonly kind?: string;
}

interface Definition {
  readonly extends?: string | readonly { readonly repr?: string }[];
  readonly properties?: readonly Member[];
  readonly methods?: readonly Member[];
}

interface Exported {
  readonly name: string;
  readonly declarations: readonly {
    readonly kind: string;
    readonly def?: Definition;
  }[];
}

/** What `mod.ts` exports, members with their class or interface. */
export async function exportedNames(): Promise<Set<string>> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", "mod.ts"],
    cwd: ROOT,
    stderr: "inherit",
  }).output();
  assert(success, "deno doc can read mod.ts");
  const { nodes } = JSON.parse(new TextDecoder().decode(stdout));
  const symbols = (Object.values(nodes) as { symbols: Exported[] }[])
    .flatMap((file) => file.symbols);
  const members = new Map<string, string[]>();
  const parents = new Map<string, string>();
  for (const { name, declarations } of symbols) {
    const found: string[] = [];
    for (const { def } of declarations) {
      for (const member of def?.properties ?? []) found.push(member.name);
      for (const member of def?.methods ?? []) found.push(member.name);
      if (typeof def?.extends === "string") parents.set(name, def.extends);
    }
    members.set(name, found);
  }
  const names = new Set<string>();
  for (const name of members.keys()) {
    names.add(name);
    const owner = name === "EventLoop" ? "loop" : name;
    for (
      let ancestor: string | undefined = name;
      ancestor !== undefined;
      ancestor = parents.get(ancestor)
    ) {
      for (const member of members.get(ancestor) ?? []) {
        names.add(`${owner}.${member}`);
      }
    }
  }
  return names;
}

/** What stands between backticks. */
export function codeSpans(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
}
