import nodeProcess from "node:process";
import {
  ConnectionError,
  createTask,
  LimitOverrunError,
  sleep,
  waitFor,
} from "@asyncio/asyncio";
import {
  createSubprocessExec,
  createSubprocessShell,
  DEVNULL,
  PIPE,
  STDOUT,
} from "@asyncio/asyncio/subprocess";
import {
  assert,
  assertEquals,
  assertGreater,
  assertLess,
  assertRejects,
} from "@std/assert";
import { NAMED_PIPES, NAMELESS_SIGNALS } from "../../platform/limits.ts";
import { until } from "../_support/net.ts";
import { runProgram } from "../_support/programs.ts";
import { needs } from "../_support/runtimes.ts";
import {
  bytesOf,
  children,
  IN_AND_OUT,
  isAlive,
  OUT,
  textOf,
} from "../_support/subprocess.ts";

const MEGABYTES = 5_000_000;

Deno.test("P1 communicate() carries 5 MB both ways", async () => {
  const input = bytesOf(MEGABYTES);
  await using cat = await createSubprocessExec("cat", [], IN_AND_OUT);
  const [output, errors] = await cat.communicate(input);
  assertEquals(output!.length, input.length);
  assert(output!.every((byte, index) => byte === input[index]));
  assertEquals(errors, null);
  assertEquals(cat.returnCode, 0);
});

Deno.test("P1 5 MB are written and read by hand, both at once", async () => {
  await using cat = await createSubprocessExec("cat", [], IN_AND_OUT);
  const writing = createTask(async () => {
    for (let sent = 0; sent < MEGABYTES; sent += 50_000) {
      cat.stdin!.write(new Uint8Array(50_000));
      await cat.stdin!.drain();
    }
    cat.stdin!.close();
    await cat.stdin!.waitClosed();
  });
  assertEquals((await cat.stdout!.read()).length, MEGABYTES);
  await writing;
  assertEquals(await cat.wait(), 0);
});

Deno.test("P2 communicate() with a child that never reads", async () => {
  await using child = await createSubprocessExec("true", [], IN_AND_OUT);
  const [output] = await child.communicate(bytesOf(MEGABYTES));
  assertEquals(output, new Uint8Array(0));
  assertEquals(child.returnCode, 0);
});

Deno.test("P2 communicate() with a child that ends before it read all", async () => {
  await using head = await createSubprocessExec(
    "head",
    ["-c", "10"],
    IN_AND_OUT,
  );
  const [output] = await head.communicate(bytesOf(MEGABYTES));
  assertEquals(output!.length, 10);
  assertEquals(head.returnCode, 0);
});

Deno.test("P2 communicate() with a child that closes stdin early", async () => {
  await using child = await createSubprocessShell(
    "exec <&-; sleep 0.1; echo done",
    IN_AND_OUT,
  );
  const [output] = await child.communicate(bytesOf(MEGABYTES));
  assertEquals(textOf(output), "done\n");
});

Deno.test("P2 drain() tells that the child no longer reads", async () => {
  await using child = await createSubprocessExec("true", [], { stdin: PIPE });
  await child.wait();
  let error: unknown;
  try {
    for (let i = 0; i < 100; i++) {
      child.stdin!.write(new Uint8Array(100_000));
      await child.stdin!.drain();
    }
  } catch (caught) {
    error = caught;
  }
  assert(error instanceof ConnectionError);
});

Deno.test("P3 J10 returnCode is minus the signal", async () => {
  for (
    const [send, expected] of [
      ["kill", -9],
      ["terminate", -15],
      ["SIGHUP", -1],
      [10, -10],
    ] as const
  ) {
    await using child = await createSubprocessExec("sleep", ["60"]);
    if (send === "kill") child.kill();
    else if (send === "terminate") child.terminate();
    else child.sendSignal(send);
    assertEquals(await child.wait(), expected);
    assertEquals(child.returnCode, expected);
  }
});

Deno.test("P3 returnCode is minus the signal of one without a name", {
  ...needs(NAMELESS_SIGNALS),
}, async () => {
  // In a program of its own: of such a child Deno keeps a note that nobody can
  // remove, which its sanitizer finds.
  assertEquals(await runProgram("nameless_signal"), {
    code: 0,
    stdout: "-40\n<Process PID /bin/sh ended by signal 40>\n",
    stderr: "",
  });
});

Deno.test("P4 returnCode is null while the child runs", async () => {
  await using cat = await createSubprocessExec("cat", [], IN_AND_OUT);
  assertEquals(cat.returnCode, null);
  cat.stdin!.close();
  assertEquals(await cat.wait(), 0);
  assertEquals(cat.returnCode, 0);
});

Deno.test("P4 wait() can be called again, and by many", async () => {
  await using child = await createSubprocessShell("sleep 0.05; exit 3");
  const codes = await Promise.all([child.wait(), child.wait(), child.wait()]);
  assertEquals(codes, [3, 3, 3]);
  assertEquals(await child.wait(), 3);
});

