/**
 * `node:diagnostics_channel`, which all runtimes have under the same name.
 * Imported, and not reached through `process`, as in async_storage.ts.
 */
import { channel } from "node:diagnostics_channel";
import type { HostChannel } from "./types/diagnostics.ts";

/** The channel of a name, one for the whole program. */
export function hostChannel(name: string): HostChannel {
  return channel(name) as HostChannel;
}
