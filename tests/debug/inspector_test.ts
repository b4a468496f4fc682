import {
  createTask,
  Event,
  getRunningLoop,
  type Inspector,
  Lock,
  newEventLoop,
  openConnection,
  OSError,
  Queue,
  run,
  sleep,
  startInspector,
  type Task,
  VirtualClock,
} from "@asyncio/asyncio";
import * as debug from "@asyncio/asyncio/debug";
import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
} from "@std/assert";
import { OPEN_RESPONSES } from "../../platform/limits.ts";
import { freePort } from "../_support/net.ts";
import { runProgram } from "../_support/programs.ts";
import { needs } from "../_support/runtimes.ts";
import { collectReports, countingSignal } from "../_support/virtual.ts";

const decoder = new TextDecoder();

/**
 * The text that an inspector gives for a path, without the line's end, and
 * without for how long tasks wait: on a busy machine that may be seconds.
 */
async function ask(
  { url }: Inspector,
  path: string,
  query: Record<string, string> = {},
): Promise<string> {
  const asked = new URL(path, url);
  asked.search = new URLSearchParams({
    token: url.searchParams.get("token")!,
    ...query,
  }).toString();
  const method = path === "/cancel" ? "POST" : "GET";
  const response = await fetch(asked, { method });
  return (await response.text()).trimEnd()
    .replaceAll(/ for (?:\d+ min )?[\d.]+ s\b/g, "");
}

/** Two tasks, one awaiting the other, and an inspector. */
function inspected(
  body: (inspector: Inspector, release: Event) => Promise<void>,
): () => Promise<void> {
  return () =>
    run(async () => {
      const release = new Event();
      const inner = createTask(() => release.wait(), { name: "inner" });
      const outer = createTask(async () => await inner, { name: "outer" });
      await sleep(0);
      const inspector = await startInspector();
      try {
        await body(inspector, release);
      } finally {
        await inspector.close();
        release.set();
        await outer.catch(() => {});
      }
    });
}

Deno.test("@asyncio/asyncio/debug has the inspector", () => {
  assertStrictEquals(debug.startInspector, startInspector);
});

Deno.test(
  "/ps gives a table of the tasks",
  inspected(async (inspector) => {
    const table = await ask(inspector, "/ps");
    const rows = table.split("\n").map((row) => row.split(/ {2,}/));
    assertEquals(rows[0], ["task", "awaited by", "state"]);
    assertEquals(rows.slice(2), [
      ["inner", "outer", "waiting for Event.wait"],
      [
        "outer",
        "-",
        'waiting for <Task pending name="inner" waiting for Event.wait>',
      ],
    ]);
    assertEquals(rows.length, 4);
  }),
);

Deno.test(
  "/pstree gives the tasks below those that await them",
  inspected(async (inspector) => {
    const tree = await ask(inspector, "/pstree");
    assertMatch(
      tree,
      /^outer: waiting for .*\n└─ inner: waiting for Event\.wait$/m,
    );
  }),
);

Deno.test(
  "/where gives the call graph of a task",
  inspected(async (inspector) => {
    const graph = await ask(inspector, "/where", { task: "inner" });
    const missing = await ask(inspector, "/where", { task: "x y" });
    assertMatch(graph, /^\* <Task pending name="inner"/);
    assertMatch(graph, /Awaited by:\n +\* <Task pending name="outer"/);
    assertEquals(missing, "no such task: x y");
  }),
);

Deno.test("/cancel asks a task to cancel", async () => {
  const running = run(async () => {
    const task = createTask(() => sleep(60_000), { name: "long one" });
    const inspector = await startInspector();
    const answer = await ask(inspector, "/cancel", { task: "long one" });
    assertEquals(answer, "asked long one to cancel");
    await inspector.close();
    await task;
  });
  await assertRejects(() => running, Error, "asked for by the inspector");
});

Deno.test(
  "tasks that await each other are shown as a cycle",
  inspected(async (inspector) => {
    const one: Task<void> = createTask(async () => await two, { name: "one" });
    const two: Task<void> = createTask(async () => await one, { name: "two" });
    await sleep(0);
    const tree = await ask(inspector, "/pstree");
    assertMatch(tree, /^one: .*\n└─ two: .*\n {3}└─ one \(a cycle\)$/m);
    one.cancel();
    await two.catch(() => {});
  }),
);

