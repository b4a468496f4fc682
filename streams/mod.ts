/**
 * Connections and servers over TCP, TLS, Unix sockets and UDP: readers and
 * writers to await, and under them transports and protocols to be called back
 * by.
 *
 * ```ts
 * import { openConnection, startServer } from "@asyncio/asyncio/streams";
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
 * ```
 *
 * - To await: {@linkcode openConnection} and {@linkcode startServer} give a
 *   {@linkcode StreamReader} and a {@linkcode StreamWriter};
 *   {@linkcode openDatagram} gives UDP.
 * - To be called back: {@linkcode createConnection} and
 *   {@linkcode createServer}, with a {@linkcode Protocol} of yours and a
 *   {@linkcode Transport}.
 *
 * An address is `{ hostname, port }`, or `{ path }` for a Unix socket; `tls`
 * encrypts. Data is bytes; what is written may be text, too.
 *
 * @module
 */

export {
  type ConnectOptions,
  createConnection,
  type LocalAddress,
} from "./create_connection.ts";
export { createServer, type ServeOptions } from "./create_server.ts";
export {
  createDatagramEndpoint,
  type Datagram,
  type DatagramOptions,
  DatagramStream,
  openDatagram,
} from "./datagram.ts";
export {
  type DatagramAddress,
  DatagramTransport,
} from "./datagram_transport.ts";
export {
  type AddressInfo,
  type AddressInfoOptions,
  getaddrinfo,
  getnameinfo,
  type NameInfoOptions,
} from "./dns.ts";
export {
  openConnection,
  type OpenConnectionOptions,
} from "./open_connection.ts";
export {
  BaseProtocol,
  BufferedProtocol,
  DatagramProtocol,
  Protocol,
} from "./protocol.ts";
export { type FileSource, sendfile, type SendfileOptions } from "./sendfile.ts";
export { Server, type ServerSocket } from "./server.ts";
export { startServer, type StartServerOptions } from "./start_server.ts";
export {
  StreamReader,
  type StreamReaderFromOptions,
  type StreamReaderOptions,
  type StreamReaderStatistics,
} from "./stream_reader.ts";
export { type ConnectionHandler, StreamWriter } from "./stream_writer.ts";
export { startTls, type StartTlsOptions, type TlsOptions } from "./tls.ts";
export {
  type ConnectionTrace,
  type ExtraInfo,
  type ExtraInfoOf,
  type StreamingProtocol,
  Transport,
  type WriteBufferLimits,
} from "./transport.ts";
export type {
  Address,
  NetAddress,
  PeerCertificate,
  UnixAddress,
} from "../platform/types/net.ts";
