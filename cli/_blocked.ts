/** What holds the loop of a program that does not answer. */
import { type Session, Silence } from "./_session.ts";

/** Who answers within this is not held. */
const FREE_MS = 1000;
/** Code that runs is interrupted at its next call or turn of a loop. */
const PAUSE_MS = 5000;

/** A line of the stack of code that holds the loop, the innermost first. */
export interface Frame {
  readonly function: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

interface Script {
  readonly scriptId: string;
  readonly url: string;
}

interface Paused {
  readonly callFrames: readonly {
    readonly functionName: string;
    readonly url: string;
    readonly location: {
      readonly scriptId: string;
      readonly lineNumber: number;
      readonly columnNumber?: number;
    };
  }[];
}

/** The stack of what holds the loop; `null` if nothing does. */
export async function whatHolds(
  session: Pick<Session, "call" | "on">,
  pauseMs: number = PAUSE_MS,
): Promise<Frame[] | null> {
  try {
    // An expression alone is evaluated in the middle of code that runs.
    await session.call("Runtime.evaluate", {
      expression: "new Promise((resolve) => setTimeout(resolve, 0))",
      awaitPromise: true,
    }, FREE_MS);
    return null;
  } catch (error) {
    if (!(error instanceof Silence)) throw error;
  }
  // Frames of code that ran before the inspector was there have no URL.
  const urls = new Map<string, string>();
  session.on<Script>(
    "Debugger.scriptParsed",
    ({ scriptId, url }) => urls.set(scriptId, url),
  );
  const paused = new Promise<Paused>((resolve) =>
    session.on<Paused>("Debugger.paused", resolve)
  );
  const enabled = session.call("Debugger.enable", {}, pauseMs);
  const asked = session.call("Debugger.pause", {}, pauseMs);
  await Promise.all([enabled, asked]);
  const stopped = await within(pauseMs, paused);
  if (stopped === null) {
    // It let go meanwhile. Whatever runs next is not to be stopped for that.
    await session.call("Debugger.disable");
    return null;
  }
  const { callFrames } = stopped;
  await session.call("Debugger.resume");
  return callFrames.map(({ functionName, url, location }) => ({
    function: functionName === "" ? "(anonymous)" : functionName,
    file: url || (urls.get(location.scriptId) ?? "unknown"),
    line: location.lineNumber + 1,
    column: (location.columnNumber ?? 0) + 1,
  }));
}

function within<T>(ms: number, promise: Promise<T>): Promise<T | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), ms);
    promise.then((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
