import { connectSocket } from "../node/connection.ts";
import { upgrade } from "../node/tls_connection.ts";
import { bindOnceFree } from "../shared/leaving.ts";
import type { HostNet } from "../types/net.ts";
import { DenoConnection, setOptions } from "./connection.ts";
import { mapError } from "./errors.ts";
import { listen } from "./listener.ts";

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

/** Sockets on Deno. */
export const net: HostNet = {
  async connect(target, options, signal) {
    // Deno's own way has no local address, and cannot be closed while the
    // peer does not read (deno#36369); its Node way has and can.
    if (
      options.isForTls || !("path" in target) && target.localAddr !== null
    ) {
      return await connectSocket(target, options, signal);
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
};
