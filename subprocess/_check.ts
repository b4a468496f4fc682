/** Arguments of what starts a child process, in the one wording. */
import {
  checkFunction,
  checkInteger,
  checkSpan,
  checkString,
} from "../_internal/check.ts";
import { checkOptions, type OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { hostChildren } from "../platform/children.ts";
import { hostSignals } from "../platform/signals.ts";
import type { HostCommand, HostStdio } from "../platform/types/children.ts";
import type { SignalName } from "../platform/types/signals.ts";
import { DEVNULL, PIPE, STDOUT } from "./constants.ts";
import type { SpawnOptions, SubprocessOptions } from "./options.ts";

const START = "start a subprocess";

/** What Python's `Popen` has for text: here all is bytes. */
const REFUSED: ReadonlySet<string> = new Set([
  "text",
  "encoding",
  "errors",
  "universalNewlines",
]);

function checkText(name: string, value: unknown): void {
  checkString(START, name, value);
  if ((value as string).includes("\0")) {
    throw new RangeError(
      `Cannot ${START} as '${name}' must not contain a NUL byte: received ${
        show(value)
      }`,
    );
  }
}

function checkFilled(name: string, value: unknown): void {
  checkText(name, value);
  if (value === "") {
    throw new RangeError(
      `Cannot ${START} as '${name}' must not be empty: received ""`,
    );
  }
}

function stdioOf(name: string, value: unknown): HostStdio {
  if (value === undefined || value === null) return "inherit";
  if (value === PIPE || value === DEVNULL || value === "inherit") return value;
  throw new TypeError(
    value === STDOUT
      ? `Cannot ${START} as only 'stderr' can be STDOUT: received it as '${name}'`
      : `Cannot ${START} as '${name}' must be PIPE, DEVNULL or "inherit": received ${
        show(value)
      }`,
  );
}

/** A part of a URL as text; `null` if its percent signs stand for none. */
function decoded(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

function cwdOf(cwd: unknown): string | null {
  if (cwd === undefined) return null;
  if (!(cwd instanceof URL)) {
    checkFilled("cwd", cwd);
    return cwd as string;
  }
  const path = cwd.protocol === "file:" && cwd.host === ""
    ? decoded(cwd.pathname)
    : null;
  if (path === null) {
    throw new TypeError(
      `Cannot ${START} as 'cwd' must be a path or a file URL of this machine: received ${cwd}`,
    );
  }
  checkText("cwd", path);
  // Of file:///C:/Users the path begins with the drive.
  return /^\/[A-Za-z]:/.test(path) ? path.slice(1) : path;
}

function envOf(env: unknown): Readonly<Record<string, string>> | null {
  if (env === undefined) return null;
  if (typeof env !== "object" || env === null || Array.isArray(env)) {
    throw new TypeError(
      `Cannot ${START} as 'env' must be an object of strings: received ${
        show(env)
      }`,
    );
  }
  // Of no prototype, so that each name is one as any other.
  const copy: Record<string, string> = Object.create(null);
  for (const [name, value] of Object.entries(env)) {
    checkText(`env.${name}`, value);
    if (name === "" || name.includes("=") || name.includes("\0")) {
      throw new RangeError(
        `Cannot ${START} as a name in 'env' must have no "=" and not be empty: received ${
          show(name)
        }`,
      );
    }
    copy[name] = value;
  }
  return copy;
}

/** The last number that a user or a group may have: the one above stands for none. */
const LAST_ID = 2 ** 32 - 2;

function checkId(name: string, value: unknown): void {
  checkInteger(START, name, value, 0);
  if (value as number <= LAST_ID) return;
  throw new RangeError(
    `Cannot ${START} as '${name}' must be at most ${LAST_ID}: received ${value}`,
  );
}

/** A program and its arguments. */
export function checkProgram(program: unknown, args: unknown): void {
  checkFilled("program", program);
  if (!Array.isArray(args)) {
    throw new TypeError(
      `Cannot ${START} as 'args' must be an array of strings: received ${
        show(args)
      }`,
    );
  }
  for (let index = 0; index < args.length; index++) {
    const each: unknown = args[index];
    if (typeof each !== "string" || each.includes("\0")) {
      checkText(`args[${index}]`, each);
    }
  }
}

/** The shell that is to run a command, and its arguments. */
export function shellFor(command: unknown): readonly [string, ...string[]] {
  checkFilled("command", command);
  return [...hostChildren.shell(), command as string];
}

/** What the host is to start. */
export function planCommand(
  program: string,
  args: readonly string[],
  options: SpawnOptions,
  names: OptionNames,
): HostCommand {
  // Inherited ones count, like those of any option.
  for (const name in options) {
    if (!REFUSED.has(name)) continue;
    const value = (options as Record<string, unknown>)[name];
    if (value === undefined || value === false || value === null) continue;
    throw new TypeError(
      `Cannot ${START} as its streams are bytes, without a '${name}': received ${
        show(value)
      }`,
    );
  }
  checkOptions(START, options, names);
  const { stderr, uid, gid, detached } = options;
  if (uid !== undefined) checkId("uid", uid);
  if (gid !== undefined) checkId("gid", gid);
  return {
    program,
    args,
    stdin: stdioOf("stdin", options.stdin),
    stdout: stdioOf("stdout", options.stdout),
    stderr: stderr === STDOUT ? STDOUT : stdioOf("stderr", stderr),
    cwd: cwdOf(options.cwd),
    env: envOf(options.env),
    detached: detached === true,
    uid: uid ?? null,
    gid: gid ?? null,
  };
}

/** What is asked of the `Process`, not of the host. */
export function checkProcessOptions(options: SubprocessOptions): void {
  const { limit, graceMs } = options;
  if (limit !== undefined) checkInteger(START, "limit", limit, 1);
  if (graceMs !== undefined) checkSpan(START, "graceMs", graceMs);
}

/** A protocol factory. */
export function checkFactory(factory: unknown): void {
  checkFunction(START, "protocolFactory", factory);
}

/** A signal by its name or its number. */
export function toSignal(value: unknown): SignalName {
  if (typeof value !== "number") {
    if (
      typeof value === "string" &&
      hostSignals.signalNumber(value) !== undefined
    ) return value as SignalName;
    throw new TypeError(
      `Cannot send a signal as 'signal' must be the name of a signal of this system, such as "SIGTERM", or a number: received ${
        show(value)
      }`,
    );
  }
  const name = hostSignals.signalName(value);
  if (name !== undefined) return name;
  throw new RangeError(
    `Cannot send a signal as the system has none of the number: received ${
      show(value)
    }`,
  );
}
