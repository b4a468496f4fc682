/** A redis-server of its own for a row, without persistence: what BullMQ stands on. */

import { spawn } from "node:child_process";
import { connect, createServer } from "node:net";
import { Skip } from "./skip.ts";

/** Runs `use` with the port of a server that is gone afterwards. */
export async function withRedis<R>(
  use: (port: number) => Promise<R>,
): Promise<R> {
  const port = await freePort();
  const child = spawn(
    "redis-server",
    [
      `--port ${port}`,
      "--bind 127.0.0.1",
      "--save ''",
      "--appendonly no",
    ].flatMap((option) => option.split(" ")),
    { stdio: "ignore" },
  );
  const ended = new Promise<void>((resolve, reject) => {
    child.on("error", () => reject(new Skip("redis-server is not installed")));
    child.on("close", () => resolve());
  });
  try {
    await Promise.race([ended, answers(port)]);
    return await use(port);
  } finally {
    child.kill();
    await ended.catch(() => {});
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve((address as { port: number }).port));
    });
  });
}

/** Resolves once the port can be connected to, or gives up after ten seconds. */
async function answers(port: number): Promise<void> {
  for (let left = 200; left > 0; left--) {
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1");
      socket.on("connect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => resolve(false));
    });
    if (isThere) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`The redis-server on port ${port} does not answer`);
}
