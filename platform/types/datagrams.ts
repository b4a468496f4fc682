import type { NetAddress } from "./net.ts";

/** What a socket for datagrams tells its owner. */
export interface HostDatagramReceiver {
  message(data: Uint8Array, from: NetAddress): void;
  error(error: Error): void;
}

/** A UDP socket. */
export interface HostDatagram {
  readonly localAddress: NetAddress;
  readonly remoteAddress: NetAddress | null;
  start(receiver: HostDatagramReceiver): void;
  /** Sends; calls back with what went wrong, or `null`. */
  send(
    data: Uint8Array,
    to: { hostname: string; port: number } | null,
    done: (error: Error | null) => void,
  ): void;
  /** Ends it; calls back once its address is free. */
  close(onFree?: () => void): void;
}

/** Where a UDP socket is bound, and to whom it is connected. */
export interface HostDatagramBinding {
  readonly family: 4 | 6;
  readonly localAddr: { hostname: string; port: number } | null;
  readonly remoteAddr: { hostname: string; port: number } | null;
  readonly reusePort: boolean;
  readonly broadcast: boolean;
}

/** UDP, as the host gives it. All errors are mapped. */
export interface HostDatagrams {
  open(binding: HostDatagramBinding): Promise<HostDatagram>;
}
