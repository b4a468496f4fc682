/** Arguments of connections and servers, in the one wording. */
import { checkInteger, checkLimit, checkString } from "../_internal/check.ts";
import { show } from "../_internal/show.ts";
import { OSError } from "../errors.ts";
import type { TlsOptions } from "./tls.ts";

const encoder = new TextEncoder();

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

/** Whether something gives values one by one; a text is one value. */
export function isList(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null &&
    typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] ===
      "function";
}

/** Throws unless it gives the pieces to write one by one. */
export function checkPieces(list: unknown): void {
  if (isList(list) && !(list instanceof Uint8Array)) return;
  throw new TypeError(
    `Cannot write as 'list' must hold the pieces to write: received ${
      show(list)
    }`,
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

/** No options: the same, and what {@linkcode refuseQuickAck} refuses. */
export const OF_SOCKETS: readonly string[] = [...OF_ADDRESSES, "quickAck"];

/** What only a host has, and no path. */
const OF_HOSTS = [
  "port",
  "hostname",
  "localAddr",
  "family",
  "happyEyeballsDelay",
  "reusePort",
] as const;

/** Where a connection goes or a server listens. */
type Place = Readonly<
  Partial<Record<"path" | typeof OF_HOSTS[number], unknown>>
>;

/** Either a path or a host. */
export function checkPlace(action: string, place: Place): void {
  const { path } = place;
  if (path === undefined) return;
  if (path === "") {
    throw new RangeError(
      `Cannot ${action} as 'path' must not be empty: received ""`,
    );
  }
  // The first byte says that the name is in no file system.
  if (typeof path === "string") checkNoNul(action, "path", path, 1);
  const other = OF_HOSTS.find((name) => place[name] !== undefined);
  if (other !== undefined) {
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
  checkNoNul(action, name, value as string, 0);
}

/** What is behind a NUL byte, some hosts leave out, and others throw. */
function checkNoNul(
  action: string,
  name: string,
  value: string,
  from: number,
): void {
  if (value.indexOf("\0", from) < 0) return;
  throw new RangeError(
    `Cannot ${action} as '${name}' must not contain a NUL byte: received ${
      show(value)
    }`,
  );
}

/** An address, of which the names are known and the values are not. */
export function checkAddress(
  action: string,
  name: string,
  value: unknown,
): void {
  if (typeof value === "object" && value !== null) return;
  throw new TypeError(
    `Cannot ${action} as '${name}' must be an address such as { hostname: "127.0.0.1" }: received ${
      show(value)
    }`,
  );
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
  // On the wire each has its length in front, in one byte. A host may look at
  // them only in the handshake, which a server's user does not see fail.
  for (const each of tls.alpnProtocols ?? []) {
    const { length } = encoder.encode(each);
    if (length >= 1 && length <= 255) continue;
    throw new RangeError(
      `Cannot ${action} as each of 'tls.alpnProtocols' must be of 1 to 255 bytes: received one of ${length}`,
    );
  }
  for (const name of ["handshakeTimeout", "shutdownTimeout"] as const) {
    const value = tls[name];
    if (value !== undefined) checkLimit(action, `tls.${name}`, value);
  }
  if ((tls.cert === undefined) !== (tls.key === undefined)) {
    throw new TypeError(
      `Cannot ${action} as 'tls.cert' and 'tls.key' belong together: received one of them`,
    );
  }
}

/** What no runtime can set of a socket is refused by name. */
export function refuseQuickAck(action: string, options: object): void {
  if ((options as { quickAck?: unknown }).quickAck === undefined) return;
  throw new OSError(
    `Cannot ${action} as neither Deno nor Node can set TCP_QUICKACK: received 'quickAck'`,
    { code: "ENOTSUP" },
  );
}
