/** One event, as Chrome's trace-event format has it. Times are microseconds. */
export interface TraceEvent {
  /** What is shown: the task's name, or what it waits for. */
  readonly name: string;
  /**
   * Its kind: `task`, `wait`, `step`, `long_step`, `wake`, `spawn`, `cancel`,
   * `error` or `__metadata`.
   */
  readonly cat: string;
  /** Its phase: `X` has a length, `b` and `e`, `s` and `f` are pairs. */
  readonly ph: "X" | "i" | "b" | "e" | "s" | "f" | "M";
  /** When it began, by the loop's time. */
  readonly ts: number;
  /** Always 1: the loop. */
  readonly pid: number;
  /** The lane: one for each task, and 0 for code in no task. */
  readonly tid: number;
  /** How long it lasted, of phase `X`. */
  readonly dur?: number;
  /** What the events of a pair have in common, and no other. */
  readonly id?: number;
  /** Of the end of an arrow: it points to the slice around it. */
  readonly bp?: "e";
  /** Of an instant: it belongs to its lane. */
  readonly s?: "t";
  /** What else is known. */
  readonly args?: Readonly<Record<string, unknown>>;
}

/** What `chrome://tracing` and Perfetto open, as JSON. */
export interface TraceEvents {
  /** The names of the lanes, and then the events in the order of their times. */
  readonly traceEvents: readonly TraceEvent[];
  /** How to show times. */
  readonly displayTimeUnit: "ms";
  /** What is known of the recording itself. */
  readonly otherData: {
    /** How many events were dropped, as there was no room for more. */
    readonly dropped: number;
  };
}
