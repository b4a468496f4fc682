import {
  checkOptions,
  type NamesOf,
  OptionNames,
} from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { ConnectionAbortedError, isCancelledError } from "../errors.ts";
import { hostNet } from "../platform/net.ts";
import type { HostClientTls, HostTls } from "../platform/types/net.ts";
import { checkBytes, checkHostname, checkTls } from "./_check.ts";
import { waitForHost } from "./host.ts";
import { givenNetwork } from "./network.ts";
import { checkProtocol } from "./protocol.ts";
import type { StreamingProtocol, Transport } from "./transport.ts";
import { checkTransport, transportInternals } from "./transport.ts";

/** What either side of a TLS connection brings along. */
export interface TlsOptions {
  /**
   * Authorities to trust, in PEM format: for a client besides those that the
   * runtime trusts, for a server with `requestCert` these alone.
   *
   * @default {none}
   */
  caCerts?: readonly string[] | undefined;
  /**
   * The own certificate, with those that lead to its authority behind it, in
   * PEM format. A server needs one.
   *
   * @default {none}
   */
  cert?: string | undefined;
  /**
   * The certificate's private key, in PEM format.
   *
   * @default {none}
   */
  key?: string | undefined;
  /**
   * Protocols to agree on by ALPN, the preferred one first; see
   * `getExtraInfo("alpnProtocol")`.
   *
   * @default {none}
   */
  alpnProtocols?: readonly string[] | undefined;
  /**
   * For a client: the name that is told to the server (SNI) and that its
   * certificate must have.
   *
   * @default {the hostname connected to; over a Unix socket it must be given}
   */
  serverHostname?: string | undefined;
  /**
   * For a server: whether a client must show a certificate, of one of the
   * authorities in `caCerts`. It is then known as `getExtraInfo("peercert")`.
   *
   * @default {false}
   */
  requestCert?: boolean | undefined;
  /**
   * How long the handshake may take, in milliseconds, above 0. When the time is
   * over the connection is closed.
   *
   * @default {60000}
   */
  handshakeTimeout?: number | undefined;
  /**
   * How long closing waits for the peer to say goodbye, in milliseconds, above 0.
   * When the time is over the connection is aborted.
   *
   * @default {30000}
   */
  shutdownTimeout?: number | undefined;
}

const TLS_NAMES: NamesOf<TlsOptions> = {
  caCerts: true,
  cert: "string",
  key: "string",
  alpnProtocols: true,
  serverHostname: "string",
  requestCert: "boolean",
  handshakeTimeout: true,
  shutdownTimeout: true,
};

/** The names of what `tls` is set to. */
export const TLS_OPTIONS: OptionNames = new OptionNames<TlsOptions>(TLS_NAMES);

/** Options of {@linkcode startTls}. */
export interface StartTlsOptions extends TlsOptions {
  /**
   * Whether this side is the server.
   *
   * @default {false}
   */
  serverSide?: boolean | undefined;
  /**
   * What came from the peer for the handshake before it began, and was not
   * used.
   *
   * @default {none}
   */
  received?: readonly Uint8Array[] | undefined;
  /**
   * Gives it up when it is aborted, and throws its reason. The connection is then
   * closed, unless the handshake had not begun.
   */
  signal?: AbortSignal | undefined;
}

const START_TLS_OPTIONS = new OptionNames<StartTlsOptions>({
  ...TLS_NAMES,
  serverSide: "boolean",
  received: true,
  signal: "signal",
});

/** The names of what {@linkcode StreamWriter.startTls} takes. */
export const WRITER_TLS_OPTIONS: OptionNames = new OptionNames<
  Omit<StartTlsOptions, "received">
>({ ...TLS_NAMES, serverSide: "boolean", signal: "signal" });

/** What asyncio gives a handshake, and a goodbye. */
const HANDSHAKE_MS = 60_000;
const SHUTDOWN_MS = 30_000;

