/** What the tests of child processes share. */
import nodeProcess from "node:process";
import { PIPE, type SubprocessOptions } from "@asyncio/asyncio/subprocess";

export const OUT: SubprocessOptions = { stdout: PIPE };
export const IN_AND_OUT: SubprocessOptions = { stdin: PIPE, stdout: PIPE };

const decoder = new TextDecoder();

export function textOf(bytes: Uint8Array | null): string {
  return bytes === null ? "" : decoder.decode(bytes);
}

/** Bytes of which no two neighbours are the same for long. */
export function bytesOf(count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let i = 0; i < count; i++) bytes[i] = i % 251;
  return bytes;
}

/** Whether there is a process of that number; a zombie is one, too. */
export function isAlive(pid: number): boolean {
  try {
    nodeProcess.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** The children of this process that run, by number; a zombie is one, too. */
export async function children(): Promise<number[]> {
  const { promises } = nodeProcess.getBuiltinModule("node:fs");
  const path = `/proc/${nodeProcess.pid}/task/${nodeProcess.pid}/children`;
  const text = await promises.readFile(path, "utf8");
  return text.split(" ").filter((each) => each !== "").map(Number);
}

/**
 * Whether it has ended; whoever adopted it may not have asked for its end. The
 * first of its threads is a zombie while others still hold its files open.
 */
function hasEnded(pid: number): boolean {
  const { readdirSync, readFileSync } = nodeProcess.getBuiltinModule("node:fs");
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8")) &&
      readdirSync(`/proc/${pid}/task`).length === 1;
  } catch {
    return !isAlive(pid);
  }
}

/** Waits until such a process has ended, for a minute at most. */
export async function hasGone(pid: number): Promise<boolean> {
  for (let round = 0; round < 6000 && !hasEnded(pid); round++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return hasEnded(pid);
}
