/** Listeners over Node's servers; Deno has them as well, for what is to be TLS. */
import { mapError } from "../map_error.ts";
import { isBun } from "../runtime.ts";
import { builtin } from "../shared/builtin.ts";
import { untilNobodyWaits } from "../shared/draining.ts";
import {
  type FileIdentity,
  identityOf,
  keepForeign,
  removeStaleSocket,
} from "../shared/unix_sockets.ts";
import { askForSocket, isWorker } from "../supervisor.ts";
import type {
  Address,
  HostBinding,
  HostConnection,
  HostListener,
  HostSocketOptions,
} from "../types/net.ts";
import { setSocketOptions, SocketConnection } from "./connection.ts";
import type { Socket } from "./reads.ts";

type Server = import("node:net").Server;

class NodeListener implements HostListener {
  readonly address: Address;
  readonly #server: Server;
  /** The file of a Unix socket. */
  readonly #file: FileIdentity | null;
  /** What came before anyone asked. */
  #early: HostConnection[] = [];
  #onConnection: ((connection: HostConnection) => void) | null = null;
  #onError: ((error: Error) => void) | null = null;
  #isClosed = false;
  #accepted = 0;

  constructor(
    server: Server,
    path: string | null,
    options: HostSocketOptions,
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
      if (this.#isClosed) {
        socket.destroy();
        return;
      }
      if (path === null) setSocketOptions(socket, options);
      const local: [Address, Address] | [] = path === null
        ? []
        : [this.address, { transport: "unix", path: "" }];
      const connection = new SocketConnection(
        socket,
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
    if (this.#isClosed) return null;
    this.#isClosed = true;
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
    await untilNobodyWaits(() => this.#isClosed ? null : this.#accepted);
    if (this.#isClosed) return;
    this.#stopListening();
    this.#isClosed = true;
  }
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

/** Whether a socket can be sent to another process. Bun cannot. */
export const canShareSockets: boolean = !isBun;

async function placeOf(binding: HostBinding): Promise<object> {
  if ("path" in binding) return { path: binding.path };
  const { hostname, port, reusePort } = binding;
  if (!reusePort) return { host: hostname, port };
  if (!isWorker() || !canShareSockets) {
    return { host: hostname, port, reusePort };
  }
  // The sockets of worker processes are one: what waits to be accepted is not
  // lost with the worker that the system has picked for it.
  return { _handle: await askForSocket({ hostname, port }) };
}

/** Listens with one of Node's servers; Deno does so for what is to be TLS. */
export async function listenSockets(
  binding: HostBinding,
  options: HostSocketOptions,
): Promise<HostListener> {
  const path = "path" in binding ? binding.path : null;
  if (path !== null) await removeStaleSocket(path);
  const where = "path" in binding
    ? binding.path
    : `${binding.hostname} port ${binding.port}`;
  try {
    const server = builtin("node:net").createServer({
      allowHalfOpen: true,
      pauseOnConnect: true,
    });
    await listen(server, binding);
    return new NodeListener(server, path, options);
  } catch (error) {
    throw mapError(bindError(error, path), `listen on ${where}`);
  }
}
