/** Listens to a tracing channel of `node:diagnostics_channel`. */
import { channel } from "node:diagnostics_channel";

const EVENTS = ["start", "end", "error", "asyncStart", "asyncEnd"] as const;

/** A message, and which of the channel's five events it came with. */
export interface Heard<M> {
  readonly event: typeof EVENTS[number];
  readonly message: M;
}

/** Gives all that is published on a channel while `body` runs, as it comes. */
export async function heardOn<M>(
  name: string,
  body: (heard: readonly Heard<M>[]) => PromiseLike<unknown> | unknown,
): Promise<readonly Heard<M>[]> {
  const heard: Heard<M>[] = [];
  const subscriptions = EVENTS.map((event) => ({
    source: channel(`tracing:${name}:${event}`),
    hear: (message: unknown) =>
      void heard.push({ event, message: message as M }),
  }));
  for (const { source, hear } of subscriptions) source.subscribe(hear);
  try {
    await body(heard);
  } finally {
    for (const { source, hear } of subscriptions) source.unsubscribe(hear);
  }
  return heard;
}
