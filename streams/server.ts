/**
 * A server: its listeners, and the connections that came through them. What is
 * done with a connection is up to whoever makes the server.
 */
import { refusedNew } from "../_internal/made_by.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { CancelledError, InvalidStateError } from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import { loopOf } from "../loop/event_loop.ts";
import type { Kernel } from "../loop/kernel.ts";
import { interruption, type Scope } from "../loop/scope.ts";
import { Wait, type WaitSource } from "../loop/wait.ts";
import { WaitQueue } from "../loop/wait_queue.ts";
import type {
  Address,
  HostConnection,
  HostListener,
} from "../platform/types/net.ts";
import { joinWorker, leaveWorker } from "./_worker.ts";
import { copyScope, enter, mayRun, reportThrown, runAsStep } from "./host.ts";
import { type OpenEnd, trackClosed, trackOpen } from "./open_ends.ts";
import {
  type StreamingProtocol,
  type Transport,
  transportInternals,
} from "./transport.ts";

/** A socket of a {@linkcode Server}, as far as it is of interest. */
export interface ServerSocket {
  /** Where it listens. */
  readonly address: Address;
}

/** What a server is made of. */
export interface ServerParts {
  /** That of the code that makes it; each connection gets a copy. */
  readonly scope: Scope;
  readonly listeners: readonly HostListener[];
  readonly makeProtocol: () => StreamingProtocol;
  /** For `getExtraInfo` of each connection. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** Makes a server. */
export let makeServer: (parts: ServerParts) => Server;

/**
 * A server: it listens, and has a protocol or a task for each connection. Made
 * by `startServer` and `createServer`. Equivalent of `asyncio.Server`.
 *
 * @example Serving for a while
 * ```ts
 * import { startServer } from "@asyncio/asyncio";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const server = await startServer(() => {}, { hostname: "127.0.0.1" });
 * assert(server.isServing());
 * assertEquals(server.sockets.length, 1);
 * server.close();
 * await server.waitClosed();
 * assert(!server.isServing());
 * ```
 */
export class Server {
  readonly #scope: Scope;
  readonly #kernel: Kernel;
  readonly #makeProtocol: () => StreamingProtocol;
  readonly #extra: Readonly<Record<string, unknown>>;
  #listeners: readonly HostListener[];
  readonly #connections = new Set<Transport>();
  readonly #closing: WaitQueue<void> = new WaitQueue("Server.waitClosed");
  #state: "new" | "serving" | "draining" | "closed" = "new";
  #onDrained: (() => void) | null = null;
  /** Closed, while its addresses are still taken. */
  #isBound = false;
  #forever: Wait<void> | null = null;
  readonly #end: OpenEnd = {
    isClosing: () => this.#state === "closed",
    abort: () => this.close(),
    toString: () => this.toString(),
  };

