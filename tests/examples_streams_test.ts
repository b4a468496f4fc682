// node: skip the examples are programs for Deno
import { assert, assertEquals, assertMatch } from "@std/assert";
import { builtin, connectRaw } from "./_support/net.ts";
import { type ProgramResult, runProgram } from "./_support/programs.ts";

function runExample(
  name: string,
  ...args: readonly string[]
): Promise<ProgramResult> {
  const env = { ASYNCIO_DEBUG: "0" };
  return runProgram(`../../examples/${name}`, { args, env });
}

const ECHOED =
  'Send: "Hello World!"\nReceived: "Hello World!"\nClose the connection\n';

/**
 * Runs the server with a port, and the client once it serves; Ctrl-C when the
 * server has said goodbye to all `connections` of the client.
 */
async function runServer<T>(
  connections: number,
  client: (port: string) => Promise<T>,
): Promise<{ server: ProgramResult; port: string; client: T }> {
  let port = "";
  let answered: Promise<T> | null = null;
  let done = 0;
  const server = await runProgram("../../examples/tcp_echo_server", {
    args: ["0"],
    env: { ASYNCIO_DEBUG: "0" },
    onLine: (line, send) => {
      if (line === "The client is done" && ++done === connections) {
        return send("SIGINT");
      }
      const serving = line.match(/^Serving on 127\.0\.0\.1:(\d+)$/);
      if (serving === null) return;
      port = serving[1]!;
      answered = client(port);
      answered.catch(() => send("SIGINT"));
    },
  });
  assert(answered !== null, server.stderr);
  return { server, port, client: await answered };
}

const TALK = (port: string, clients: number) =>
  `Serving on 127.0.0.1:${port}\n` +
  'Received "Hello World!"\nThe client is done\n'.repeat(clients) +
  "Interrupted\n";

Deno.test("example tcp_echo_client has its message back", async () => {
  assertEquals(
    await runExample("tcp_echo_client"),
    { code: 0, stdout: ECHOED, stderr: "" },
  );
});

Deno.test("example tcp_echo_server serves itself and stops", async () => {
  const { code, stdout, stderr } = await runExample("tcp_echo_server");
  assertEquals(stderr, "");
  assertEquals(code, 0);
  const lines = stdout.trimEnd().split("\n");
  assertMatch(lines[0]!, /^Serving on 127\.0\.0\.1:\d+$/);
  const ofServer = ['Received "Hello World!"', "The client is done"];
  // Which of the two ends is first at its console is open.
  assertEquals(
    lines.slice(1).filter((line) => ofServer.includes(line)),
    ofServer,
  );
  assertEquals(
    lines.slice(1).filter((line) => !ofServer.includes(line)).join("\n") + "\n",
    ECHOED,
  );
});

Deno.test("example tcp_echo_server serves tcp_echo_client", async () => {
  const { server, port, client } = await runServer(2, async (port) => [
    await runExample("tcp_echo_client", port),
    await runExample("tcp_echo_client", port),
  ]);
  const echoed = { code: 0, stdout: ECHOED, stderr: "" };
  assertEquals(client, [echoed, echoed]);
  assertEquals(server, { code: 0, stdout: TALK(port, 2), stderr: "" });
});

const PYTHON_CLIENT = `import asyncio, sys
async def main(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"Hello World!")
    await writer.drain()
    print((await reader.readexactly(12)).decode())
    writer.write_eof()
    print(await reader.read())
    writer.close()
    await writer.wait_closed()
asyncio.run(main(int(sys.argv[1])))`;

const childProcess = builtin("node:child_process");

function hasPython(): boolean {
  return childProcess.spawnSync("python3", ["--version"]).status === 0;
}

Deno.test({
  name: "example tcp_echo_server serves Python's asyncio",
  ignore: !hasPython(),
  fn: async () => {
    const { server, port, client } = await runServer(1, async (port) => {
      const child = new Deno.Command("python3", {
        args: ["-c", PYTHON_CLIENT, port],
        stdin: "null",
      });
      const { code, stdout, stderr } = await child.output();
      const text = new TextDecoder();
      return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
    });
    assertEquals(client, {
      code: 0,
      stdout: "Hello World!\nb''\n",
      stderr: "",
    });
    assertEquals(server, { code: 0, stdout: TALK(port, 1), stderr: "" });
  },
});

Deno.test("example graceful_server is started and stopped", async () => {
  const { code, stdout, stderr } = await runExample("graceful_server");
  assertEquals([code, stderr], [0, ""]);
  assertEquals(
    stdout.replace(/:\d+/, ":port"),
    "Serving on 127.0.0.1:port\n" +
      'The server says "hello"\n' +
      "SIGTERM\n" +
      'The server says "goodbye"\n' +
      "It was ended by signal 15\n",
  );
});

Deno.test("example graceful_server says goodbye to each client at SIGTERM, and ends by it", async () => {
  const heard = ["", ""];
  const ends: Promise<void>[] = [];
  const { signal, stderr } = await runProgram(
    "../../examples/graceful_server",
    {
      args: ["0"],
      env: { ASYNCIO_DEBUG: "0" },
      onLine: (line, send) => {
        const port = /^Serving on 127\.0\.0\.1:(\d+)$/.exec(line)?.[1];
        if (port === undefined) return;
        for (const index of heard.keys()) {
          ends.push(hear(Number(port), (text) => {
            heard[index] += text;
            if (heard.every((each) => each === "hello\n")) send("SIGTERM");
          }));
        }
      },
    },
  );
  await Promise.all(ends);
  assertEquals(heard, ["hello\ngoodbye\n", "hello\ngoodbye\n"]);
  assertEquals([signal, stderr], ["SIGTERM", ""]);
});

/** A client that says hello, and leaves when the server does. */
async function hear(
  port: number,
  onText: (text: string) => void,
): Promise<void> {
  const socket = await connectRaw(port);
  await new Promise<void>((resolve) => {
    socket.on("data", (data) => onText(String(data)));
    socket.on("end", () => socket.end());
    socket.on("close", () => resolve());
    socket.write("hello\n");
  });
}

Deno.test("example stream_limits shows each of them", async () => {
  const { code, stdout, stderr } = await runExample("stream_limits");
  assertEquals(stderr, "");
  assertEquals(code, 0);
  const changing = /\b\d+(?= (?:MiB|ms)\b)/g;
  assertEquals(
    stdout.replace(changing, "#"),
    "a limit of 32 bytes\n" +
      '  "first"\n' +
      "  LimitOverrunError: skipped a line of 1000 bytes\n" +
      '  "last"\n' +
      "write-buffer limits of 65536 and 16384 bytes\n" +
      "  drain() waits, # MiB were written\n" +
      "  the server reads: drain() is over\n" +
      "20 questions, each in two small writes\n" +
      "  noDelay by default: # ms\n" +
      "  noDelay: false: # ms\n",
  );
  assert(Number(stdout.match(/(\d+) MiB/)![1]) < 64);
});
