import type { HostConnection, HostReceiver } from "../types/net.ts";

/**
 * A pipe as a connection: it has no addresses and no TLS, and goes one way, so
 * that each direction overrides what is its own.
 */
export abstract class OneWayPipe implements HostConnection {
  get localAddress(): null {
    return null;
  }

  get remoteAddress(): null {
    return null;
  }

  get isTls(): boolean {
    return false;
  }

  get alpnProtocol(): null {
    return null;
  }

  get takesTls(): boolean {
    return false;
  }

  abstract start(receiver: HostReceiver): void;

  pause(): void {}

  resume(): void {}

  write(_bytes: Uint8Array): void {}

  closeWrite(): void {}

  abstract close(): void;

  abort(): void {
    this.close();
  }
}
