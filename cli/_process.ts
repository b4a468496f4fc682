/** The process that is looked into, before its inspector is open. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import process from "node:process";
import { Failure } from "./_failure.ts";

/** The first versions that SIGUSR1 does not end. */
const DENO_WITH_SIGNAL = [2, 9, 2] as const;

/** Where Node and Deno open their inspector if nothing else is said. */
export const DEFAULT_PORT = 9229;

/**
 * Whether a process can be asked to open its inspector. To a program that does
 * not know the signal it would be the end, so the program is looked at first.
 */
export function checkProcess(pid: number): void {
  checkIsThere(pid);
  checkIsNotStopped(pid);
  checkKnowsSignal(pid);
}

/** SIGUSR1, which is 10 on Linux, among the signals that a process handles. */
const SIGUSR1_BIT = 1n << 9n;

/**
 * So long a runtime may take for coming to handle the signal; Deno takes a
 * second, and longer where the machine is busy.
 */
const HANDLED_MS = 10_000;
const LOOK_MS = 50;

/** Asks a process to open its inspector. */
export async function askToOpen(pid: number): Promise<void> {
  const end = Date.now() + HANDLED_MS;
  while (handlesSignal(pid) === false) {
    if (Date.now() > end) {
      throw new Failure(
        `Process ${pid} does not handle SIGUSR1, which would end it: it was started with --disable-sigusr1, or is too old`,
      );
    }
    // deno-lint-ignore no-await-in-loop -- looks until it does
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  try {
    process.kill(pid, "SIGUSR1");
  } catch (error) {
    throw signalFailure(pid, error);
  }
}

/** Whether a process handles SIGUSR1; `null` if the system does not tell. */
function handlesSignal(pid: number): boolean | null {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const [, caught] = /^SigCgt:\s*([0-9a-f]+)$/m.exec(status) ?? [];
    return caught === undefined
      ? null
      : (BigInt(`0x${caught}`) & SIGUSR1_BIT) !== 0n;
  } catch {
    // Only Linux has these files.
    return null;
  }
}

/** @throws {Failure} When it has ended, or belongs to another user. */
export function checkIsThere(pid: number): void {
  try {
    process.kill(pid, 0);
  } catch (error) {
    throw signalFailure(pid, error);
  }
  // It has ended, and its parent has not noticed.
  if (stateOf(pid) === "Z") throw new Failure(`There is no process ${pid}`);
}

/** What a process is doing, as `ps` says it: `R`, `S`, `T`, `Z`; null if unknown. */
function stateOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat[stat.lastIndexOf(")") + 2] ?? null;
  } catch {
    // Only Linux has these files.
    return null;
  }
}

/** @throws {Failure} When it was stopped, and can answer nothing. */
export function checkIsNotStopped(pid: number): void {
  const state = stateOf(pid);
  if (state !== "T" && state !== "t") return;
  throw new Failure(
    `Process ${pid} was stopped, as by SIGSTOP or Ctrl-Z: \`kill -CONT ${pid}\` lets it go on`,
  );
}

/** Whether it computes; null if the system does not tell. */
export function isComputing(pid: number): boolean | null {
  const state = stateOf(pid);
  return state === null ? null : state === "R";
}

/** The port of an inspector that a process was started with; null for none. */
export function inspectPortOf(pid: number): number | null {
  try {
    const args = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
    for (const arg of args) {
      const [, port] =
        /^--inspect(?:-brk|-wait)?(?:=(?:.*:)?(\d+))?$/.exec(arg) ?? [];
      if (port !== undefined) return Number(port);
    }
  } catch {
    // Only Linux has these files.
  }
  return null;
}

function signalFailure(pid: number, error: unknown): Failure {
  const { code } = error as { code?: string };
  if (code === "ESRCH") return new Failure(`There is no process ${pid}`);
  if (code === "EPERM") {
    return new Failure(
      `Process ${pid} belongs to another user: run this as the same user`,
    );
  }
  return new Failure(`Process ${pid} cannot be signalled: ${error}`);
}

function checkKnowsSignal(pid: number): void {
  const path = programOf(pid);
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (!/^(?:node|nodejs|deno)$/.test(name)) {
    throw new Failure(
      `Process ${pid} runs ${name}: only Node and Deno can be looked into, and the signal for that could end another program`,
    );
  }
  // Where the system tells who handles the signal, nothing of its is started.
  if (name !== "deno" || handlesSignal(pid) !== null) return;
  const version = denoVersion(path);
  for (const [index, least] of DENO_WITH_SIGNAL.entries()) {
    const part = version[index] ?? 0;
    if (part > least) return;
    if (part < least) {
      throw new Failure(
        `Process ${pid} runs Deno ${
          version.join(".")
        }, which the signal would end: Deno ${
          DENO_WITH_SIGNAL.join(".")
        } or later can be looked into; start it with --inspect and name HOST:PORT`,
      );
    }
  }
}

/** The path of a process's program; its bare name where the system tells no more. */
function programOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, "");
  } catch {
    return execFileSync("ps", ["-o", "comm=", "-p", String(pid)], {
      encoding: "utf8",
    }).trim();
  }
}

function denoVersion(path: string): number[] {
  const text = execFileSync(path, ["--version"], { encoding: "utf8" });
  return (/^deno (\d+)\.(\d+)\.(\d+)/.exec(text) ?? []).slice(1).map(Number);
}

/** The ports at which a process listens; `null` if the system does not tell. */
export function portsOf(pid: number): number[] | null {
  const inodes = new Set<string>();
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      const [, inode] =
        /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`)) ?? [];
      if (inode !== undefined) inodes.add(inode);
    }
    const table = readFileSync(`/proc/${pid}/net/tcp`, "utf8");
    const ports: number[] = [];
    for (const line of table.split("\n").slice(1)) {
      const [, local = "", , state, , , , , , inode = ""] = line.trim()
        .split(/\s+/);
      if (state !== "0A" || !inodes.has(inode)) continue;
      ports.push(parseInt(local.split(":")[1] ?? "", 16));
    }
    return ports;
  } catch {
    // Only Linux has these files.
    return null;
  }
}

/** A file may be closed while they are listed. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
