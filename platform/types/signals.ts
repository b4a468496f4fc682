/** A signal's name, as the host knows it: `"SIGINT"`, `"SIGTERM"`, ... */
export type SignalName = `SIG${string}`;

/** Signals sent to this program. */
export interface HostSignals {
  /** `keepsAlive`: whether a program goes on that does nothing but listen. */
  addSignalListener(
    signal: SignalName,
    listener: () => void,
    options: { keepsAlive: boolean },
  ): void;
  removeSignalListener(signal: SignalName, listener: () => void): void;
  /** Whether someone else handles it, as far as the host can tell. */
  hasSignalListener(signal: SignalName): boolean;
  /** Whether it is the name of a signal that a program can listen to. */
  canListen(signal: unknown): signal is SignalName;
  /**
   * Ends this program as the signal does to one that does not listen to it, now
   * or within a moment. No one may listen any more.
   */
  raise(signal: SignalName): void;
  /** The system's number of a signal; `undefined` if it does not have it. */
  signalNumber(name: string): number | undefined;
  /** The name of a signal; `undefined` if the system does not have it. */
  signalName(number: number): SignalName | undefined;
}
