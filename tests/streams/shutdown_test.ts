import { assertEquals, assertStringIncludes } from "@std/assert";
import { builtin, connectRaw, deferred, type Socket } from "../_support/net.ts";
import { runProgram, type Signal } from "../_support/programs.ts";

/** Starts the server, talks to it, and sends it a signal in mid-conversation. */
async function talk(
  signal: Signal,
  ...args: readonly string[]
): Promise<{ code: number | null; lines: string[]; heard: string }> {
  let heard = "";
  let hasEnded = false;
  const gone = deferred<void>();
  let peer: Socket | undefined;
  const { code, stdout, stderr } = await runProgram("graceful_server", {
    args,
    onLine: (line, send) => {
      const port = /^serving on port (\d+)$/.exec(line)?.[1];
      if (port === undefined) return;
      connectRaw(Number(port)).then((socket) => {
        peer = socket;
        socket.on("data", (data) => {
          heard += String(data);
          if (heard === "hello\n") send(signal);
        });
        socket.on("end", () => {
          hasEnded = true;
        });
        socket.on("close", gone.resolve);
        socket.on("end", () => socket.end());
        socket.write("hello\n");
      });
    },
  });
  await gone.promise;
  peer?.destroy();
  assertEquals(stderr, "");
  return {
    code,
    lines: stdout.replace(/port \d+/, "port").trimEnd().split("\n"),
    heard: hasEnded ? `${heard}(end)` : heard,
  };
}

const ALL = ["serving on port", "all are gone"];

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  Deno.test(`the recipe for a graceful end says goodbye at ${signal}`, async () => {
    assertEquals(await talk(signal, "60000", "polite"), {
      code: 0,
      lines: ALL,
      heard: "hello\ngoodbye\n(end)",
    });
  });
}

Deno.test("the recipe for a graceful end closes who takes longer than its limit", async () => {
  const { code, lines, heard } = await talk("SIGTERM", "50", "stubborn");
  assertEquals([code, lines], [0, ALL]);
  assertStringIncludes(heard, "hello\ngoodbye\n");
});

Deno.test({
  name: "the recipe for a graceful end is that of the tutorial",
  // The pages are not in the package.
  ignore: !("Deno" in globalThis),
  fn() {
    const { readFileSync } = builtin("node:fs");
    const read = (path: string) =>
      readFileSync(new URL(path, import.meta.url), "utf8");
    const program = read("../programs/graceful_server.ts");
    const recipe = /begins\n(.*)\n\/\/ -- the recipe ends/s.exec(program)![1]!
      .replace("    await lastThing();\n", "");
    assertStringIncludes(read("../../docs/tutorial.md"), recipe);
  },
});
