/** A connection whose host is the test: it sees what is written, and says what comes. */
import type { StreamingProtocol } from "../../streams/transport.ts";
import { type Transport, transportInternals } from "../../streams/transport.ts";
import { connectionScope } from "../../streams/host.ts";
import type {
  Address,
  HostConnection,
  HostReceiver,
} from "../../platform/types/net.ts";
import { bytes, text } from "./bytes.ts";

/**
 * Holds what is written until the test says that the peer has taken it:
 * {@linkcode flush}.
 */
export class FakeConnection implements HostConnection {
  /** As of a pipe, which may be left open at the end. */
  readonly localAddress = null;
  readonly remoteAddress: Address = { transport: "unix", path: "memory" };
  readonly alpnProtocol = null;
  readonly isTls: boolean;
  /** What the peer has taken, in the pieces in which the host got it. */
  readonly sent: string[] = [];
  /** How the transport ended it: `eof`, `close`, `abort`. */
  readonly log: string[] = [];
  #receiver!: HostReceiver;
  #unsent: Uint8Array | null = null;

  constructor(options: { isTls?: boolean } = {}) {
    this.isTls = options.isTls ?? false;
  }

  /** Opens a transport over it, and tells the protocol. */
  open(protocol: StreamingProtocol): Transport {
    const scope = connectionScope();
    return transportInternals.open({ scope, host: this, protocol });
  }

  /** The peer takes all that waits. */
  async flush(): Promise<void> {
    // What was written in this step comes at its end.
    await undefined;
    for (let unsent; (unsent = this.#unsent) !== null;) {
      this.#unsent = null;
      this.sent.push(text(unsent));
      this.#receiver.written(unsent.length);
    }
  }

  /** Something comes from the peer. */
  receive(data: string): void {
    this.#receiver.data(bytes(data));
  }

  /** The peer has gone. */
  lose(error: Error | null): void {
    this.#receiver.lost(error);
  }

  start(receiver: HostReceiver): void {
    this.#receiver = receiver;
  }

  pause(): void {}

  resume(): void {}

  write(data: Uint8Array): void {
    this.#unsent = data;
  }

  closeWrite(): void {
    this.log.push("eof");
  }

  close(): void {
    this.log.push("close");
  }

  abort(): void {
    this.log.push("abort");
  }
}
