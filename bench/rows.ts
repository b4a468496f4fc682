/** Every row, in the order in which they run and are printed. To add one, write its file and list it here. */

import { callSoon } from "./rows/call_soon.ts";
import { debugOff } from "./rows/debug_off.ts";
import { gather } from "./rows/gather.ts";
import { queueBounded, queueUnbounded } from "./rows/queue.ts";
import { sleeping } from "./rows/sleeping.ts";
import { startTask } from "./rows/start_task.ts";
import { readFrames, readLines } from "./rows/stream_reading.ts";
import {
  processLines,
  processPipe,
  startFifty,
  startProcess,
} from "./rows/subprocess.ts";
import { switchHundred, switchOne } from "./rows/switch.ts";
import { timer } from "./rows/timer.ts";
import type { Row } from "./types.ts";

export const rows: readonly Row[] = [
  startTask,
  switchOne,
  switchHundred,
  queueUnbounded,
  queueBounded,
  readLines,
  readFrames,
  gather(10_000),
  timer,
  callSoon,
  startProcess,
  startFifty,
  processPipe,
  processLines,
  debugOff,
  sleeping(1_000_000),
];
