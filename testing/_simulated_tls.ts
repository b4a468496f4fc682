/**
 * TLS between simulated hosts: the bytes stay plain, but certificates, names and
 * protocols are shown and checked in a handshake that takes its time. An end that
 * speaks no TLS is found out, as the handshake goes over the connection itself.
 *
 * ```text
 *   client: name, protocols -->
 *                              <-- certificate, protocol :server
 *   client: certificate, data -->
 * ```
 */
import { ConnectionAbortedError, TimeoutError } from "../errors.ts";
import {
  checkCertificates,
  checkKeyPair,
  examineCertificate,
} from "../platform/certificates.ts";
import { systemError } from "../platform/system_errors.ts";
import type {
  Address,
  HostClientTls,
  HostConnection,
  HostListener,
  HostReceiver,
  HostTls,
  PeerCertificate,
} from "../platform/types/net.ts";
import type { SimulatedConnection } from "./_simulated_connection.ts";
import type { Wires } from "./_wires.ts";

/** What begins a record of a handshake, and of the word that it has failed. */
const HANDSHAKE = 0x16;
const ALERT = 0x15;
const HEADER = 5;

/** What one end tells the other in a handshake. */
interface Hello {
  readonly serverHostname?: string;
  readonly cert?: string | undefined;
  readonly alpnProtocols?: readonly string[];
  readonly requestCert?: boolean;
}

/** What to shake hands with. */
export interface SimulatedTlsParts {
  readonly wires: Wires;
  readonly connection: SimulatedConnection;
  readonly tls: HostTls | HostClientTls;
  /** What had come for the handshake before. */
  readonly received: readonly Uint8Array[];
}

/** What the peer has shown and agreed to. */
interface Agreement {
  readonly alpnProtocol: string | null;
  readonly peerCertificate: PeerCertificate | null;
}

/** Throws an `SSLError` if they cannot be used. */
export function checkSimulatedTls({ cert, key, caCerts }: HostTls): void {
  try {
    if (cert !== undefined && key !== undefined) checkKeyPair(cert, key);
    checkCertificates(caCerts ?? []);
  } catch (error) {
    throw systemError("ERR_TLS", "use the certificates", error);
  }
}

/** Shakes hands over a connection, which is closed if that fails. */
export async function secure(
  parts: SimulatedTlsParts,
  signal: AbortSignal,
): Promise<HostConnection> {
  const { connection, tls, wires } = parts;
  const action = "serverHostname" in tls
    ? `secure the connection to ${tls.serverHostname}`
    : "secure the connection of a client";
  const mailbox = new Mailbox(connection, parts.received);
  const timer = wires.after(tls.handshakeTimeout, () => {
    mailbox.fail(
      new ConnectionAbortedError(
        `Cannot ${action} as the handshake took longer than ${tls.handshakeTimeout} ms (ETIMEDOUT)`,
        { code: "ETIMEDOUT" },
      ),
    );
  });
  const giveUp = () => {
    mailbox.fail(
      new ConnectionAbortedError(
        `Cannot ${action} as the handshake was given up (ECONNABORTED)`,
        { code: "ECONNABORTED" },
      ),
    );
  };
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    checkSimulatedTls(tls);
    const agreement = "serverHostname" in tls
      ? await shakeAsClient(mailbox, tls)
      : await shakeAsServer(mailbox, tls);
    return new SimulatedTlsConnection(parts, { mailbox, agreement });
  } catch (error) {
    if (error instanceof Refusal) {
      mailbox.send(ALERT, error.message);
      connection.close();
      throw systemError("ERR_TLS", action, error);
    }
    connection.close();
    if (error instanceof HungUp) throw systemError("ECONNRESET", action, error);
    throw error;
  } finally {
    timer.cancel();
    signal.removeEventListener("abort", giveUp);
  }
}

/** One end does not take what the other has shown. */
class Refusal extends Error {}
class HungUp extends Error {}

async function shakeAsClient(
  mailbox: Mailbox,
  tls: HostClientTls,
): Promise<Agreement> {
  const { serverHostname, alpnProtocols = [], caCerts = [], cert } = tls;
  mailbox.send(HANDSHAKE, { serverHostname, alpnProtocols });
  const hello = await mailbox.receive();
  const peerCertificate = examine(hello.cert, {
    caCerts,
    hostname: serverHostname,
  });
  mailbox.send(HANDSHAKE, hello.requestCert ? { cert } : {});
  return { alpnProtocol: hello.alpnProtocols?.[0] ?? null, peerCertificate };
}