Deno.test("P7 wait() does not end while output fills the pipe unread", async () => {
  await using yes = await createSubprocessShell(
    "head -c 5000000 /dev/zero",
    OUT,
  );
  const waiting = createTask(() => yes.wait());
  await sleep(100);
  assert(!waiting.done());
  assertEquals((await yes.stdout!.read()).length, MEGABYTES);
  assertEquals(await waiting, 0);
});

Deno.test("P8 J11 wait() ends though a grandchild holds the pipe", async () => {
  const child = await createSubprocessShell("sleep 60 & echo $!", OUT);
  const pid = Number(textOf(await child.stdout!.readLine()));
  assertEquals(await waitFor(() => child.wait(), 10_000), 0);
  assert(!child.stdout!.atEof());
  assert(isAlive(pid));
  await (await createSubprocessExec("kill", ["-9", `${pid}`])).wait();
  assertEquals(await child.stdout!.read(), new Uint8Array(0));
});

Deno.test("P9 output is readable after the exit", async () => {
  const child = await createSubprocessExec("echo", ["late"], OUT);
  await child.wait();
  await sleep(20);
  assertEquals(textOf(await child.stdout!.read()), "late\n");
  assert(child.stdout!.atEof());
});

Deno.test("P9 60 kB are readable after the exit, past the limit", async () => {
  const child = await createSubprocessShell(
    "head -c 60000 /dev/zero",
    { ...OUT, limit: 10 },
  );
  await child.wait();
  await sleep(20);
  assertEquals((await child.stdout!.read()).length, 60_000);
});

Deno.test("P11 arguments reach the program as they are", async () => {
  const args = ["$HOME", "a b", '"', "'", "*", "`id`", "\\", "", "ü\n", "-n"];
  await using child = await createSubprocessExec(
    "printf",
    ["[%s]", ...args],
    OUT,
  );
  const [output] = await child.communicate();
  assertEquals(textOf(output), args.map((each) => `[${each}]`).join(""));
});

Deno.test("P11 a shell interprets its command", async () => {
  await using child = await createSubprocessShell("echo $((1 + 1)) | cat", OUT);
  assertEquals(textOf((await child.communicate())[0]), "2\n");
});

Deno.test("a child opens its pipes by their names", {
  ...needs(NAMED_PIPES),
}, async () => {
  const child = await createSubprocessShell(
    "cat /dev/stdin > /dev/stdout",
    IN_AND_OUT,
  );
  const [output] = await child.communicate("hello");
  assertEquals(textOf(output), "hello");
});

Deno.test("P13 env replaces the whole environment", async () => {
  const child = await createSubprocessExec("/usr/bin/env", [], {
    ...OUT,
    env: { ONE: "1", TWO: "a b" },
  });
  const [output] = await child.communicate();
  assertEquals(textOf(output).trim().split("\n").sort(), ["ONE=1", "TWO=a b"]);
});

// Bun itself leaves it out.
Deno.test(
  "P13 env takes any name",
  { ignore: "Bun" in globalThis },
  async () => {
    for (const stderr of [DEVNULL, STDOUT] as const) {
      const child = await createSubprocessExec("/usr/bin/env", [], {
        stdout: PIPE,
        stderr,
        env: JSON.parse('{ "__proto__": "1", "constructor": "2" }'),
      });
      const [output] = await child.communicate();
      assertEquals(textOf(output).trim().split("\n").sort(), [
        "__proto__=1",
        "constructor=2",
      ]);
    }
  },
);

Deno.test("P13 with stderr: STDOUT env is the same", async () => {
  const child = await createSubprocessExec("/usr/bin/env", [], {
    stdout: PIPE,
    stderr: STDOUT,
    env: { ONE: "1" },
  });
  assertEquals(textOf((await child.communicate())[0]), "ONE=1\n");
});

Deno.test("P14 stderr: STDOUT merges in the order written", async () => {
  const lines = Array.from({ length: 500 }, (_, index) => `${index}`);
  await using child = await createSubprocessShell(
    "i=0; while [ $i -lt 500 ]; do " +
      "if [ $((i % 2)) = 0 ]; then echo $i; else echo $i >&2; fi; " +
      "i=$((i + 1)); done",
    { stdout: PIPE, stderr: STDOUT },
  );
  assertEquals(child.stderr, null);
  const [output] = await child.communicate();
  assertEquals(textOf(output).trim().split("\n"), lines);
});

Deno.test("P14 stderr: STDOUT passes arguments as they are, and one pid", async () => {
  const args = ["-c", 'echo $$ "$@" >&2', "x", "a b", "$HOME", "-e", ""];
  await using child = await createSubprocessExec("sh", args, {
    stdout: PIPE,
    stderr: STDOUT,
  });
  const [output] = await child.communicate();
  assertEquals(textOf(output), `${child.pid} a b $HOME -e \n`);
});

Deno.test("P14 DEVNULL leaves the attribute null", async () => {
  await using child = await createSubprocessShell("cat; echo x; echo y >&2", {
    stdin: DEVNULL,
    stdout: DEVNULL,
    stderr: PIPE,
  });
  assertEquals(child.stdin, null);
  assertEquals(child.stdout, null);
  const [output, errors] = await child.communicate();
  assertEquals(output, null);
  assertEquals(textOf(errors), "y\n");
});

