/** What the socket rows share: how the peer `bare` listens, on Deno and on Node, and how clients are put to a server. */

import { type ClientOptions, startClients } from "../clients.ts";
import type { Load, Work } from "../types.ts";

/** The part of Deno's sockets that the peer `bare` uses; on Node it uses `node:net`. */
export interface Conn {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  setNoDelay(): void;
  close(): void;
}

/** What gives them. */
export interface Listener extends AsyncIterable<Conn> {
  readonly addr: { readonly port: number };
}

/** The runtime, which is Deno if it has this. */
export interface Host {
  readonly Deno?: { listen(options: object): Listener };
}

/** Where all of them listen. */
export const LOCAL = "127.0.0.1";
/** What the servers read at a time at most. */
export const LARGEST_READ = 65_536;

/** Listens and gives its port. */
export type Serve = () => Promise<number>;

/** Exchanges messages with a server for as long as the process lives. */
export function exchanging(options: ClientOptions, serve: Serve): Load<Work> {
  return async () => {
    const command = await startClients(await serve(), options);
    return (rounds, size) => command("exchange", rounds * size);
  };
}

/** Serves each connection. */
export async function accept(
  listener: Listener,
  serve: (conn: Conn) => Promise<void>,
): Promise<void> {
  for await (const conn of listener) {
    conn.setNoDelay();
    // It ends with the process, and its connections do so at any time.
    serve(conn).catch(() => {}).then(() => conn.close());
  }
}

/** Writes until the system has all. */
export async function writeAll(conn: Conn, bytes: Uint8Array): Promise<void> {
  let sent = await conn.write(bytes);
  while (sent < bytes.length) sent += await conn.write(bytes.subarray(sent));
}

type NodeSocket = import("node:net").Socket;

/** Listens with `node:net` and gives its port. */
export async function serveNode(
  onData: (socket: NodeSocket, data: Uint8Array) => void,
): Promise<number> {
  const { createServer } = await import("node:net");
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("data", (data: Uint8Array) => onData(socket, data));
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, LOCAL, resolve));
  return (server.address() as { port: number }).port;
}
