/** A NATS server with JetStream for the rows that need one, for as long as the process lives. */
import type { NatsConnection } from "@nats-io/nats-core";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

const HOST = "127.0.0.1";

/** Starts a server on a port that is free, and connects to it. */
export async function connectToServer(): Promise<NatsConnection> {
  const { connect } = await import("@nats-io/transport-node");
  const folder = mkdtempSync(join(tmpdir(), "bench-nats-"));
  const args = ["-js", "-sd", folder, "-a", HOST, "-p", "-1"];
  const child = spawn("nats-server", args, {
    stdio: ["ignore", "ignore", "pipe"],
    // Debian has it where only root looks.
    env: { PATH: `${process.env["PATH"]}:/usr/sbin` },
  });
  process.on("exit", () => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });
  let log = "";
  child.stderr.setEncoding("utf8");
  const port = await new Promise<string>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => reject(new Error(`nats-server ended:\n${log}`)));
    child.stderr.on("data", (text) => {
      log += text;
      const found = /client connections on [\d.]+:(\d+)/.exec(log)?.[1];
      if (found && log.includes("Server is ready")) resolve(found);
    });
  });
  return await connect({ servers: `${HOST}:${port}` });
}