  /**
   * Made by `startServer` and `createServer`.
   *
   * @internal
   * @ignore
   */
  private constructor(parts: ServerParts) {
    if (parts?.scope === undefined) {
      throw refusedNew(
        "a Server",
        "it belongs to its sockets",
        "startServer() or createServer()",
      );
    }
    this.#scope = parts.scope;
    this.#kernel = parts.scope.kernel;
    this.#listeners = parts.listeners;
    this.#makeProtocol = parts.makeProtocol;
    this.#extra = parts.extra;
    trackOpen(this.#scope, this.#end);
  }

  /** Its sockets, each with its address; none once it is closed. */
  get sockets(): readonly ServerSocket[] {
    return this.#listeners.map(({ address }) => Object.freeze({ address }));
  }

  /**
   * The port of its first socket: the one to tell clients after listening on
   * port 0. 0 for a Unix socket, and once it is closed.
   */
  get port(): number {
    const address = this.#listeners[0]?.address;
    return address !== undefined && "port" in address ? address.port : 0;
  }

  /**
   * Whether it accepts connections.
   *
   * @returns True from its start to {@linkcode Server.close}.
   */
  isServing(): boolean {
    return this.#state === "serving";
  }

  /**
   * Begins to accept connections, where it was made with
   * `startServing: false`; otherwise it does nothing.
   *
   * @throws {InvalidStateError} When it is closed.
   */
  startServing(): void {
    if (this.#state === "closed") throw this.#refusal("start serving");
    if (this.#state !== "new") return;
    this.#state = "serving";
    enter(this.#scope, this.#listen);
    joinWorker(this, loopOf(this.#kernel), this.#drain);
  }

  /**
   * Accepts connections until the task is cancelled or the server is closed:
   * in either case the server and its connections are then closed, and it waits
   * for that. To let connections go on for a while, wait for something else
   * than this and call {@linkcode Server.close}.
   *
   * @returns Never.
   * @throws {CancelledError} When the task is cancelled, or the server is
   * closed.
   * @throws {InvalidStateError} When it is closed, or another task does the
   * same.
   */
  async serveForever(): Promise<never> {
    if (this.#forever !== null) {
      throw new InvalidStateError(
        `Cannot serve forever as another task does: received a call on ${this}`,
      );
    }
    this.startServing();
    const scope = currentScope();
    try {
      const interrupted = interruption(scope);
      if (interrupted !== null) await interrupted;
      this.#forever = new Wait<void>(scope, foreverSource);
      await this.#forever.promise;
      throw new CancelledError("The server was closed");
    } catch (error) {
      this.#forever = null;
      this.close();
      this.closeClients();
      try {
        await this.waitClosed();
      } catch {
        // A second cancellation: the first one is what counts.
      }
      throw error;
    }
  }

  /**
   * Stops listening. Connections that are there go on, unless a task is in
   * {@linkcode Server.serveForever}; see {@linkcode Server.closeClients}.
   */
  close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    trackClosed(this.#kernel, this.#end);
    const listeners = this.#listeners;
    this.#listeners = [];
    this.#unbind(listeners);
    const forever = this.#forever;
    this.#forever = null;
    forever?.settle();
    leaveWorker(this);
    this.#wakeIfDone();
  }

  /**
   * Closes its connections, each once all was sent. What their handlers write
   * from then on is dropped, and `drain` throws.
   */
  closeClients(): void {
    for (const transport of [...this.#connections]) {
      transportInternals.close(transport);
    }
  }

  /** Closes its connections at once; what was not sent is dropped. */
  abortClients(): void {
    for (const transport of [...this.#connections]) {
      transportInternals.abort(transport);
    }
  }

  /**
   * Waits until the server is closed and all its connections are. Its addresses
   * are then free to be listened at again.
   *
   * @throws {CancelledError} When the task is cancelled meanwhile.
   */
  waitClosed(): Promise<void> {
    const scope = currentScope();
    const interrupted = interruption(scope);
    if (interrupted !== null) return interrupted;
    if (this.#isDone()) return scope.kernel.succeed(scope, undefined);
    return this.#closing.wait(scope);
  }

  /**
   * Closes it at the end of an `await using` block, and waits for that. A
   * cancellation ends the wait; the server is closed all the same.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.waitClosed();
  }

  /**
   * The server, its state and its sockets.
   *
   * @returns For example `<Server serving 127.0.0.1:8080 connections=2>`.
   */
  toString(): string {
    const places = this.#listeners.map(({ address }) =>
      "path" in address
        ? ` ${address.path}`
        : ` ${address.hostname}:${address.port}`
    );
    return `<Server ${this.#state}${
      places.join("")
    } connections=${this.#connections.size}>`;
  }

  /** What `Object.prototype.toString` says. */
  get [Symbol.toStringTag](): string {
    return "Server";
  }

  readonly #listen = (): void => {
    for (const listener of this.#listeners) {
      listener.start(
        (host) => this.#accept(host),
        (error) => {
          this.#kernel.report({
            message: "The server could not accept a connection and goes on",
            error,
          });
        },
      );
    }
  };

  #accept(host: HostConnection): void {
    const scope = copyScope(this.#scope);
    const open = () => this.#open(scope, host);
    if (mayRun(this.#kernel)) enter(scope, open);
    else if (!runAsStep(scope, `a connection of ${this}`, open)) host.abort();
  }

  #open(scope: Scope, host: HostConnection): void {
    if (this.#state === "closed") return host.abort();
    let transport: Transport | undefined;
    const onLost = () => {
      if (transport !== undefined) this.#connections.delete(transport);
      this.#wakeIfDone();
    };
    try {
      const protocol = this.#makeProtocol();
      transportInternals.open({
        scope,
        host,
        protocol,
        extra: this.#extra,
        isAccepted: true,
        onLost,
        onMade: (made) => {
          // One that has taken the connection over, for TLS.
          if (transport !== undefined) this.#connections.delete(transport);
          transport = made;
          this.#connections.add(made);
        },
      });
    } catch (error) {
      host.abort();
      reportThrown(
        this.#kernel,
        "The server's protocol factory threw",
        error,
      );
    }
  }

  /**
   * Accepts what waits to be and then no more, and is through when the last
   * connection is closed. Who serves forever is not told.
   */
  readonly #drain = async (): Promise<void> => {
    if (this.#state !== "serving") return;
    this.#state = "draining";
    await Promise.all(this.#listeners.map((listener) => listener.drain()));
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onDrained = resolve;
    });
  };

  #unbind(listeners: readonly HostListener[]): void {
    const waits = listeners.map((listener) => listener.close())
      .filter((wait) => wait !== null);
    if (waits.length === 0) return;
    this.#isBound = true;
    Promise.all(waits).then(() => {
      this.#isBound = false;
      const wake = () => this.#wakeIfDone();
      const isLater = !this.#kernel.isRunning &&
        runAsStep(this.#scope, `the end of ${this}`, wake);
      // Of a loop that is closed, too: code of another one may wait.
      if (!isLater) wake();
    });
  }

  #isDone(): boolean {
    return this.#state === "closed" && !this.#isBound &&
      this.#connections.size === 0;
  }

  #wakeIfDone(): void {
    if (this.#connections.size === 0) this.#onDrained?.();
    if (this.#isDone()) this.#closing.settleAll(undefined);
  }

  #refusal(action: string): InvalidStateError {
    return new InvalidStateError(
      `Cannot ${action} as the server is closed: received a call on ${this}`,
    );
  }

  static {
    inspectByToString(this.prototype);
    makeServer = (parts) => new Server(parts);
  }
}

const foreverSource: WaitSource = {
  abandon() {},
  describe: () => "Server.serveForever",
};
