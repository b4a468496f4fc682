/** What the tests over real sockets share; on Deno and on Node. */
import {
  openConnection,
  Protocol,
  type Server,
  type StreamReader,
  type StreamWriter,
  type Transport,
} from "@asyncio/asyncio";

interface Builtins {
  "node:net": typeof import("node:net");
  "node:fs": typeof import("node:fs");
  "node:os": typeof import("node:os");
  "node:path": typeof import("node:path");
  "node:tls": typeof import("node:tls");
  "node:dns": typeof import("node:dns");
  "node:dgram": typeof import("node:dgram");
  "node:stream": typeof import("node:stream");
  "node:child_process": typeof import("node:child_process");
}

const { process } = globalThis as unknown as {
  process: {
    getBuiltinModule<N extends keyof Builtins>(name: N): Builtins[N];
    readonly execPath: string;
  };
};

/** One of Node's modules, for peers that are not ours. */
export function builtin<N extends keyof Builtins>(name: N): Builtins[N] {
  return process.getBuiltinModule(name);
}

export const LOCAL = { hostname: "127.0.0.1" } as const;

/** A connection to a server on this machine, ours or not. */
export function connectTo(
  { port }: { readonly port: number | null },
): Promise<[StreamReader, StreamWriter]> {
  return openConnection({ ...LOCAL, port: port! });
}

/** Bytes of a text. */
export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Text of bytes. */
export function text(data: Uint8Array): string {
  return new TextDecoder().decode(data);
}

/** A turn of the host, or several: what is on its way may arrive. */
export async function turns(count = 1): Promise<void> {
  while (count-- > 0) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** What takes longer does not come, on the busiest of machines. */
const LIMIT_MS = 50_000;

/** Waits for something that a real peer brings about. */
export async function until(
  holds: () => boolean,
  what = "the condition",
): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`${what} did not come`);
    await turns();
  }
}

/** Writes down what it is told. */
export class Recorder extends Protocol {
  readonly events: string[] = [];
  readonly chunks: Uint8Array[] = [];
  transport!: Transport;
  error: unknown = undefined;
  keepsAfterEof = false;

  override connectionMade(transport: Transport): void {
    this.transport = transport;
    this.events.push("made");
  }

  override dataReceived(data: Uint8Array): void {
    this.chunks.push(data);
    if (this.events.at(-1) !== "data") this.events.push("data");
  }

  override eofReceived(): boolean {
    this.events.push("eof");
    return this.keepsAfterEof;
  }

  override connectionLost(error: unknown): void {
    this.error = error;
    this.events.push("lost");
  }

  override pauseWriting(): void {
    this.events.push("pause");
  }

  override resumeWriting(): void {
    this.events.push("resume");
  }

  get size(): number {
    return this.chunks.reduce((sum, each) => sum + each.length, 0);
  }

  get text(): string {
    return this.chunks.map(text).join("");
  }

  async reach(event: string): Promise<void> {
    await until(() => this.events.includes(event), event);
  }
}

/** The sockets this process has open, as far as the system tells. */
export function openSockets(): number {
  const { readdirSync, readlinkSync } = builtin("node:fs");
  let count = 0;
  for (const name of readdirSync("/proc/self/fd")) {
    try {
      if (readlinkSync(`/proc/self/fd/${name}`).startsWith("socket:")) count++;
    } catch {
      // It was the descriptor of the listing itself.
    }
  }
  return count;
}

/** A path for a Unix socket, in a folder of its own. */
export function temporaryFolder(): { path: string; remove: () => void } {
  const { mkdtempSync, rmSync } = builtin("node:fs");
  const path = mkdtempSync(
    builtin("node:path").join(builtin("node:os").tmpdir(), "asyncio-"),
  );
  return { path, remove: () => rmSync(path, { recursive: true }) };
}

export type Socket = import("node:net").Socket;

/** A peer that is not ours: a socket of Node. */
export function connectRaw(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = builtin("node:net").connect({
      port,
      host: "127.0.0.1",
      allowHalfOpen: true,
    });
    socket.once("error", reject);
    socket.once("connect", () => {
      socket.removeListener("error", reject);
      socket.on("error", () => {});
      resolve(socket);
    });
  });
}

/** A server that is not ours; gives its port. */
export async function serveRaw(
  onSocket: (socket: Socket) => void,
): Promise<{ port: number; close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = builtin("node:net").createServer(
    { allowHalfOpen: true },
    (socket) => {
      sockets.add(socket);
      socket.on("close", () => sockets.delete(socket));
      socket.on("error", () => {});
      onSocket(socket);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** A server that is not ours, which resets a connection once something arrives. */
export function serveResetting(): ReturnType<typeof serveRaw> {
  return serveRaw((socket) => {
    socket.once("data", () => socket.resetAndDestroy());
  });
}

/**
 * A port that nobody listens on, and that stays free: the system gives none of
 * these to a server that asks for port 0, or to a client.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(12_000 * Math.random());
    const server = builtin("node:net").createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => resolve(true));
    });
    if (!isFree) continue;
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}

/** Closes a server with all its connections. */
export async function shut(server: Server): Promise<void> {
  server.close();
  server.abortClients();
  await server.waitClosed();
}

/** A promise and what settles it; Node 20 has no `Promise.withResolvers`. */
export function deferred<T>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
} {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
