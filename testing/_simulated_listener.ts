/** A simulated host's socket that takes connections. */
import type {
  HostConnection,
  HostListener,
  NetAddress,
} from "../platform/types/net.ts";
import type { SimulatedConnection } from "./_simulated_connection.ts";

/** As Node asks for; Deno asks for no fewer. */
const BACKLOG = 511;

export class SimulatedListener implements HostListener {
  readonly address: NetAddress;
  readonly #backlog: number;
  readonly #onClosed: () => void;
  #waiting: SimulatedConnection[] = [];
  #accept: ((connection: HostConnection) => void) | null = null;
  #isClosed = false;

  constructor(
    address: NetAddress,
    parts: { backlog: number | null; onClosed: () => void },
  ) {
    this.address = address;
    this.#backlog = parts.backlog ?? BACKLOG;
    this.#onClosed = parts.onClosed;
  }

  /** Whether it drops who comes: as Linux, it lets one more wait than it says. */
  get isFull(): boolean {
    return this.#waiting.length > this.#backlog;
  }

  start(onConnection: (connection: HostConnection) => void): void {
    this.#accept = onConnection;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const connection of waiting) onConnection(connection);
  }

  /** A connection is there; if nobody listens any more it is reset. */
  take(connection: SimulatedConnection): void {
    if (this.#isClosed) connection.reset();
    else if (this.#accept === null) this.#waiting.push(connection);
    else this.#accept(connection);
  }

  close(): null {
    if (this.#isClosed) return null;
    this.#isClosed = true;
    for (const connection of this.#waiting) connection.reset();
    this.#waiting = [];
    this.#onClosed();
    return null;
  }

  drain(): Promise<void> {
    this.close();
    return Promise.resolve();
  }
}
