/** The command line of the package, run as a program. */
import { assert } from "@std/assert";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import { type ProgramResult, runProgram } from "./programs.ts";
import type { Needed } from "./runtimes.ts";

const LACK = "Bun" in globalThis
  ? "Bun has no inspector that a signal opens"
  : typeof WebSocket === "undefined"
  ? "Node 20 has no WebSocket"
  : null;

/** Leaves a test out, and says why, where no program can be looked into. */
export const DEBUGGER: Needed = LACK === null
  ? { ignore: false }
  : { ignore: true, reason: LACK };

/** Runs `asyncio` with these arguments. */
export function asyncio(...args: readonly string[]): Promise<ProgramResult> {
  return runProgram("command_line", { args: ["--", ...args] });
}

const isDeno = "Deno" in globalThis;

/** Whoever listens there is the one whose program may open its inspector. */
const TURN_PORT = 19_229;
const LOOK_MS = 20;

/**
 * Deno opens the inspector that a signal asks for at one port alone. So of all
 * that run tests on this machine, one at a time does that.
 */
async function alone<T>(fn: () => Promise<T>): Promise<T> {
  if (!isDeno) return await fn();
  let server: Server | null = null;
  while ((server = await listens()) === null) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  try {
    return await fn();
  } finally {
    const closed = once(server, "close");
    server.close();
    await closed;
  }
}

/** Null if another one listens there. */
async function listens(): Promise<Server | null> {
  const server = createServer();
  try {
    server.listen(TURN_PORT, "127.0.0.1");
    await once(server, "listening");
    return server;
  } catch (error) {
    if ((error as { code?: string }).code === "EADDRINUSE") return null;
    throw error;
  }
}

/** In these ways the program runs until it is killed. */
const ENDLESS = ["grind", "another version"];

/**
 * Runs `look` beside a program that has begun, and gives what that printed.
 *
 * @param look Gets the process id, and the URL of the program's own inspector.
 * @param way How the program is.
 * @param inspect Flags for Deno.
 */
export function besides(
  look: (pid: string, url: string) => Promise<void>,
  way = "",
  inspect: readonly string[] = [],
): Promise<ProgramResult> {
  return alone(() => lookBesides(look, way, inspect));
}

async function lookBesides(
  look: (pid: string, url: string) => Promise<void>,
  way: string,
  inspect: readonly string[],
): Promise<ProgramResult> {
  let looked: Promise<void> | null = null;
  let url = "";
  const result = await runProgram("looked_into", {
    args: way === "" ? [] : [way],
    // Only Node has the flag; Deno takes its default.
    flags: isDeno ? inspect : ["--inspect-port=0"],
    onLine: (line, send) => {
      url ||= /^door (.+)$/.exec(line)?.[1] ?? "";
      const [, pid] = /^ready (\d+)$/.exec(line) ?? [];
      if (pid === undefined) return;
      // Whoever cancels the nap ends the program; nothing else does.
      looked = look(pid, url).then(
        () => ENDLESS.includes(way) ? send("SIGKILL") : undefined,
        (error) => {
          try {
            send("SIGKILL");
          } catch {
            // It has ended.
          }
          throw error;
        },
      );
      // It is told below, when the program has ended.
      looked.catch(() => {});
    },
  });
  assert(looked !== null, result.stderr);
  await looked;
  return result;
}
