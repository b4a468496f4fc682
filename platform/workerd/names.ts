import { SOCKETS } from "../limits.ts";
import type { HostNames } from "../types/names.ts";
import { rejects } from "./refusals.ts";

/** Look-ups, which are for sockets. */
export const lookups: Omit<HostNames, "isIp"> = {
  lookup: rejects(SOCKETS, "look up a name"),
  lookupService: rejects(SOCKETS, "look up an address"),
};
