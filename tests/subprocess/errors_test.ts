import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import {
  FileNotFoundError,
  InvalidStateError,
  NotADirectoryError,
  PermissionError,
  ProcessLookupError,
} from "@asyncio/asyncio";
import {
  createSubprocessExec,
  createSubprocessShell,
  PIPE,
  STDOUT,
  subprocessExec,
  type SubprocessOptions,
  SubprocessProtocol,
} from "@asyncio/asyncio/subprocess";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { OUT, textOf } from "../_support/subprocess.ts";

const MERGED: SubprocessOptions = { stdout: PIPE, stderr: STDOUT };

/** Calls with what the types do not allow. */
// deno-lint-ignore no-explicit-any -- on purpose
const wrong = (value: unknown): any => value;

Deno.test("P12 a missing program is a FileNotFoundError at the call", async () => {
  for (const program of ["no-such-program", "/no/such/program", "./no-such"]) {
    for (const options of [{}, MERGED]) {
      const error = await assertRejects(
        () => createSubprocessExec(program, [], options),
        FileNotFoundError,
        `Cannot start ${program} as there is no such file or directory`,
      );
      assertEquals(error.code, "ENOENT");
    }
  }
});

Deno.test("P12 a program is looked up in the PATH of its environment", async () => {
  const env = { PATH: "/no/such/place" };
  for (const options of [{ env }, { env, ...MERGED }]) {
    await assertRejects(
      () => createSubprocessExec("seq", ["1"], options),
      FileNotFoundError,
    );
  }
});

Deno.test("a program that may not be run is a PermissionError", async () => {
  for (const program of ["/etc/passwd", "/tmp"]) {
    for (const options of [{}, MERGED]) {
      const error = await assertRejects(
        () => createSubprocessExec(program, [], options),
        PermissionError,
        `Cannot start ${program} as permission denied (EACCES)`,
      );
      assertEquals(error.code, "EACCES");
    }
  }
});

Deno.test("a bad cwd is an error that names it", async () => {
  for (const options of [{}, MERGED]) {
    await assertRejects(
      () => createSubprocessExec("true", [], { ...options, cwd: "/no/such" }),
      FileNotFoundError,
      "Cannot start true in /no/such as",
    );
    const error = await assertRejects(
      () =>
        createSubprocessExec("true", [], { ...options, cwd: "/etc/passwd" }),
      NotADirectoryError,
      "Cannot start true in /etc/passwd as a part of the path is not a directory (ENOTDIR)",
    );
    assertEquals(error.code, "ENOTDIR");
  }
});

