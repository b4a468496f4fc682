/**
 * Python's asyncio, rethought for JavaScript: cancellation, structured
 * concurrency, an event loop that can be stopped and simulated, queues and
 * locks that lose nothing, for native `async` functions.
 *
 * ```ts
 * import { run, sleep, taskGroup } from "@asyncio/asyncio";
 *
 * await run(async () => {
 *   await taskGroup((group) => {
 *     group.createTask(() => sleep(10));
 *     group.createTask(() => sleep(20));
 *   });
 *   console.log("both done");
 * });
 * ```
 *
 * @module
 */

export {
  BrokenBarrierError,
  CancelledError,
  type CancelledErrorOptions,
  ExceptionGroup,
  InternalError,
  InvalidStateError,
  isCancelledError,
  KeyboardInterrupt,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  SystemExit,
  TimeoutError,
} from "./errors.ts";
export {
  type Alarm,
  type AlarmTarget,
  allTasks,
  type Awaitable,
  type AwaitedResult,
  type Clock,
  Context,
  ContextVar,
  type ContextVarOptions,
  copyContext,
  currentTask,
  EventLoop,
  type EventLoopOptions,
  type ExceptionContext,
  type ExceptionHandler,
  type Executor,
  Future,
  getEventLoop,
  getRunningLoop,
  Handle,
  type Instrument,
  isFuture,
  newEventLoop,
  setEventLoop,
  type SignalName,
  type StepInfo,
  Task,
  type TaskFactory,
  type TaskFunction,
  type TaskOptions,
  TimerHandle,
  Token,
  type WaitInfo,
} from "./loop/mod.ts";
export {
  LifoQueue,
  PriorityQueue,
  type PriorityQueueOptions,
  Queue,
  type QueueOptions,
  type QueueStatistics,
  type ShutdownOptions,
} from "./queue/mod.ts";
export {
  Barrier,
  type BarrierStatistics,
  BoundedSemaphore,
  Condition,
  type ConditionStatistics,
  Event,
  type EventStatistics,
  type Hold,
  Lock,
  type LockStatistics,
  Semaphore,
  type SemaphoreStatistics,
} from "./sync/mod.ts";
export {
  type AsCompleted,
  asCompleted,
  type AsCompletedOptions,
  cancelSignal,
  checkCancelled,
  checkpoint,
  createTask,
  type CreateTaskOptions,
  type DoneFuture,
  ensureFuture,
  gather,
  type Gathered,
  type GatherOptions,
  moveOnAfter,
  type ReturnWhen,
  run,
  Runner,
  type RunnerOptions,
  type RunnerRunOptions,
  type RunOptions,
  shield,
  shielded,
  type ShieldedOptions,
  sleep,
  TaskGroup,
  taskGroup,
  type TaskGroupOptions,
  Timeout,
  timeout,
  timeoutAt,
  wait,
  waitFor,
  type WaitOptions,
  type WaitResult,
} from "./tasks/mod.ts";
export {
  runVirtual,
  type RunVirtualOptions,
  VirtualClock,
  type VirtualClockOptions,
} from "./testing/mod.ts";
