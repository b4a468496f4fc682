import {
  checkOptions,
  type NamesOf,
  OptionNames,
} from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import type { HostClientTls, HostTls } from "../platform/mod.ts";
import { platform } from "../platform/mod.ts";
import { checkHostname, checkTls } from "./_check.ts";
import { waitForHost } from "./host.ts";
import type { StreamingProtocol, Transport } from "./transport.ts";
import { transportInternals } from "./transport.ts";

/** What either side of a TLS connection brings along. */
export interface TlsOptions {
  /**
   * Authorities to trust besides those the runtime trusts, in PEM format.
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
   * @default {the hostname connected to}
   */
  serverHostname?: string | undefined;
}

const TLS_NAMES: NamesOf<TlsOptions> = {
  caCerts: true,
  cert: true,
  key: true,
  alpnProtocols: true,
  serverHostname: true,
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
}

const START_TLS_OPTIONS = new OptionNames<StartTlsOptions>({
  ...TLS_NAMES,
  serverSide: true,
  received: true,
});

/** The names of what {@linkcode StreamWriter.startTls} takes. */
export const WRITER_TLS_OPTIONS: OptionNames = new OptionNames<
  Omit<StartTlsOptions, "received">
>({ ...TLS_NAMES, serverSide: true });

/** A client's options, complete. */
export function clientTls(
  action: string,
  tls: true | TlsOptions,
  hostname: string | undefined,
): HostClientTls {
  if (tls !== true) checkTls(action, tls);
  const { serverHostname = hostname, ...options } = tls === true ? {} : tls;
  if (serverHostname === undefined) {
    throw new TypeError(
      `Cannot ${action} as 'serverHostname' must be given where no hostname is: received undefined`,
    );
  }
  checkHostname(action, "tls.serverHostname", serverHostname);
  return { ...options, serverHostname };
}

/** A server's options, complete. */
export function serverTls(action: string, tls: unknown): HostTls {
  checkTls(action, tls === true ? {} : tls as TlsOptions);
  const { cert, key, caCerts, alpnProtocols } = tls as TlsOptions;
  if (cert === undefined || key === undefined) {
    throw new TypeError(
      `Cannot ${action} as 'tls' must have a 'cert' and a 'key': received ${
        show(tls)
      }`,
    );
  }
  return { cert, key, caCerts, alpnProtocols };
}

/**
 * Encrypts a connection in use, as after the STARTTLS of mail protocols. Answers
 * to `asyncio.loop.start_tls`.
 *
 * The old transport must have sent all it was given, and is of no use
 * afterwards; the protocol is not told that a connection was made, and gets what
 * comes through the new one.
 *
 * @example Encrypting both ends
 * ```ts ignore
 * const encrypted = await startTls(transport, protocol, {
 *   serverHostname: "mail.example.com",
 * });
 * ```
 *
 * @param transport The transport in use.
 * @param protocol Who gets what comes through the new one.
 * @param options The side, the certificates and the names.
 * @returns The new transport.
 * @throws {InvalidStateError} When the transport is closing, or has something
 * left to send, or its connection is in memory.
 * @throws {SSLError} When the two sides do not agree, or the certificate is not
 * trusted; the connection is then closed.
 * @throws {CancelledError} When the task is cancelled meanwhile; the connection
 * is then closed.
 */
export async function startTls(
  transport: Transport,
  protocol: StreamingProtocol,
  options: StartTlsOptions = {},
): Promise<Transport> {
  checkOptions("start TLS", options, START_TLS_OPTIONS);
  transportInternals.checkTls(transport);
  const { serverSide = false, received = [], ...tls } = options;
  const host = serverSide
    ? serverTls("start TLS", tls)
    : clientTls("start TLS", tls, undefined);
  const parts = transportInternals.release(transport);
  try {
    const secured = await waitForHost(
      "startTls",
      (signal) => platform.net.upgrade(parts.host, host, received, signal),
      (connection) => connection.abort(),
    );
    return transportInternals.open({
      ...parts,
      host: secured,
      protocol,
      isContinued: true,
    });
  } catch (error) {
    transportInternals.discard(transport, error);
    throw error;
  }
}