async function shakeAsServer(
  mailbox: Mailbox,
  tls: HostTls,
): Promise<Agreement> {
  const { alpnProtocols = [], caCerts = [], cert, requestCert = false } = tls;
  const { alpnProtocols: offered = [] } = await mailbox.receive();
  const common = alpnProtocols.filter((each) => offered.includes(each));
  if (alpnProtocols.length > 0 && offered.length > 0 && common.length === 0) {
    throw new Refusal("No application protocol is common to both");
  }
  const agreed = common.slice(0, 1);
  mailbox.send(HANDSHAKE, { cert, alpnProtocols: agreed, requestCert });
  const shown = await mailbox.receive();
  return {
    alpnProtocol: agreed[0] ?? null,
    peerCertificate: requestCert
      ? examine(shown.cert, { caCerts, hostname: null })
      : null,
  };
}

function examine(
  cert: string | undefined,
  test: { caCerts: readonly string[]; hostname: string | null },
): PeerCertificate {
  if (cert === undefined) {
    throw new Refusal("The peer has shown no certificate");
  }
  try {
    return examineCertificate(cert, test);
  } catch (error) {
    throw new Refusal((error as Error).message, { cause: error });
  }
}

/** Records that come over a connection, until its end is secured. */
class Mailbox {
  readonly #connection: SimulatedConnection;
  #bytes: Uint8Array = new Uint8Array(0);
  #failure: Error | null = null;
  #hasEnded = false;
  #wake: (() => void) | null = null;
  /** What is still to be sent, as a connection takes one at a time. */
  #unsent: Uint8Array[] = [];
  #onSent: (() => void) | null = null;

