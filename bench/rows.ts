/** Every row, in the order in which they run and are printed. To add one, write its file and list it here. */

import { callSoon } from "./rows/call_soon.ts";
import { debugOff } from "./rows/debug_off.ts";
import { gather } from "./rows/gather.ts";
import { queueBounded, queueUnbounded } from "./rows/queue.ts";
import { sleeping } from "./rows/sleeping.ts";
import { startTask } from "./rows/start_task.ts";
import { switchHundred, switchOne } from "./rows/switch.ts";
import { timer } from "./rows/timer.ts";
import type { Row } from "./types.ts";

export const rows: readonly Row[] = [
  startTask,
  switchOne,
  switchHundred,
  queueUnbounded,
  queueBounded,
  gather(10_000),
  timer,
  callSoon,
  debugOff,
  sleeping(1_000_000),
];
