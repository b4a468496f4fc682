/**
 * Connections and listeners, as the library sees its host. The
 * host pushes and the library buffers; see `streams/transport.ts`.
 */

/** Where a TCP or UDP socket is. */
export interface NetAddress {
  /** What it speaks. */
  readonly transport: "tcp" | "udp";
  /** An IP address, as text. */
  readonly hostname: string;
  /** The port, 0 to 65535. */
  readonly port: number;
}

/** Where a Unix socket is. */
export interface UnixAddress {
  /** What it speaks. */
  readonly transport: "unix";
  /** The socket's file; empty for the side that connected. */
  readonly path: string;
}

/** Where a socket is. */
export type Address = NetAddress | UnixAddress;

/** What a connection tells its owner, from a callback of the host. */
export interface HostReceiver {
  /**
   * Bytes came. They are the receiver's, unless it gives true: then it is done
   * with them, and the host may use their memory again.
   */
  data(bytes: Uint8Array): boolean;
  /** The peer has sent all it will send. */
  end(): void;
  /** How many bytes of what is being written are with the host's system. */
  written(count: number): void;
  /**
   * The connection broke, in reading or writing; `null` where a pipe's reader has
   * gone and nothing was to be written. Nothing follows.
   */
  lost(error: Error | null): void;
}

/** What a peer has shown of itself in a TLS handshake. */
export interface PeerCertificate {
  /** Whose it is, by the names of X.509: `{ CN: "localhost" }`. */
  readonly subject: Readonly<Record<string, string>>;
  /** Who has signed it, in the same way. */
  readonly issuer: Readonly<Record<string, string>>;
  /** The names it is for: `DNS:localhost, IP Address:127.0.0.1`. */
  readonly subjectAltName: string;
  /** When it begins to be valid. */
  readonly validFrom: Date;
  /** Until when it is valid. */
  readonly validTo: Date;
  /** Its number with who has signed it, in hexadecimal digits. */
  readonly serialNumber: string;
  /** The SHA-256 digest of it all, as `AB:CD:...`. */
  readonly fingerprint256: string;
  /** The certificate, in DER format. */
  readonly raw: Uint8Array;
}

/** A connection. */
export interface HostConnection {
  readonly localAddress: Address | null;
  readonly remoteAddress: Address | null;
  /** Whether it is encrypted; then it has no half-close. */
  readonly isTls: boolean;
  /** What was agreed on in the TLS handshake. */
  readonly alpnProtocol: string | null;
  /** False where TLS cannot be started on it. */
  readonly takesTls?: boolean;
  /** Over TLS: what the peer has shown of itself, if it has. */
  readonly peerCertificate?: PeerCertificate | null;
  /** Over TLS: whether the peer said goodbye; `null` before its end. */
  readonly cleanEnd?: boolean | null;
  /** Begins to read, in the async context of the caller. */
  start(receiver: HostReceiver): void;
  /** Nothing is delivered until {@linkcode resume}. */
  pause(): void;
  resume(): void;
  /**
   * Writes. Called again only when `written` has counted all of `bytes`, which
   * are not changed until then.
   */
  write(bytes: Uint8Array): void;
  /** Tells the peer that nothing more comes. Called after the last write. */
  closeWrite(): void;
  /** Ends it after the last write; the receiver hears nothing more. */
  close(): void;
  /**
   * Over TLS, in place of `close`: says goodbye, and waits until the peer has
   * done so or the time for that is over. The receiver hears nothing more;
   * `onGone` is called once the connection is closed, unless by `abort`.
   */
  shutdown?(onGone: (error: Error | null) => void): void;
  /** Ends it at once; the receiver hears nothing more. */
  abort(): void;
}

/** What is bound and takes connections. */
export interface HostListener {
  readonly address: Address;
  /**
   * Begins to accept, in the async context of the caller. `onError` is told why
   * a connection could not be accepted; it goes on with the next one.
   */
  start(
    onConnection: (connection: HostConnection) => void,
    onError: (error: Error) => void,
  ): void;
  /**
   * Ends it, and removes the file of a Unix socket if it is still its own.
   *
   * @returns What to wait for until its address is free; `null` if it is.
   */
  close(): Promise<void> | null;
  /** Accepts what waits to be, and ends it in the moment when nothing does. */
  drain(): Promise<void>;
}

/** Certificates and names, for either side of a TLS connection. */
export interface HostTls {
  readonly caCerts?: readonly string[] | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly alpnProtocols?: readonly string[] | undefined;
  /** Of a server: whether a client must show a certificate. */
  readonly requestCert?: boolean;
  /** Milliseconds. */
  readonly handshakeTimeout: number;
  /** Milliseconds. */
  readonly shutdownTimeout: number;
}

/** Of a client: the name the certificate must have. */
export interface HostClientTls extends HostTls {
  readonly serverHostname: string;
}

/** A socket's options. */
export interface HostSocketOptions {
  readonly noDelay: boolean;
  readonly keepAlive: boolean;
  /** TLS is to be spoken over it. */
  readonly isForTls?: boolean;
}

/** What to connect to: an IP address, or a Unix socket. */
export type HostTarget =
  | {
    readonly hostname: string;
    readonly port: number;
    readonly localAddr: { hostname: string; port: number } | null;
  }
  | { readonly path: string };

/** Where to listen. */
export type HostBinding =
  | {
    readonly hostname: string;
    readonly port: number;
    readonly reusePort: boolean;
    readonly backlog: number | null;
  }
  | { readonly path: string; readonly backlog: number | null };

/** Sockets, as the host gives them. All errors are mapped. */
export interface HostNet {
  /** Connects. An aborted signal ends the attempt and leaves nothing behind. */
  connect(
    target: HostTarget,
    options: HostSocketOptions,
    signal: AbortSignal,
  ): Promise<HostConnection>;
  /**
   * Makes a TLS connection of another one. If that is in use, what it delivers
   * is taken over; `received` is what had come for the handshake before.
   */
  upgrade(
    connection: HostConnection,
    tls: HostClientTls | HostTls,
    received: readonly Uint8Array[],
    signal: AbortSignal,
  ): Promise<HostConnection>;
  listen(
    binding: HostBinding,
    options: HostSocketOptions,
    tls: HostTls | null,
  ): Promise<HostListener>;
}
