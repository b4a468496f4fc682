/**
 * Connections for those who subscribe to `asyncio:connection` of
 * `node:diagnostics_channel`.
 */
import { TraceChannel } from "../loop/trace_channel.ts";

let channel: TraceChannel<object> | null = null;

/** The channel; its messages are what `transport.ts` says. */
export function connectionChannel(): TraceChannel<object> {
  return channel ??= new TraceChannel("asyncio:connection");
}
