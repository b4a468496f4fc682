/** What the rows about sockets share: how each side listens, and how clients are put to a server. */

import type {
  BufferedProtocol,
  ConnectionHandler,
  Protocol,
} from "@asyncio/asyncio";
import { type ClientOptions, startClients } from "../clients.ts";
import type { Load, Work } from "../types.ts";

/** The part of Deno's sockets that the peer `bare` uses; on Node and Bun it uses `node:net`. */
interface Conn {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  /** None over TLS. */
  setNoDelay?(): void;
  close(): void;
}

interface Listener extends AsyncIterable<Conn> {
  readonly addr: { readonly port: number };
}

/** The runtime, which is Deno if it has this. */
interface Host {
  readonly Deno?: {
    listen(options: object): Listener;
    listenTls(options: object): Listener;
  };
}

type Library = typeof import("@asyncio/asyncio");
type NodeSocket = import("node:net").Socket;

/** Where all of them listen. */
export const LOCAL = "127.0.0.1";
/** What the servers read at a time at most. */
export const LARGEST_READ = 65_536;

/** A certificate and its key, as PEM. */
export interface Identity {
  readonly cert: string;
  readonly key: string;
}

/** Listens, for TLS if it gets a certificate, and gives its port. */
export type Serve = (identity?: Identity) => Promise<number>;

/** Exchanges messages with a server for as long as the process lives. */
export function exchanging(options: ClientOptions, serve: Serve): Load<Work> {
  return async () => {
    const command = await startClients(await serve(), options);
    return (rounds, size) => command("exchange", rounds * size);
  };
}

/** Messages of that many bytes, and answers as long. */
export function both(bytes: number, connections: number): ClientOptions {
  return { connections, send: bytes, receive: bytes };
}

/** Serves with our streams. */
export async function serveByStreams(
  handler: ConnectionHandler,
  identity?: Identity,
): Promise<number> {
  const { startServer } = await import("@asyncio/asyncio");
  const tls = identity ?? false;
  const server = await startServer(handler, { hostname: LOCAL, tls });
  return server.port;
}

/** Serves with one of our protocols. */
export async function serveByProtocol(
  classFrom: (library: Library) => new () => Protocol | BufferedProtocol,
): Promise<number> {
  const library = await import("@asyncio/asyncio");
  const Class = classFrom(library);
  const server = await library.createServer(() => new Class(), {
    hostname: LOCAL,
  });
  return server.port;
}

/** Serves without anything of a library: a loop for each connection on Deno, and what it does with data on Node and Bun. */
export async function serveByHost(
  onDeno: (conn: Conn) => Promise<void>,
  onNode: (socket: NodeSocket) => (data: Uint8Array) => void,
  identity?: Identity,
): Promise<number> {
  const { Deno } = globalThis as Host;
  if (Deno === undefined) return await serveByNode(onNode, identity);
  const address = { hostname: LOCAL, port: 0 };
  const listener = identity === undefined
    ? Deno.listen(address)
    : Deno.listenTls({ ...address, ...identity });
  accept(listener, onDeno);
  return listener.addr.port;
}

async function accept(
  listener: Listener,
  serve: (conn: Conn) => Promise<void>,
): Promise<void> {
  for await (const conn of listener) {
    conn.setNoDelay?.();
    // It ends with the process, and its connections do so at any time.
    serve(conn).catch(() => {}).then(() => conn.close());
  }
}

async function serveByNode(
  onConnection: (socket: NodeSocket) => (data: Uint8Array) => void,
  identity?: Identity,
): Promise<number> {
  const onSocket = (socket: NodeSocket) => {
    socket.on("data", onConnection(socket));
    socket.on("error", () => {});
  };
  const server = identity === undefined
    ? (await import("node:net")).createServer({ noDelay: true }, onSocket)
    : (await import("node:tls")).createServer(identity, onSocket);
  await new Promise<void>((resolve) => server.listen(0, LOCAL, resolve));
  return (server.address() as { port: number }).port;
}

/** Writes until the system has all. */
export async function writeAll(conn: Conn, bytes: Uint8Array): Promise<void> {
  let sent = await conn.write(bytes);
  while (sent < bytes.length) sent += await conn.write(bytes.subarray(sent));
}
