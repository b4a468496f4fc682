import { OSError } from "../../errors.ts";
import { nodeProcess } from "../shared/node_process.ts";
import { isWorker } from "../supervisor.ts";
import type { HostNet } from "../types/net.ts";
import { connectSocket } from "./connection.ts";
import { canShareSockets, listenSockets } from "./listener.ts";
import { upgrade } from "./tls_connection.ts";
import { listenTls } from "./tls_listener.ts";

function hasReusePort(): boolean {
  const { platform, versions } = nodeProcess();
  // Elsewhere it does not spread the connections.
  if (platform !== "linux") return false;
  const [major = 0, minor = 0] = versions.node.split(".").map(Number);
  return major > 23 || (major === 23 && minor >= 1) ||
    (major === 22 && minor >= 12);
}

function mayShare(): boolean {
  return hasReusePort() || (canShareSockets && isWorker());
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
export const net: HostNet = {
  connect: connectSocket,
  upgrade,
  // deno-lint-ignore require-await -- so that what it throws is rejected
  async listen(binding, options, tls) {
    if ("hostname" in binding && binding.reusePort) checkReusePort(binding);
    const listenHere = () => listenSockets(binding, options);
    return tls === null ? listenHere() : listenTls(tls, listenHere);
  },
};
