/**
 * Rejections that nobody handles, on Node. A listener for them turns off Node's
 * own answer, which a flag chooses; so if no one else listens, that answer is
 * given here.
 */
import { isBun } from "../runtime.ts";
import { type NodeProcess, nodeProcess } from "../shared/node_process.ts";

type IsHandled = (reason: unknown) => boolean;

const EVENT = "unhandledRejection";

const FLAG_REGEXP = /^--unhandled[-_]rejections(?:=(.*))?$/;

/** What `--unhandled-rejections` says; the command line counts for more. */
function modeOf({ env, execArgv }: NodeProcess): string {
  let mode = "throw";
  const options = (env["NODE_OPTIONS"] ?? "").split(/\s+/);
  for (const words of [options, execArgv]) {
    for (const [index, word] of words.entries()) {
      const match = FLAG_REGEXP.exec(word);
      if (match !== null) mode = match[1] ?? words[index + 1] ?? mode;
    }
  }
  return mode;
}

/** As Node does. */
function warn(process: NodeProcess, reason: unknown): void {
  const { stack } = Object(reason) as { stack?: unknown };
  process.emitWarning(
    typeof stack === "string" ? stack : String(reason),
    "UnhandledPromiseRejectionWarning",
  );
}

/** If a module still awaits something, Bun goes on after what is thrown. */
function endOnBun(process: NodeProcess, reason: unknown): void {
  if (process.listenerCount("uncaughtException") > 0) return;
  console.error(reason);
  process.exit(1);
}

/** Node's answer to a rejection that no one listens to. */
function answer(process: NodeProcess, mode: string, reason: unknown): void {
  switch (mode) {
    // Node warns, or is silent, whoever listens.
    case "warn":
    case "none":
      return;
    case "warn-with-error-code":
      process.exitCode = 1;
      return warn(process, reason);
    // Node has thrown it already, and someone has caught it.
    case "strict":
      return warn(process, reason);
    default:
      if (isBun) endOnBun(process, reason);
      throw reason;
  }
}

/**
 * Whether Node is about to throw the rejection of some promise, and not that of
 * a module, which cannot be let pass: its program would not go on.
 */
function isOfPromise(): boolean {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 20;
  const { stack } = new Error();
  Error.stackTraceLimit = stackTraceLimit;
  return stack?.includes("node:internal/process/promises") === true;
}

/** Whatever is thrown next is caught, without a word to those who listen. */
function catchNext(process: NodeProcess): void {
  // Someone catches all there is.
  if (process.hasUncaughtExceptionCaptureCallback()) return;
  process.setUncaughtExceptionCaptureCallback(() =>
    process.setUncaughtExceptionCaptureCallback(null)
  );
}

/** Lets rejections pass that `isHandled` answers true for. */
export function filterUnhandledRejections(isHandled: IsHandled): void {
  const process = nodeProcess();
  const mode = modeOf(process);
  process.on(EVENT, (reason) => {
    if (isHandled(reason) || process.listenerCount(EVENT) > 1) return;
    answer(process, mode, reason);
  });
  // The rejection of a module's own top-level await comes this way, and where
  // Node throws before it asks, that of any promise.
  process.on("uncaughtExceptionMonitor", (error) => {
    if (isHandled(error) && mode === "strict" && isOfPromise()) {
      catchNext(process);
    }
  });
}
