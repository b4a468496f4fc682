/**
 * A TLS peer that is not ours and can misbehave: Node's TLS, over a wire that
 * the test holds in its hands.
 */
import { CA, CERT, KEY } from "./certificates.ts";
import { builtin, deferred, type Socket } from "./net.ts";

/** A record that no key opens. */
function rubbish(): Uint8Array {
  const record = new Uint8Array(5 + 32).fill(7);
  record.set([23, 3, 3, 0, 32]);
  return record;
}

/** One end of a TLS connection. */
export class TlsPeer {
  readonly raw: Socket;
  readonly tls: import("node:tls").TLSSocket;
  readonly #wire: import("node:stream").Duplex;
  readonly #ready = deferred<void>();
  /** What came, decrypted. */
  size = 0;
  text = "";
  hasEnded = false;

  constructor(raw: Socket, side: "client" | "server") {
    this.raw = raw;
    const { Duplex } = builtin("node:stream");
    const wire = this.#wire = new Duplex({
      read: () => {},
      write: (chunk: Uint8Array, _encoding, done) => {
        if (raw.destroyed || raw.writableEnded) done();
        else raw.write(chunk, () => done());
      },
      destroy: (_error, done) => done(null),
    });
    raw.on("error", () => {});
    raw.on("data", (bytes: Uint8Array) => wire.push(bytes));
    raw.on("end", () => wire.push(null));
    // On Deno, a socket that both sides have ended goes with its last record.
    const { connect, TLSSocket } = builtin("node:tls");
    const tls = this.tls = side === "client"
      ? connect({ socket: wire as never, ca: [CA], servername: "localhost" })
      : new TLSSocket(wire as never, { isServer: true, cert: CERT, key: KEY });
    tls.destroy = () => tls;
    tls.on("error", () => {});
    tls.on("data", (bytes: Uint8Array) => {
      this.size += bytes.length;
      if (this.size < 1000) this.text += new TextDecoder().decode(bytes);
    });
    tls.on("end", () => this.hasEnded = true);
    tls.on(side === "client" ? "secureConnect" : "secure", () => {
      this.#ready.resolve();
    });
  }

  /** The end of the handshake. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  send(text: string): Promise<void> {
    return new Promise((resolve) => this.tls.write(text, () => resolve()));
  }

  /** Reads nothing any more, not even what the handshake has left. */
  stopReading(): void {
    this.raw.pause();
  }

  goOnReading(): void {
    this.raw.resume();
  }

  /** Ends it in one of the ways in which a connection can end. */
  end(how: End): void {
    switch (how) {
      case "close notify":
        this.tls.end();
        break;
      case "FIN":
        this.raw.end();
        break;
      case "RST":
        this.raw.resetAndDestroy();
        break;
      case "alert":
        this.#wire.push(rubbish());
        break;
      case "corrupt record":
        this.raw.write(rubbish());
    }
  }
}

/** How a connection ends. */
export type End = "close notify" | "FIN" | "RST" | "alert" | "corrupt record";
