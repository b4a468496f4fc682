import { readFile } from "node:fs/promises";
import process from "node:process";
import { startClients } from "../clients.ts";
import { atLeast } from "../targets.ts";
import type { Load, MeasuredRow, Measurement } from "../types.ts";
import { both, type Identity, type Serve } from "./_servers.ts";
import { serveBare, serveStreams } from "./echo.ts";

/** For so many messages one connection is made. */
const MESSAGES_A_CONNECTION = 500;

async function identity(): Promise<Identity> {
  const folder = process.env["BENCH_TLS"];
  const [cert, key] = await Promise.all(
    ["cert.pem", "key.pem"].map((name) =>
      readFile(`${folder}/${name}`, "utf8")
    ),
  );
  return { cert: cert!, key: key! };
}

/** What this process computes in the meantime, in nanoseconds for each. */
async function computing(
  work: Promise<void>,
  count: number,
): Promise<number> {
  const before = process.cpuUsage();
  await work;
  const { user, system } = process.cpuUsage(before);
  return (user + system) * 1000 / count;
}

function overTls(serve: Serve): Load<Measurement> {
  return async () => {
    const port = await serve(await identity());
    const command = await startClients(port, { ...both(64, 50), tls: true });
    return async (size) => {
      const connections = size / MESSAGES_A_CONNECTION;
      return {
        message: await computing(command("exchange", size), size),
        connection: await computing(
          command("connect", connections),
          connections,
        ),
      };
    };
  };
}

/** What a server computes for a message over TLS, and for a connection with all that belongs to it. */
export const tls: MeasuredRow = {
  kind: "measured",
  id: "tls",
  title: "echo over TLS, 50 connections, 64 bytes, processor time",
  size: 10_000,
  python: true,
  metrics: [
    { name: "message", unit: "ns", targets: atLeast({ asyncio: 1 }) },
    { name: "connection", unit: "ns", targets: atLeast({ asyncio: 1 }) },
  ],
  notes: {
    ours: "by streams; all threads of the process count",
    bare: "a loop over Deno.listenTls; on Node, node:tls",
  },
  peers: { ours: overTls(serveStreams), bare: overTls(serveBare) },
};
