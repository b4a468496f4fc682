import { OSError } from "../../errors.ts";
import { builtin } from "../builtin.ts";
import { openDatagram } from "../datagram.ts";
import { isIp, lookup, lookupService } from "../dns.ts";
import type {
  Address,
  HostBinding,
  HostClientTls,
  HostConnection,
  HostListener,
  HostNet,
  HostSocketOptions,
  HostTls,
} from "../net_types.ts";
import { nodeProcess } from "../node_process.ts";
import { askForSocket, isWorker } from "../prefork.ts";
import {
  connectSocket,
  secured,
  setSocketOptions,
  type Socket,
  SocketConnection,
} from "../sockets.ts";
import { upgrade } from "../upgrade.ts";
import { mapError } from "./errors.ts";

type Server = import("node:net").Server;

/** A client that does not finish its handshake is let go; asyncio's 60 s. */
const HANDSHAKE_MS = 60_000;
/** A look at the socket every so often, to see whether anyone waits. */
const DRAIN_LOOK_MS = 1;
/** Under a load that never lets up, accepting ends all the same. */
const DRAIN_LOOKS = 1000;

class NodeListener implements HostListener {
  readonly address: Address;
  readonly #server: Server;
  /** What came before anyone asked. */
  #early: HostConnection[] = [];
  #onConnection: ((connection: HostConnection) => void) | null = null;
  #onError: ((error: Error) => void) | null = null;
  /** Clients that shake hands, by where they are. */
  readonly #handshakes = new Map<string, Socket>();
  #onShaken: (() => void) | null = null;
  #closed = false;
  #accepted = 0;

