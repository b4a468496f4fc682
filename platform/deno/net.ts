import { OSError } from "../../errors.ts";
import { copyOf } from "../shared/copies.ts";
import { openDatagram } from "../shared/datagram.ts";
import { isIp, lookup, lookupService } from "../shared/dns.ts";
import { bindOnceFree, leaves } from "../shared/leaving.ts";
import type {
  Address,
  HostBinding,
  HostConnection,
  HostListener,
  HostNet,
  HostReceiver,
  HostSocketOptions,
  HostTls,
} from "../types/net.ts";
import { listenSockets } from "../node/net.ts";
import { connectSocket } from "../node/connection.ts";
import { listenTls } from "../node/tls_listener.ts";
import {
  type FileIdentity,
  identityOf,
  keepForeign,
  removeIfStill,
  removeStaleSocket,
} from "../shared/unix_sockets.ts";
import { upgrade } from "../node/upgrade.ts";
import { mapError } from "./errors.ts";

/** What an idle connection keeps for what may come. */
const SMALLEST_READ = 4096;
const MIDDLE_READ = 16_384;
/** Larger reads bring no more. */
const LARGEST_READ = 65_536;
/** A look at the socket every so often, to see whether anyone waits. */
const DRAIN_LOOK_MS = 1;
/** Under a load that never lets up, accepting ends all the same. */
const DRAIN_LOOKS = 1000;
/** Hops in which a connection that waits is accepted; two are enough in 2.9. */
const HOPS_TO_ACCEPT = 4;
/** Who has taken so much keeps up, and gets it in large pieces. */
const TAKEN_BY_READERS = 3 * LARGEST_READ;
/** So much of a connection is read before the host's loop takes a turn. */
const BYTES_A_TURN = 65_536;
/** In so many microtasks a handler that answers at once has done so. */
const HOPS_TO_ANSWER = 8;
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

function addressOf(addr: Deno.Addr): Address | null {
  switch (addr.transport) {
    case "tcp":
    case "udp":
      return {
        transport: addr.transport,
        hostname: addr.hostname,
        port: addr.port,
      };
    case "unix":
      return { transport: "unix", path: addr.path ?? "" };
    default:
      return null;
  }
}

let waiting: (() => void)[] = [];
let hops = 0;
const microtask = Promise.resolve();

/** Calls back once what came with it was answered: for all that came together. */
const afterAnswers = (callback: () => void): void => {
  waiting.push(callback);
  if (waiting.length > 1) return;
  hops = HOPS_TO_ANSWER;
  hop();
};

const hop = (): void => {
  if (hops-- > 0) {
    microtask.then(hop);
    return;
  }
  const callbacks = waiting;
  waiting = [];
  for (const each of callbacks) each();
};

/**
 * One pump reads, from start to end; nothing but closing ends a read that
 * waits. What comes while reading is paused is held until it goes on.
 */
export class DenoConnection implements HostConnection {
  readonly localAddress: Address | null;
  readonly remoteAddress: Address | null;
  readonly isTls = false;
  readonly alpnProtocol = null;
  readonly #conn: Deno.Conn;
  #receiver: HostReceiver | null = null;
  #paused = false;
  #closed = false;
  #goOn: (() => void) | null = null;
  #writing: Uint8Array | null = null;

  constructor(conn: Deno.Conn) {
    this.#conn = conn;
    this.localAddress = addressOf(conn.localAddr);
    this.remoteAddress = addressOf(conn.remoteAddr);
  }

  start(receiver: HostReceiver): void {
    const isFirst = this.#receiver === null;
    this.#receiver = receiver;
    if (isFirst) this.#pump();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#goOn?.();
  }

  write(bytes: Uint8Array): void {
    this.#writing = bytes;
    this.#conn.write(bytes).then(this.#onWritten, this.#onFailure);
  }

  closeWrite(): void {
    this.#conn.closeWrite().catch(this.#onFailure);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#receiver = null;
    this.#goOn?.();
    try {
      this.#conn.close();
    } catch {
      // The host has closed it after an error.
    }
  }

