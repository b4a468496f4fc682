// node: skip permissions are Deno's
import { dirname } from "node:path";
import { assertEquals, assertStringIncludes } from "@std/assert";

const PAGE = new URL("../docs/permissions.md", import.meta.url);

/** The part of `tests/programs/permissions.ts` that tries a row of the table. */
const PARTS: Readonly<Record<string, string>> = {
  "tasks, threads, signals, virtual time": "tasks",
  "connections and servers over TCP and TLS": "connections",
  "datagrams": "datagrams",
  "`getaddrinfo`, `getnameinfo`": "names",
  "Unix sockets": "unix",
  "`sendfile`": "sendfile",
  "`openSqliteQueue`": "durable",
  "subprocesses": "program",
  "`createSubprocessShell`": "shell",
  "`startInspector`": "inspector",
  "`prefork`": "prefork",
};

/** The rows of the table of permissions: what, and the flags. */
async function rows(): Promise<[what: string, flags: string[]][]> {
  const text = await Deno.readTextFile(PAGE);
  return text.split("\n").filter((line) => line.startsWith("| ")).slice(2)
    .map((line) => {
      const [what = "", flags = ""] = line.split("|").slice(1, -1)
        .map((cell) => cell.trim());
      return [what, [...flags.matchAll(/`([^`]+)`/g)].map(([, flag]) => flag!)];
    });
}

async function tryPart(part: string, flags: readonly string[]) {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/file`;
    if (part === "sendfile") await Deno.writeTextFile(file, "text");
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--quiet",
        "--no-check",
        "--no-prompt",
        "--import-map=import_map.offline.json",
        ...flags.map((flag) =>
          flag
            .replace("=FILE", `=${file}`)
            .replace("=FOLDER", `=${dirname(file)}`)
            .replace("=DENO", `=${Deno.execPath()}`)
            .replace("=PROGRAM", "=true")
        ),
        "tests/programs/permissions.ts",
        part,
        file,
      ],
      cwd: new URL("../", import.meta.url),
    }).output();
    const [out = "", err = ""] = [stdout, stderr].map((bytes) =>
      new TextDecoder().decode(bytes)
    );
    return { code, out, err };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the table of permissions has a row for each part that is tried", async () => {
  assertEquals((await rows()).map(([what]) => what), Object.keys(PARTS));
});

for (const [what, part] of Object.entries(PARTS)) {
  Deno.test(`${what}: the permissions of the table are enough, and each is needed`, async () => {
    const [, flags = []] = (await rows()).find(([each]) => each === what) ?? [];
    const { code, out, err } = await tryPart(part, flags);
    assertEquals([code, out.trim()], [0, "done"], err);
    for (const flag of flags) {
      const others = flags.filter((each) => each !== flag);
      // deno-lint-ignore no-await-in-loop -- one process after the other
      const fewer = await tryPart(part, others);
      assertEquals(fewer.code, 1, flag);
      assertStringIncludes(fewer.err, "PermissionError");
    }
  });
}
