/**
 * What the adapters share about programs: finding them, and the redirect of one
 * stream to another.
 */
import { mapError } from "../map_error.ts";
import { systemError } from "../system_errors.ts";
import type {
  HostChild,
  HostChildren,
  HostCommand,
} from "../types/children.ts";
import { builtin } from "./builtin.ts";
import { nodeProcess } from "./node_process.ts";
import { redirected } from "./redirect.ts";
import { signalNumber } from "./signal_names.ts";

/** Where programs are looked for when there is no PATH; Python's. */
const DEFAULT_PATH = "/bin:/usr/bin";

/** What of a host's own the search for a program needs. */
export interface HostPrograms {
  /** Whether this program may run a file. */
  mayRun(path: string): boolean;
  /** The environment of this program; `null` if it may not be read whole. */
  env(): Readonly<Record<string, string | undefined>> | null;
}

/** Whether this is Windows, which has neither signals nor `/bin/sh`. */
export function isWindows(): boolean {
  return nodeProcess().platform === "win32";
}

/** The words for what cannot be done. */
function startOf({ program, cwd }: HostCommand): string {
  const name = program.length > 60 ? `${program.slice(0, 60)}\u2026` : program;
  return cwd === null ? `start ${name}` : `start ${name} in ${cwd}`;
}

/** Throws if there is no such directory: the hosts blame the program. */
export function checkDirectory(command: HostCommand): void {
  const { cwd } = command;
  if (cwd === null) return;
  let code: string | undefined;
  try {
    if (builtin("node:fs").statSync(cwd).isDirectory()) return;
    code = "ENOTDIR";
  } catch (error) {
    code = (error as { code?: string }).code;
    // Not ours to look at: starting the program will tell.
    if (code !== "ENOENT" && code !== "ENOTDIR") return;
  }
  throw systemError(
    code,
    startOf(command),
    new Error(`${cwd} is not a directory`),
  );
}

/** The program's file, found as `execvp` does. */
function findProgram(command: HostCommand, host: HostPrograms): string {
  const { program, cwd, env } = command;
  const { resolve } = builtin("node:path");
  const base = resolve(cwd ?? ".");
  const places = program.includes("/")
    ? [resolve(base, program)]
    : searchPath(env).split(":")
      .map((place) => resolve(base, place, program));
  let code = "ENOENT";
  for (const place of places) {
    const found = whyNot(place, host);
    if (found === null) return place;
    // Deno may not look at files: then the shell has to find it.
    if (found === UNSEEN) return program;
    if (found === "EACCES") code = found;
  }
  throw systemError(code, startOf(command), new Error(`${program}: ${code}`));
}

/**
 * Whether some place in the child's own `PATH` depends on its directory: only
 * Node looks there as `execvp` does.
 */
function hasRelativePlaces({ program, env }: HostCommand): boolean {
  if (program.includes("/") || env === null || isWindows()) return false;
  return searchPath(env).split(":").some((place) => !place.startsWith("/"));
}

/** Deno's refusal to look at a file, or at a variable. */
const UNSEEN = "NotCapable";

function searchPath(env: HostCommand["env"]): string {
  try {
    return (env ?? nodeProcess().env)["PATH"] ?? DEFAULT_PATH;
  } catch (error) {
    if ((error as Error).name === UNSEEN) return DEFAULT_PATH;
    throw error;
  }
}

/** Why a file is no program; `null` if it is one. */
function whyNot(path: string, host: HostPrograms): string | null {
  try {
    return builtin("node:fs").statSync(path).isFile() && host.mayRun(path)
      ? null
      : "EACCES";
  } catch (error) {
    const { code, name } = error as { code?: string; name?: string };
    if (name === UNSEEN) return UNSEEN;
    return code === "EACCES" || code === "EPERM" ? "EACCES" : "ENOENT";
  }
}

/**
 * The command as a host can start it: with a redirect of stderr to stdout, where
 * it asks for that.
 */
function forHost(command: HostCommand, host: HostPrograms): HostCommand {
  if (command.stderr !== "stdout") {
    return hasRelativePlaces(command)
      ? { ...command, program: findProgram(command, host) }
      : command;
  }
  if (command.stdout === "null") {
    return forHost({ ...command, stderr: "null" }, host);
  }
  if (isWindows()) {
    throw systemError(
      "ENOTSUP",
      startOf(command),
      new Error("Windows has no redirect of stderr to stdout"),
    );
  }
  // Looked up first: the shell's own answer would come on stderr, as a status.
  const path = findProgram(command, host);
  return redirected(command, path, command.env ?? host.env());
}

/** The exit status, or the signal as a negative number. */
export function returnCode(code: number | null, signal: string | null): number {
  if (signal === null) return code ?? 0;
  return -(signalNumber(signal) ?? 0) || (code ?? -1);
}

/**
 * The children of a host.
 *
 * @param start Starts one, or fails with the host's error, at once or later.
 */
export function childrenOf(
  start: (command: HostCommand) => HostChild | Promise<never>,
  host: HostPrograms,
): HostChildren {
  return {
    shell(): readonly [string, ...string[]] {
      return isWindows()
        ? [nodeProcess().env["COMSPEC"] ?? "cmd.exe", "/d", "/s", "/c"]
        : ["/bin/sh", "-c"];
    },
    spawn(asked) {
      checkDirectory(asked);
      const command = forHost(asked, host);
      const failed = (error: unknown): never => {
        throw mapError(error, startOf(asked));
      };
      let started: HostChild | Promise<never>;
      try {
        started = start(command);
      } catch (error) {
        return failed(error);
      }
      return started instanceof Promise ? started.catch(failed) : started;
    },
  };
}
