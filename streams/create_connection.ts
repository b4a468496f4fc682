import { checkFunction, checkOneOf, checkSpan } from "../_internal/check.ts";
import {
  checkOptions,
  type NamesOf,
  OptionNames,
} from "../_internal/options.ts";
import { hostNames } from "../platform/names.ts";
import { hostNet } from "../platform/net.ts";
import {
  checkAddress,
  checkHostname,
  checkPlace,
  checkPort,
  OF_ADDRESSES,
  OF_SOCKETS,
  refuseQuickAck,
} from "./_check.ts";
import { connectHost, type ConnectPlan } from "./_connect.ts";
import { connectionScope, enter, waitForHost } from "./host.ts";
import { givenNetwork } from "./network.ts";
import { clientTls, TLS_OPTIONS, type TlsOptions } from "./tls.ts";
import {
  type StreamingProtocol,
  type Transport,
  transportInternals,
} from "./transport.ts";

/** What both runtimes and RFC 8305 wait before they try the next address. */
const HAPPY_EYEBALLS_MS = 250;

/** A local address to connect from. */
export interface LocalAddress {
  /**
   * An IP address of this machine.
   *
   * @default {the one the system chooses}
   */
  hostname?: string | undefined;
  /**
   * The port.
   *
   * @default {0, one that is free}
   */
  port?: number | undefined;
}

/** The names of what `localAddr` is set to. */
export const LOCAL_ADDRESS: OptionNames = new OptionNames<LocalAddress>(
  { hostname: "string", port: true },
  {},
  [...OF_ADDRESSES, "family"],
);

/** Options of {@linkcode createConnection}: a host and a port, or a path. */
export interface ConnectOptions {
  /**
   * A name or an IP address.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string | undefined;
  /** The port, 1 to 65535. */
  port?: number | undefined;
  /** The path of a Unix socket, in place of `hostname` and `port`. */
  path?: string | undefined;
  /**
   * Whether the connection is encrypted, and with what.
   *
   * @default {false}
   */
  tls?: boolean | TlsOptions | undefined;
  /**
   * The address to connect from.
   *
   * @default {one that the system chooses}
   */
  localAddr?: LocalAddress | undefined;
  /**
   * Which addresses of a name are tried: 4 or 6 for IPv4 or IPv6 alone.
   *
   * @default {0, for both}
   */
  family?: 0 | 4 | 6 | undefined;
  /**
   * After how many milliseconds the next address of a name is tried beside the
   * one before, below 0 as 0; `null` to try it only when that has failed.
   *
   * @default {250}
   */
  happyEyeballsDelay?: number | null | undefined;
  /**
   * Whether the errors of all addresses are thrown as an `ExceptionGroup`, also
   * if there is one address.
   *
   * @default {false}
   */
  allErrors?: boolean | undefined;
  /**
   * Whether each write goes out at once (TCP_NODELAY).
   *
   * @default {true}
   */
  noDelay?: boolean | undefined;
  /**
   * Whether the system checks that a silent peer is still there.
   *
   * @default {false}
   */
  keepAlive?: boolean | undefined;
  /** Gives the attempt up when it is aborted, and throws its reason. */
  signal?: AbortSignal | undefined;
}

export const CONNECT_NAMES: NamesOf<ConnectOptions> = {
  hostname: "string",
  port: true,
  path: "string",
  tls: TLS_OPTIONS,
  localAddr: LOCAL_ADDRESS,
  family: true,
  happyEyeballsDelay: true,
  allErrors: "boolean",
  noDelay: "boolean",
  keepAlive: "boolean",
  signal: "signal",
};

const CONNECT_OPTIONS = new OptionNames<ConnectOptions>(
  CONNECT_NAMES,
  { number: "port", string: "hostname" },
  OF_SOCKETS,
);

