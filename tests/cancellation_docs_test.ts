// node: skip asks `deno doc` for the public names, which are the same for every runtime
import { assertEquals, assertGreater } from "@std/assert";
import { LOCAL_WAITS, SYSTEM_WAITS } from "./_support/repeatable_waits.ts";

const ROOT = new URL("../", import.meta.url);
const PAGE = "docs/cancellation.md";

/** What gives something that can be awaited, and does not wait itself. */
const STARTS = [
  "EventLoop.createFuture",
  "EventLoop.createTask",
  "Future.catch",
  "Future.finally",
  "Future.then",
  "TaskGroup.createTask",
  "createTask",
];

const PROMISES = ["Promise", "Future", "Task"];

/** Waits that need other processes or hosts, whose own tests cancel them. */
const TRIED_ELSEWHERE = [
  // tests/durable/durable_queue_test.ts, transactions_test.ts
  "durable.get()",
  "for await (… of durable)",
  "durable.put(item)",
  "sim.join(host)",
  "prefork",
  "supervisor.wait()",
  "supervisor.reload()",
  "supervisor.stop()",
];

interface Type {
  readonly repr?: string;
}

interface Method {
  readonly name: string;
  readonly functionDef?: { readonly returnType?: Type };
}

interface Declaration {
  readonly kind: string;
  readonly def?: {
    readonly returnType?: Type;
    readonly methods?: readonly Method[];
  };
}

interface PublicSymbol {
  readonly name: string;
  readonly declarations: readonly Declaration[];
}

const isPromise = (type: Type | undefined) =>
  PROMISES.includes(type?.repr ?? "");

async function publicSymbols(): Promise<readonly PublicSymbol[]> {
  const { success, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--json", "mod.ts"],
    cwd: ROOT,
    stderr: "null",
  }).output();
  assertEquals(success, true);
  const { nodes }: { nodes: Record<string, { symbols: PublicSymbol[] }> } = JSON
    .parse(new TextDecoder().decode(stdout));
  return Object.values(nodes).flatMap(({ symbols }) => symbols);
}

/** Functions and methods whose result can be awaited: `sleep`, `Lock.acquire`. */
async function awaitables(): Promise<string[]> {
  const names = new Set<string>();
  for (const { name, declarations } of await publicSymbols()) {
    for (const { kind, def } of declarations) {
      if (kind === "function" && isPromise(def?.returnType)) names.add(name);
      if (kind !== "class") continue;
      for (const method of def?.methods ?? []) {
        const { functionDef } = method;
        if (!isPromise(functionDef?.returnType)) continue;
        if (!method.name.startsWith("[")) names.add(`${name}.${method.name}`);
      }
    }
  }
  return [...names];
}

Deno.test("the table of cancellation.md has each public call that waits", async () => {
  const text = await Deno.readTextFile(new URL(PAGE, ROOT));
  const listed = new Set<string>();
  for (const line of text.split("\n")) {
    const [, calls] = /^\| ([^|]+) \|/.exec(line) ?? [];
    for (const [name] of (calls ?? "").matchAll(/\w+/g)) listed.add(name);
  }
  const names = await awaitables();
  assertGreater(names.length, 80);
  assertEquals(
    names.filter((name) =>
      !STARTS.includes(name) && !listed.has(name.split(".").at(-1)!)
    ),
    [],
  );
});

Deno.test("each wait that cancellation.md says may be called again is tried", async () => {
  const text = await Deno.readTextFile(new URL(PAGE, ROOT));
  const calls: string[] = [];
  for (const line of text.split("\n")) {
    const [, names = "", , again = ""] = line.split("|");
    if (!/^ +yes\b/.test(again)) continue;
    calls.push(...[...names.matchAll(/`([^`]+)`/g)].map(([, call]) => call!));
  }
  assertGreater(calls.length, 60);
  const tried = [...Object.keys(LOCAL_WAITS), ...Object.keys(SYSTEM_WAITS)];
  assertEquals(
    calls.filter((call) => !tried.includes(call)),
    TRIED_ELSEWHERE,
  );
  assertEquals(tried.filter((call) => !calls.includes(call)), []);
});