  constructor(
    connection: SimulatedConnection,
    received: readonly Uint8Array[],
  ) {
    this.#connection = connection;
    for (const bytes of received) this.#take(bytes);
    connection.start(this.#receiver());
    connection.resume();
  }

  send(kind: number, content: unknown): void {
    const body = new TextEncoder().encode(JSON.stringify(content));
    const record = new Uint8Array(HEADER + body.length);
    record.set([kind, 3, 3, body.length >> 8, body.length & 255]);
    record.set(body, HEADER);
    this.#unsent.push(record);
    if (this.#unsent.length === 1) this.#connection.write(record);
  }

  async receive(): Promise<Hello> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      const [kind, major] = this.#bytes;
      if (kind !== undefined && kind !== HANDSHAKE && kind !== ALERT) {
        throw new Refusal("The peer speaks another version, or no TLS");
      }
      if (major !== undefined && major !== 3) {
        throw new Refusal("The peer speaks another version, or no TLS");
      }
      const record = this.#nextRecord();
      if (record !== null) {
        if (kind === HANDSHAKE) return record as Hello;
        throw new Refusal(`The peer says: ${record}`);
      }
      if (this.#hasEnded) throw new HungUp("The peer hung up");
      // deno-lint-ignore no-await-in-loop -- until there is a whole one
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake?.();
  }

  /** Calls back once all is sent; what came behind the handshake is given. */
  leave(onSent: () => void): { bytes: Uint8Array; hasEnded: boolean } {
    if (this.#unsent.length === 0) onSent();
    else this.#onSent = onSent;
    return { bytes: this.#bytes, hasEnded: this.#hasEnded };
  }

  get failure(): Error | null {
    return this.#failure;
  }

  #receiver(): HostReceiver {
    let sent = 0;
    return {
      data: (bytes) => {
        this.#take(bytes);
        return false;
      },
      end: () => {
        this.#hasEnded = true;
        this.#wake?.();
      },
      written: (count) => {
        sent += count;
        if (sent < this.#unsent[0]!.length) return;
        sent = 0;
        this.#unsent.shift();
        const next = this.#unsent[0];
        if (next !== undefined) this.#connection.write(next);
        else this.#onSent?.();
      },
      lost: (error) => this.fail(error ?? new HungUp("The peer hung up")),
    };
  }

  #take(bytes: Uint8Array): void {
    const all = new Uint8Array(this.#bytes.length + bytes.length);
    all.set(this.#bytes);
    all.set(bytes, this.#bytes.length);
    this.#bytes = all;
    this.#wake?.();
  }

  #nextRecord(): unknown {
    if (this.#bytes.length < HEADER) return null;
    const end = HEADER + (this.#bytes[3]! << 8 | this.#bytes[4]!);
    if (this.#bytes.length < end) return null;
    const body = this.#bytes.subarray(HEADER, end);
    this.#bytes = this.#bytes.slice(end);
    return JSON.parse(new TextDecoder().decode(body));
  }
}

/** A connection on which hands were shaken. */
class SimulatedTlsConnection implements HostConnection {
  readonly localAddress: Address;
  readonly remoteAddress: Address;
  readonly isTls = true;
  readonly takesTls = false;
  readonly alpnProtocol: string | null;
  readonly peerCertificate: PeerCertificate | null;
  readonly #connection: SimulatedConnection;
  readonly #wires: Wires;
  readonly #mailbox: Mailbox;
  readonly #shutdownMs: number;
  /** What the program writes while the handshake is still on its way out. */
  #early: Uint8Array | null = null;
  #isSent = false;
  #isPaused = false;
  #cleanEnd: boolean | null = null;

  constructor(
    { connection, wires, tls }: SimulatedTlsParts,
    { mailbox, agreement }: { mailbox: Mailbox; agreement: Agreement },
  ) {
    this.#connection = connection;
    this.#wires = wires;
    this.#mailbox = mailbox;
    this.#shutdownMs = tls.shutdownTimeout;
    this.localAddress = connection.localAddress;
    this.remoteAddress = connection.remoteAddress;
    this.alpnProtocol = agreement.alpnProtocol;
    this.peerCertificate = agreement.peerCertificate;
    // Until somebody is there, what comes stays with the connection.
    connection.pause();
  }

  get cleanEnd(): boolean | null {
    return this.#cleanEnd;
  }

  start(receiver: HostReceiver): void {
    const told: HostReceiver = {
      data: (bytes) => receiver.data(bytes),
      end: () => {
        this.#cleanEnd = true;
        receiver.end();
      },
      written: (count) => receiver.written(count),
      lost: (error) => {
        this.#cleanEnd ??= false;
        receiver.lost(error);
      },
    };
    const { bytes, hasEnded } = this.#mailbox.leave(() => {
      this.#isSent = true;
      this.#connection.start(told);
      if (this.#early !== null) this.#connection.write(this.#early);
      this.#early = null;
      // In the receiver's turn, as all that comes.
      this.#wires.after(0, () => {
        const { failure } = this.#mailbox;
        if (bytes.length > 0) told.data(bytes);
        if (failure !== null) told.lost(failure);
        else if (hasEnded) told.end();
        else if (!this.#isPaused) this.#connection.resume();
      });
    });
  }

  pause(): void {
    this.#isPaused = true;
    this.#connection.pause();
  }

  resume(): void {
    this.#isPaused = false;
    this.#connection.resume();
  }

  write(bytes: Uint8Array): void {
    if (this.#isSent) this.#connection.write(bytes);
    else this.#early = bytes;
  }

  closeWrite(): void {
    this.#connection.closeWrite();
  }

  close(): void {
    this.shutdown(() => {});
  }

  /** What still comes is thrown away, up to the end that says goodbye. */
  shutdown(onGone: (error: Error | null) => void): void {
    const gone = (error: Error | null, isClean = false) => {
      this.#cleanEnd ??= isClean;
      timer.cancel();
      this.#connection.close();
      onGone(error);
    };
    const timer = this.#wires.after(this.#shutdownMs, () => {
      const error = new TimeoutError(
        `Cannot close the connection as the peer did not say goodbye within ${this.#shutdownMs} ms (ETIMEDOUT)`,
      );
      gone(Object.assign(error, { code: "ETIMEDOUT" }));
    });
    this.#connection.closeWrite();
    if (this.#cleanEnd !== null) return gone(null);
    this.#connection.start({
      data: () => true,
      end: () => gone(null, true),
      written() {},
      lost: () => gone(null),
    });
    this.#connection.resume();
  }

  abort(): void {
    this.#connection.abort();
  }
}

/** A listener whose connections shake hands before anyone hears of them. */
export class SimulatedTlsListener implements HostListener {
  readonly address: Address;
  readonly #listener: HostListener;
  readonly #secure: (
    connection: HostConnection,
    signal: AbortSignal,
  ) => Promise<HostConnection>;
  readonly #controller = new AbortController();
  readonly #handshakes = new Set<Promise<void>>();

  constructor(
    listener: HostListener,
    secure: (
      connection: HostConnection,
      signal: AbortSignal,
    ) => Promise<HostConnection>,
  ) {
    this.address = listener.address;
    this.#listener = listener;
    this.#secure = secure;
  }

  start(
    onConnection: (connection: HostConnection) => void,
    onError: (error: Error) => void,
  ): void {
    this.#listener.start((connection) => {
      const handshake: Promise<void> = this.#secure(
        connection,
        this.#controller.signal,
      )
        // One that fails is the client's affair.
        .then(onConnection, () => {})
        .finally(() => this.#handshakes.delete(handshake));
      this.#handshakes.add(handshake);
    }, onError);
  }

  close(): Promise<void> | null {
    this.#controller.abort();
    return this.#listener.close();
  }

  async drain(): Promise<void> {
    await this.#listener.drain();
    await Promise.all(this.#handshakes);
  }
}
