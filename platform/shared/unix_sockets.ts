/**
 * The files of Unix sockets. One is removed only by the server whose socket it
 * is, and only one that nobody listens at is in the way of a server.
 */
import { builtin } from "./builtin.ts";

/** Which file it is, whatever its name is by now. */
export interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
  /** The number of a file that is gone is soon given to another. */
  readonly born: bigint;
}

/** Which file is there; null if there is none, or none to look at. */
export function identityOf(path: string): FileIdentity | null {
  try {
    const { dev, ino, birthtimeNs: born } = builtin("node:fs").lstatSync(
      path,
      { bigint: true },
    );
    return { dev, ino, born };
  } catch {
    return null;
  }
}

function isSame(one: FileIdentity, other: FileIdentity | null): boolean {
  return one.dev === other?.dev && one.ino === other.ino &&
    one.born === other.born;
}

/**
 * Keeps a file at a path that is not that one: both hosts remove whatever is
 * there when a server is closed.
 *
 * @returns What to call once the host has done so.
 */
export function keepForeign(
  path: string,
  own: FileIdentity | null,
): () => void {
  const file = identityOf(path);
  if (file === null || isSame(file, own)) return () => {};
  const { linkSync, renameSync, unlinkSync } = builtin("node:fs");
  const aside = `${path}.${file.ino}`;
  try {
    linkSync(path, aside);
  } catch {
    // Of a folder no second name is made, and neither is it removed.
    return () => {};
  }
  return () => {
    if (identityOf(path) === null) renameSync(aside, path);
    else unlinkSync(aside);
  };
}

/** Removes the file at a path if it is that one. */
export function removeIfStill(path: string, file: FileIdentity | null): void {
  const now = identityOf(path);
  if (now === null || !isSame(now, file)) return;
  try {
    builtin("node:fs").unlinkSync(path);
  } catch {
    // Someone else removed it.
  }
}

/**
 * Removes the socket that a dead server left behind. One that somebody listens
 * at stays, as does what is no socket: the system refuses to bind there.
 */
export async function removeStaleSocket(path: string): Promise<void> {
  const file = identityOf(path);
  if (file === null || !isSocket(path)) return;
  // Of one that listens, the queue may be full.
  if (await knock(path) === "ECONNREFUSED") removeIfStill(path, file);
}

function isSocket(path: string): boolean {
  try {
    return builtin("node:fs").lstatSync(path).isSocket();
  } catch {
    // It has gone in the meantime.
    return false;
  }
}

/** Connects and closes again; why that failed, if it did. */
function knock(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = builtin("node:net").connect({ path });
    socket.on("error", (error: Error & { code?: string }) => {
      resolve(error.code);
    });
    socket.on("connect", () => {
      socket.destroy();
      resolve(undefined);
    });
  });
}
