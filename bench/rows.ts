/** Every row, in the order in which they run and are printed. To add one, write its file and list it here. */

import { barrier } from "./rows/barrier.ts";
import { callSoon } from "./rows/call_soon.ts";
import { cancelTask } from "./rows/cancel_task.ts";
import { broadcast, channel, channelHanded } from "./rows/channel.ts";
import { condition } from "./rows/condition.ts";
import { contextGet, contextSet, contextTask } from "./rows/context.ts";
import { debugOff } from "./rows/debug_off.ts";
import { echoes } from "./rows/echo.ts";
import { explore } from "./rows/explore.ts";
import {
  durableBatch,
  durableFull,
  durableLatency,
  durableMemory,
  durableOne,
} from "./rows/durable.ts";
import { gather } from "./rows/gather.ts";
import { groupLimit } from "./rows/group_limit.ts";
import { httpProtocol, httpStreams } from "./rows/http.ts";
import { idleConnections } from "./rows/idle_connections.ts";
import { jetStreamJob, jetStreamPut } from "./rows/jetstream.ts";
import { exactly1m } from "./rows/large_message.ts";
import {
  lockContended,
  lockFree,
  semaphoreContended,
  semaphoreFree,
} from "./rows/lock.ts";
import { pingBesideBulk } from "./rows/ping_beside_bulk.ts";
import { pooledMap, pooledMapIterable } from "./rows/pooled_map.ts";
import {
  jobs,
  queueBounded,
  queueMany,
  queuePriority,
  queueUnbounded,
} from "./rows/queue.ts";
import { raceTwo, select } from "./rows/race.ts";
import { raceMany } from "./rows/race_many.ts";
import { retrySuccess } from "./rows/retry.ts";
import { shield } from "./rows/shield.ts";
import { simulation } from "./rows/simulation.ts";
import { sleeping } from "./rows/sleeping.ts";
import { smallWrites } from "./rows/small_writes.ts";
import { socketFrames, socketLines } from "./rows/socket_reading.ts";
import { awaitDone, startEager, startTask } from "./rows/start_task.ts";
import { packageSize, startUp } from "./rows/start_up.ts";
import { readFrames, readLines } from "./rows/stream_reading.ts";
import {
  processLines,
  processPipe,
  startFifty,
  startProcess,
} from "./rows/subprocess.ts";
import { switchHundred, switchOne } from "./rows/switch.ts";
import { taskGroup } from "./rows/task_group.ts";
import {
  threadBytes,
  threadCall,
  threadCores,
  threadTen,
} from "./rows/thread.ts";
import { timeoutUnfired } from "./rows/timeout.ts";
import { timeline } from "./rows/timeline.ts";
import { timer } from "./rows/timer.ts";
import { timers } from "./rows/timers.ts";
import { tls } from "./rows/tls.ts";
import { waitFirst } from "./rows/wait_first.ts";
import { eventBroadcast, lockWaiters } from "./rows/waiters.ts";
import { echoWorkers, workWorkers } from "./rows/workers.ts";
import type { Row } from "./types.ts";

/** The sizes at which it is shown how cost grows; see growth.ts. */
const GROWTH = [1000, 10_000, 100_000, 1_000_000];

export const rows: readonly Row[] = [
  startTask,
  startEager,
  awaitDone,
  switchOne,
  switchHundred,
  waitFirst,
  raceTwo,
  select,
  timeoutUnfired,
  cancelTask,
  taskGroup,
  shield,
  lockFree,
  lockContended,
  semaphoreFree,
  semaphoreContended,
  condition,
  barrier,
  queueUnbounded,
  queueBounded,
  queueMany,
  queuePriority,
  channel,
  channelHanded,
  broadcast,
  jobs,
  durableOne,
  durableFull,
  durableBatch,
  durableLatency,
  durableMemory,
  jetStreamPut,
  jetStreamJob,
  pooledMap,
  pooledMapIterable,
  retrySuccess,
  timer,
  callSoon,
  contextGet,
  contextSet,
  contextTask,
  readLines,
  readFrames,
  ...echoes,
  exactly1m,
  pingBesideBulk,
  smallWrites,
  socketLines,
  socketFrames,
  httpStreams,
  httpProtocol,
  tls,
  ...idleConnections,
  startProcess,
  startFifty,
  processPipe,
  processLines,
  threadCall,
  threadTen,
  threadBytes,
  threadCores,
  echoWorkers,
  workWorkers,
  debugOff,
  explore,
  simulation,
  timeline,
  startUp,
  packageSize,
  gather(10),
  ...GROWTH.map(gather),
  ...GROWTH.filter((size) => size <= 100_000).map(raceMany),
  ...GROWTH.filter((size) => size <= 100_000).map(groupLimit),
  ...GROWTH.map(eventBroadcast),
  ...GROWTH.map(lockWaiters),
  ...GROWTH.map(timers),
  ...GROWTH.map(sleeping),
];
