/**
 * One listening socket for several processes: the supervisor binds it, and each
 * worker that asks is sent the handle. The queue of connections that wait to be
 * accepted is one, and outlives each of them.
 */
import { builtin } from "../shared/builtin.ts";

/** A handle of Node, for what is bound. */
export interface SocketHandle {
  close(): void;
  /** Gives an error's number, or 0, and fills `name`. */
  getsockname(name: { port?: number }): number;
}

/** What a worker asks for. */
export interface SharedPlace {
  readonly hostname: string;
  readonly port: number;
}

/** What binds a socket and does not listen yet; `node:cluster` is built on it. */
interface Binder {
  _createServerHandle(
    address: string,
    port: number,
    family: 4 | 6,
  ): SocketHandle | number;
}

const shared = new Map<string, SocketHandle>();

/** The socket for a place; throws the system's error where it cannot be bound. */
export function sharedSocket({ hostname, port }: SharedPlace): SocketHandle {
  const key = `${port} ${hostname}`;
  const known = shared.get(key);
  if (known !== undefined) return known;
  const net = builtin("node:net");
  const made = (net as unknown as Binder)._createServerHandle(
    hostname,
    port,
    net.isIP(hostname) === 6 ? 6 : 4,
  );
  const errno = typeof made === "number" ? made : made.getsockname({});
  // libuv keeps to itself that the port is taken until someone listens: the
  // handle would be sent without an address, and the worker be given another.
  if (typeof made === "number" || errno !== 0) {
    if (typeof made !== "number") made.close();
    const [code] = builtin("node:util").getSystemErrorMap().get(errno) ?? [];
    throw Object.assign(new Error(`Cannot bind ${hostname} port ${port}`), {
      code: code ?? "EIO",
    });
  }
  shared.set(key, made);
  return made;
}

/** Closes those of this process; workers that have one still have it. */
export function closeSharedSockets(): void {
  for (const handle of shared.values()) handle.close();
  shared.clear();
}
