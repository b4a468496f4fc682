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
 * All names are here, and in smaller modules by what they are about:
 *
 * | module | holds |
 * | ------ | ----- |
 * | `@asyncio/asyncio/tasks` | {@linkcode run}, {@linkcode createTask}, {@linkcode sleep}, {@linkcode timeout}, {@linkcode taskGroup}, {@linkcode gather}: where to begin |
 * | `@asyncio/asyncio/queue` | {@linkcode Queue}, {@linkcode PriorityQueue}, {@linkcode LifoQueue}, {@linkcode openChannel}, {@linkcode Broadcast} |
 * | `@asyncio/asyncio/sync` | {@linkcode Lock}, {@linkcode Event}, {@linkcode AsyncValue}, {@linkcode Condition}, {@linkcode Semaphore}, {@linkcode Barrier} |
 * | `@asyncio/asyncio/streams` | {@linkcode openConnection}, {@linkcode startServer}, {@linkcode StreamReader}, {@linkcode StreamWriter}; transports and protocols |
 * | `@asyncio/asyncio/subprocess` | {@linkcode createSubprocessExec}, {@linkcode createSubprocessShell}, {@linkcode Process} |
 * | `@asyncio/asyncio/threads` | {@linkcode toThread}, {@linkcode WorkerPoolExecutor} |
 * | `@asyncio/asyncio/workers` | {@linkcode prefork}, {@linkcode workerInfo} |
 * | `@asyncio/asyncio/loop` | {@linkcode EventLoop}, {@linkcode Task}, {@linkcode Future}, {@linkcode ContextVar} |
 * | `@asyncio/asyncio/errors` | {@linkcode CancelledError}, {@linkcode TimeoutError}, and every other error to catch |
 * | `@asyncio/asyncio/debug` | {@linkcode printCallGraph}, {@linkcode captureCallGraph}, {@linkcode startInspector} |
 * | `@asyncio/asyncio/testing` | {@linkcode runVirtual}, {@linkcode VirtualClock}, {@linkcode exploreSchedules}, {@linkcode memoryStreamPair} |
 *
 * Time is in milliseconds everywhere. What may be cancelled or timed out is
 * given as a function, `() => work()`, as a promise has started already.
 *
 * @module
 */

export {
  type CallGraphOptions,
  captureCallGraph,
  formatCallGraph,
  type FutureCallGraph,
  Inspector,
  type InspectorOptions,
  printCallGraph,
  startInspector,
} from "./debug/mod.ts";
export {
  BrokenBarrierError,
  BrokenPipeError,
  BrokenResourceError,
  BrokenWorkerError,
  type BrokenWorkerErrorOptions,
  CancelledError,
  type CancelledErrorOptions,
  ClosedResourceError,
  ConnectionAbortedError,
  ConnectionError,
  ConnectionRefusedError,
  ConnectionResetError,
  EndOfChannel,
  ExceptionGroup,
  FileExistsError,
  FileNotFoundError,
  IncompleteReadError,
  InternalError,
  InvalidStateError,
  isCancelledError,
  KeyboardInterrupt,
  LimitOverrunError,
  OSError,
  type OSErrorOptions,
  PermissionError,
  ProcessLookupError,
  QueueEmpty,
  QueueFull,
  QueueShutDown,
  ScheduleError,
  type ScheduleErrorOptions,
  SSLError,
  SystemExit,
  TimeoutError,
  WorkerError,
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
  type DoneCallbackOptions,
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
  Broadcast,
  type BroadcastOptions,
  type BroadcastOverflow,
  type BroadcastStatistics,
  type ChannelStatistics,
  type Comparable,
  LifoQueue,
  openChannel,
  PriorityQueue,
  type PriorityQueueOptions,
  type PriorityQueueOverflow,
  Queue,
  type QueueOptions,
  type QueueOverflow,
  type QueueStatistics,
  ReceiveChannel,
  SendChannel,
  type ShutdownOptions,
  Subscription,
} from "./queue/mod.ts";
export {
  type Address,
  type AddressInfo,
  type AddressInfoOptions,
  BaseProtocol,
  BufferedProtocol,
  type ConnectionHandler,
  type ConnectOptions,
  createConnection,
  createDatagramEndpoint,
  createServer,
  type Datagram,
  type DatagramAddress,
  type DatagramOptions,
  DatagramProtocol,
  DatagramStream,
  DatagramTransport,
  type FileSource,
  getaddrinfo,
  getnameinfo,
  type LocalAddress,
  type NameInfoOptions,
  type NetAddress,
  openConnection,
  type OpenConnectionOptions,
  openDatagram,
  type PeerCertificate,
  Protocol,
  sendfile,
  type SendfileOptions,
  type ServeOptions,
  Server,
  type ServerSocket,
  startServer,
  type StartServerOptions,
  startTls,
  type StartTlsOptions,
  type StreamingProtocol,
  StreamReader,
  type StreamReaderFromOptions,
  type StreamReaderOptions,
  type StreamReaderStatistics,
  StreamWriter,
  type TlsOptions,
  Transport,
  type UnixAddress,
  type WriteBufferLimits,
} from "./streams/mod.ts";
export {
  createSubprocessExec,
  createSubprocessShell,
  DEVNULL,
  PIPE,
  type PipedStream,
  Process,
  type ProcessOf,
  type SpawnOptions,
  type Stdio,
  STDOUT,
  type StopOptions,
  subprocessExec,
  type SubprocessOptions,
  SubprocessProtocol,
  subprocessShell,
  SubprocessTransport,
} from "./subprocess/mod.ts";
export {
  AsyncValue,
  type AsyncValueStatistics,
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
  type GatheredOrErrors,
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
  exploreSchedules,
  type ExploreSchedulesOptions,
  type MemoryStream,
  type MemoryStreamOptions,
  memoryStreamPair,
  runVirtual,
  type RunVirtualOptions,
  VirtualClock,
  type VirtualClockOptions,
} from "./testing/mod.ts";
export {
  type ExecutorShutdownOptions,
  type Promised,
  runCoroutineThreadsafe,
  toThread,
  transfer,
  WorkerPoolExecutor,
  type WorkerPoolExecutorOptions,
  type WorkerPoolExecutorStatistics,
  type WorkerResourceLimits,
} from "./threads/mod.ts";
export {
  prefork,
  type PreforkOptions,
  Supervisor,
  type WorkerInfo,
  workerInfo,
  type WorkerLogLine,
  type WorkerState,
  type WorkerStatus,
} from "./workers/mod.ts";