Deno.test(
  "many tasks, and long chains of them, are answered for",
  inspected(async (inspector, release) => {
    const idle = () => release.wait();
    const first = createTask(idle, { name: "first" });
    let last: Task<unknown> = first;
    for (let i = 0; i < 130_000; i++) {
      const awaited = last;
      last = createTask(i < 5_000 ? async () => await awaited : idle);
    }
    await sleep(0);
    const table = await ask(inspector, "/ps");
    const tree = await ask(inspector, "/pstree");
    const graph = await ask(inspector, "/where", { task: "first" });
    assertEquals(table.split("\n").length, 130_001 + 4);
    assertEquals(tree.split("\n").length, 130_001 + 3);
    assertMatch(tree, /^ {60}└─ \[5000\] first: waiting for Event\.wait$/m);
    assertMatch(graph, /^ {80}\* \[5000\] <Task pending/m);
  }),
);

function idle(): Promise<void> {
  return sleep(60_000);
}

Deno.test(
  "who awaits several is shown once, and a long list of awaiters is cut",
  inspected(async (inspector) => {
    const shared = createTask(idle, { name: "shared" });
    for (const name of ["a", "b", "c", "d", "e"]) {
      createTask(async () => await shared, { name });
    }
    await sleep(0);
    const table = await ask(inspector, "/ps");
    const tree = await ask(inspector, "/pstree");
    assertMatch(table, /^shared +a, b, c and 2 more +waiting for sleep/m);
    assertEquals(tree.match(/└─ shared: /g)?.length, 1);
    assertEquals(tree.match(/└─ shared \(shown above\)/g)?.length, 4);
  }),
);

Deno.test(
  "a name cannot forge a line of an answer, nor steer a terminal",
  inspected(async (inspector) => {
    const name = "one\n\x1b[2Jtwo";
    const shown = String.raw`one\n\u001b[2Jtwo`;
    createTask(idle, { name });
    await sleep(0);
    const answers = [
      await ask(inspector, "/ps"),
      await ask(inspector, "/pstree"),
      await ask(inspector, "/where", { task: shown }),
      await ask(inspector, "/cancel", { task: shown }),
      await ask(inspector, "/where", { task: "\x1b[2J" }),
      await ask(inspector, "/tasks"),
    ];
    for (const answer of answers) assertFalse(answer.includes("\x1b"));
    assert(answers[0]!.includes(`\n${shown} `));
    assert(answers[1]!.includes(`\n${shown}: `));
    assert(answers[2]!.startsWith(`* <Task pending name="${shown}"`));
    assertEquals(answers[3], `asked ${shown} to cancel`);
  }),
);

Deno.test(
  "/help lists the commands, and a wrong path points there",
  inspected(async (inspector) => {
    const help = await ask(inspector, "/help");
    assertMatch(help, /^GET \/ps +a table of the tasks$/m);
    for (const path of ["/constructor", "/ps/", "/__proto__", "/help/help"]) {
      assertEquals(await ask(inspector, path), "No such path; try: /help");
    }
  }),
);

Deno.test("/ps tells how long tasks wait, also outside of debug mode", async () => {
  const loop = newEventLoop({ clock: new VirtualClock(), debug: false });
  await run(async () => {
    await using inspector = await startInspector();
    createTask(() => new Event().wait(), { name: "waiter" });
    await sleep(90_000);
    const url = inspector.url;
    url.pathname = "/ps";
    const table = await (await fetch(url)).text();
    assertMatch(table, /^waiter .* waiting for Event\.wait for 1 min 30 s$/m);
  }, { loop });
});

Deno.test(
  "/deadlocks gives tasks that wait for each other",
  inspected(async (inspector) => {
    assertEquals(await ask(inspector, "/deadlocks"), "no deadlocks");
    const lock = new Lock({ name: "mirror" });
    const twice = async () => {
      using _first = await lock.acquire();
      using _second = await lock.acquire();
    };
    const task = createTask(twice, { name: "Narcissus" });
    await sleep(1);
    assertEquals(
      await ask(inspector, "/deadlocks"),
      "Deadlock: a task waits for itself, while others go on\n" +
        "  Narcissus: waiting for Lock.acquire on mirror (held by Narcissus)",
    );
    task.cancel();
    await task.catch(() => {});
  }),
);

