/** Arguments of `prefork`, in the one wording. */
import { checkFunction, checkInteger, checkSpan } from "../_internal/check.ts";
import { checkOptions } from "../_internal/options.ts";
import { LONGEST_HOST_TIMER_MS } from "../_internal/constants.ts";
import { show } from "../_internal/show.ts";
import { hostWorkerProcesses } from "../platform/worker_processes.ts";
import { printLine } from "./_log.ts";
import {
  PREFORK_OPTIONS,
  type PreforkOptions,
  type WorkerLogLine,
} from "./options.ts";

const START = "start workers";

/** {@linkcode PreforkOptions}, checked and complete. */
export interface Plan {
  readonly workers: number;
  readonly script: string;
  readonly args: readonly string[];
  readonly runtimeArgs: readonly string[] | null;
  readonly cwd: string | null;
  readonly env: Readonly<Record<string, string>>;
  readonly graceMs: number;
  readonly readyMs: number;
  readonly restartDelayMs: number;
  readonly handleSignals: boolean;
  readonly onLog: (line: WorkerLogLine) => void;
}

function refuse(name: string, what: string, value: unknown): never {
  throw new TypeError(
    `Cannot ${START} as '${name}' must be ${what}: received ${show(value)}`,
  );
}

function scriptOf(script: unknown): string {
  if (script instanceof URL) return hostWorkerProcesses.scriptOf(script);
  if (typeof script !== "string") refuse("script", "a path or a URL", script);
  if (script !== "" && !script.startsWith("-")) return script;
  throw new RangeError(
    `Cannot ${START} as 'script' must be the path of a program: received ${
      show(script)
    }`,
  );
}

function checkTexts(name: string, value: unknown): void {
  if (!Array.isArray(value) || value.some((each) => typeof each !== "string")) {
    refuse(name, "an array of strings", value);
  }
}

function checkEnv(env: unknown): void {
  if (
    typeof env !== "object" || env === null || Array.isArray(env) ||
    Object.values(env).some((each) => typeof each !== "string")
  ) refuse("env", "an object of strings", env);
}

export function planWorkers(options: PreforkOptions): Plan {
  checkOptions(START, options, PREFORK_OPTIONS);
  const {
    workers = hostWorkerProcesses.processors,
    args = [],
    runtimeArgs = null,
    cwd = null,
    env = {},
    graceMs = 10_000,
    readyMs = 10_000,
    restartDelayMs = 100,
    handleSignals = true,
    onLog = printLine,
  } = options;
  const script = scriptOf(options.script);
  checkInteger(START, "workers", workers, 1);
  checkTexts("args", args);
  if (runtimeArgs !== null) checkTexts("runtimeArgs", runtimeArgs);
  checkEnv(env);
  checkFunction(START, "onLog", onLog);
  return {
    workers,
    script,
    args: [...args],
    runtimeArgs: runtimeArgs && [...runtimeArgs],
    cwd,
    env: { ...env },
    // A worker has it from a host timer, and in JSON.
    graceMs: Math.min(
      checkSpan(START, "graceMs", graceMs),
      LONGEST_HOST_TIMER_MS,
    ),
    readyMs: checkSpan(START, "readyMs", readyMs),
    restartDelayMs: checkSpan(START, "restartDelayMs", restartDelayMs),
    handleSignals,
    onLog,
  };
}
