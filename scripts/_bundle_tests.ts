/** Small programs in bundles that leave out what nobody uses. */
import { stat } from "node:fs/promises";
import { execute, NAME, toPath, writeText } from "./_project.ts";
import type { ToolResult } from "./_tool_tests.ts";

/** Longer than any of them takes on a busy machine. */
const LIMIT_MS = 60_000;
const FOLDER = "tests/npm/bundles";

/**
 * What each program prints, and its text. Each uses little, and so finds out
 * what it needs and does not import by name.
 */
const PROGRAMS: Readonly<Record<string, readonly [string, string]>> = {
  lock: [
    "1,2",
    `import { Lock } from "${NAME}/sync";
    const lock = new Lock();
    const turns = [];
    const take = async (n) => {
      const hold = await lock.acquire();
      turns.push(n);
      hold[Symbol.dispose ?? Symbol.for("Symbol.dispose")]();
    };
    await Promise.all([take(1), take(2)]);
    console.log(turns.join());`,
  ],
  timeout: [
    "TimeoutError",
    `import { sleep, timeout } from "${NAME}";
    await timeout(1, () => sleep(60_000)).catch(({ name }) => console.log(name));`,
  ],
  "a variable outside of any loop": [
    "2 1",
    `import { Context, ContextVar } from "${NAME}/loop";
    const level = new ContextVar("level");
    level.set(1);
    new Context().run(() => level.set(2) && console.log(level.get(), 1));`,
  ],
  "the context of a task": [
    "0",
    `import { createTask } from "${NAME}/tasks";
    console.log(createTask(() => {}).getContext().size);`,
  ],
  "all tasks": [
    "0",
    `import { allTasks } from "${NAME}/loop";
    console.log(allTasks().size);`,
  ],
  "a task of its loop": [
    "true",
    `import { currentTask, getRunningLoop, run } from "${NAME}";
    console.log(await run(() => currentTask().getLoop() === getRunningLoop()));`,
  ],
  queue: [
    "item",
    `import { Queue } from "${NAME}/queue";
    const queue = new Queue();
    setImmediate(() => queue.putNowait("item"));
    console.log(await queue.get());`,
  ],
  thread: [
    "42",
    `import { toThread } from "${NAME}";
    console.log(await toThread((n) => n + 1, 41));`,
  ],
  "the default executor": [
    "42",
    `import { getEventLoop } from "${NAME}/loop";
    import { WorkerPoolExecutor } from "${NAME}/threads";
    const loop = getEventLoop();
    const add = (n) => n + 1;
    loop.setDefaultExecutor(new WorkerPoolExecutor());
    console.log(await loop.runInExecutor(null, add, 41));`,
  ],
  stream: [
    "hello",
    `import { openConnection, startServer } from "${NAME}/streams";
    const server = await startServer(async (reader, writer) => {
      writer.write(await reader.readLine());
      await writer.drain();
      writer.close();
    }, { hostname: "127.0.0.1", port: 0 });
    const [reader, writer] = await openConnection({
      hostname: "127.0.0.1",
      port: server.port,
    });
    writer.write("hello\\n");
    console.log(new TextDecoder().decode(await reader.readLine()).trim());
    writer.close();
    server.close();`,
  ],
  child: [
    "3",
    `import { createSubprocessExec } from "${NAME}/subprocess";
    const child = await createSubprocessExec(process.execPath, [
      "-e",
      "process.exit(3)",
    ]);
    console.log(await child.wait());`,
  ],
  "virtual time": [
    "late",
    `import { runVirtual } from "${NAME}/testing";
    import { sleep } from "${NAME}/tasks";
    console.log(await runVirtual(() => sleep(86_400_000, "late")));`,
  ],
  "call graph": [
    "true",
    `import { run } from "${NAME}";
    import { formatCallGraph } from "${NAME}/debug";
    console.log(await run(() => formatCallGraph().includes("Task")));`,
  ],
  error: [
    "true",
    `import { CancelledError, isCancelledError } from "${NAME}/errors";
    console.log(isCancelledError(new CancelledError()));`,
  ],
};

/** Bytes that the minified bundle of a program may have. */
const SIZES: Readonly<Record<string, number>> = {
  lock: 40_000,
  timeout: 45_000,
};

interface Kind {
  readonly options: readonly string[];
  readonly sizes: Readonly<Record<string, number>>;
}

/** How much a bundle leaves out: what the manifest allows, and nothing. */
const KINDS: Readonly<Record<string, Kind>> = {
  "by sideEffects": { options: [], sizes: SIZES },
  "whole": { options: ["--ignore-annotations"], sizes: {} },
};

/**
 * Bundles and runs every program, in a project that has the package and esbuild.
 *
 * @returns How each kind of bundle did.
 */
export async function runBundles(
  node: string,
  cwd: URL,
): Promise<readonly ToolResult[]> {
  const esbuild = toPath(new URL("node_modules/.bin/esbuild", cwd));
  const limits = { cwd, timeoutMs: LIMIT_MS };
  const results: ToolResult[] = [];
  for (const [kind, { options, sizes }] of Object.entries(KINDS)) {
    let output = "";
    for (const [name, [expected, text]] of Object.entries(PROGRAMS)) {
      const base = `${FOLDER}/${name.replaceAll(" ", "_")}`;
      await writeText(new URL(`${base}.mjs`, cwd), text);
      const built = await execute(esbuild, [
        `${base}.mjs`,
        ...["--bundle", "--minify", "--format=esm", "--platform=node"],
        ...["--log-level=warning", `--outfile=${base}.min.mjs`],
        ...options,
      ], limits);
      const ran = await execute(node, [`${base}.min.mjs`], limits);
      if (ran.stdout.trim() !== expected) {
        output += `${name}: ${built.output}${ran.output}\n`;
      }
      const { size } = await stat(new URL(`${base}.min.mjs`, cwd));
      const limit = sizes[name];
      if (limit !== undefined && size > limit) {
        output += `${name}: ${size} bytes, and not ${limit} at most\n`;
      }
    }
    results.push({ name: `bundles, ${kind}`, ok: output === "", output });
  }
  return results;
}
