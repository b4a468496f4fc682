import { SOCKETS } from "../limits.ts";
import type { HostDatagrams } from "../types/datagrams.ts";
import { rejects } from "./refusals.ts";

/** Datagrams, which workerd has not. */
export const datagrams: HostDatagrams = {
  open: rejects(SOCKETS, "open a UDP socket"),
};