/** Checks the options and fills in the defaults. */
export function planConnection(
  action: string,
  options: ConnectOptions,
): ConnectPlan {
  checkPlace(action, options);
  refuseQuickAck(action, options);
  const {
    hostname = "127.0.0.1",
    port,
    path,
    tls = false,
    localAddr,
    family = 0,
    happyEyeballsDelay = HAPPY_EYEBALLS_MS,
    allErrors = false,
    noDelay = true,
    keepAlive = false,
  } = options;
  const delay = happyEyeballsDelay === null
    ? null
    : checkSpan(action, "happyEyeballsDelay", happyEyeballsDelay);
  const isForTls = tls !== false;
  const network = givenNetwork();
  const common = {
    net: network?.net ?? hostNet,
    names: network?.names ?? hostNames,
    happyEyeballsDelay: delay,
    allErrors,
    noDelay,
    keepAlive,
    isForTls,
  };
  if (path !== undefined) {
    const secure = isForTls ? clientTls(action, tls, undefined) : null;
    return { ...common, target: { path }, tls: secure };
  }
  checkHostname(action, "hostname", hostname);
  checkPort(action, "port", port, 1);
  checkOneOf(action, "family", family, [0, 4, 6]);
  return {
    ...common,
    target: {
      hostname,
      port: port as number,
      family,
      localAddr: checkLocal(action, localAddr),
    },
    tls: tls === false ? null : clientTls(action, tls, hostname),
  };
}

function checkLocal(
  action: string,
  local: LocalAddress | undefined,
): { hostname: string | null; port: number } | null {
  if (local === undefined) return null;
  checkAddress(action, "localAddr", local);
  const { hostname, port = 0 } = local;
  if (hostname !== undefined) {
    checkHostname(action, "localAddr.hostname", hostname);
  }
  checkPort(action, "localAddr.port", port, 0);
  return { hostname: hostname ?? null, port };
}

/**
 * Connects, and gives what comes to a protocol: the fast way, without a reader
 * and a writer. Equivalent of `asyncio.loop.create_connection`.
 *
 * Cancelled, also by a `timeout` around it, it leaves nothing behind.
 *
 * @typeParam P The protocol.
 *
 * @example Reading what a server says
 * ```ts
 * import { createConnection, createServer, Protocol } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const server = await createServer(() => new Protocol(), {
 *   hostname: "127.0.0.1",
 * });
 * const [transport, protocol] = await createConnection(() => new Protocol(), {
 *   hostname: "127.0.0.1",
 *   port: server.port,
 * });
 * assertEquals(transport.getProtocol(), protocol);
 * transport.close();
 * await server[Symbol.asyncDispose]();
 * ```
 *
 * @param protocolFactory Makes the protocol, once the connection is there.
 * @param options Where to, and how.
 * @returns The transport and its protocol.
 * @throws {TypeError} When an option is of the wrong kind, or two exclude each
 * other.
 * @throws {RangeError} When a port, a delay or a time of TLS is out of range.
 * @throws {ConnectionRefusedError} When no one listens there.
 * @throws {OSError} When the name is not known or the network does not carry.
 * @throws {SSLError} When the server's certificate is not trusted, or the own one
 * cannot be used.
 * @throws {ConnectionAbortedError} When a TLS handshake takes longer than
 * `tls.handshakeTimeout`.
 * @throws {CancelledError} When the task is cancelled meanwhile.
 */
export async function createConnection<P extends StreamingProtocol>(
  protocolFactory: () => P,
  options: ConnectOptions,
): Promise<[Transport, P]> {
  const action = "create a connection";
  checkFunction(action, "protocolFactory", protocolFactory);
  checkOptions(action, options, CONNECT_OPTIONS);
  return await openHost(action, protocolFactory, options);
}

/** Connects, and makes a transport with its protocol. */
export async function openHost<P extends StreamingProtocol>(
  action: string,
  protocolFactory: () => P,
  options: ConnectOptions,
): Promise<[Transport, P]> {
  const plan = planConnection(action, options);
  const { noDelay, keepAlive } = plan;
  const { target } = plan;
  const extra = "path" in target ? {} : { noDelay, keepAlive };
  const hostname = "path" in target ? undefined : target.hostname;
  const scope = connectionScope();
  const host = await waitForHost(
    action,
    (signal) => connectHost(plan, signal),
    (connection) => connection.abort(),
    options.signal,
  );
  let made: [Transport, P] | undefined;
  try {
    enter(
      scope,
      () => {
        const protocol = protocolFactory();
        const parts = { scope, host, protocol, extra, hostname };
        made = [transportInternals.open(parts), protocol];
      },
      undefined,
      undefined,
    );
  } catch (error) {
    host.abort();
    throw error;
  }
  return made!;
}