/** Refuses what only the other side may have. */
function checkSide(action: string, tls: TlsOptions, isServer: boolean): void {
  const { requestCert = false, caCerts, serverHostname } = tls;
  if (!isServer) {
    if (!requestCert) return;
    throw new TypeError(
      `Cannot ${action} as 'tls.requestCert' is for a server, and a client always asks: received true`,
    );
  }
  if (serverHostname !== undefined) {
    throw new TypeError(
      `Cannot ${action} as 'tls.serverHostname' is for a client: received ${
        show(serverHostname)
      }`,
    );
  }
  if (requestCert === (caCerts !== undefined && caCerts.length > 0)) return;
  throw new TypeError(
    requestCert
      ? `Cannot ${action} as 'tls.requestCert' needs the authorities of the clients in 'tls.caCerts': received none`
      : `Cannot ${action} as 'tls.caCerts' of a server needs 'tls.requestCert': received ${
        show(requestCert)
      }`,
  );
}

/** A client's options, complete. */
export function clientTls(
  action: string,
  tls: true | TlsOptions,
  hostname: string | undefined,
): HostClientTls {
  if (tls !== true) {
    checkTls(action, tls);
    checkSide(action, tls, false);
  }
  const {
    serverHostname = hostname,
    handshakeTimeout = HANDSHAKE_MS,
    shutdownTimeout = SHUTDOWN_MS,
    caCerts,
    cert,
    key,
    alpnProtocols,
  } = tls === true ? {} : tls;
  if (serverHostname === undefined) {
    throw new TypeError(
      `Cannot ${action} as 'serverHostname' must be given where no hostname is: received undefined`,
    );
  }
  checkHostname(action, "tls.serverHostname", serverHostname);
  return {
    caCerts,
    cert,
    key,
    alpnProtocols,
    serverHostname,
    handshakeTimeout,
    shutdownTimeout,
  };
}

/** A server's options, complete. */
export function serverTls(action: string, tls: unknown): HostTls {
  checkTls(action, tls === true ? {} : tls as TlsOptions);
  const {
    cert,
    key,
    caCerts,
    alpnProtocols,
    requestCert = false,
    handshakeTimeout = HANDSHAKE_MS,
    shutdownTimeout = SHUTDOWN_MS,
  } = tls as TlsOptions;
  if (cert === undefined || key === undefined) {
    throw new TypeError(
      `Cannot ${action} as 'tls' must have a 'cert' and a 'key': received ${
        show(tls)
      }`,
    );
  }
  checkSide(action, tls as TlsOptions, true);
  return {
    cert,
    key,
    caCerts,
    alpnProtocols,
    requestCert,
    handshakeTimeout,
    shutdownTimeout,
  };
}

function checkReceived(received: unknown): void {
  if (!Array.isArray(received)) {
    throw new TypeError(
      `Cannot start TLS as 'received' must be an array of Uint8Arrays: received ${
        show(received)
      }`,
    );
  }
  for (let index = 0; index < received.length; index++) {
    checkBytes("start TLS", `received[${index}]`, received[index]);
  }
}

