/** Arguments of connections and servers, in the one wording. */
import {
  checkBoolean,
  checkInteger,
  checkSpan,
  checkString,
} from "../_internal/check.ts";
import { show } from "../_internal/show.ts";
import { OSError } from "../errors.ts";
import type { TlsOptions } from "./tls.ts";

/** Throws unless `value` is bytes; text is the likeliest mistake. */
export function checkBytes(action: string, name: string, value: unknown): void {
  if (value instanceof Uint8Array) return;
  const hint = typeof value === "string"
    ? "; encode text with new TextEncoder().encode(text)"
    : "";
  throw new TypeError(
    `Cannot ${action} as '${name}' must be a Uint8Array: received ${
      show(value)
    }${hint}`,
  );
}

/** A port; 0 only where the system may choose. */
export function checkPort(
  action: string,
  name: string,
  value: unknown,
  least: 0 | 1,
): void {
  if (typeof value !== "number") {
    throw new TypeError(
      `Cannot ${action} as '${name}' must be a port number: received ${
        show(value)
      }`,
    );
  }
  if (!Number.isInteger(value) || value < least || value > 65_535) {
    throw new RangeError(
      `Cannot ${action} as '${name}' must be an integer from ${least} to 65535: received ${value}`,
    );
  }
}

/** No option: comes with an address that is handed over as it is. */
export const OF_ADDRESSES: readonly string[] = ["transport"];

/** No options: the same, and what {@linkcode checkSocketOptions} refuses. */
export const OF_SOCKETS: readonly string[] = [...OF_ADDRESSES, "quickAck"];

/** Where a connection goes or a server listens. */
export interface Place {
  readonly hostname?: unknown;
  readonly port?: unknown;
  readonly path?: unknown;
}

/** Either a path or a host, and of the right kinds. */
export function checkPlace(action: string, place: Place): void {
  const { hostname, port, path } = place;
  if (path === undefined) return;
  checkString(action, "path", path);
  if (path === "") {
    throw new RangeError(
      `Cannot ${action} as 'path' must not be empty: received ""`,
    );
  }
  const other = port !== undefined
    ? "port"
    : hostname !== undefined
    ? "hostname"
    : null;
  if (other !== null) {
    throw new TypeError(
      `Cannot ${action} as 'path' and '${other}' exclude each other: received both`,
    );
  }
}

/** One hostname. */
export function checkHostname(
  action: string,
  name: string,
  value: unknown,
): void {
  checkString(action, name, value);
  if (value === "") {
    throw new RangeError(
      `Cannot ${action} as '${name}' must not be empty: received ""`,
    );
  }
}

/** How many connections may wait to be accepted. */
export function checkBacklog(action: string, value: unknown): void {
  if (value !== undefined) checkInteger(action, "backlog", value, 1);
}

/** The certificates and names of either side. */
export function checkTls(action: string, tls: TlsOptions): void {
  if (typeof tls !== "object" || tls === null) {
    throw new TypeError(
      `Cannot ${action} as 'tls' must be true or an object: received ${
        show(tls)
      }`,
    );
  }
  for (const name of ["cert", "key", "serverHostname"] as const) {
    const value = tls[name];
    if (value !== undefined) checkString(action, `tls.${name}`, value);
  }
  for (const name of ["caCerts", "alpnProtocols"] as const) {
    const value: unknown = tls[name];
    if (value === undefined) continue;
    if (!Array.isArray(value)) {
      throw new TypeError(
        `Cannot ${action} as 'tls.${name}' must be an array of strings: received ${
          show(value)
        }`,
      );
    }
    for (const each of value) checkString(action, `tls.${name}`, each);
  }
  for (const name of ["handshakeTimeout", "shutdownTimeout"] as const) {
    const value = tls[name];
    if (value !== undefined) checkSpan(action, `tls.${name}`, value);
  }
  const { requestCert } = tls as { requestCert?: unknown };
  if (requestCert !== undefined && typeof requestCert !== "boolean") {
    throw new TypeError(
      `Cannot ${action} as 'tls.requestCert' must be a boolean: received ${
        show(requestCert)
      }`,
    );
  }
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw new TypeError(
      `Cannot ${action} as 'tls.cert' and 'tls.key' belong together: received one of them`,
    );
  }
}

/** What the system is told of a socket. */
export interface SocketOptions {
  readonly noDelay?: unknown;
  readonly keepAlive?: unknown;
  readonly quickAck?: unknown;
}

/** The options of a socket; what no runtime can set is refused by name. */
export function checkSocketOptions(
  action: string,
  options: SocketOptions,
): void {
  for (const name of ["noDelay", "keepAlive"] as const) {
    const value = options[name];
    if (value !== undefined) checkBoolean(action, name, value);
  }
  if (options.quickAck === undefined) return;
  throw new OSError(
    `Cannot ${action} as neither Deno nor Node can set TCP_QUICKACK: received 'quickAck'`,
    { code: "ENOTSUP" },
  );
}
