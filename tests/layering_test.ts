// node: skip reads the sources, which are the same for every runtime
import { assert, assertEquals, assertGreater } from "@std/assert";

/**
 * The order of the architecture, written down a second time on purpose: the
 * lint rule has its own list, and a slip in one of them shows here.
 */
const ORDER =
  "errors.ts < _internal < platform < loop < tasks < sync queue < threads streams < subprocess workers durable < jetstream < debug testing < mod.ts < cli";

const RANKS = new Map(
  ORDER.split(" < ").flatMap((row, rank) =>
    row.split(" ").map((place) => [place, rank] as const)
  ),
);

const ROOT = new URL("../", import.meta.url);

/** Every import, re-export and dynamic import of a fixed name. */
const IMPORT_REGEXP =
  /^\s*(?:import|export)\b(\s+type\b)?[^;"'`]*?\bfrom\s*["']([^"']+)["']|^\s*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']/gm;

interface Edge {
  readonly from: string;
  readonly to: string;
  /** Whether loading the one file loads the other. */
  readonly loads: boolean;
}

/** The text without block and line comments, whose examples import at will. */
function withoutComments(source: string): string {
  return source.replace(/\/\*[^]*?\*\//g, "").replace(/^\s*\/\/.*$/gm, "");
}

async function* sourceFiles(place: string): AsyncIterable<string> {
  const url = new URL(place, ROOT);
  const info = await Deno.stat(url).catch(() => undefined);
  if (info?.isFile) yield place;
  if (!info?.isDirectory) return;
  for await (const entry of Deno.readDir(url)) {
    if (entry.isDirectory || entry.name.endsWith(".ts")) {
      yield* sourceFiles(`${place}/${entry.name}`);
    }
  }
}

async function importsOf(from: string): Promise<Edge[]> {
  const source = await Deno.readTextFile(new URL(from, ROOT));
  const edges: Edge[] = [];
  for (const match of withoutComments(source).matchAll(IMPORT_REGEXP)) {
    const [, type, declared, bare, dynamic] = match;
    const specifier = declared ?? bare ?? dynamic ?? "";
    const to = specifier.startsWith(".")
      ? new URL(specifier, new URL(from, ROOT)).href.slice(ROOT.href.length)
      : specifier;
    const loads = type === undefined && dynamic === undefined;
    edges.push({ from, to, loads });
  }
  return edges;
}

async function libraryImports(): Promise<Edge[]> {
  const edges: Edge[] = [];
  for (const place of RANKS.keys()) {
    for await (const file of sourceFiles(place)) {
      edges.push(...await importsOf(file));
    }
  }
  return edges;
}

function placeOf(path: string): string {
  return path.split("/")[0] ?? "";
}

/** Whether an import stays in its place or leads to the left. */
function inOrder({ from, to }: Edge): boolean {
  if (placeOf(from) === placeOf(to)) return true;
  const rank = RANKS.get(placeOf(to));
  return rank !== undefined && rank < (RANKS.get(placeOf(from)) ?? -1);
}

/** Packages of users, and the one file that loads each when it is needed. */
const PEERS: Readonly<Record<string, string>> = {
  "@nats-io/jetstream": "jetstream/_client.ts",
};

Deno.test("library imports point to the left of their place", async () => {
  const edges = (await libraryImports()).filter(({ from, to, loads }) =>
    !to.startsWith("node:") && (loads || PEERS[to] !== from)
  );
  assertGreater(edges.length, 0);
  assertEquals(
    edges.filter((edge) => !inOrder(edge))
      .map(({ from, to }) => `${from} imports ${to}`),
    [],
  );
});

Deno.test("only platform and the command line import built-in modules of a host", async () => {
  assertEquals(
    (await libraryImports())
      .filter(({ from, to }) =>
        to.startsWith("node:") && !["cli", "platform"].includes(placeOf(from))
      )
      .map(({ from, to }) => `${from} imports ${to}`),
    [],
  );
});

Deno.test("private files are imported inside their own folder", async () => {
  const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/"));
  assertEquals(
    (await libraryImports())
      .filter(({ to }) => to.slice(to.lastIndexOf("/") + 1).startsWith("_"))
      .filter(({ from, to }) => folderOf(from) !== folderOf(to))
      .map(({ from, to }) => `${from} imports ${to}`),
    [],
  );
});

/** Imports of types that close a circle, and why each is needed. */
const KNOWS: Readonly<Record<string, readonly string[]>> = {
  // A public object tells its loop, and the loop makes it.
  "loop/event_loop.ts": [
    "loop/future.ts",
    "loop/kernel.ts",
    "loop/task.ts",
    "loop/worker_jobs.ts",
  ],
  // What runs in a loop has its kernel at hand, and the kernel makes and runs it.
  "loop/kernel.ts": [
    "loop/entered.ts",
    "loop/gate.ts",
    "loop/scope.ts",
    "loop/scope_numbers.ts",
  ],
  // A wait is in a scope, which has the list of its waits.
  "loop/scope.ts": ["loop/scope_numbers.ts", "loop/wait.ts"],
  // A task has a scope, and who walks through scopes asks whose they are.
  "loop/task.ts": [
    "loop/hooks.ts",
    "loop/scope.ts",
    "loop/types.ts",
    "loop/wait.ts",
  ],
  // A scope carries the context that its code runs in.
  "loop/context.ts": ["loop/entered.ts", "loop/scope.ts"],
  // A gate lets steps in, and entering one is half of that.
  "loop/gate.ts": ["loop/entered.ts"],
  // Hooks are told of the kernel's steps and waits, and described by them.
  "loop/hooks.ts": ["loop/kernel.ts", "loop/wait.ts"],
  // Errors nobody asked for, and requests to cancel, are those of futures.
  "loop/future.ts": [
    "loop/requests.ts",
    "loop/types.ts",
    "loop/unretrieved.ts",
  ],
  // The exception handler is told which callback threw.
  "loop/handle.ts": ["loop/types.ts"],
  // A deadline is looked for from inside of it.
  "tasks/timeout.ts": ["tasks/_deadlines.ts"],
  // A protocol is given its transport, which calls it.
  "streams/datagram_transport.ts": ["streams/protocol.ts"],
  "streams/transport.ts": ["streams/protocol.ts"],
  "subprocess/transport.ts": ["subprocess/protocol.ts"],
  // Options are described where they are used, and checked beside the others.
  "streams/tls.ts": ["streams/_check.ts"],
};

const isKnown = ({ from, to, loads }: Edge) =>
  !loads && KNOWS[to]?.includes(from) === true;

Deno.test("no library file loads itself by way of others", async () => {
  const edges = (await libraryImports()).filter(({ loads }) => loads);
  assertEquals(circles(edges), []);
});

Deno.test("types know each other in circles only where this file says why", async () => {
  const edges = await libraryImports();
  assertEquals(circles(edges.filter((edge) => !isKnown(edge))), []);
  const known = edges.filter(isKnown);
  const unused = Object.entries(KNOWS).flatMap(([to, files]) =>
    files.filter((from) =>
      !known.some((edge) => edge.from === from && edge.to === to)
    ).map((from) => `${from} does not import ${to} for its types alone`)
  );
  assertEquals(unused, []);
});

function circles(edges: readonly Edge[]): string[] {
  const graph = new Map<string, string[]>();
  for (const { from, to } of edges) {
    graph.set(from, [...graph.get(from) ?? [], to]);
  }
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]) => {
    const start = path.indexOf(file);
    if (start >= 0) found.push([...path.slice(start), file].join(" > "));
    if (start >= 0 || done.has(file)) return;
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}

/** Who of `platform/` takes which file of a runtime: `timers.ts: timers.ts`. */
async function adaptersOf(runtime: string): Promise<string[]> {
  return (await libraryImports())
    .filter(({ from, to, loads }) =>
      loads && /^platform\/\w+\.ts$/.test(from) &&
      to.startsWith(`platform/${runtime}/`)
    )
    .map(({ from, to }) => `${from.split("/")[1]}: ${to.split("/")[2]}`)
    .sort();
}

Deno.test("each capability of the host has an adapter for Deno and one for Node", async () => {
  const adapters = await adaptersOf("deno");
  assertGreater(adapters.length, 0);
  assertEquals(await adaptersOf("node"), adapters);
});

// What it has of its own; for the rest it is taken for Node.
Deno.test("each adapter for workerd is taken by the capability of its name", async () => {
  const files: string[] = [];
  for await (const file of sourceFiles("platform/workerd")) {
    const name = file.split("/")[2]!;
    if (name !== "refusals.ts") files.push(`${name}: ${name}`);
  }
  assertGreater(files.length, 0);
  assertEquals(await adaptersOf("workerd"), files.sort());
});

Deno.test("nobody outside of platform sees what its adapters are made of", async () => {
  assertEquals(
    (await libraryImports())
      .filter(({ from }) => placeOf(from) !== "platform")
      .filter(({ to }) => /^platform\/(?:deno|node|shared)\//.test(to))
      .map(({ from, to }) => `${from} imports ${to}`),
    [],
  );
});

/** The capabilities of the host that loading a file loads, by others, too. */
async function capabilitiesOf(entry: string): Promise<string[]> {
  const edges = (await libraryImports()).filter(({ loads }) => loads);
  const found = new Set([entry]);
  for (const file of found) {
    for (const { from, to } of edges) if (from === file) found.add(to);
  }
  return [...found].flatMap((file) =>
    /^platform\/(\w+)\.ts$/.exec(file)?.[1] ?? []
  );
}

const SOCKETS = ["datagrams", "files", "names", "net"];
const PROCESSES = ["children", "threads", "worker_processes"];

Deno.test.each([
  ["tasks/mod.ts", [...SOCKETS, ...PROCESSES]],
  ["sync/mod.ts", [...SOCKETS, ...PROCESSES]],
  ["queue/mod.ts", [...SOCKETS, ...PROCESSES]],
  ["streams/mod.ts", PROCESSES],
  ["threads/mod.ts", [...SOCKETS, "children", "worker_processes"]],
])(
  "%s brings along no capability of the host that it does not need",
  async (entry: string, unneeded: readonly string[]) => {
    const found = await capabilitiesOf(entry);
    assert(found.includes("timers"));
    assertEquals(found.filter((each) => unneeded.includes(each)), []);
  },
);

Deno.test("only the adapter for Node uses what Node keeps to itself", async () => {
  const found: string[] = [];
  for (const place of RANKS.keys()) {
    for await (const file of sourceFiles(place)) {
      // The worker's code is a string, made of other files.
      if (file.startsWith("platform/node/") || file.endsWith("_code.ts")) {
        continue;
      }
      const source = await Deno.readTextFile(new URL(file, ROOT));
      const [member] = /[.\s]_[a-z]\w*(?=\s*[.(])/.exec(
        withoutComments(source),
      ) ?? [];
      if (member !== undefined) found.push(`${file}: ${member.slice(1)}`);
    }
  }
  assertEquals(found, []);
});

Deno.test("the library's sources are Latin-1, which a host keeps in a byte a character", async () => {
  // One character beyond makes it two bytes for all of the module, or of the
  // bundle, and its start slower.
  const wide: string[] = [];
  for (const place of RANKS.keys()) {
    for await (const file of sourceFiles(place)) {
      const source = await Deno.readTextFile(new URL(file, ROOT));
      const [found] = /[^\0-\u00ff]/.exec(source) ?? [];
      if (found !== undefined) wide.push(`${file}: ${found}`);
    }
  }
  assertEquals(wide, []);
});
