/**
 * TLS on a connection in use, in Node's way on both runtimes: the connection
 * goes on being read by its own pump, and what comes is handed to a TLS socket
 * through a stream in memory.
 */
import { builtin } from "./builtin.ts";
import type { MapError } from "./dns.ts";
import type { HostClientTls, HostConnection, HostTls } from "./net_types.ts";
import { secured } from "./sockets.ts";

type Duplex = import("node:stream").Duplex;

/** Takes the connection over as a stream; it may have been started before. */
function streamOf(
  connection: HostConnection,
  received: readonly Uint8Array[],
): Duplex {
  const { Duplex } = builtin("node:stream");
  let written: ((error?: Error | null) => void) | null = null;
  let left = 0;
  const stream = new Duplex({
    allowHalfOpen: true,
    read: () => connection.resume(),
    write(chunk: Uint8Array, _encoding, done) {
      if (chunk.length === 0) return done();
      left = chunk.length;
      written = done;
      connection.write(chunk);
    },
    final(done) {
      connection.closeWrite();
      done();
    },
    destroy(error, done) {
      connection.abort();
      done(error);
    },
  });
  for (const bytes of received) stream.push(bytes);
  connection.start({
    data(bytes) {
      if (!stream.push(bytes)) connection.pause();
    },
    end: () => stream.push(null),
    written(count) {
      left -= count;
      if (left > 0) return;
      const done = written;
      written = null;
      done?.();
    },
    lost: (error) => stream.destroy(error ?? undefined),
  });
  return stream;
}

/** Shakes hands over `connection`, as the client or as the server. */
export function upgrade(
  connection: HostConnection,
  options: HostClientTls | HostTls,
  received: readonly Uint8Array[],
  signal: AbortSignal,
  mapError: MapError,
): Promise<HostConnection> {
  const { connect, TLSSocket, createSecureContext, rootCertificates } = builtin(
    "node:tls",
  );
  const { caCerts, cert, key, alpnProtocols } = options;
  const context = {
    // What is given stands beside what the host trusts, as on Deno.
    ...(caCerts && { ca: [...rootCertificates, ...caCerts] }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
  };
  const protocols = alpnProtocols && { ALPNProtocols: [...alpnProtocols] };
  try {
    const secureContext = createSecureContext(context);
    const stream = streamOf(connection, received);
    if ("serverHostname" in options) {
      const { serverHostname } = options;
      const isName = builtin("node:net").isIP(serverHostname) === 0;
      const socket = connect({
        socket: stream as never,
        secureContext,
        host: serverHostname,
        ...(isName && { servername: serverHostname }),
        ...context,
        ...protocols,
      });
      return secured(
        socket,
        "secureConnect",
        signal,
        `secure the connection to ${serverHostname}`,
        mapError,
        connection,
      );
    }
    const socket = new TLSSocket(stream as never, {
      isServer: true,
      secureContext,
      ...context,
      ...protocols,
    });
    const action = "secure the connection of a client";
    return secured(socket, "secure", signal, action, mapError, connection);
  } catch (error) {
    return Promise.reject(mapError(error, "set up TLS"));
  }
}
