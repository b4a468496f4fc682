import { OSError } from "../../errors.ts";
import { listenSockets } from "../node/listener.ts";
import { listenTls } from "../node/tls_listener.ts";
import { untilNobodyWaits } from "../shared/draining.ts";
import { leaves } from "../shared/leaving.ts";
import {
  type FileIdentity,
  identityOf,
  keepForeign,
  removeIfStill,
  removeStaleSocket,
} from "../shared/unix_sockets.ts";
import type {
  Address,
  HostBinding,
  HostConnection,
  HostListener,
  HostSocketOptions,
  HostTls,
} from "../types/net.ts";
import { addressOf, DenoConnection, setOptions } from "./connection.ts";
import { mapError } from "./errors.ts";

/** Hops in which a connection that waits is accepted; two are enough in 2.9. */
const HOPS_TO_ACCEPT = 4;
/** Accepting is tried again after the system had no room for a connection. */
const ACCEPT_RETRY_MS = 1000;
/** What Deno and the system call a client that has left before it was accepted. */
const CLIENT_LEFT: ReadonlySet<unknown> = new Set([
  "ECONNABORTED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENOTCONN",
  "EPERM",
  "EPROTO",
]);

class DenoListener implements HostListener {
  readonly address: Address;
  readonly #listener: Deno.Listener;
  readonly #options: HostSocketOptions;
  #isClosed = false;
  #retry: (() => void) | null = null;
  /** That of a Unix socket. */
  readonly #file: FileIdentity | null;
  #accepted = 0;
  #accepting: Promise<void> | null = null;
  #freed: Promise<void> | null = null;
  #isDraining = false;

  constructor(
    listener: Deno.Listener,
    options: HostSocketOptions,
  ) {
    this.#listener = listener;
    this.#options = options;
    this.address = addressOf(listener.addr)!;
    this.#file = this.address.transport === "unix"
      ? identityOf(this.address.path)
      : null;
  }

  start(
    onConnection: (connection: HostConnection) => void,
    onError: (error: Error) => void,
  ): void {
    this.#accepting = this.#accept(onConnection, onError);
  }

  close(): Promise<void> | null {
    this.#stopListening();
    // The accept under way holds the socket until it is told.
    return this.#freed ?? this.#accepting;
  }

  #stopListening(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#retry?.();
    if (this.address.transport !== "unix") {
      this.#listener.close();
      if (this.#accepting !== null) leaves(this.#accepting);
      return;
    }
    const { path } = this.address;
    const restore = keepForeign(path, this.#file);
    this.#listener.close();
    // Deno removes the file when the accept under way has let the socket go.
    const finish = () => {
      restore();
      removeIfStill(path, this.#file);
    };
    if (this.#accepting === null) finish();
    else leaves(this.#freed = this.#accepting.then(finish));
  }

  async drain(): Promise<void> {
    this.#isDraining = true;
    await untilNobodyWaits(() => this.#isClosed ? null : this.#accepted);
    this.#stopListening();
    // One may have been on its way when it was closed.
    await this.#accepting;
    await this.#freed;
  }

  /**
   * Directly behind a connection, the host asks the system for the next one. If
   * that does not come at once, there is none: the moment to close.
   */
  async #closeIfNone(next: Promise<unknown>): Promise<void> {
    let hasCome = false;
    const come = () => {
      hasCome = true;
    };
    next.then(come, come);
    for (let hops = HOPS_TO_ACCEPT; hops > 0; hops--) {
      // deno-lint-ignore no-await-in-loop -- one hop after the other
      await undefined;
    }
    if (!hasCome) this.#stopListening();
  }

  async #accept(
    onConnection: (connection: HostConnection) => void,
    onError: (error: Error) => void,
  ): Promise<void> {
    while (!this.#isClosed) {
      let conn: Deno.Conn;
      try {
        const next = this.#listener.accept();
        if (this.#isDraining) this.#closeIfNone(next);
        // deno-lint-ignore no-await-in-loop -- one connection after the other
        conn = await next;
      } catch (error) {
        if (this.#isClosed) return;
        if (CLIENT_LEFT.has((error as { code?: unknown }).code)) continue;
        onError(mapError(error, "accept a connection"));
        // deno-lint-ignore no-await-in-loop -- one connection after the other
        await this.#pauseAfterError();
        continue;
      }
      this.#accepted++;
      if (this.#isClosed && !this.#isDraining) return conn.close();
      setOptions(conn, this.#options);
      onConnection(new DenoConnection(conn));
    }
  }

  #pauseAfterError(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ACCEPT_RETRY_MS);
      this.#retry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Without the flag, Deno ends the program where it could throw. */
function checkReusePort(
  { hostname, port }: { hostname: string; port: number },
) {
  if ("listenDatagram" in Deno) return;
  throw new OSError(
    `Cannot listen on ${hostname} port ${port} as 'reusePort' needs the flag --unstable-net of Deno: received true`,
    { code: "ENOTSUP" },
  );
}

/** Binds a socket that takes connections. */
export async function listen(
  binding: HostBinding,
  options: HostSocketOptions,
  tls: HostTls | null,
): Promise<HostListener> {
  if ("hostname" in binding && binding.reusePort) checkReusePort(binding);
  if (tls !== null) {
    return await listenTls(
      tls,
      () => listenSockets(binding, options),
    );
  }
  const backlog = binding.backlog === null
    ? undefined
    : { tcpBacklog: binding.backlog };
  if ("path" in binding && backlog !== undefined) {
    throw new OSError(
      `Cannot listen on ${binding.path} as Deno takes no 'backlog' for a Unix socket: received ${binding.backlog}`,
      { code: "ENOTSUP" },
    );
  }
  try {
    if ("path" in binding) {
      const { path } = binding;
      await removeStaleSocket(path);
      const listener = Deno.listen({
        transport: "unix",
        path: binding.path,
      });
      return new DenoListener(listener, options);
    }
    const { hostname, port, reusePort } = binding;
    const place = { hostname, port, reusePort, ...backlog };
    return new DenoListener(Deno.listen(place), options);
  } catch (error) {
    const where = "path" in binding
      ? binding.path
      : `${binding.hostname} port ${binding.port}`;
    throw mapError(error, `listen on ${where}`);
  }
}
