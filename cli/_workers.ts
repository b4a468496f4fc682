/**
 * The worker threads of a program, which Node and Deno let a debugger reach
 * through the session with the main thread.
 */
import { Session } from "./_session.ts";

/** A worker thread, and a session with it. */
export interface Worker {
  /** Its number: the first that was started is 1. */
  readonly id: string;
  /** For example `worker thread 2 (file:///app/worker.js)`. */
  readonly title: string;
  readonly session: Session;
}

interface AttachedToWorker {
  readonly sessionId: string;
  readonly workerInfo: { readonly workerId: string; readonly url: string };
}

interface ReceivedMessage {
  readonly sessionId: string;
  readonly message: string;
}

/** Deno tells of its threads a moment after it was asked, each by itself. */
const QUIET_MS = 200;
/** So long a thread that is asked for has for being told of. */
const NEEDED_MS = 3000;

/**
 * Opens a session with each worker thread. They end with that of the main thread.
 *
 * @param needed The number of a thread that is asked for; null for whichever.
 */
export async function openWorkers(
  main: Session,
  needed: string | null,
): Promise<Worker[]> {
  const workers = new Map<string, Worker>();
  main.on<AttachedToWorker>(
    "NodeWorker.attachedToWorker",
    ({ sessionId, workerInfo: { workerId, url } }) => {
      const session = new Session((message) =>
        main.tell("NodeWorker.sendMessageToWorker", { sessionId, message })
      );
      const title = `worker thread ${workerId} (${url})`;
      workers.set(sessionId, { id: workerId, title, session });
    },
  );
  main.on<ReceivedMessage>(
    "NodeWorker.receivedMessageFromWorker",
    ({ sessionId, message }) =>
      workers.get(sessionId)?.session.receive(message),
  );
  main.on<{ sessionId: string }>(
    "NodeWorker.detachedFromWorker",
    ({ sessionId }) => workers.get(sessionId)?.session.end(),
  );
  await main.call("NodeWorker.enable", { waitForDebuggerOnStart: false });
  // Node has told of all of them before that answer.
  if (await main.evaluate<boolean>(`"Deno" in globalThis`)) {
    await allTold(workers, needed);
  }
  return [...workers.values()];
}

async function allTold(
  workers: ReadonlyMap<string, Worker>,
  needed: string | null,
): Promise<void> {
  const end = Date.now() + NEEDED_MS;
  for (let known = -1; known < workers.size;) {
    known = workers.size;
    // deno-lint-ignore no-await-in-loop -- looks until there are no more
    await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
    const isThere = needed === null ||
      [...workers.values()].some(({ id }) => id === needed);
    if (!isThere && Date.now() < end) known = -1;
  }
}