  abort(): void {
    this.close();
  }

  async #pump(): Promise<void> {
    const conn = this.#conn;
    let size = SMALLEST_READ;
    let taken = 0;
    let sinceTurn = 0;
    // Taken just before a read: who is paused holds none.
    let slab: Uint8Array | null = null;
    try {
      for (;;) {
        slab ??= new Uint8Array(size);
        const count = await conn.read(slab);
        if (this.#paused) await new Promise(this.#awaitResume);
        if (this.#closed) return;
        if (count === null) return this.#receiver?.end();
        let bytes: Uint8Array;
        if (count * 2 < slab.length) {
          // A copy costs less than another slab, and a view would keep alive
          // many times what it shows.
          bytes = copyOf(slab, count);
          if (count * 8 < slab.length && size > SMALLEST_READ) {
            size /= 4;
            slab = null;
          }
        } else {
          bytes = count === slab.length ? slab : slab.subarray(0, count);
          taken += count;
          if (count === slab.length && size < LARGEST_READ) {
            if (size < MIDDLE_READ || taken > TAKEN_BY_READERS) size *= 4;
          }
          slab = null;
        }
        this.#receiver?.data(bytes);
        if (this.#paused) {
          slab = null;
          await new Promise(this.#awaitResume);
        }
        if (this.#closed) return;
        // The answer first: the peer can go on with it, while a read so soon
        // would only find that it has to wait. Whoever sends without end lets
        // all others have their turn.
        sinceTurn += count;
        if (sinceTurn < BYTES_A_TURN) await new Promise<void>(afterAnswers);
        else {
          sinceTurn = 0;
          await new Promise<void>(setImmediate);
        }
        if (this.#closed) return;
      }
    } catch (error) {
      this.#fail(error, "read from the connection");
    }
  }

  readonly #awaitResume = (resolve: (value: undefined) => void): void => {
    if (!this.#paused || this.#closed) return resolve(undefined);
    this.#goOn = () => {
      this.#goOn = null;
      resolve(undefined);
    };
  };

  readonly #onWritten = (count: number): void => {
    const bytes = this.#writing;
    if (this.#closed || bytes === null) return;
    if (count < bytes.length) {
      this.#receiver?.written(count);
      if (!this.#closed) this.write(bytes.subarray(count));
      return;
    }
    this.#writing = null;
    this.#receiver?.written(count);
  };

  readonly #onFailure = (error: unknown): void => {
    this.#fail(error, "write to the connection");
  };

  #fail(error: unknown, action: string): void {
    const receiver = this.#receiver;
    if (this.#closed || receiver === null) return;
    this.close();
    receiver.lost(mapError(error, action));
  }
}

class DenoListener implements HostListener {
  readonly address: Address;
  readonly #listener: Deno.Listener;
  readonly #options: HostSocketOptions;
  #closed = false;
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
    if (this.#closed) return;
    this.#closed = true;
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
    for (let looks = DRAIN_LOOKS; looks > 0; looks--) {
      const before = this.#accepted;
      // deno-lint-ignore no-await-in-loop -- a look after the other
      await new Promise((resolve) => setTimeout(resolve, DRAIN_LOOK_MS));
      // Right behind the host's own look at its sockets.
      // deno-lint-ignore no-await-in-loop -- as above
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#closed || this.#accepted === before) break;
    }
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
    while (!this.#closed) {
      let conn: Deno.Conn;
      try {
        const next = this.#listener.accept();
        if (this.#isDraining) this.#closeIfNone(next);
        // deno-lint-ignore no-await-in-loop -- one connection after the other
        conn = await next;
      } catch (error) {
        if (this.#closed) return;
        if (CLIENT_LEFT.has((error as { code?: unknown }).code)) continue;
        onError(mapError(error, "accept a connection"));
        // deno-lint-ignore no-await-in-loop -- one connection after the other
        await this.#pauseAfterError();
        continue;
      }
      this.#accepted++;
      if (this.#closed && !this.#isDraining) return conn.close();
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

async function knock(path: string): Promise<void> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    throw mapError(error, `connect to ${path}`);
  }
}

function setOptions(conn: Deno.Conn, options: HostSocketOptions): void {
  const tcp = conn as Partial<Deno.TcpConn>;
  try {
    if (options.noDelay) tcp.setNoDelay?.(true);
    if (options.keepAlive) tcp.setKeepAlive?.(true);
  } catch {
    // The peer has gone already; reading will tell.
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

/** Turns in which a connection that is as good as made comes to its end. */
const TURNS_TO_CONNECT = 4;

/**
 * An abort that comes a few turns later. Aborted in the very moment in which it
 * succeeds, `Deno.connect` throws and leaves the socket open (2.9.6); a
 * connection that was made is better closed than aborted.
 */
class Patience {
  readonly #controller = new AbortController();
  readonly #outer: AbortSignal;
  #ended = false;

  constructor(outer: AbortSignal) {
    this.#outer = outer;
    outer.addEventListener("abort", this.#start);
    if (outer.aborted) this.#controller.abort();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  end(): void {
    this.#ended = true;
    this.#outer.removeEventListener("abort", this.#start);
  }

  readonly #start = (): void => {
    let turns = TURNS_TO_CONNECT;
    const turn = () => {
      if (this.#ended) return;
      if (--turns > 0) setImmediate(turn);
      else this.#controller.abort();
    };
    setImmediate(turn);
  };
}

async function listen(
  binding: HostBinding,
  options: HostSocketOptions,
  tls: HostTls | null,
): Promise<HostListener> {
  if ("hostname" in binding && binding.reusePort) checkReusePort(binding);
  if (tls !== null) {
    return await listenTls(
      tls,
      () => listenSockets(binding, options, mapError),
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
      await removeStaleSocket(path, () => knock(path));
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

/** Sockets on Deno. */
export const net: { readonly net: HostNet } = {
  net: {
    async connect(target, options, signal) {
      // Deno's own way has no local address, and cannot be closed while the
      // peer does not read (deno#36369); its Node way has and can.
      if (
        options.isForTls ||
        "path" in target === false && target.localAddr !== null
      ) {
        return await connectSocket(target, options, signal, mapError);
      }
      if ("path" in target) {
        try {
          const { path } = target;
          // It does not wait: the system says at once whether someone listens.
          const conn = await Deno.connect({ transport: "unix", path });
          if (signal.aborted) conn.close();
          return new DenoConnection(conn);
        } catch (error) {
          throw mapError(error, `connect to ${target.path}`);
        }
      }
      // Deno's own way has no local address; its Node's way has.
      if (target.localAddr !== null) {
        return await connectSocket(target, options, signal, mapError);
      }
      const { hostname, port } = target;
      const patience = new Patience(signal);
      try {
        const conn = await Deno.connect({
          hostname,
          port,
          signal: patience.signal,
          autoSelectFamily: false,
        });
        if (signal.aborted) conn.close();
        else setOptions(conn, options);
        return new DenoConnection(conn);
      } catch (error) {
        throw mapError(error, `connect to ${hostname} port ${port}`);
      } finally {
        patience.end();
      }
    },
    upgrade,
    listen: (binding, options, tls) =>
      bindOnceFree(() => listen(binding, options, tls)),
    openDatagram: (binding) =>
      bindOnceFree(() => openDatagram(binding, mapError, true)),
    lookup: (hostname, family) => lookup(hostname, family, mapError),
    lookupService: (address, port) => lookupService(address, port, mapError),
    isIp,
    async openFile(path) {
      try {
        const file = await Deno.open(path);
        return {
          async read(buffer) {
            try {
              return await file.read(buffer);
            } catch (error) {
              throw mapError(error, `read ${path}`);
            }
          },
          close: () => file.close(),
        };
      } catch (error) {
        throw mapError(error, `open ${path}`);
      }
    },
  },
};
