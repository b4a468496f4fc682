/**
 * The network that a loop was given in place of the host's, as a simulation
 * does. It is looked up when a socket is made, and never while one is used. Callers
 * import the host's network themselves, so that a program without datagrams does
 * not load them.
 */
import { OSError } from "../errors.ts";
import { currentScope } from "../loop/current.ts";
import type { Kernel } from "../loop/kernel.ts";
import type { HostDatagrams } from "../platform/types/datagrams.ts";
import type { HostNames } from "../platform/types/names.ts";
import type { HostNet } from "../platform/types/net.ts";

/** What sockets are made of, and names looked up with. */
export interface Network {
  readonly net: HostNet;
  readonly names: HostNames;
  readonly datagrams: HostDatagrams;
}

const networks = new WeakMap<Kernel, () => Network>();

/** From here on `find` tells the code of a loop on which network it is. */
export function setNetwork(kernel: Kernel, find: () => Network): void {
  networks.set(kernel, find);
}

/** From here on they are on the network of the host again. */
export function removeNetwork(kernel: Kernel): void {
  networks.delete(kernel);
}

/** The network of the running code; `null` for that of the host. */
export function givenNetwork(): Network | null {
  return networks.get(currentScope().kernel)?.() ?? null;
}

/**
 * Refuses what reaches past the network that a loop was given.
 *
 * @param what What there is none of.
 */
export function refuseBesides(action: string, what: string): void {
  if (givenNetwork() === null) return;
  throw new OSError(
    `Cannot ${action} as the code runs in a simulation, which has no ${what}`,
    { code: "ENOTSUP" },
  );
}
