/** What workers print, on its way to whoever reads it. */
import type { Kernel } from "../loop/kernel.ts";
import { hostProcess } from "../platform/process.ts";
import { reportThrown } from "../streams/host.ts";
import { Protocol } from "../streams/protocol.ts";
import { LineSplitter } from "./_lines.ts";
import type { WorkerLogLine } from "./options.ts";

/** What is done with a line if nothing else is asked for. */
export function printLine({ worker, stream, text }: WorkerLogLine): void {
  const line = `[${worker}] ${text}`;
  if (stream === "stdout") hostProcess.writeOutput(line);
  else hostProcess.writeError(line);
}

/** Hands a line to the user's function, whose errors harm no worker. */
export function tell(
  kernel: Kernel,
  onLog: (line: WorkerLogLine) => void,
  line: WorkerLogLine,
): void {
  try {
    onLog(line);
  } catch (error) {
    reportThrown(kernel, "The 'onLog' of prefork() threw", error);
  }
}

/** Of a pipe that a worker prints to. */
export class LogProtocol extends Protocol {
  readonly #lines: LineSplitter;

  constructor(onLine: (line: string) => void) {
    super();
    this.#lines = new LineSplitter(onLine);
  }

  override dataReceived(data: Uint8Array): void {
    this.#lines.feed(data);
  }

  override connectionLost(): void {
    this.#lines.end();
  }
}