Deno.test(
  "/tasks gives all that the page shows",
  inspected(async (inspector) => {
    const jobs = new Queue<number>({ name: "jobs", maxSize: 4 });
    jobs.putNowait(1);
    const lock = new Lock({ name: "held" });
    using _ = lock.tryAcquire()!;
    const waiting = createTask(() => lock.acquire(), { name: "waiting" });
    await sleep(1);
    const shown = JSON.parse(await ask(inspector, "/tasks"));
    assertEquals(shown.total, 4);
    const [main, inner, outer, last] = shown.tasks;
    assertEquals(main.name, "Task-" + main.name.slice(5));
    assertEquals([inner.name, inner.state], ["inner", "Event.wait"]);
    assertEquals([outer.name, outer.state], ["outer", "the task inner"]);
    assertEquals(inner.by, [outer.id]);
    assertEquals(typeof inner.since, "number");
    assert(last.since >= inner.since);
    const resources = shown.resources.filter(
      ({ name }: { name: string }) => name === "jobs" || name === "held",
    );
    assertEquals(
      resources.map(({ id: _, ...row }: { id: number }) => row),
      [{
        kind: "Queue",
        name: "jobs",
        text: '<Queue name="jobs" size=1 maxSize=4 unfinished=1>',
        fill: [1, 4],
        waiters: [],
      }, {
        kind: "Lock",
        name: "held",
        text: `<Lock name="held" locked by="${main.name}" waiters=1>`,
        fill: [1, 1],
        waiters: [last.id],
      }],
    );
    assertEquals(
      await ask(inspector, "/cancel", { id: String(last.id) }),
      "asked waiting to cancel",
    );
    await waiting.catch(() => {});
    assert(waiting.cancelled());
    for (const id of [String(last.id), "0", "x"]) {
      assertEquals(
        await ask(inspector, "/cancel", { id }),
        "The task has ended",
      );
    }
    assertStringIncludes(
      await ask(inspector, "/where", { id: String(inner.id) }),
      'name="inner"',
    );
  }),
);

Deno.test(
  "of more than 10,000 tasks the oldest are shown, and all are counted",
  inspected(async (inspector, release) => {
    for (let i = 0; i < 10_001; i++) createTask(() => release.wait());
    await sleep(0);
    const { total, tasks } = JSON.parse(await ask(inspector, "/tasks"));
    assertEquals([total, tasks.length], [10_004, 1000]);
    assertEquals(tasks[1].name, "inner");
  }),
);

/** The next update that a page is sent. */
async function nextUpdate(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): Promise<{ tasks: { name: string; id: number }[]; gone: number[] }> {
  let text = "";
  while (!text.endsWith("\n\n")) {
    const { done, value } = await reader.read();
    if (done) throw new Error("The events have ended");
    text += decoder.decode(value, { stream: true });
  }
  return JSON.parse(text.slice("data: ".length));
}

Deno.test(
  "/events gives everything at first, and then what has changed",
  inspected(async (inspector) => {
    const task = createTask(() => sleep(60_000), { name: "short" });
    await sleep(0);
    const url = inspector.url;
    url.pathname = "/events";
    const response = await fetch(url);
    assertEquals(response.headers.get("content-type"), "text/event-stream");
    const reader = response.body!.getReader();
    const first = await nextUpdate(reader);
    assertEquals(
      first.tasks.slice(1).map(({ name }) => name),
      ["inner", "outer", "short"],
    );
    assertEquals(first.gone, []);
    task.cancel();
    const born = createTask(() => sleep(60_000), { name: "born" });
    const told = { tasks: new Set<string>(), gone: [] as number[] };
    // Until there is nothing more to tell.
    for (let isQuiet = false; !isQuiet;) {
      const { tasks, gone } = await nextUpdate(reader);
      isQuiet = tasks.length + gone.length === 0 && told.gone.length > 0;
      for (const { name } of tasks) told.tasks.add(name);
      told.gone.push(...gone);
    }
    assertEquals([...told.tasks].filter((name) => name !== "short"), ["born"]);
    assertEquals(told.gone, [first.tasks[3]!.id]);
    await reader.cancel();
    born.cancel();
  }),
);

