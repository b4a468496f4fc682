import {
  createTask,
  Event,
  getRunningLoop,
  openConnection,
  run,
  sleep,
  startInspector,
  type Task,
} from "@asyncio/asyncio";
import * as debug from "@asyncio/asyncio/debug";
import {
  assert,
  assertEquals,
  assertFalse,
  assertMatch,
  assertRejects,
  assertStrictEquals,
} from "@std/assert";

const decoder = new TextDecoder();

/** Sends commands to an inspector on `port`, and gives an answer each. */
async function ask(port: number, ...commands: string[]): Promise<string[]> {
  const [reader, writer] = await openConnection({ port, limit: 2 ** 27 });
  const answers: string[] = [];
  for (const command of commands) {
    writer.write(`${command}\n`);
    const answer = await reader.readUntil("\n\n");
    answers.push(decoder.decode(answer).trimEnd());
  }
  writer.close();
  await writer.waitClosed();
  return answers;
}

/** Two tasks, one awaiting the other, and an inspector. */
function inspected(
  body: (port: number, release: Event) => Promise<void>,
): () => Promise<void> {
  return () =>
    run(async () => {
      const release = new Event();
      const inner = createTask(() => release.wait(), { name: "inner" });
      const outer = createTask(async () => await inner, { name: "outer" });
      await sleep(0);
      const inspector = await startInspector();
      try {
        await body(inspector.port, release);
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
  "ps gives a table of the tasks, without the inspector's own",
  inspected(async (port) => {
    const [table = ""] = await ask(port, "ps");
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
  "pstree gives the tasks below those that await them",
  inspected(async (port) => {
    const [tree = ""] = await ask(port, "pstree");
    assertMatch(
      tree,
      /^outer: waiting for .*\n└─ inner: waiting for Event\.wait$/m,
    );
  }),
);

Deno.test(
  "where gives the call graph of a task",
  inspected(async (port) => {
    const [graph = "", missing] = await ask(port, "where inner", "where x y");
    assertMatch(graph, /^\* <Task pending name="inner"/);
    assertMatch(graph, /Awaited by:\n +\* <Task pending name="outer"/);
    assertEquals(missing, "no such task: x y");
  }),
);

Deno.test("cancel asks a task to cancel", async () => {
  const running = run(async () => {
    const task = createTask(() => sleep(60_000), { name: "long one" });
    const inspector = await startInspector();
    const [answer] = await ask(inspector.port, "cancel long one");
    assertEquals(answer, "asked long one to cancel");
    await inspector.close();
    await task;
  });
  await assertRejects(() => running, Error, "asked for by the inspector");
});

Deno.test(
  "tasks that await each other are shown as a cycle",
  inspected(async (port) => {
    const one: Task<void> = createTask(async () => await two, { name: "one" });
    const two: Task<void> = createTask(async () => await one, { name: "two" });
    await sleep(0);
    const [tree = ""] = await ask(port, "pstree");
    assertMatch(tree, /^one: .*\n└─ two: .*\n {3}└─ one \(a cycle\)$/m);
    one.cancel();
    await two.catch(() => {});
  }),
);

Deno.test(
  "many tasks, and long chains of them, are answered for",
  inspected(async (port, release) => {
    const idle = () => release.wait();
    const first = createTask(idle, { name: "first" });
    let last: Task<unknown> = first;
    for (let i = 0; i < 130_000; i++) {
      const awaited = last;
      last = createTask(i < 5_000 ? async () => await awaited : idle);
    }
    await sleep(0);
    const [table = "", tree = "", graph = ""] = await ask(
      port,
      "ps",
      "pstree",
      "where first",
    );
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
  inspected(async (port) => {
    const shared = createTask(idle, { name: "shared" });
    for (const name of ["a", "b", "c", "d", "e"]) {
      createTask(async () => await shared, { name });
    }
    await sleep(0);
    const [table = "", tree = ""] = await ask(port, "ps", "pstree");
    assertMatch(table, /^shared +a, b, c and 2 more +waiting for sleep/m);
    assertEquals(tree.match(/└─ shared: /g)?.length, 1);
    assertEquals(tree.match(/└─ shared \(shown above\)/g)?.length, 4);
  }),
);

Deno.test(
  "a name cannot forge a line of an answer, nor steer a terminal",
  inspected(async (port) => {
    const name = "one\n\x1b[2Jtwo";
    const shown = String.raw`one\n\u001b[2Jtwo`;
    createTask(idle, { name });
    await sleep(0);
    const answers = await ask(
      port,
      "ps",
      "pstree",
      `where ${shown}`,
      `cancel ${shown}`,
      "where \x1b[2J",
      "\x1b[2J",
    );
    for (const answer of answers) assertFalse(answer.includes("\x1b"));
    assert(answers[0]!.includes(`\n${shown} `));
    assert(answers[1]!.includes(`\n${shown}: `));
    assert(answers[2]!.startsWith(`* <Task pending name="${shown}"`));
    assertEquals(answers[3], `asked ${shown} to cancel`);
  }),
);

Deno.test(
  "help lists the commands, and a wrong one points there",
  inspected(async (port) => {
    const [help = "", wrong] = await ask(port, "help", "constructor");
    assertMatch(help, /^ps +a table of the tasks$/m);
    assertEquals(wrong, "no such command: constructor\ntry: help");
  }),
);

Deno.test(
  "quit hangs up, and so does close",
  inspected(async (port) => {
    const [reader, writer] = await openConnection({ port });
    writer.write("quit\n");
    assertEquals(await reader.read(), new Uint8Array());
    writer.close();

    const inspector = await startInspector();
    const [held, other] = await openConnection({ port: inspector.port });
    other.write("help\n");
    await held.readLine();
    await inspector.close();
    // The host may tell of the end as such, or as a reset.
    await held.read().catch((error) => assertEquals(error.code, "ECONNRESET"));
    assert(held.atEof() || held.exception() !== null);
    other.close();
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
});

/** All that comes back for `bytes`, until the inspector hangs up. */
async function send(port: number, bytes: string | Uint8Array): Promise<string> {
  const [reader, writer] = await openConnection({ port });
  writer.write(bytes);
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

const REQUEST_BODY = "\ncancel victim\nps\nquit\n";
const OTHER_PROTOCOLS: Readonly<Record<string, string | Uint8Array>> = {
  "an HTTP request": `POST / HTTP/1.1\r\nhost: x\r\n\r\n${REQUEST_BODY}`,
  "a request in small letters": `post / http/1.1\r\n\r\n${REQUEST_BODY}`,
  "a request whose method is a command":
    `cancel / HTTP/1.1\r\nhost: x\r\n\r\n${REQUEST_BODY}`,
  "a request whose method is a command without an argument":
    `ps / HTTP/1.1\r\n\r\n${REQUEST_BODY}`,
  "a request after an empty line": `\r\nPOST / HTTP/1.1\r\n${REQUEST_BODY}`,
  "a request without a version": `GET /\r\n${REQUEST_BODY}`,
  "the start of HTTP/2": `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${REQUEST_BODY}`,
  "a request after a command": `help\nPOST / HTTP/1.1\r\n${REQUEST_BODY}`,
  "the hello of TLS, which has no end of a line": new Uint8Array([
    ...[0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03],
  ]),
  "the hello of TLS with a command in it": new Uint8Array([
    ...[0x16, 0x03, 0x01, 0x00, 0x40],
    ...new TextEncoder().encode(REQUEST_BODY),
  ]),
  "words that are no command": `hello\n${REQUEST_BODY}`,
  "a space before the command": ` cancel victim\n`,
  "a line without an end": "x".repeat(100_000),
  "a later line without an end": `help\n${"x".repeat(100_000)}`,
};

for (const [kind, bytes] of Object.entries(OTHER_PROTOCOLS)) {
  Deno.test(`an inspector hangs up on ${kind}, and does nothing of it`, async () => {
    const reports: unknown[] = [];
    await run(async () => {
      getRunningLoop().setExceptionHandler((context) => {
        reports.push(context);
      });
      const victim = createTask(() => new Event().wait(), { name: "victim" });
      const inspector = await startInspector();
      const text = await send(inspector.port, bytes);
      assertFalse(text.includes("asked victim"), text);
      assertFalse(text.includes("awaited by"), text);
      assertEquals([victim.done(), victim.cancelling()], [false, 0]);
      // It still serves who speaks its language.
      const [asked] = await ask(inspector.port, "cancel victim");
      assertEquals(asked, "asked victim to cancel");
      await inspector.close();
    });
    assertEquals(reports, []);
  });
}

Deno.test("a page cannot reach the inspector's commands by fetch", async () => {
  await run(async () => {
    const victim = createTask(() => new Event().wait(), { name: "victim" });
    const inspector = await startInspector();
    const url = `http://127.0.0.1:${inspector.port}/`;
    await assertRejects(() =>
      fetch(url, {
        method: "POST",
        headers: { "content-type": "text/plain" },
        body: REQUEST_BODY,
      })
    );
    assertEquals(victim.cancelling(), 0);
    await inspector.close();
    victim.cancel();
  });
});