Deno.test("P14 stderr: STDOUT goes nowhere where stdout does", async () => {
  const child = await createSubprocessShell("echo x >&2", {
    stdout: DEVNULL,
    stderr: STDOUT,
  });
  assertEquals(await child.wait(), 0);
});

Deno.test("P15 limit is that of the child's readers", async () => {
  await using child = await createSubprocessExec("echo", ["123456789"], {
    ...OUT,
    limit: 5,
  });
  let name = "";
  try {
    await child.stdout!.readLine();
  } catch (error) {
    name = (error as Error).name;
  }
  assertEquals(name, "LimitOverrunError");
});

Deno.test("R6 readLine() drops a line over the limit, and no other", async () => {
  await using child = await createSubprocessExec(
    "printf",
    ["first\\nfar too long\\nthird\\n"],
    { ...OUT, limit: 6 },
  );
  const { stdout } = child;
  // All of it is there, in one piece.
  await child.wait();
  assertEquals(textOf(await stdout!.readLine()), "first\n");
  await assertRejects(() => stdout!.readLine(), LimitOverrunError);
  assertEquals(textOf(await stdout!.readLine()), "third\n");
  assertEquals(textOf(await stdout!.readLine()), "");
});

Deno.test("R7 readLine() drops what has come of a line over the limit, and no other", async () => {
  await using child = await createSubprocessShell(
    "printf 'first\nfar too long'; read x; printf ' by now\nthird\n'",
    { ...IN_AND_OUT, limit: 10 },
  );
  const { stdin, stdout } = child;
  assertEquals(textOf(await stdout!.readLine()), "first\n");
  await assertRejects(() => stdout!.readLine(), LimitOverrunError);
  stdin!.write("go on\n");
  assertEquals(textOf(await stdout!.readLine()), " by now\n");
  assertEquals(textOf(await stdout!.readLine()), "third\n");
});

Deno.test("lines of a child are iterated", async () => {
  await using child = await createSubprocessExec("seq", ["1000"], OUT);
  let sum = 0;
  for await (const line of child.stdout!) sum += Number(textOf(line));
  assertEquals(sum, 500_500);
});

Deno.test("a child is killed while we write to it", async () => {
  await using child = await createSubprocessExec("sleep", ["60"], {
    stdin: PIPE,
  });
  const writing = createTask(async () => {
    child.stdin!.write(new Uint8Array(MEGABYTES));
    await child.stdin!.drain();
  });
  await sleep(50);
  child.kill();
  const error = await writing.catch((each) => each);
  assertEquals((error as Error).name, "BrokenPipeError");
  assertEquals(await child.wait(), -9);
});

Deno.test("200 children run at once, and none is left", async () => {
  const before = await children();
  const codes = await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const child = await createSubprocessShell(
        `cat; exit ${index % 50}`,
        IN_AND_OUT,
      );
      const [output] = await child.communicate(`${index}`);
      assertEquals(textOf(output), `${index}`);
      return child.returnCode;
    }),
  );
  assertEquals(codes, codes.map((_, index) => index % 50));
  // Neither a child is left nor a zombie.
  assertEquals(await children(), before);
});

Deno.test("cwd is where the child works, as a path and as a URL", async () => {
  for (const cwd of ["/", new URL("file:///usr/")]) {
    const child = await createSubprocessExec("pwd", [], { ...OUT, cwd });
    const [output] = await child.communicate();
    assertEquals(textOf(output), cwd === "/" ? "/\n" : "/usr\n");
  }
});

Deno.test({
  name: "uid and gid are whom the child runs as",
  ignore: nodeProcess.getuid?.() !== 0,
  fn: async () => {
    const options = { ...OUT, uid: 65_534, gid: 65_533 };
    const child = await createSubprocessShell("id -u; id -g", options);
    const [output] = await child.communicate();
    assertEquals(textOf(output), "65534\n65533\n");
  },
});

Deno.test("writeEof() on stdin ends what the child reads", async () => {
  await using wc = await createSubprocessExec("wc", ["-c"], IN_AND_OUT);
  wc.stdin!.write("12345");
  assert(wc.stdin!.canWriteEof());
  wc.stdin!.writeEof();
  await wc.stdin!.waitClosed();
  assertEquals(textOf(await wc.stdout!.read()).trim(), "5");
});

Deno.test("streams of the web stand on the pipes", async () => {
  await using cat = await createSubprocessExec("cat", [], IN_AND_OUT);
  const body = new Response("hello").body!;
  const [, text] = await Promise.all([
    body.pipeTo(cat.stdin!.writable),
    new Response(cat.stdout!.readable).text(),
  ]);
  assertEquals(text, "hello");
});

Deno.test("a slow reader holds the child back", async () => {
  await using yes = await createSubprocessExec("yes", [], OUT);
  await yes.stdout!.readLine();
  await until(() => yes.stdout!.statistics().isPaused, "a full reader");
  await sleep(100);
  const { size, isPaused } = yes.stdout!.statistics();
  assert(isPaused);
  assertGreater(size, 100_000);
  assertLess(size, 600_000);
});
