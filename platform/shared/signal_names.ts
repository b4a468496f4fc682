/** Signals by name and by number, as the system has them. */
import type { SignalName } from "../types/signals.ts";
import { builtin } from "./builtin.ts";

let names: ReadonlyMap<number, SignalName> | null = null;

/** The system's number of a signal; `undefined` if it does not have it. */
export function signalNumber(name: string): number | undefined {
  const { signals } = builtin("node:os").constants;
  return Object.hasOwn(signals, name) ? signals[name as "SIGINT"] : undefined;
}

/** The name of a signal; `undefined` if the system does not have it. */
export function signalName(number: number): SignalName | undefined {
  names ??= new Map(
    Object.entries(builtin("node:os").constants.signals).reverse().map((
      [name, value],
    ) => [value, name as SignalName]),
  );
  return names.get(number);
}
