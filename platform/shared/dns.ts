/** Names and addresses, which both runtimes look up in Node's way. */
import { builtin } from "./builtin.ts";
import type { HostLookup } from "../types/net.ts";

/** Makes the library's error of one of the host's. */
export type MapError = (error: unknown, action: string) => Error;

/** Whether text is an IP address: 4, 6, or 0 where it is not. */
export function isIp(text: string): 0 | 4 | 6 {
  return builtin("node:net").isIP(text) as 0 | 4 | 6;
}

/** The IP addresses of a name, in the order of the system. */
export function lookup(
  hostname: string,
  family: 0 | 4 | 6,
  mapError: MapError,
): Promise<HostLookup[]> {
  return new Promise((resolve, reject) => {
    const options = { all: true, family, verbatim: true } as const;
    builtin("node:dns").lookup(hostname, options, (error, found) => {
      if (error) reject(mapError(error, `look up ${hostname}`));
      else resolve(found as HostLookup[]);
    });
  });
}

/** The name of an IP address, and that of a port's service. */
export function lookupService(
  address: string,
  port: number,
  mapError: MapError,
): Promise<{ hostname: string; service: string }> {
  return new Promise((resolve, reject) => {
    builtin("node:dns").lookupService(
      address,
      port,
      (error, hostname, service) => {
        if (error) reject(mapError(error, `look up ${address} port ${port}`));
        else resolve({ hostname, service });
      },
    );
  });
}
