import { SIGNALS } from "../limits.ts";
import type { HostSignals, SignalName } from "../types/signals.ts";
import { refuses } from "./refusals.ts";

/** Signals, which nobody sends a worker: there is none to listen to. */
export const signals: HostSignals = {
  addSignalListener: refuses(SIGNALS, "listen to a signal"),
  removeSignalListener() {},
  hasSignalListener: () => false,
  canListen: (_signal): _signal is SignalName => false,
  raise: refuses(SIGNALS, "raise a signal"),
  signalNumber: () => undefined,
  signalName: () => undefined,
};
