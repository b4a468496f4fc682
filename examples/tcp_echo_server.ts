/**
 * TCP echo server: what a client sends goes back to it.
 *
 * The chapter "TCP echo server". Each connection has a task of its own. `drain`
 * keeps a client that sends much and reads nothing from filling the memory.
 * Without a port the server is its own client, once; with one it serves until
 * Ctrl-C, at port 0 wherever the system has room.
 *
 *     deno task example tcp_echo_server         serves one client of its own
 *     deno task example tcp_echo_server 8888    serves until Ctrl-C
 *
 * The second, with `deno task example tcp_echo_client 8888` beside it, prints
 *
 *     Serving on 127.0.0.1:8888
 *     Received "Hello World!"
 *     The client is done
 *     Interrupted
 *
 * @module
 */

import { argv } from "node:process";
import {
  KeyboardInterrupt,
  run,
  startServer,
  type StreamReader,
  type StreamWriter,
} from "@asyncio/asyncio";
import { echo } from "./tcp_echo_client.ts";

async function handleEcho(
  reader: StreamReader,
  writer: StreamWriter,
): Promise<void> {
  for (;;) {
    const data = await reader.read(100);
    if (data.length === 0) break;
    const message = new TextDecoder().decode(data);
    console.log(`Received ${JSON.stringify(message)}`);
    writer.write(data);
    await writer.drain();
  }
  console.log("The client is done");
  writer.close();
}

export async function main(port?: number): Promise<void> {
  await using server = await startServer(handleEcho, {
    hostname: "127.0.0.1",
    port: port ?? 0,
  });
  console.log(`Serving on 127.0.0.1:${server.port}`);
  if (port === undefined) await echo("Hello World!", server.port);
  else await server.serveForever();
}

if (import.meta.main) {
  try {
    await run(() => main(argv[2] === undefined ? undefined : Number(argv[2])));
  } catch (error) {
    if (!(error instanceof KeyboardInterrupt)) throw error;
    console.log("Interrupted");
  }
}