Deno.test("what a program's own toString() throws is shown, or reported, and ends nothing", async () => {
  class Odd extends Lock {
    override toString(): string {
      throw new Error("no text");
    }
  }
  await run(async () => {
    const reports = collectReports();
    const odd = new Odd({ name: "odd lock" });
    const future = getRunningLoop().createFuture();
    future.toString = () => {
      throw new Error("no text");
    };
    const task = createTask(async () => await future, { name: "waiter" });
    await sleep(0);
    await using inspector = await startInspector();
    const { tasks, resources } = JSON.parse(await ask(inspector, "/tasks"));
    assertEquals(tasks[1].state, "it threw Error: no text");
    const row = resources.find(
      ({ name }: { name: string }) => name === "odd lock",
    );
    assertEquals([row.kind, row.text], ["?", "it threw Error: no text"]);
    assertFalse(odd.locked());
    assertEquals(reports, []);

    assertMatch(await ask(inspector, "/ps"), /^The program was told why/);
    assertEquals(
      reports.map(({ message, error }) => `${message}: ${error}`),
      ["The inspector could not answer: Error: no text"],
    );
    task.cancel();
  });
});

Deno.test(
  "more pages than eight are sent away",
  inspected(async (inspector) => {
    const url = inspector.url;
    url.pathname = "/events";
    const open = [];
    for (let i = 0; i < 8; i++) open.push(await fetch(url));
    const refused = await fetch(url);
    assertEquals(refused.status, 503);
    assertEquals(await refused.text(), "Too many pages are open\n");
    for (const { body } of open) await body!.cancel();
  }),
);

Deno.test(
  "close() hangs up on who is connected",
  inspected(async () => {
    const inspector = await startInspector();
    const url = inspector.url;
    url.pathname = "/events";
    const reader = (await fetch(url)).body!.getReader();
    await nextUpdate(reader);
    await inspector.close();
    await inspector.close();
    // The host may tell of the end as such, or as a reset.
    await reader.read().then(({ done }) => assert(done), () => {});
    await assertRejects(() => fetch(url));
  }),
);

Deno.test("what is wrong with the options is said at once", async () => {
  await assertRejects(
    () => startInspector(3 as never),
    TypeError,
    "Cannot start an inspector as 'options' must be an object: received 3",
  );
  await assertRejects(
    () => startInspector({ loop: {} as never }),
    TypeError,
    "Cannot use 'loop' as it must be an EventLoop",
  );
  for (const port of [-1, 1.5, 65_536]) {
    await assertRejects(
      () => startInspector({ port }),
      RangeError,
      "Cannot start an inspector as 'port' must be an integer",
    );
  }
  await assertRejects(
    () => startInspector({ port: "1" as never }),
    TypeError,
    "'port' must be an integer",
  );
});

Deno.test("an inspector listens where nobody but this machine can reach it", async () => {
  for (const hostname of ["0.0.0.0", "::", "192.0.2.1", "example.com", ""]) {
    await assertRejects(
      () => startInspector({ hostname }),
      RangeError,
      `'hostname' must be an address that only this machine can reach, such as "127.0.0.1": received "${hostname}"`,
    );
  }
  const inspector = await startInspector({ hostname: "localhost" });
  assertMatch(
    inspector.url.href,
    /^http:\/\/localhost:\d+\/\?token=[\w-]{32}$/,
  );
  assertFalse(String(inspector).includes("token"));
  await inspector.close();
});

Deno.test("a port that is taken is an OSError", async () => {
  await using inspector = await startInspector();
  const error = await assertRejects(
    () => startInspector({ port: inspector.port }),
    OSError,
    `127.0.0.1:${inspector.port}`,
  );
  assertEquals((error as OSError).code, "EADDRINUSE");
});

