import { checkInteger } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { OF_SOCKETS } from "./_check.ts";
import {
  CONNECT_NAMES,
  type ConnectOptions,
  openHost,
} from "./create_connection.ts";
import { StreamProtocol } from "./stream_protocol.ts";
import { StreamReader } from "./stream_reader.ts";
import { StreamWriter } from "./stream_writer.ts";

/** Options of {@linkcode openConnection}: a host and a port, or a path. */
export interface OpenConnectionOptions extends ConnectOptions {
  /**
   * How much the reader keeps, in bytes: a longer line is an error, and if
   * more than twice as much is unread the peer has to wait.
   *
   * @default {65536}
   */
  limit?: number | undefined;
}

const OPEN_CONNECTION_OPTIONS = new OptionNames<OpenConnectionOptions>(
  { ...CONNECT_NAMES, limit: true },
  { number: "port", string: "hostname" },
  OF_SOCKETS,
);

/**
 * Connects to a host and a port, or to a Unix socket, and gives the two ends of
 * the stream. Equivalent of `asyncio.open_connection` and
 * `open_unix_connection`.
 *
 * Of a name all addresses are tried, each a quarter of a second after the one
 * before or once that has failed. Put a `timeout` around it: cancelled, it
 * leaves nothing behind.
 *
 * @example A question and its answer
 * ```ts
 * import { openConnection, startServer } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * await using server = await startServer(async (reader, writer) => {
 *   writer.write(await reader.readLine());
 *   await writer.drain();
 *   writer.close();
 * }, { hostname: "127.0.0.1" });
 *
 * const [reader, writer] = await openConnection({
 *   hostname: "127.0.0.1",
 *   port: server.port,
 * });
 * writer.write("hello\n");
 * assertEquals(new TextDecoder().decode(await reader.readLine()), "hello\n");
 * writer.close();
 * await writer.waitClosed();
 * ```
 *
 * @param options Where to, and how.
 * @returns The reader and the writer.
 * @throws {TypeError} When an option is of the wrong kind, or two exclude each
 * other.
 * @throws {RangeError} When a port, a delay, the limit or a time of TLS is out of
 * range.
 * @throws {ConnectionRefusedError} When no one listens there.
 * @throws {FileNotFoundError} When there is no such Unix socket.
 * @throws {OSError} When the name is not known or the network does not carry.
 * @throws {SSLError} When the server's certificate is not trusted, or the own one
 * cannot be used.
 * @throws {ConnectionAbortedError} When a TLS handshake takes longer than
 * `tls.handshakeTimeout`.
 * @throws {CancelledError} When the task is cancelled meanwhile.
 */
export async function openConnection(
  options: OpenConnectionOptions,
): Promise<[StreamReader, StreamWriter]> {
  const action = "open a connection";
  checkOptions(action, options, OPEN_CONNECTION_OPTIONS);
  const { limit } = options;
  if (limit !== undefined) checkInteger(action, "limit", limit, 1);
  const reader = makeReader(limit);
  const [transport, protocol] = await openHost(
    action,
    () => new StreamProtocol(reader),
    options,
  );
  return [reader, new StreamWriter(transport, protocol, reader)];
}

/** A reader with a limit, if one is given. */
export function makeReader(limit: number | undefined): StreamReader {
  return new StreamReader(limit === undefined ? {} : { limit });
}
