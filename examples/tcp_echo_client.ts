/**
 * TCP echo client: a message to a server, and back.
 *
 * The chapter "TCP echo client". `writeEof()` says that no more will come, so
 * that the server sends what is left and closes; `read()` has it all. Without a
 * port the client starts a server of its own.
 *
 *     deno task example tcp_echo_client         with a server of its own
 *     deno task example tcp_echo_client 8888    the server at that port
 *
 * prints
 *
 *     Send: "Hello World!"
 *     Received: "Hello World!"
 *     Close the connection
 *
 * @module
 */

import { argv } from "node:process";
import { openConnection, run, startServer } from "@asyncio/asyncio";

/** Sends the message to the server at the port and prints what comes back. */
export async function echo(message: string, port: number): Promise<void> {
  const [reader, writer] = await openConnection({
    hostname: "127.0.0.1",
    port,
  });
  console.log(`Send: ${JSON.stringify(message)}`);
  writer.write(message);
  await writer.drain();
  writer.writeEof();

  const answer = new TextDecoder().decode(await reader.read());
  console.log(`Received: ${JSON.stringify(answer)}`);

  console.log("Close the connection");
  writer.close();
  await writer.waitClosed();
}

export async function main(port?: number): Promise<void> {
  const message = "Hello World!";
  if (port !== undefined) return await echo(message, port);
  await using server = await startServer(async (reader, writer) => {
    writer.write(await reader.read());
    writer.close();
  }, { hostname: "127.0.0.1" });
  await echo(message, server.port);
}

if (import.meta.main) {
  await run(() => main(argv[2] === undefined ? undefined : Number(argv[2])));
}