/** All that comes back for `bytes`, until the inspector hangs up. */
async function send(port: number, bytes: string | Uint8Array): Promise<string> {
  const [reader, writer] = await openConnection({ port });
  writer.write(bytes);
  writer.writeEof();
  let text = "";
  try {
    for (;;) {
      const chunk = await reader.read(1000);
      if (chunk.length === 0) break;
      text += decoder.decode(chunk);
    }
  } catch (error) {
    // What was not read makes the host send a reset.
    assertEquals((error as { code?: string }).code, "ECONNRESET");
  }
  writer.close();
  return text;
}

/** A request to cancel, as a browser or anybody else may send it. */
function cancelRequest(
  { port, url }: Inspector,
  headers: Record<string, string>,
  token = url.searchParams.get("token"),
): string {
  const all = { host: `127.0.0.1:${port}`, connection: "close", ...headers };
  return [
    `POST /cancel?task=victim&token=${token} HTTP/1.1`,
    ...Object.entries(all).map(([name, value]) => `${name}: ${value}`),
    "content-length: 0",
    "",
    "",
  ].join("\r\n");
}

/** Sends a request to cancel, and tells its status and whether that was done. */
async function tryToCancel(
  request: (inspector: Inspector) => string | Uint8Array,
): Promise<{ status: string; cancelled: boolean }> {
  let status = "";
  let cancelled = false;
  await run(async () => {
    const victim = createTask(() => new Event().wait(), { name: "victim" });
    await sleep(0);
    await using inspector = await startInspector();
    const text = await send(inspector.port, request(inspector));
    status = /^HTTP\/1\.\d (\d+)/.exec(text)?.[1] ?? text;
    cancelled = victim.cancelling() > 0;
    assertFalse(text.includes("awaited by"), text);
    victim.cancel();
  });
  return { status, cancelled };
}

Deno.test("with its token and its own name, an inspector cancels", async () => {
  for (const host of ["127.0.0.1", "localhost", "[::1]"]) {
    const done = await tryToCancel((inspector) => {
      const own = `${host}:${inspector.port}`;
      return cancelRequest(inspector, { host: own, origin: `http://${own}` });
    });
    assertEquals(done, { status: "200", cancelled: true });
  }
});

const REFUSED: Readonly<
  Record<string, (inspector: Inspector) => string | Uint8Array>
> = {
  "another host": (inspector) =>
    cancelRequest(inspector, { host: `evil.example:${inspector.port}` }),
  "its host with another port": (inspector) =>
    cancelRequest(inspector, { host: "127.0.0.1:1" }),
  "its host without a port": (inspector) =>
    cancelRequest(inspector, { host: "127.0.0.1" }),
  "another origin": (inspector) =>
    cancelRequest(inspector, { origin: "http://evil.example" }),
  "an origin of no name": (inspector) =>
    cancelRequest(inspector, { origin: "null" }),
  "its origin by another scheme": (inspector) =>
    cancelRequest(inspector, { origin: `https://127.0.0.1:${inspector.port}` }),
  "another site": (inspector) =>
    cancelRequest(inspector, { "sec-fetch-site": "cross-site" }),
  "another port of this machine": (inspector) =>
    cancelRequest(inspector, { "sec-fetch-site": "same-site" }),
  "a navigation of another site": (inspector) =>
    cancelRequest(inspector, {
      "sec-fetch-site": "cross-site",
      "sec-fetch-mode": "navigate",
    }),
  "a wrong token": (inspector) => cancelRequest(inspector, {}, "x".repeat(32)),
  "an empty token": (inspector) => cancelRequest(inspector, {}, ""),
  "a part of the token": (inspector) =>
    cancelRequest(
      inspector,
      {},
      inspector.url.searchParams.get("token")!.slice(0, -1),
    ),
  "more than the token": (inspector) =>
    cancelRequest(inspector, {}, `${inspector.url.searchParams.get("token")}A`),
};

for (const [kind, request] of Object.entries(REFUSED)) {
  Deno.test(`an inspector refuses a request with ${kind}`, async () => {
    assertEquals(await tryToCancel(request), {
      status: "403",
      cancelled: false,
    });
  });
}

