/** Attaches to a program by its process id, or to an inspector that is open. */
import {
  askToOpen,
  checkIsNotStopped,
  checkIsThere,
  checkProcess,
  DEFAULT_PORT,
  inspectPortOf,
  isComputing,
  portsOf,
} from "./_process.ts";
import { Failure } from "./_failure.ts";
import { Session } from "./_session.ts";

/** So long a program has for opening its inspector. */
const OPEN_MS = 10_000;
const LOOK_MS = 50;
/** So long an address has for listing what can be debugged there. */
const LIST_MS = 2000;

/** A session, and what to do at its end. */
export interface Attached {
  readonly session: Session;
  /** Closes the session, and the inspector if it was opened for this. */
  detach(): Promise<void>;
}

interface Listed {
  readonly webSocketDebuggerUrl?: string;
}

/** @param target A process id, or `HOST:PORT` of an open inspector. */
export async function attach(target: string): Promise<Attached> {
  if (typeof WebSocket === "undefined") {
    throw new Failure(
      "This needs a runtime with WebSocket: Node 22 or later, or Deno; the program that is looked into may be older",
    );
  }
  return /^\d+$/.test(target)
    ? await attachToProcess(Number(target))
    : await attachToAddress(target);
}

async function attachToProcess(pid: number): Promise<Attached> {
  checkProcess(pid);
  const before = portsOf(pid);
  // An inspector that is open already stays open.
  const likely = [DEFAULT_PORT, inspectPortOf(pid) ?? DEFAULT_PORT];
  const open = await findInspector(
    pid,
    before?.filter((port) => likely.includes(port)) ?? [DEFAULT_PORT],
  );
  if (open !== null) return { session: open, detach: closer(open) };
  await askToOpen(pid);
  const end = Date.now() + OPEN_MS;
  while (Date.now() < end) {
    checkIsThere(pid);
    checkIsNotStopped(pid);
    // The servers of the program itself are not asked.
    const opened = portsOf(pid)?.filter((port) => !before?.includes(port)) ??
      [DEFAULT_PORT];
    // deno-lint-ignore no-await-in-loop -- looks until it is there
    const session = await findInspector(pid, opened);
    if (session !== null) {
      return {
        session,
        async detach() {
          await closeInspector(session);
          session.close();
        },
      };
    }
    // deno-lint-ignore no-await-in-loop -- looks until it is there
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  if (isComputing(pid) === true) {
    throw new Failure(
      `Process ${pid} has not opened its inspector, and computes: something holds its loop, and Deno opens it in a turn of the loop only; it then opens later, and stays open; started with --inspect, \`blocked\` tells what holds it`,
    );
  }
  throw new Failure(
    `Process ${pid} has not opened its inspector: port ${DEFAULT_PORT} may be taken by another program, the program may handle SIGUSR1 itself, or have an inspector at another port, which is to be named as HOST:PORT`,
  );
}

async function attachToAddress(address: string): Promise<Attached> {
  const url = await debuggerAt(address);
  if (url === null) {
    throw new Failure(
      `There is no inspector at ${address}: it has to be that of \`--inspect\`; that of startInspector() is named by its URL`,
    );
  }
  const session = await Session.open(url);
  return { session, detach: closer(session) };
}

function closer(session: Session): () => Promise<void> {
  return () => Promise.resolve(session.close());
}

/** The session with the inspector of a process, if one of the ports is that. */
async function findInspector(
  pid: number,
  ports: readonly number[],
): Promise<Session | null> {
  for (const port of ports) {
    // deno-lint-ignore no-await-in-loop -- one after the other
    const url = await debuggerAt(`127.0.0.1:${port}`);
    if (url === null) continue;
    // deno-lint-ignore no-await-in-loop -- one after the other
    const session = await Session.open(url);
    // deno-lint-ignore no-await-in-loop -- one after the other
    if (await isOf(session, pid)) return session;
    session.close();
  }
  return null;
}

/** Whether a session is with a process; one that is held up does not say. */
async function isOf(session: Session, pid: number): Promise<boolean> {
  try {
    return await session.evaluate<number>("process.pid", LIST_MS) === pid;
  } catch {
    // Where the system tells, the ports are those of the process.
    return portsOf(pid) !== null;
  }
}

async function debuggerAt(address: string): Promise<string | null> {
  try {
    const response = await fetch(`http://${address}/json/list`, {
      signal: AbortSignal.timeout(LIST_MS),
    });
    const [first] = await response.json() as Listed[];
    return first?.webSocketDebuggerUrl ?? null;
  } catch {
    // Another server of the program, or nothing at all.
    return null;
  }
}

/** Evaluated in the program; it ends the session, too. */
const CLOSE = `process.getBuiltinModule("node:inspector").close()`;

async function closeInspector(session: Session): Promise<void> {
  try {
    await session.evaluate(CLOSE, LIST_MS);
  } catch {
    // The session has ended with the inspector, or the program has.
  }
}
