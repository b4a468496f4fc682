/** NATS servers with JetStream, each in a folder of its own, and queues on them. */
import type { DurableQueue } from "@asyncio/asyncio/durable";
import {
  type JetStreamConnection,
  type JetStreamQueueOptions,
  openJetStreamQueue,
} from "@asyncio/asyncio/jetstream";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import {
  connect as connectTo,
  createServer,
  type Server,
  type Socket,
} from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { Needed } from "./runtimes.ts";

const HOST = "127.0.0.1";

/** What is used of a connection of `@nats-io/transport-node`. */
export interface Connection extends JetStreamConnection {
  close(): Promise<void>;
}

interface Transport {
  connect(options: Readonly<Record<string, unknown>>): Promise<Connection>;
}

/** The packages of NATS; `null` where they are not installed. */
const transport: Transport | null = await import("@nats-io/transport-node")
  .then((module) => module as unknown as Transport, () => null);

/** Why there can be no test with a server; `null` if there can. */
function lack(): string | null {
  if (transport === null) return "@nats-io/transport-node is not installed";
  // Debian has it where only root looks.
  const { error } = spawnSync(PROGRAM, ["--version"], { env: ENVIRONMENT });
  return error ? "there is no nats-server" : null;
}

const PROGRAM = "nats-server";
const ENVIRONMENT = { PATH: "/usr/bin:/usr/local/bin:/usr/sbin:/sbin" };
const LACK = lack();

/** Leaves a test out, and says why, where there is no `nats-server`. */
export const NATS: Needed = LACK === null
  ? { ignore: false }
  : { ignore: true, reason: LACK };

if (LACK !== null && "Deno" in globalThis) {
  console.log(`Skipped tests with NATS, as ${LACK}`);
}

/** Ports that nobody has at the moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    server.listen(0, HOST);
    await once(server, "listening");
    ports.push((server.address() as { port: number }).port);
  }
  for (const server of servers) {
    server.close();
    await once(server, "close");
  }
  return ports;
}

/** A server that can be stopped, killed and started again on its port. */
export class NatsServer {
  readonly port: number;
  /** Its name in a cluster. */
  readonly name: string;
  readonly #folder: string = mkdtempSync(join(tmpdir(), "nats-"));
  readonly #args: readonly string[];
  #child: ChildProcess | null = null;

  constructor(port: number, args: readonly string[] = ["-js"]) {
    this.port = port;
    this.name = `n${port}`;
    this.#args = args;
  }

  async start(): Promise<void> {
    const place = ["-a", HOST, "-p", `${this.port}`, "-sd", this.#folder];
    const child = spawn(PROGRAM, ["-n", this.name, ...place, ...this.#args], {
      stdio: ["ignore", "ignore", "pipe"],
      env: ENVIRONMENT,
    });
    this.#child = child;
    let log = "";
    child.stderr!.setEncoding("utf8");
    await new Promise<void>((resolve, reject) => {
      child.stderr!.on("data", (text) => {
        log += text;
        if (log.includes("Server is ready")) resolve();
      });
      child.on("close", () => reject(new Error(`nats-server ended:\n${log}`)));
    });
  }

  signal(signal: "SIGSTOP" | "SIGCONT" | "SIGKILL"): void {
    process.kill(this.#child!.pid!, signal);
  }

  /** Kills it, and waits until it is gone. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#child = null;
    const gone = once(child, "close");
    child.kill("SIGKILL");
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Connects, and again for as long as it takes. */
export function connect(...ports: number[]): Promise<Connection> {
  return transport!.connect({
    servers: ports.map((port) => `${HOST}:${port}`),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 100,
    // A server that stands still is not waited for.
    pingInterval: 1_000,
    maxPingOut: 2,
  });
}

/** Runs a test with a server. */
export async function withServer(
  fn: (server: NatsServer) => Promise<void>,
  args?: readonly string[],
): Promise<void> {
  const [port] = await freePorts(1);
  const server = new NatsServer(port!, args);
  try {
    await server.start();
    await fn(server);
  } finally {
    await server[Symbol.asyncDispose]();
  }
}

/** Runs a test with three servers that are one. */
export async function withCluster(
  fn: (servers: readonly NatsServer[]) => Promise<void>,
): Promise<void> {
  const [a = 0, b = 0, c = 0, ...links] = await freePorts(6);
  const routes = links.map((port) => `nats://${HOST}:${port}`);
  const servers = [a, b, c].map((port, index) =>
    new NatsServer(port, [
      "-js",
      ...["--cluster_name", "three", "--cluster", routes[index]!],
      ...["--routes", routes.join()],
    ])
  );
  try {
    await Promise.all(servers.map((server) => server.start()));
    await fn(servers);
  } finally {
    for (const server of servers) await server[Symbol.asyncDispose]();
  }
}

/** What a test of a queue is given. */
export interface QueueAndServer<T> {
  readonly queue: DurableQueue<T>;
  readonly connection: Connection;
  readonly server: NatsServer;
}

/** Runs a test with a queue on a server of its own. */
export function withJetStream<T>(
  fn: (given: QueueAndServer<T>) => Promise<void>,
  options: JetStreamQueueOptions<T> = {},
): Promise<void> {
  return withServer(async (server) => {
    const connection = await connect(server.port);
    try {
      const queue = await openJetStreamQueue<T>(connection, "jobs", options);
      try {
        await fn({ queue, connection, server });
      } finally {
        await queue.close();
      }
    } finally {
      await connection.close();
    }
  });
}

/** Stands between a connection and its server, and can cut it off. */
export class Proxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(target: number) {
    this.#server = createServer((near) => {
      if (this.#isCut) {
        near.destroy();
        return;
      }
      const far = connectTo(target, HOST);
      for (const [socket, other] of [[near, far], [far, near]] as const) {
        this.#sockets.add(socket);
        socket.pipe(other);
        socket.on("error", () => {});
        socket.on("close", () => {
          this.#sockets.delete(socket);
          other.destroy();
        });
      }
    });
  }

  static async open(target: number): Promise<Proxy> {
    const proxy = new Proxy(target);
    proxy.#server.listen(0, HOST);
    await once(proxy.#server, "listening");
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  mend(): void {
    this.#isCut = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.cut();
    await closed;
  }
}
