/**
 * The servers of a worker process; see `workers/`. It is ready when the first
 * one serves. When it is to stop, each accepts what waits to be and no more, the
 * connections are let come to their end, then the tasks are cancelled, and the
 * program ends.
 */
import { cancelEach } from "../loop/cancel_each.ts";
import { Completion, futureInternals } from "../loop/future.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import { leaveSignal, takeSignal } from "../loop/signals.ts";
import { allTasks } from "../loop/all_tasks.ts";
import { hostProcess } from "../platform/process.ts";
import { hostSupervisor } from "../platform/supervisor.ts";
import { hostTimers } from "../platform/timers.ts";

interface Member {
  readonly loop: EventLoop;
  readonly drain: () => Promise<void>;
}

const members = new Map<object, Member>();
let hasJoined = false;

/** A server serves. */
export function joinWorker(
  server: object,
  loop: EventLoop,
  drain: () => Promise<void>,
): void {
  const supervisor = hostSupervisor();
  if (supervisor === null) return;
  members.set(server, { loop, drain });
  // An operator's signal to this worker alone is as good as the supervisor's.
  if (members.size === 1) {
    takeSignal("SIGTERM", stop, { keepsAlive: false });
  }
  if (!hasJoined) {
    hasJoined = true;
    supervisor.onStop(stop);
  }
  supervisor.ready();
}

/** A server was closed: what becomes of the program is its own affair. */
export function leaveWorker(server: object): void {
  if (!members.delete(server) || members.size > 0 || isStopping) return;
  leaveSignal("SIGTERM", stop);
}

let isStopping = false;

function stop(): void {
  if (isStopping || members.size === 0) return;
  isStopping = true;
  const { graceMs } = hostSupervisor()!.seat;
  const servers = [...members.values()];
  let isOver = false;
  const end = () => {
    if (isOver) return;
    isOver = true;
    endTasks(new Set(servers.map(({ loop }) => loop)));
  };
  hostTimers.setBackgroundTimer(end, graceMs);
  Promise.all(servers.map(({ drain }) => drain())).then(end);
}

/** Cancels what is left, waits for it, and ends the program in the same step. */
function endTasks(loops: Iterable<EventLoop>): void {
  const tasks = [...loops].flatMap((loop) => [...allTasks(loop)]);
  let left = tasks.length;
  if (left === 0) hostProcess.exit(0);
  for (const task of tasks) {
    new Completion(task, () => {
      if (futureInternals.state(task) === "failed") {
        futureInternals.kernel(task).report({
          message: "Unhandled exception during the shutdown of a worker",
          error: futureInternals.value(task),
          task,
        });
      }
      if (--left === 0) hostProcess.exit(0);
    }, true);
  }
  cancelEach(tasks, "The worker is to stop");
}
