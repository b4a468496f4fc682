import { SOCKETS } from "../limits.ts";
import type { HostFiles } from "../types/files.ts";
import { rejects } from "./refusals.ts";

/** Files to send over sockets. */
export const files: HostFiles = {
  open: rejects(SOCKETS, "open a file to send"),
};
