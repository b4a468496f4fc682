/**
 * Graceful server: at SIGTERM every client is told goodbye, and then it ends.
 *
 * The chapter "A server that ends gracefully". `docker stop` and systemd send
 * SIGTERM, wait for a while, and then kill. `run` cancels the main function for
 * it; the task group hands that on to the tasks of the clients, whose `finally`
 * blocks run, and waits for them. `graceMs` is the limit to that. Then the program
 * ends as killed by the signal, which a shell sees as status 143.
 *
 *     deno task example graceful_server         starts one and stops it
 *     deno task example graceful_server 8888    serves until Ctrl-C or SIGTERM
 *
 * The first prints
 *
 *     Serving on 127.0.0.1:40123
 *     The server says "hello"
 *     SIGTERM
 *     The server says "goodbye"
 *     It was ended by signal 15
 *
 * @module
 */

import { argv, execPath } from "node:process";
import { fileURLToPath } from "node:url";
import {
  createSubprocessExec,
  Event,
  openConnection,
  PIPE,
  run,
  startServer,
  type StreamReader,
  type StreamWriter,
  taskGroup,
} from "@asyncio/asyncio";

const HOSTNAME = "127.0.0.1";

/** Less than the 10 s after which `docker stop` kills. */
const GRACE_MS = 5_000;

/** Says back what a client says, and goodbye, whoever leaves first. */
async function talk(reader: StreamReader, writer: StreamWriter): Promise<void> {
  try {
    for await (const line of reader) writer.write(line);
  } finally {
    writer.write("goodbye\n");
    writer.close();
    await writer.waitClosed();
  }
}

async function serve(port: number): Promise<void> {
  await taskGroup(async (group) => {
    const server = await startServer(async (reader, writer) => {
      if (server.isServing()) {
        await group.createTask(() => talk(reader, writer));
      } else writer.close(); // who came in the last moment
    }, { hostname: HOSTNAME, port });
    console.log(`Serving on ${HOSTNAME}:${server.port}`);
    try {
      await new Event().wait(); // for good
    } finally {
      server.close(); // nobody new; the group ends those that are here
    }
  });
}

function textOf(line: Uint8Array): string {
  return JSON.stringify(new TextDecoder().decode(line).trimEnd());
}

/** Starts the server as a program of its own, talks to it, and stops it. */
async function main(): Promise<void> {
  await using server = await createSubprocessExec(
    execPath,
    ["run", "--quiet", "-A", fileURLToPath(import.meta.url), "0"],
    { stdout: PIPE },
  );
  const serving = new TextDecoder().decode(await server.stdout.readLine());
  console.log(serving.trimEnd());
  const port = Number(serving.split(":").at(-1));
  const [reader, writer] = await openConnection({ hostname: HOSTNAME, port });
  writer.write("hello\n");
  console.log(`The server says ${textOf(await reader.readLine())}`);
  console.log("SIGTERM");
  server.terminate();
  console.log(`The server says ${textOf(await reader.readLine())}`);
  writer.close();
  console.log(`It was ended by signal ${-await server.wait()}`);
}

if (import.meta.main) {
  const port = argv[2];
  if (port === undefined) await run(main);
  else await run(() => serve(Number(port)), { graceMs: GRACE_MS });
}
