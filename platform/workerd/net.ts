import { SOCKETS } from "../limits.ts";
import type { HostNet } from "../types/net.ts";
import { rejects } from "./refusals.ts";

/** Connections and servers, of which workerd has others than Node. */
export const net: HostNet = {
  connect: rejects(SOCKETS, "connect"),
  upgrade: rejects(SOCKETS, "start TLS"),
  listen: rejects(SOCKETS, "listen"),
};
