/** `stderr: STDOUT` changes where the errors go, and nothing else. */
import nodeProcess from "node:process";
import {
  createSubprocessExec,
  createSubprocessShell,
  PIPE,
  STDOUT,
  type SubprocessOptions,
} from "@asyncio/asyncio/subprocess";
import { assertEquals, assertRejects } from "@std/assert";
import { runProgram } from "../_support/programs.ts";
import { textOf } from "../_support/subprocess.ts";

const { chmodSync, copyFileSync, mkdtempSync, rmSync } = nodeProcess
  .getBuiltinModule("node:fs");

const PATH = "/usr/bin:/bin";

/** Names that a shell drops or has values of its own for. */
const STRANGE = {
  PATH,
  "A-B": "1",
  "ProgramFiles(x86)": "C:\\Program Files (x86)",
  "npm_config_@scope:registry": "https://registry.example/",
  "BASH_FUNC_echo%%": "() { :; }",
  "1st": "$HOME `id` 'a' \"b\"",
  "": "",
  IFS: ",",
  PWD: "/elsewhere",
  OLDPWD: "relative",
  SHLVL: "7",
  _: "underscore",
  OPTIND: "99999",
  PPID: "1",
  PS1: "# ",
  LINENO: "x",
  SHELLOPTS: "xtrace",
  ENV: "/nowhere",
  HOME: " two\nlines ",
  EMPTY: "",
};

/** A folder that goes when the block is left. */
function folder(): { path: string } & Disposable {
  const path = mkdtempSync("/tmp/asyncio-redirect-");
  return {
    path,
    [Symbol.dispose]: () => rmSync(path, { recursive: true }),
  };
}

/** What a child finds in its environment, with its variables in order. */
async function environment(options: SubprocessOptions): Promise<string[]> {
  const child = await createSubprocessExec("env", ["-0"], {
    stdout: PIPE,
    ...options,
  });
  const [output] = await child.communicate();
  return textOf(output).split("\0").sort();
}

Deno.test("P13 P14 stderr: STDOUT passes the whole environment", async () => {
  const { "": _, ...env } = STRANGE;
  for (
    const each of [env, { PATH }, { PATH, PWD: "/tmp" }, { PATH, SHLVL: "1" }]
  ) {
    assertEquals(
      await environment({ stderr: STDOUT, env: each }),
      Object.entries(each).map(([name, value]) => `${name}=${value}`)
        .concat("").sort(),
    );
  }
});

Deno.test("P14 stderr: STDOUT passes the environment of this program", async () => {
  nodeProcess.env["asyncio-test"] = "here";
  try {
    for (const options of [{}, { cwd: "/tmp" }]) {
      const merged = await environment({ ...options, stderr: STDOUT });
      assertEquals(merged, await environment(options));
      assertEquals(merged.includes("asyncio-test=here"), true);
    }
  } finally {
    delete nodeProcess.env["asyncio-test"];
  }
});

Deno.test("P14 stderr: STDOUT with strange variables is one process, with its own arguments", async () => {
  const args = ["-c", 'echo $$ "$0" "$@" >&2', "A=B", "-u", "a b", "$HOME", ""];
  await using child = await createSubprocessExec("sh", args, {
    stdout: PIPE,
    stderr: STDOUT,
    env: { PATH, "A-B": "1" },
  });
  const [output] = await child.communicate();
  assertEquals(textOf(output), `${child.pid} A=B -u a b $HOME \n`);
});

Deno.test("P14 stderr: STDOUT starts a program whatever it is called", async () => {
  using place = folder();
  for (const name of ["-dash", "a=b", "a b", "$x"]) {
    const path = `${place.path}/${name}`;
    copyFileSync("/bin/echo", path);
    chmodSync(path, 0o755);
    for (const env of [{}, { "A-B": "1" }]) {
      for (const program of [name, path, `./${name}`]) {
        const child = await createSubprocessExec(program, ["hello"], {
          stdout: PIPE,
          stderr: STDOUT,
          cwd: place.path,
          env: { PATH: `${PATH}:${place.path}`, ...env },
        });
        const [output] = await child.communicate();
        assertEquals([textOf(output), child.returnCode], ["hello\n", 0]);
      }
    }
  }
});

Deno.test("P12 P14 stderr: STDOUT with strange variables names what is missing", async () => {
  await assertRejects(
    () =>
      createSubprocessExec("no-such-program", [], {
        stdout: PIPE,
        stderr: STDOUT,
        env: { PATH, "A-B": "1" },
      }),
    Error,
    "no-such-program",
  );
});

Deno.test("P14 stderr: STDOUT with strange variables gives the program's own status", async () => {
  const options: SubprocessOptions = {
    stdout: PIPE,
    stderr: STDOUT,
    env: { PATH, "A-B": "1" },
  };
  const failed = await createSubprocessShell("exit 7", options);
  assertEquals(await failed.wait(), 7);
  const killed = await createSubprocessShell("kill -9 $$", options);
  assertEquals(await killed.wait(), -9);
});

Deno.test({
  name: "P14 stderr: STDOUT needs no permission for the system on Deno",
  ignore: !("Deno" in globalThis),
  async fn() {
    const flags = ["--deny-sys"];
    const { code, stdout, stderr } = await runProgram("redirect", { flags });
    assertEquals([code, stdout, stderr], [0, "out\nerr\n", ""]);
  },
});
