import { checkFunction } from "../_internal/check.ts";
import {
  checkOptions,
  type NamesOf,
  OptionNames,
} from "../_internal/options.ts";
import { canonicalIp } from "../_internal/ip.ts";
import { InvalidStateError, type OSError } from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import { hostNames } from "../platform/names.ts";
import { hostNet } from "../platform/net.ts";
import type { HostNames } from "../platform/types/names.ts";
import type {
  HostBinding,
  HostListener,
  HostNet,
  HostTls,
} from "../platform/types/net.ts";
import {
  checkBacklog,
  checkHostname,
  checkPlace,
  checkPort,
  isList,
  OF_SOCKETS,
  refuseQuickAck,
} from "./_check.ts";
import { resolve } from "./_connect.ts";
import { connectionScope, waitForHost } from "./host.ts";
import { givenNetwork } from "./network.ts";
import { makeServer, type Server } from "./server.ts";
import { serverTls, TLS_OPTIONS, type TlsOptions } from "./tls.ts";
import type { StreamingProtocol } from "./transport.ts";

/** Options of {@linkcode createServer}: a host and a port, or a path. */
export interface ServeOptions {
  /**
   * A name or an IP address of this machine, or several. `"0.0.0.0"` stands for
   * all of IPv4, and `"::"` for all of IPv4 and IPv6. What comes to one address
   * twice is one socket.
   *
   * @default {"0.0.0.0"}
   */
  hostname?: string | readonly string[] | undefined;
  /**
   * The port; 0 for one that is free, the same for all hostnames.
   *
   * @default {0}
   */
  port?: number | undefined;
  /**
   * The path of a Unix socket, in place of `hostname` and `port`. A socket that
   * a dead server left there is removed; one that a server listens at is not,
   * and the address is then in use.
   */
  path?: string | undefined;
  /**
   * The certificate, if connections are encrypted; it must have `cert` and
   * `key`. A client that does not finish the handshake within
   * `handshakeTimeout` is let go.
   *
   * @default {false}
   */
  tls?: false | TlsOptions | undefined;
  /**
   * How many connections may wait to be accepted. Of a Unix socket, only Node
   * can be told.
   *
   * @default {the runtime's: 511 or more}
   */
  backlog?: number | undefined;
  /**
   * Whether other processes may listen on the same port and share its
   * connections (SO_REUSEPORT). It needs Linux, and the flag `--unstable-net` on
   * Deno or Node 22.12; in a worker of `prefork` it needs nothing.
   *
   * @default {false}
   */
  reusePort?: boolean | undefined;
  /**
   * Whether it accepts connections from the beginning; otherwise from
   * `startServing()` or `serveForever()` on. Clients that come before are not
   * refused: both runtimes listen once they bind, so they connect and wait.
   *
   * @default {true}
   */
  startServing?: boolean | undefined;
  /**
   * Whether each write of a connection goes out at once (TCP_NODELAY).
   *
   * @default {true}
   */
  noDelay?: boolean | undefined;
  /**
   * Whether the system checks that silent clients are still there.
   *
   * @default {false}
   */
  keepAlive?: boolean | undefined;
  /**
   * Gives the start up when it is aborted, and throws its reason: what was bound
   * by then is free again. A server that runs hears no more of it.
   */
  signal?: AbortSignal | undefined;
}

export const SERVE_NAMES: NamesOf<ServeOptions> = {
  hostname: true,
  port: true,
  path: "string",
  tls: TLS_OPTIONS,
  backlog: true,
  reusePort: "boolean",
  startServing: "boolean",
  noDelay: "boolean",
  keepAlive: "boolean",
  signal: "signal",
};

const SERVE_OPTIONS = new OptionNames<ServeOptions>(
  SERVE_NAMES,
  { number: "port" },
  OF_SOCKETS,
);

interface Plan {
  readonly bindings: readonly HostBinding[];
  readonly tls: HostTls | null;
  readonly noDelay: boolean;
  readonly keepAlive: boolean;
}

function planServer(action: string, options: ServeOptions): Plan {
  checkPlace(action, options);
  refuseQuickAck(action, options);
  const {
    hostname = "0.0.0.0",
    port = 0,
    path,
    tls = false,
    backlog,
    reusePort = false,
    noDelay = true,
    keepAlive = false,
  } = options;
  checkBacklog(action, backlog);
  const common = { backlog: backlog ?? null };
  const secure = tls === false ? null : serverTls(action, tls);
  const sockets = { noDelay, keepAlive };
  if (path !== undefined) {
    return { ...sockets, bindings: [{ ...common, path }], tls: secure };
  }
  checkPort(action, "port", port, 0);
  const hostnames = isList(hostname) ? [...hostname] : [hostname];
  if (hostnames.length === 0) {
    throw new RangeError(
      `Cannot ${action} as 'hostname' must have at least one name: received none`,
    );
  }
  for (const each of hostnames) checkHostname(action, "hostname", each);
  return {
    ...sockets,
    tls: secure,
    bindings: hostnames.map((each) => ({
      ...common,
      hostname: each,
      port,
      reusePort,
    })),
  };
}

/** How often another free port is looked for, that all hostnames have. */
const TRIES = 5;

