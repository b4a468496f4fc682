import { checkOneOf } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { hostNames } from "../platform/names.ts";
import { checkHostname, checkPort } from "./_check.ts";
import { resolve } from "./_connect.ts";
import { waitForHost } from "./host.ts";
import { givenNetwork } from "./network.ts";

/** Options of {@linkcode getaddrinfo}. */
export interface AddressInfoOptions {
  /**
   * 4 or 6 for IPv4 or IPv6 alone.
   *
   * @default {0, for both}
   */
  family?: 0 | 4 | 6 | undefined;
  /** Gives up when it is aborted, and throws its reason. */
  signal?: AbortSignal | undefined;
}

const ADDRESS_INFO_OPTIONS = new OptionNames<AddressInfoOptions>({
  family: true,
  signal: "signal",
}, { number: "family" });

/** Options of {@linkcode getnameinfo}. */
export interface NameInfoOptions {
  /** Gives up when it is aborted, and throws its reason. */
  signal?: AbortSignal | undefined;
}

const NAME_INFO_OPTIONS = new OptionNames<NameInfoOptions>({
  signal: "signal",
});

/** An address that a name stands for. */
export interface AddressInfo {
  /** An IP address, as text. */
  readonly hostname: string;
  /** The port that was asked for. */
  readonly port: number;
  /** Which kind of address it is. */
  readonly family: 4 | 6;
}

/**
 * The addresses of a name, as the system knows them: of `/etc/hosts` as well as
 * of the name server. Equivalent of `asyncio.loop.getaddrinfo`.
 *
 * @example The address of this machine
 * ```ts
 * import { getaddrinfo } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const [first] = await getaddrinfo("127.0.0.1", 80);
 * assertEquals(first, { hostname: "127.0.0.1", port: 80, family: 4 });
 * ```
 *
 * @param hostname A name or an IP address.
 * @param port The port to go with the addresses.
 * @param options Which addresses.
 * @returns The addresses, in the order of the system, at least one.
 * @throws {TypeError} When `hostname` is not a string or `port` not a number.
 * @throws {RangeError} When `port` is out of range.
 * @throws {OSError} With the code `ENOTFOUND`, when the name is not known.
 * @throws {CancelledError} When the task is cancelled meanwhile.
 */
export async function getaddrinfo(
  hostname: string,
  port: number = 0,
  options: AddressInfoOptions = {},
): Promise<AddressInfo[]> {
  const action = "look up a name";
  checkHostname(action, "hostname", hostname);
  checkPort(action, "port", port, 0);
  checkOptions(action, options, ADDRESS_INFO_OPTIONS);
  const { family = 0, signal } = options;
  checkOneOf(action, "family", family, [0, 4, 6]);
  const names = givenNetwork()?.names ?? hostNames;
  const found = await waitForHost(
    "getaddrinfo",
    () => resolve(names, hostname, family),
    () => {},
    signal,
  );
  return found.map((each) => ({
    hostname: each.address,
    port,
    family: each.family,
  }));
}

/**
 * The name of an address, and that of its port's service. Equivalent of
 * `asyncio.loop.getnameinfo`.
 *
 * @example Who this machine is
 * ```ts
 * import { getnameinfo } from "@asyncio/asyncio";
 * import { assert } from "@std/assert";
 *
 * const { hostname } = await getnameinfo({ hostname: "127.0.0.1", port: 80 });
 * assert(hostname.length > 0);
 * ```
 *
 * @param address An IP address and a port.
 * @param options Gives up when its signal is aborted.
 * @returns The two names; of what has none, the address or the port as text.
 * @throws {TypeError} When `hostname` is not an IP address or `port` not a
 * number.
 * @throws {RangeError} When `port` is out of range.
 * @throws {OSError} When the system does not know the address.
 * @throws {CancelledError} When the task is cancelled meanwhile.
 */
export async function getnameinfo(
  address: { hostname: string; port: number },
  options: NameInfoOptions = {},
): Promise<{ hostname: string; service: string }> {
  const action = "look up an address";
  checkOptions(action, options, NAME_INFO_OPTIONS);
  checkHostname(action, "address.hostname", address?.hostname);
  checkPort(action, "address.port", address.port, 0);
  const names = givenNetwork()?.names ?? hostNames;
  if (names.isIp(address.hostname) === 0) {
    throw new TypeError(
      `Cannot ${action} as 'address.hostname' must be an IP address: received ${
        show(address.hostname)
      }`,
    );
  }
  return await waitForHost(
    "getnameinfo",
    () => names.lookupService(address.hostname, address.port),
    () => {},
    options.signal,
  );
}