/**
 * Encrypts a connection in use, as after the STARTTLS of mail protocols.
 * Equivalent of `asyncio.loop.start_tls`.
 *
 * First the old transport sends all it was given; it is of no use afterwards.
 * The protocol is not told that a connection was made, and gets what comes
 * through the new one.
 *
 * @example Encrypting both ends
 * ```ts ignore
 * const encrypted = await startTls(transport, protocol, {
 *   serverHostname: "mail.example.com",
 * });
 * ```
 *
 * @example A server that does not speak TLS
 * ```ts
 * import {
 *   createConnection,
 *   Protocol,
 *   SSLError,
 *   startServer,
 *   startTls,
 * } from "@asyncio/asyncio";
 * import { assertRejects } from "@std/assert";
 *
 * await using server = await startServer((_reader, writer) => {
 *   writer.write("this is no TLS\n");
 *   writer.close();
 * }, { hostname: "127.0.0.1", port: 0 });
 * const [transport, protocol] = await createConnection(() => new Protocol(), {
 *   hostname: "127.0.0.1",
 *   port: server.port,
 * });
 * await assertRejects(
 *   () => startTls(transport, protocol, { serverHostname: "localhost" }),
 *   SSLError,
 * );
 * ```
 *
 * @param transport The transport in use.
 * @param protocol Who gets what comes through the new one.
 * @param options The side, the certificates and the names.
 * @returns The new transport.
 * @throws {TypeError} When an argument or an option is of the wrong kind, or one
 * for the other side.
 * @throws {RangeError} When `handshakeTimeout` or `shutdownTimeout` is not above 0.
 * @throws {InvalidStateError} When the transport is closing, a file is being sent,
 * or the connection is in memory or a pipe.
 * @throws {SSLError} When the two sides do not agree, the certificate is not
 * trusted, or the key is not that of the own certificate; the connection is then
 * closed.
 * @throws {ConnectionResetError} When the peer hangs up in the handshake.
 * @throws {ConnectionAbortedError} When the handshake takes longer than
 * `handshakeTimeout`, or the transport is closed meanwhile; the connection is
 * then closed.
 * @throws {CancelledError} When the task is cancelled meanwhile; the connection
 * is then closed, unless the handshake had not begun.
 * @throws The reason of `signal`, when it is aborted; the connection is then
 * closed, unless the handshake had not begun.
 */
export async function startTls(
  transport: Transport,
  protocol: StreamingProtocol,
  options: StartTlsOptions = {},
): Promise<Transport> {
  checkOptions("start TLS", options, START_TLS_OPTIONS);
  const { received = [], signal } = options;
  checkReceived(received);
  checkProtocol("start TLS", protocol);
  const host = planUpgrade(transport, options);
  return await upgrade(transport, protocol, host, () => received, signal);
}

/** Checks the options, before anything is waited for or taken. */
export function planUpgrade(
  transport: Transport,
  options: Omit<StartTlsOptions, "received">,
): HostTls | HostClientTls {
  checkTransport("start TLS", transport);
  transportInternals.checkTls(transport);
  return options.serverSide ?? false
    ? serverTls("start TLS", options)
    : clientTls("start TLS", options, transportInternals.hostname(transport));
}

/**
 * @param take Gives what came for the handshake; called when that begins, so that
 * whoever is refused still has it.
 */
export async function upgrade(
  transport: Transport,
  protocol: StreamingProtocol,
  host: HostTls | HostClientTls,
  take: () => readonly Uint8Array[],
  signal: AbortSignal | undefined,
): Promise<Transport> {
  if (transport.getWriteBufferSize() > 0) {
    await waitForHost(
      "startTls",
      () =>
        new Promise<void>((resolve) => {
          transportInternals.whenSent(transport, resolve);
        }),
      () => {},
      signal,
    );
  }
  signal?.throwIfAborted();
  const net = givenNetwork()?.net ?? hostNet;
  const controller = new AbortController();
  const { received, ...parts } = transportInternals.release(transport, () => {
    controller.abort(
      new ConnectionAbortedError(
        `Cannot start TLS as the connection was closed meanwhile: received a call on ${transport}`,
        { code: "ECONNABORTED" },
      ),
    );
  });
  const early = [...take(), ...received];
  const onAbort = () => controller.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const secured = await waitForHost(
      "startTls",
      (given) => net.upgrade(parts.host, host, early, given),
      (connection) => connection.abort(),
      controller.signal,
    );
    transportInternals.replaced(transport);
    return transportInternals.open({
      ...parts,
      host: secured,
      protocol,
      isContinued: true,
    });
  } catch (error) {
    // Who gives it up here tells nothing to who else has the connection.
    const isGivenUp = isCancelledError(error) || signal?.aborted === true;
    transportInternals.discard(transport, isGivenUp ? null : error);
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}
