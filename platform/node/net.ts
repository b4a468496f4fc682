import { OSError } from "../../errors.ts";
import { builtin } from "../shared/builtin.ts";
import { openDatagram } from "../shared/datagram.ts";
import { isIp, lookup, lookupService, type MapError } from "../shared/dns.ts";
import type {
  Address,
  HostBinding,
  HostConnection,
  HostListener,
  HostNet,
  HostSocketOptions,
} from "../types/net.ts";
import { nodeProcess } from "../shared/node_process.ts";
import { askForSocket, isWorker } from "./prefork.ts";
import {
  connectSocket,
  setSocketOptions,
  type Socket,
  SocketConnection,
} from "./connection.ts";
import { listenTls } from "./tls_listener.ts";
import {
  type FileIdentity,
  identityOf,
  keepForeign,
  removeStaleSocket,
} from "../shared/unix_sockets.ts";
import { upgrade } from "./upgrade.ts";
import { mapError } from "./errors.ts";

type Server = import("node:net").Server;

/** A look at the socket every so often, to see whether anyone waits. */
const DRAIN_LOOK_MS = 1;
/** Under a load that never lets up, accepting ends all the same. */
const DRAIN_LOOKS = 1000;

class NodeListener implements HostListener {
  readonly address: Address;
  readonly #server: Server;
  /** The file of a Unix socket. */
  readonly #file: FileIdentity | null;
  /** What came before anyone asked. */
  #early: HostConnection[] = [];
  #onConnection: ((connection: HostConnection) => void) | null = null;
  #onError: ((error: Error) => void) | null = null;
  #closed = false;
  #accepted = 0;

  constructor(
    server: Server,
    path: string | null,
    options: HostSocketOptions,
    mapError: MapError,
  ) {
    this.#server = server;
    this.#file = path === null ? null : identityOf(path);
    const bound = server.address();
    this.address = path !== null || bound === null || typeof bound === "string"
      ? { transport: "unix", path: path ?? "" }
      : { transport: "tcp", hostname: bound.address, port: bound.port };
    server.on("error", (error) => {
      this.#onError?.(mapError(error, "accept a connection"));
    });
    server.on("connection", (socket: Socket) => {
      this.#accepted++;
      if (this.#closed) {
        socket.destroy();
        return;
      }
      if (path === null) setSocketOptions(socket, options);
      const local: [Address, Address] | [] = path === null
        ? []
        : [this.address, { transport: "unix", path: "" }];
      const connection = new SocketConnection(
        socket,
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

  close(): null {
    if (this.#closed) return null;
    this.#closed = true;
    for (const connection of this.#early.splice(0)) connection.abort();
    this.#stopListening();
    return null;
  }

  #stopListening(): void {
    const { address } = this;
    const restore = address.transport === "unix"
      ? keepForeign(address.path, this.#file)
      : null;
    this.#server.close();
    restore?.();
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
    this.#stopListening();
    this.#closed = true;
  }
}

async function knock(path: string): Promise<void> {
  const options = { noDelay: false, keepAlive: false };
  const { signal } = new AbortController();
  (await connectSocket({ path }, options, signal, mapError)).abort();
}

/** For a folder that is missing, Node says that access is denied. */
function bindError(error: unknown, path: string | null): unknown {
  const { code } = error as { code?: unknown };
  if (path === null || code !== "EACCES") return error;
  const folder = builtin("node:path").dirname(path);
  if (identityOf(folder) !== null) return error;
  return Object.assign(new Error(`There is no folder ${folder}`), {
    code: "ENOENT",
  });
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

/** Listens with one of Node's servers; Deno does so for what is to be TLS. */
export async function listenSockets(
  binding: HostBinding,
  options: HostSocketOptions,
  mapError: MapError,
): Promise<HostListener> {
  const path = "path" in binding ? binding.path : null;
  if (path !== null) await removeStaleSocket(path, () => knock(path));
  const where = "path" in binding
    ? binding.path
    : `${binding.hostname} port ${binding.port}`;
  try {
    const server = builtin("node:net").createServer({
      allowHalfOpen: true,
      pauseOnConnect: true,
    });
    await listen(server, binding);
    return new NodeListener(server, path, options, mapError);
  } catch (error) {
    throw mapError(bindError(error, path), `listen on ${where}`);
  }
}

function checkReusePort(
  { hostname, port }: { hostname: string; port: number },
): void {
  if (mayShare()) return;
  throw new OSError(
    `Cannot listen on ${hostname} port ${port} as 'reusePort' needs Linux and Node 22.12, or a worker of prefork(): received true`,
    { code: "ENOTSUP" },
  );
}

/** Sockets on Node. */
export const net: { readonly net: HostNet } = {
  net: {
    connect: (target, options, signal) =>
      connectSocket(target, options, signal, mapError),
    upgrade,
    // deno-lint-ignore require-await -- so that what it throws is rejected
    async listen(binding, options, tls) {
      if ("hostname" in binding && binding.reusePort) checkReusePort(binding);
      const listenHere = () => listenSockets(binding, options, mapError);
      return tls === null ? listenHere() : listenTls(tls, listenHere);
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
            try {
              const { bytesRead } = await file.read(buffer);
              return bytesRead === 0 ? null : bytesRead;
            } catch (error) {
              throw mapError(error, `read ${path}`);
            }
          },
          close: () => void file.close(),
        };
      } catch (error) {
        throw mapError(error, `open ${path}`);
      }
    },
  },
};