/** The addresses to listen at, each once. */
async function resolveAll(
  names: HostNames,
  plan: Plan,
): Promise<HostBinding[]> {
  const bindings: HostBinding[] = [];
  const places = new Set<string>();
  for (const binding of plan.bindings) {
    if ("path" in binding) bindings.push(binding);
    else {
      for (
        const { address } of await resolve(names, binding.hostname, 0)
      ) {
        // Several names may stand for one address, or one stand twice.
        const place = canonicalIp(address);
        if (places.has(place)) continue;
        places.add(place);
        bindings.push({ ...binding, hostname: address });
      }
    }
  }
  // A socket for all of IPv6 is one for all of IPv4 as well, and there can be no
  // second one.
  if (places.has(canonicalIp("::"))) {
    return bindings.filter((each) =>
      !("hostname" in each && each.hostname === "0.0.0.0")
    );
  }
  return bindings;
}

async function listen(
  net: HostNet,
  plan: Plan,
  bindings: readonly HostBinding[],
): Promise<HostListener[]> {
  for (let tries = 1;; tries++) {
    try {
      return await listenOnce(net, plan, bindings);
    } catch (error) {
      const mayHelp = "port" in bindings[0]! && bindings[0].port === 0 &&
        bindings.length > 1 && (error as OSError).code === "EADDRINUSE";
      if (!mayHelp || tries === TRIES) throw error;
    }
  }
}

async function listenOnce(
  net: HostNet,
  plan: Plan,
  bindings: readonly HostBinding[],
): Promise<HostListener[]> {
  const listeners: HostListener[] = [];
  try {
    for (const binding of bindings) {
      const first = listeners[0]?.address;
      const place = "port" in binding && first !== undefined && "port" in first
        ? { ...binding, port: first.port }
        : binding;
      // deno-lint-ignore no-await-in-loop -- the first one's port counts
      listeners.push(await net.listen(place, plan, plan.tls));
    }
    return listeners;
  } catch (error) {
    await closeAll(listeners);
    throw error;
  }
}

async function closeAll(listeners: readonly HostListener[]): Promise<void> {
  await Promise.all(listeners.map((listener) => listener.close()));
}

/** Makes a server of what makes its protocols. */
export async function serve(
  action: string,
  makeProtocol: () => StreamingProtocol,
  options: ServeOptions,
): Promise<Server> {
  const plan = planServer(action, options);
  const scope = connectionScope();
  const { net, names } = givenNetwork() ?? { net: hostNet, names: hostNames };
  let binding: Promise<HostListener[]> | undefined;
  let listeners: HostListener[];
  try {
    listeners = await waitForHost(
      action,
      async (signal) => {
        const bindings = await resolveAll(names, plan);
        signal.throwIfAborted();
        binding = listen(net, plan, bindings);
        return await binding;
      },
      closeAll,
      options.signal,
    );
  } catch (error) {
    // Nothing can stop a host that binds already: whoever gave up has the port
    // back once that is undone.
    if (binding !== undefined) await binding.then(closeAll, () => {});
    throw error;
  }
  if (currentScope().kernel.closed) {
    for (const listener of listeners) listener.close();
    throw new InvalidStateError(`Cannot ${action} as the loop is closed`);
  }
  const { noDelay, keepAlive } = plan;
  const extra = options.path === undefined ? { noDelay, keepAlive } : {};
  const server = makeServer({ scope, listeners, makeProtocol, extra });
  if (options.startServing ?? true) server.startServing();
  return server;
}

/**
 * Listens, and gives each connection to a protocol of its own: the fast way,
 * without readers and writers. Equivalent of `asyncio.loop.create_server` and
 * `create_unix_server`.
 *
 * @example A server that counts its clients
 * ```ts
 * import { createConnection, createServer, Protocol } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * let clients = 0;
 * const server = await createServer(() => {
 *   clients++;
 *   return new Protocol();
 * }, { hostname: "127.0.0.1" });
 * const [transport] = await createConnection(() => new Protocol(), {
 *   hostname: "127.0.0.1",
 *   port: server.port,
 * });
 * transport.close();
 * await server[Symbol.asyncDispose]();
 * assertEquals(clients, 1);
 * ```
 *
 * @param protocolFactory Makes a protocol for each connection. Its methods run
 * in a copy of the context of the code that makes the server.
 * @param options Where to listen, and how.
 * @returns The server, listening.
 * @throws {TypeError} When an option is of the wrong kind, or two exclude each
 * other.
 * @throws {RangeError} When a port, the backlog or a time of TLS is out of range.
 * @throws {OSError} When the address is in use or not of this machine.
 * @throws {SSLError} When the certificate and its key cannot be used.
 * @throws {FileNotFoundError} When the folder of a Unix socket is missing.
 * @throws {CancelledError} When the task is cancelled meanwhile; what was bound
 * is then free again.
 * @throws The reason of `signal`, when it is aborted meanwhile or already.
 */
export async function createServer(
  protocolFactory: () => StreamingProtocol,
  options: ServeOptions = {},
): Promise<Server> {
  const action = "create a server";
  checkFunction(action, "protocolFactory", protocolFactory);
  checkOptions(action, options, SERVE_OPTIONS);
  return await serve(action, protocolFactory, options);
}
