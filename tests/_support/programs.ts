/** Runs the programs of `tests/programs/` with the runtime the test runs on. */
import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** How a program ended. */
export interface ProgramResult {
  /** Its exit status; `null` where a signal ended it. */
  readonly code: number | null;
  /** What ended it, where it did not end by itself. */
  readonly signal?: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of {@linkcode runProgram}. */
export interface ProgramOptions {
  readonly args?: readonly string[];
  /** Flags of the runtime. */
  readonly flags?: readonly string[];
  /** Variables besides those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called with each line on stdout; `send` sends the program a signal. */
  readonly onLine?: (line: string, send: (signal: Signal) => void) => void;
}

/** A signal that a program can be sent. SIGUSR1 would open the inspector of Deno. */
export type Signal =
  | "SIGHUP"
  | "SIGINT"
  | "SIGKILL"
  | "SIGQUIT"
  | "SIGTERM"
  | "SIGUSR2";

const FLAGS = "Deno" in globalThis
  ? ["run", "--quiet", "-A", "--v8-flags=--expose-gc"]
  : ["--expose-gc"];

/** A program that takes longer hangs, on the busiest of machines. */
const LIMIT_MS = 60_000;

/** The tests are TypeScript on Deno and JavaScript on Node; so are these. */
const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf("."));

/** Runs `tests/programs/<name>.ts` to its end, or kills it after a minute. */
export function runProgram(
  name: string,
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  const { args = [], flags = [], env = {}, onLine } = options;
  const url = new URL(`../programs/${name}${EXTENSION}`, import.meta.url);
  const child = spawn(process.execPath, [
    ...FLAGS,
    ...flags,
    fileURLToPath(url),
    ...args,
  ], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", ...env },
  });
  let stdout = "";
  let stderr = "";
  let told = 0;
  child.stdout.setEncoding("utf8").on("data", (text) => {
    stdout += text;
    for (let end; (end = stdout.indexOf("\n", told)) >= 0; told = end + 1) {
      onLine?.(
        stdout.slice(told, end),
        (signal) => process.kill(child.pid!, signal),
      );
    }
  });
  child.stderr.setEncoding("utf8").on("data", (text) => stderr += text);
  const limit = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
  return new Promise<ProgramResult>((resolve, reject) => {
    child.on("error", reject);
    child.on(
      "close",
      (code, signal) =>
        resolve({ code, stdout, stderr, ...(signal !== null && { signal }) }),
    );
  }).finally(() => clearTimeout(limit));
}
