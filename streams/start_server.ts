import { checkFunction, checkInteger } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { OF_SOCKETS } from "./_check.ts";
import { serve, SERVE_NAMES, type ServeOptions } from "./create_server.ts";
import { makeReader } from "./open_connection.ts";
import type { Server } from "./server.ts";
import { StreamProtocol } from "./stream_protocol.ts";
import type { ConnectionHandler } from "./stream_writer.ts";

/** Options of {@linkcode startServer}: a host and a port, or a path. */
export interface StartServerOptions extends ServeOptions {
  /**
   * How much the reader of a connection keeps, in bytes: a longer line is an
   * error, and if more than twice as much is unread the client has to wait.
   *
   * @default {65536}
   */
  limit?: number | undefined;
}

const START_SERVER_OPTIONS = new OptionNames<StartServerOptions>(
  { ...SERVE_NAMES, limit: true },
  { number: "port" },
  OF_SOCKETS,
);

/**
 * Listens, and runs a task for each connection. Equivalent of
 * `asyncio.start_server` and `start_unix_server`.
 *
 * The task runs in a copy of the context of the code that starts the server.
 * When it throws or is cancelled, its connection is closed; when it returns, it
 * is not, as the streams may be in other hands. If they are in nobody's, and
 * the garbage collector finds that, the connection is closed with a
 * ResourceWarning.
 *
 * @example An echo server
 * ```ts
 * import { openConnection, startServer } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await startServer(async (reader, writer) => {
 *   for await (const line of reader) writer.write(line);
 *   writer.close();
 * }, { hostname: "127.0.0.1" });
 *
 * const [reader, writer] = await openConnection({
 *   hostname: "127.0.0.1",
 *   port: server.port,
 * });
 * writer.write("one\ntwo\n");
 * writer.writeEof();
 * assertEquals(new TextDecoder().decode(await reader.read()), "one\ntwo\n");
 * writer.close();
 * ```
 *
 * @param handler Run as a task for each connection, with its two streams; need
 * not be `async`.
 * @param options Where to listen, and how.
 * @returns The server, listening.
 * @throws {TypeError} When an option is of the wrong kind, or two exclude each
 * other.
 * @throws {RangeError} When a port, the backlog, the limit or a time of TLS is out
 * of range.
 * @throws {OSError} When the address is in use or not of this machine.
 * @throws {SSLError} When the certificate and its key cannot be used.
 * @throws {FileNotFoundError} When the folder of a Unix socket is missing.
 * @throws {CancelledError} When the task is cancelled meanwhile; what was bound
 * is then free again.
 * @throws The reason of `signal`, when it is aborted meanwhile or already.
 */
export async function startServer(
  handler: ConnectionHandler,
  options: StartServerOptions = {},
): Promise<Server> {
  const action = "start a server";
  checkFunction(action, "handler", handler);
  checkOptions(action, options, START_SERVER_OPTIONS);
  const { limit } = options;
  if (limit !== undefined) checkInteger(action, "limit", limit, 1);
  return await serve(
    action,
    () => new StreamProtocol(makeReader(limit), handler),
    options,
  );
}
