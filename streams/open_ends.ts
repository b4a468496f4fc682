/**
 * The sockets that a loop has open. Those that are left when it is closed can
 * never be used again: each is reported and closed, as a socket that is left
 * open would keep the program from ending. So is reported a writer that was
 * collected and not closed: of a server's connection always, of others in debug
 * mode.
 */
import { onClose } from "../loop/closing.ts";
import { withLoop } from "../loop/event_loop.ts";
import type { Kernel } from "../loop/kernel.ts";
import type { Scope } from "../loop/scope.ts";
import type { Vanishing } from "../loop/vanish.ts";

/** A transport, or a server; its text is what is said of it. */
export interface OpenEnd {
  toString(): string;
  isClosing(): boolean;
  abort(): void;
}

/** Each with the scope in which it calls back. */
const openIn = new WeakMap<Kernel, Map<OpenEnd, Scope>>();

/** It is open from here on, until {@linkcode trackClosed}. */
export function trackOpen(scope: Scope, end: OpenEnd): void {
  const { kernel } = scope;
  let ends = openIn.get(kernel);
  if (ends === undefined) {
    openIn.set(kernel, ends = new Map());
    onClose(kernel, () => abandonAll(kernel));
  }
  ends.set(end, scope);
}

/** It is closed, or was not open. */
export function trackClosed(kernel: Kernel, end: OpenEnd): void {
  openIn.get(kernel)?.delete(end);
}

/** Closes what belongs to code that is gone, which hears nothing of it. */
export function vanishOpen(
  kernel: Kernel,
  { limbo, isGone }: Vanishing,
): void {
  const ends = [...openIn.get(kernel) ?? []];
  for (const [end, scope] of ends.filter(([, scope]) => isGone(scope))) {
    trackClosed(kernel, end);
    scope.vanish(limbo);
    end.abort();
  }
}

function abandonAll(kernel: Kernel): void {
  const ends = openIn.get(kernel)!;
  openIn.delete(kernel);
  for (const end of ends.keys()) {
    // One that is closing sends the rest of what it was given.
    if (end.isClosing()) continue;
    reportUnclosed(kernel, end);
    end.abort();
  }
}

function reportUnclosed(kernel: Kernel, end: OpenEnd): void {
  kernel.report({ message: `ResourceWarning: unclosed ${end}` });
}

/** What a writer writes to, and nothing that leads back to the writer. */
interface Lost {
  readonly kernel: Kernel;
  readonly transport: OpenEnd;
  /** Closes it, if nobody is left who could. */
  readonly close?: () => void;
}

const lostWriters = new FinalizationRegistry<Lost>((lost) => {
  const { kernel, transport } = lost;
  // A loop that was closed has told of all that it had open, and closed it.
  if (transport.isClosing() || kernel.closed) return;
  const message = `ResourceWarning: unclosed <StreamWriter of ${transport}>`;
  kernel.report({ message });
  lost.close?.();
});

/** In debug mode: reports a writer that is collected before it was closed. */
export function watchWriter(
  kernel: Kernel,
  writer: object,
  transport: OpenEnd,
): void {
  // Its debug mode begins with its public face.
  if (withLoop(kernel).stacks === null) return;
  lostWriters.unregister(writer);
  lostWriters.register(writer, { kernel, transport }, writer);
}

/** Reports a writer that is collected before it was closed, and calls `close`. */
export function closeWhenLost(
  writer: object,
  lost: Required<Lost>,
): void {
  lostWriters.unregister(writer);
  lostWriters.register(writer, lost, writer);
}