  constructor(
    server: Server,
    path: string | null,
    options: HostSocketOptions,
    isTls: boolean,
  ) {
    this.#server = server;
    const bound = server.address();
    this.address = path !== null || bound === null || typeof bound === "string"
      ? { transport: "unix", path: path ?? "" }
      : { transport: "tcp", hostname: bound.address, port: bound.port };
    server.on("error", (error) => {
      this.#onError?.(mapError(error, "accept a connection"));
    });
    if (isTls) {
      server.on("connection", (socket: Socket) => {
        const key = keyOf(socket);
        this.#handshakes.set(key, socket);
        socket.once("close", () => this.#shaken(key));
      });
      // A failed handshake is the client's affair: asyncio drops it as well.
      server.on("tlsClientError", (_error, socket: Socket) => {
        socket.destroy();
      });
    }
    server.on("connection", () => this.#accepted++);
    server.on(isTls ? "secureConnection" : "connection", (socket: Socket) => {
      if (this.#closed) {
        socket.destroy();
        return;
      }
      this.#shaken(keyOf(socket));
      if (path === null) setSocketOptions(socket, options);
      const local: [Address, Address] | [] = path === null
        ? []
        : [this.address, { transport: "unix", path: "" }];
      const connection = new SocketConnection(
        socket,
        isTls,
        mapError,
        ...local,
      );
      if (this.#onConnection !== null) this.#onConnection(connection);
      else this.#early.push(connection);
    });
  }

  start(
    onConnection: (connection: HostConnection) => void,
    onError: (error: Error) => void,
  ): void {
    this.#onConnection = onConnection;
    this.#onError = onError;
    for (const connection of this.#early.splice(0)) onConnection(connection);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const connection of this.#early.splice(0)) connection.abort();
    for (const socket of this.#handshakes.values()) socket.destroy();
    this.#server.close();
  }

  async drain(): Promise<void> {
    for (let looks = DRAIN_LOOKS; looks > 0; looks--) {
      const before = this.#accepted;
      // deno-lint-ignore no-await-in-loop -- a look after the other
      await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
      // Right behind the host's own look at its sockets.
      // deno-lint-ignore no-await-in-loop -- as above
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#closed || this.#accepted === before) break;
    }
    if (this.#closed) return;
    this.#server.close();
    if (this.#handshakes.size > 0) {
      await new Promise<void>((resolve) => {
        this.#onShaken = resolve;
      });
    }
    this.#closed = true;
  }

  /** A client's handshake has come to its end. */
  #shaken(key: string): void {
    if (this.#handshakes.delete(key) && this.#handshakes.size === 0) {
      this.#onShaken?.();
    }
  }
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/** A socket file that a server left behind is in the way of the next one. */
function removeStaleSocket(path: string): void {
  const { lstatSync, unlinkSync } = builtin("node:fs");
  try {
    if (lstatSync(path).isSocket()) unlinkSync(path);
  } catch {
    // It is not there, or not ours to look at: listening will tell.
  }
}

function makeServer(tls: HostTls | null): Server {
  if (tls === null) {
    return builtin("node:net").createServer({
      allowHalfOpen: true,
      pauseOnConnect: true,
    });
  }
  const { cert, key, alpnProtocols, caCerts } = tls;
  return builtin("node:tls").createServer({
    cert,
    key,
    handshakeTimeout: HANDSHAKE_MS,
    ...(caCerts && { ca: [...caCerts] }),
    ...(alpnProtocols && { ALPNProtocols: [...alpnProtocols] }),
  }) as Server;
}

async function listen(server: Server, binding: HostBinding): Promise<void> {
  const backlog = binding.backlog === null ? undefined : {
    backlog: binding.backlog,
  };
  const place = await placeOf(binding);
  return await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ ...place, ...backlog }, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}

async function placeOf(binding: HostBinding): Promise<object> {
  if ("path" in binding) return { path: binding.path };
  const { hostname, port, reusePort } = binding;
  if (!reusePort) return { host: hostname, port };
  if (!isWorker()) return { host: hostname, port, reusePort };
  // The sockets of worker processes are one: what waits to be accepted is not
  // lost with the worker that the system has picked for it.
  return { _handle: await askForSocket({ hostname, port }) };
}

/** Takes over Node's own socket, which is faster than a stream over it. */
function secureSocket(
  connection: SocketConnection,
  options: HostClientTls,
  signal: AbortSignal,
): Promise<HostConnection> {
  const { connect, rootCertificates } = builtin("node:tls");
  const { serverHostname, caCerts, cert, key, alpnProtocols } = options;
  const action = `secure the connection to ${serverHostname}`;
  try {
    const socket = connect({
      socket: connection.socket,
      host: serverHostname,
      ...(isIp(serverHostname) === 0 && { servername: serverHostname }),
      ...(caCerts && { ca: [...rootCertificates, ...caCerts] }),
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
      ...(alpnProtocols && { ALPNProtocols: [...alpnProtocols] }),
    });
    return secured(
      socket,
      "secureConnect",
      signal,
      action,
      mapError,
      connection,
    );
  } catch (error) {
    connection.abort();
    return Promise.reject(mapError(error, action));
  }
}

function hasReusePort(): boolean {
  const { platform, versions } = nodeProcess();
  // Elsewhere it does not spread the connections.
  if (platform !== "linux") return false;
  const [major = 0, minor = 0] = versions.node.split(".").map(Number);
  return major > 23 || (major === 23 && minor >= 1) ||
    (major === 22 && minor >= 12);
}

function mayShare(): boolean {
  return hasReusePort() || isWorker();
}

/** Sockets on Node. */
export const net: { readonly net: HostNet } = {
  net: {
    connect: (target, options, signal) =>
      connectSocket(target, options, signal, mapError),
    secure: (connection, tls, signal) =>
      connection instanceof SocketConnection
        ? secureSocket(connection, tls, signal)
        : upgrade(connection, tls, [], signal, mapError),
    upgrade: (connection, tls, received, signal) =>
      upgrade(connection, tls, received, signal, mapError),
    async listen(binding, options, tls) {
      const path = "path" in binding ? binding.path : null;
      if (path !== null) removeStaleSocket(path);
      const where = "path" in binding
        ? binding.path
        : `${binding.hostname} port ${binding.port}`;
      if ("hostname" in binding && binding.reusePort && !mayShare()) {
        throw new OSError(
          `Cannot listen on ${where} as 'reusePort' needs Linux and Node 22.12, or a worker of prefork(): received true`,
          { code: "ENOTSUP" },
        );
      }
      try {
        const server = makeServer(tls);
        await listen(server, binding);
        return new NodeListener(server, path, options, tls !== null);
      } catch (error) {
        throw mapError(error, `listen on ${where}`);
      }
    },
    openDatagram: (binding) => openDatagram(binding, mapError, false),
    lookup: (hostname, family) => lookup(hostname, family, mapError),
    lookupService: (address, port) => lookupService(address, port, mapError),
    isIp,
    async openFile(path) {
      try {
        const file = await builtin("node:fs").promises.open(path);
        return {
          async read(buffer) {
            const { bytesRead } = await file.read(buffer);
            return bytesRead === 0 ? null : bytesRead;
          },
          close: () => void file.close(),
        };
      } catch (error) {
        throw mapError(error, `open ${path}`);
      }
    },
  },
};