Deno.test("a program in cwd is found by its relative path", async () => {
  const folder = await mkdtemp(join(tmpdir(), "asyncio-"));
  try {
    for (const name of ["tool", "-tool"]) {
      const path = join(folder, name);
      await writeFile(path, '#!/bin/sh\necho "it works $1"\n');
      await chmod(path, 0o755);
    }
    const env = { PATH: `${folder}:/bin:/usr/bin` };
    for (const options of [OUT, MERGED]) {
      for (const program of ["./tool", "tool", "-tool"]) {
        const all = { ...options, cwd: folder, env };
        const tool = await createSubprocessExec(program, ["-n"], all);
        const [output] = await tool.communicate();
        assertEquals(textOf(output), "it works -n\n");
      }
      // As `execvp` has it, in the directory of the child.
      for (
        const PATH of ["", ".", "/no/such/place:", `../${basename(folder)}`]
      ) {
        const all = { ...options, cwd: folder, env: { PATH } };
        const tool = await createSubprocessExec("tool", ["-n"], all);
        const [output] = await tool.communicate();
        assertEquals(textOf(output), "it works -n\n", PATH);
        await assertRejects(
          () => createSubprocessExec("seq", ["1"], all),
          FileNotFoundError,
        );
      }
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

Deno.test("bad programs and arguments are refused at the call", async () => {
  const cases: [unknown, unknown, typeof Error, string][] = [
    ["", [], RangeError, "'program' must not be empty"],
    ["a\0b", [], RangeError, "'program' must not contain a NUL byte"],
    [5, [], TypeError, "'program' must be a string: received 5"],
    ["true", "x", TypeError, "'args' must be an array of strings"],
    ["true", ["x", 5], TypeError, "'args[1]' must be a string: received 5"],
    ["true", ["\0"], RangeError, "'args[0]' must not contain a NUL byte"],
    ["true", [undefined], TypeError, "'args[0]' must be a string"],
  ];
  for (const [program, args, ErrorClass, message] of cases) {
    await assertRejects(
      () => createSubprocessExec(wrong(program), wrong(args)),
      ErrorClass,
      `Cannot start a subprocess as ${message}`,
    );
  }
  await assertRejects(() => createSubprocessShell(""), RangeError, "'command'");
  await assertRejects(
    () => createSubprocessShell(wrong(["ls"])),
    TypeError,
    "'command' must be a string: received an array of 1",
  );
});

Deno.test("P10 bad options are refused at the call", async () => {
  const cases: [Record<string, unknown>, string][] = [
    [{ text: true }, "its streams are bytes, without a 'text'"],
    [{ encoding: "utf8" }, "its streams are bytes, without a 'encoding'"],
    [{ stdin: STDOUT }, "only 'stderr' can be STDOUT"],
    [{ stdout: 1 }, "'stdout' must be PIPE, DEVNULL or"],
    [{ cwd: "" }, "'cwd' must not be empty"],
    [{ cwd: new URL("http://a/") }, "'cwd' must be a path or a file URL"],
    [{ cwd: new URL("file://a/tmp") }, "a file URL of this machine: received"],
    [{ cwd: new URL("file:///tmp%zz") }, "'cwd' must be a path or a file URL"],
    [{ cwd: new URL("file:///tmp%00") }, "'cwd' must not contain a NUL byte"],
    [{ env: { A: 1 } }, "'env.A' must be a string"],
    [{ env: { A: "\0" } }, "'env.A' must not contain a NUL byte"],
    [{ env: { "A=": "" } }, "a name in 'env'"],
    [{ env: ["A"] }, "'env' must be an object of strings"],
    [{ limit: 0 }, "'limit' must be an integer of at least 1"],
    [{ uid: -1 }, "'uid' must be an integer of at least 0"],
    [{ gid: 2 ** 32 - 1 }, "'gid' must be at most 4294967294: received 42949"],
    [{ detached: 1 }, "'detached' must be a boolean"],
    [{ killOnCancel: "yes" }, "'killOnCancel' must be a boolean"],
    [{ graceMs: NaN }, "'graceMs' must not be NaN"],
  ];
  for (const [options, message] of cases) {
    await assertRejects(
      () => createSubprocessExec("true", [], wrong(options)),
      Error,
      message,
    );
  }
  await assertRejects(
    () => createSubprocessExec("true", [], wrong(null)),
    TypeError,
    "'options' must be an object",
  );
  await assertRejects(
    () => subprocessExec(wrong(new SubprocessProtocol()), "true"),
    TypeError,
    "'protocolFactory' must be a function",
  );
});

Deno.test("P16 signalling a child that has ended is a ProcessLookupError", async () => {
  const child = await createSubprocessExec("true", [], { detached: true });
  assertEquals(await child.wait(), 0);
  for (
    const send of [
      () => child.kill(),
      () => child.terminate(),
      () => child.sendSignal("SIGHUP"),
      () => child.killTree(),
    ]
  ) {
    const error = assertThrows(send, ProcessLookupError);
    assertEquals(error.code, "ESRCH");
  }
  assertEquals(await child.stop(), 0);
});

Deno.test("sendSignal() refuses what is no signal", async () => {
  await using child = await createSubprocessExec("sleep", ["60"]);
  assertThrows(() => child.sendSignal(wrong("TERM")), TypeError, '"TERM"');
  for (const signal of ["SIGTREM", "", "__proto__", {}, true, undefined]) {
    assertThrows(() => child.sendSignal(wrong(signal)), TypeError);
  }
  assertThrows(() => child.killTree(wrong("SIGTREM")), TypeError, "SIGTREM");
  assertThrows(() => child.killTree(wrong(null)), TypeError, "null");
  assertThrows(() => child.sendSignal(1000), RangeError, "received 1000");
  assertThrows(() => child.sendSignal(wrong(null)), TypeError, "null");
  assert(child.returnCode === null);
});

Deno.test("communicate() refuses input without the pipe", async () => {
  await using child = await createSubprocessExec("true");
  await assertRejects(
    () => child.communicate("x"),
    InvalidStateError,
    "stdin is no pipe, without 'stdin: PIPE'",
  );
  await assertRejects(() => child.communicate(wrong(5)), TypeError, "'input'");
  assertEquals(await child.communicate(), [null, null]);
});

Deno.test("communicate() refuses what another task reads", async () => {
  await using child = await createSubprocessExec("sleep", ["60"], {
    stdin: PIPE,
    stdout: PIPE,
    stderr: PIPE,
  });
  const reading = child.stdout!.read();
  await assertRejects(() => child.communicate("x"), InvalidStateError);
  child.kill();
  assertEquals((await reading).length, 0);
});

Deno.test("an error of starting leaves nothing behind", async () => {
  for (let i = 0; i < 20; i++) {
    await assertRejects(() =>
      createSubprocessExec("no-such-program", [], {
        stdin: PIPE,
        stdout: PIPE,
        stderr: PIPE,
      })
    );
  }
});
