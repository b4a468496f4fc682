/**
 * UDP, which both runtimes do in Node's way: what Deno has of its own needs
 * the flag `--unstable-net`.
 */
import { canonicalIp } from "../_internal/ip.ts";
import { mapError } from "./map_error.ts";
import { isIp } from "./names.ts";
import { isDeno, isWorkerd } from "./runtime.ts";
import { builtin } from "./shared/builtin.ts";
import { plainBytes } from "./shared/bytes.ts";
import { bindOnceFree, leaves } from "./shared/leaving.ts";
import type {
  HostDatagram,
  HostDatagramBinding,
  HostDatagramReceiver,
  HostDatagrams,
} from "./types/datagrams.ts";
import type { NetAddress } from "./types/net.ts";
import { datagrams as workerdDatagrams } from "./workerd/datagrams.ts";

type Socket = import("node:dgram").Socket;

interface Info {
  readonly address: string;
  readonly port: number;
}

function addressOf({ address, port }: Info): NetAddress {
  return { transport: "udp", hostname: address, port };
}

/** More than this no datagram can hold: 65,535 bytes with its headers. */
const LARGEST = 65_507;

/**
 * Whether a datagram to it most likely reaches all of a network. The masks of
 * this machine's networks would tell for sure, and need a permission of their own.
 */
function isBroadcast(hostname: string): boolean {
  return hostname.endsWith(".255");
}

/** Who to expect an answer from where one has connected to an address. */
function peerOf(address: string): string {
  // A system connects to itself where it is told "any".
  if (address === "0.0.0.0") return "127.0.0.1";
  const ip = canonicalIp(address.replace(/%.*$/, ""));
  return ip === "::" ? "::1" : ip;
}

class SocketDatagram implements HostDatagram {
  readonly localAddress: NetAddress;
  readonly remoteAddress: NetAddress | null;
  readonly #socket: Socket;
  /** What waits for the one before it: only Deno's order has to be kept. */
  readonly #line: (() => void)[] | null;
  readonly #binding: HostDatagramBinding;

  constructor(
    socket: Socket,
    binding: HostDatagramBinding,
  ) {
    const isConnected = binding.remoteAddr !== null;
    this.#socket = socket;
    this.#binding = binding;
    this.#line = isDeno ? [] : null;
    this.localAddress = addressOf(socket.address());
    this.remoteAddress = isConnected ? addressOf(socket.remoteAddress()) : null;
  }

  start(receiver: HostDatagramReceiver): void {
    const { remoteAddress } = this;
    const peer = remoteAddress === null ? null : peerOf(remoteAddress.hostname);
    this.#socket.on("message", (data, from) => {
      // Deno connects no socket; elsewhere strangers may have sent before it was.
      if (remoteAddress !== null && from.port !== remoteAddress.port) return;
      if (peer !== null && peerOf(from.address) !== peer) return;
      receiver.message(plainBytes(data), addressOf(from));
    });
    this.#socket.removeAllListeners("error");
    this.#socket.on("error", (error) => {
      receiver.error(mapError(error, "use the UDP socket"));
    });
  }

  send(
    data: Uint8Array,
    to: { hostname: string; port: number } | null,
    done: (error: Error | null) => void,
  ): void {
    const line = this.#line;
    const sent = (error: Error | null) => {
      if (line !== null) {
        line.shift();
        line[0]?.();
      }
      if (!error) return done(null);
      const where = to === null ? "" : ` to ${to.hostname} port ${to.port}`;
      const action = `send ${data.length} bytes${where}`;
      done(mapError(this.#explain(error, data, to), action));
    };
    const send = () => {
      try {
        this.#checkFamily(to);
        if (to === null) this.#socket.send(data, sent);
        else this.#socket.send(data, to.port, to.hostname, sent);
      } catch (error) {
        sent(error as Error);
      }
    };
    if (line === null || line.push(send) === 1) send();
  }

  /** Neither runtime looks at the family before it gives the address away. */
  #checkFamily(to: { hostname: string } | null): void {
    const version = to === null ? 0 : isIp(to.hostname);
    const { family } = this.#binding;
    if (version === 0 || version === family) return;
    throw Object.assign(new Error(`The socket is one of IPv${family}`), {
      code: "EAFNOSUPPORT",
    });
  }

  /** Deno keeps to itself what the system says. */
  #explain(
    error: Error,
    data: Uint8Array,
    to: { hostname: string } | null,
  ): Error {
    if ((error as { code?: unknown }).code !== "UNKNOWN") return error;
    const { broadcast, family, remoteAddr } = this.#binding;
    const hostname = (to ?? remoteAddr)?.hostname ?? "";
    const code = data.length > LARGEST
      ? "EMSGSIZE"
      : !broadcast && family === 4 && isBroadcast(hostname)
      ? "EACCES"
      : null;
    if (code === null) return error;
    return Object.assign(new Error(error.message, { cause: error }), { code });
  }

  close(onFree?: () => void): void {
    this.#socket.removeAllListeners();
    this.#socket.on("error", () => {});
    if (onFree !== undefined) this.#socket.once("close", onFree);
    if (isDeno) {
      leaves(new Promise((resolve) => this.#socket.once("close", resolve)));
    }
    this.#socket.close();
  }
}

/** Binds a UDP socket, and connects it where it is to have one peer. */
async function open(
  binding: HostDatagramBinding,
): Promise<HostDatagram> {
  const { family, localAddr, remoteAddr, reusePort, broadcast } = binding;
  const socket = builtin("node:dgram").createSocket({
    type: family === 6 ? "udp6" : "udp4",
    reuseAddr: reusePort,
    // An address needs no look-up, whose waiting would change the order.
    lookup: (hostname, options, done) => {
      const version = isIp(hostname);
      if (version !== 0) done(null, hostname, version);
      else {
        builtin("node:dns").lookup(
          hostname,
          { ...options, all: false },
          done as (error: unknown, address: string, family: number) => void,
        );
      }
    },
  });
  const failed = new Promise<never>((_, reject) => {
    socket.on("error", reject);
  });
  failed.catch(() => {});
  const any = family === 6 ? "::" : "0.0.0.0";
  const { hostname = any, port = 0 } = localAddr ?? {};
  let action = `bind a UDP socket to ${hostname} port ${port}`;
  try {
    const bound = new Promise<void>((resolve) => {
      socket.bind(port, hostname, resolve);
    });
    await Promise.race([bound, failed]);
    if (broadcast) socket.setBroadcast(true);
    if (remoteAddr !== null) {
      action =
        `connect a UDP socket to ${remoteAddr.hostname} port ${remoteAddr.port}`;
      const connected = new Promise<void>((resolve) => {
        socket.connect(remoteAddr.port, remoteAddr.hostname, resolve);
      });
      await Promise.race([connected, failed]);
    }
    return new SocketDatagram(socket, binding);
  } catch (error) {
    socket.close();
    throw mapError(error, action);
  }
}

/** UDP. */
export const hostDatagrams: HostDatagrams = isWorkerd ? workerdDatagrams : {
  open: isDeno ? (binding) => bindOnceFree(() => open(binding)) : open,
};