Deno.test("nothing at all is answered without the token", async () => {
  await using inspector = await startInspector();
  const { port } = inspector;
  for (const path of ["/", "/ps", "/tasks", "/events", "/help", "/nowhere"]) {
    const response = await fetch(`http://127.0.0.1:${port}${path}`);
    assertEquals(response.status, 403);
    assertEquals(
      await response.text(),
      "The token is missing or wrong: it is in the URL of the inspector\n",
    );
  }
});

Deno.test("the token may come as a header, and is another one each time", async () => {
  await using inspector = await startInspector();
  await using other = await startInspector();
  const token = inspector.url.searchParams.get("token")!;
  const asked = (port: number) =>
    fetch(`http://127.0.0.1:${port}/help`, {
      headers: { authorization: `Bearer ${token}` },
    });
  const [right, wrong] = [await asked(inspector.port), await asked(other.port)];
  assertEquals([right.status, wrong.status], [200, 403]);
  await right.body?.cancel();
  await wrong.body?.cancel();
});

Deno.test("to look takes a GET, and to cancel a POST", async () => {
  await using inspector = await startInspector();
  const url = inspector.url;
  for (const [path, method] of [["/cancel", "GET"], ["/ps", "POST"]] as const) {
    url.pathname = path;
    const response = await fetch(url, { method });
    assertEquals(response.status, 405);
    await response.body?.cancel();
  }
});

const OTHER_PROTOCOLS: Readonly<Record<string, string | Uint8Array>> = {
  "lines of commands": "ps\ncancel victim\nquit\n",
  "the start of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "a request of HTTP/1.0": "POST /cancel?task=victim HTTP/1.0\r\n\r\n",
  "the hello of TLS": new Uint8Array([
    ...[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03],
  ]),
};

for (const [kind, bytes] of Object.entries(OTHER_PROTOCOLS)) {
  Deno.test(`an inspector does nothing of ${kind}`, async () => {
    const { status, cancelled } = await tryToCancel(() => bytes);
    assertFalse(cancelled);
    assertFalse(status.startsWith("2"), status);
  });
}

Deno.test("the page loads nothing from elsewhere, is shown in no frame, and is not cached", async () => {
  await using inspector = await startInspector();
  const [one, two] = [await fetch(inspector.url), await fetch(inspector.url)];
  const policy = one.headers.get("content-security-policy")!;
  const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1];
  assertStringIncludes(policy, "default-src 'none'");
  assertStringIncludes(policy, "frame-ancestors 'none'");
  assertFalse(two.headers.get("content-security-policy")!.includes(nonce!));
  assertEquals(one.headers.get("cache-control"), "no-store");
  assertEquals(one.headers.get("referrer-policy"), "no-referrer");
  const html = await one.text();
  assertStringIncludes(html, `<script nonce="${nonce}">`);
  assertFalse(/https?:/.test(html), "It must not name another host");
  await two.body?.cancel();
});

Deno.test({
  name:
    "an open inspector with a page neither keeps a program nor hides a deadlock",
  ...needs(OPEN_RESPONSES),
  fn: () => endsInDeadlock("page"),
});

Deno.test("an open inspector neither keeps a program nor hides a deadlock", async () => {
  await endsInDeadlock("alone");
});

async function endsInDeadlock(kind: string): Promise<void> {
  const { code, stderr, stdout } = await runProgram("inspected", {
    args: [kind],
  });
  assertEquals({ code, stdout }, { code: 0, stdout: `${kind}\n` });
  assertMatch(
    stderr,
    /^Deadlock: every task waits, and nothing is left that could wake them$/m,
  );
  assertMatch(stderr, /Lock\.acquire on held \(held by holder\)/);
}

Deno.test("an aborted signal gives the start of an inspector up, and frees its port", async () => {
  await run(async () => {
    const { signal, abort } = countingSignal();
    const reason = new Error("not needed");
    const port = await freePort();
    const starting = startInspector({ port, signal });
    abort(reason);
    assertStrictEquals(await assertRejects(() => starting), reason);
    const inspector = await startInspector({ port });
    // It would be an OSError, as the port is in use.
    const late = await assertRejects(() => startInspector({ port, signal }));
    assertStrictEquals(late, reason);
    await inspector.close();
  });
});
