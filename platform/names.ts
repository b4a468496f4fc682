/** Names and addresses, which both runtimes look up in Node's way. */
import { mapError } from "./map_error.ts";
import { isWorkerd } from "./runtime.ts";
import { builtin } from "./shared/builtin.ts";
import type { HostLookup, HostNames } from "./types/names.ts";
import { lookups } from "./workerd/names.ts";

/** Whether text is an IP address: 4, 6, or 0 if it is not. */
export function isIp(text: string): 0 | 4 | 6 {
  return builtin("node:net").isIP(text) as 0 | 4 | 6;
}

/** The IP addresses of a name, in the order of the system. */
function lookup(
  hostname: string,
  family: 0 | 4 | 6,
): Promise<HostLookup[]> {
  return new Promise((resolve, reject) => {
    const options = { all: true, family, verbatim: true } as const;
    builtin("node:dns").lookup(hostname, options, (error, found) => {
      if (error) reject(mapError(error, `look up ${hostname}`));
      else resolve(found as HostLookup[]);
    });
  });
}

/** Where the system has a name even if it is on no network. */
const LOOPBACK = "127.0.0.1";

/**
 * The name of an IP address, and that of a port's service; the numbers as text
 * for what has none. The hosts know both or neither.
 */
async function lookupService(
  address: string,
  port: number,
): Promise<{ hostname: string; service: string }> {
  // No host takes the zone of an address.
  const bare = address.replace(/%.*$/, "");
  const named = await namesOf(bare, port);
  if (named !== null) return named;
  const local = await namesOf(LOOPBACK, port);
  return { hostname: address, service: local?.service ?? `${port}` };
}

/** What the system says; `null` if it has no name for the address. */
function namesOf(
  address: string,
  port: number,
): Promise<{ hostname: string; service: string } | null> {
  return new Promise((resolve, reject) => {
    builtin("node:dns").lookupService(
      address,
      port,
      (error, hostname, service) => {
        if (!error) resolve({ hostname, service });
        else if (error.code === "ENOTFOUND") resolve(null);
        else reject(mapError(error, `look up ${address} port ${port}`));
      },
    );
  });
}

/** Names and addresses. */
export const hostNames: HostNames = isWorkerd
  ? { ...lookups, isIp }
  : { lookup, lookupService, isIp };
