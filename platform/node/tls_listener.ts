/** A listener whose connections shake hands before anyone hears of them. */
import type {
  Address,
  HostConnection,
  HostListener,
  HostTls,
} from "../types/net.ts";
import { shakeHands } from "./tls_connection.ts";
import { type TlsContext, tlsContext } from "./tls_context.ts";

class TlsListener implements HostListener {
  readonly address: Address;
  readonly #listener: HostListener;
  readonly #context: TlsContext;
  /** Ends the handshakes when it is closed. */
  readonly #controller = new AbortController();
  readonly #handshakes = new Set<Promise<void>>();

  constructor(listener: HostListener, context: TlsContext) {
    this.address = listener.address;
    this.#listener = listener;
    this.#context = context;
  }

  start(
    onConnection: (connection: HostConnection) => void,
    onError: (error: Error) => void,
  ): void {
    this.#listener.start((connection) => {
      const handshake: Promise<void> = this.#accept(connection, onConnection)
        .finally(() => this.#handshakes.delete(handshake));
      this.#handshakes.add(handshake);
    }, onError);
  }

  close(): Promise<void> | null {
    const freed = this.#listener.close();
    this.#controller.abort();
    return freed;
  }

  async drain(): Promise<void> {
    await this.#listener.drain();
    await Promise.all(this.#handshakes);
  }

  async #accept(
    connection: HostConnection,
    onConnection: (connection: HostConnection) => void,
  ): Promise<void> {
    let secured: HostConnection;
    try {
      const parts = { ...this.#context, connection, received: [] };
      secured = await shakeHands(parts, this.#controller.signal);
    } catch {
      // A failed handshake is the client's affair: asyncio drops it as well.
      return;
    }
    onConnection(secured);
  }
}

/** Checks the certificate first; `listen` makes what takes connections. */
export async function listenTls(
  tls: HostTls,
  listen: () => Promise<HostListener>,
): Promise<HostListener> {
  const context = tlsContext(tls);
  return new TlsListener(await listen(), context);
}
