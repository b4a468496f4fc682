// Works on a durable queue, or puts into one, until it is killed or told to end.
import { run, taskGroup, workerInfo } from "@asyncio/asyncio";
import { openSqliteQueue } from "@asyncio/asyncio/durable";
import {
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import process from "node:process";

const [, , path = "", what] = process.argv;
/** Where a pipe does not block, whoever reads it may be behind. */
function say(text: string): void {
  const bytes = new TextEncoder().encode(`${text}\n`);
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(1, bytes.subarray(done));
    } catch (error) {
      if ((error as { code?: string }).code !== "EAGAIN") throw error;
    }
  }
}

/** How many tasks of a process work. */
const TASKS = 8;

const held = `${path}-held`;

/** Says whose it is; linked, so that a job is held at once or not at all. */
const own = `${held}/process ${process.pid}`;

/** Takes a job as its own; says so if another process that lives has it too. */
function hold(item: number): void {
  const file = `${held}/${item}`;
  try {
    linkSync(own, file);
  } catch {
    const holder = Number(readFileSync(file, "utf8"));
    if (lives(holder)) say(`double ${item}`);
    // The holder was killed.
    rmSync(file);
    linkSync(own, file);
  }
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

await run(async () => {
  const queue = await openSqliteQueue<number>(path, {
    leaseMs: 1_500,
    maxDeliveries: 1000,
    synchronous: "normal",
  });
  if (what === "put") {
    for (let i = 0;; i++) {
      await queue.put(i);
      say(`put ${i}`);
    }
  }
  mkdirSync(held, { recursive: true });
  writeFileSync(own, `${process.pid}`);
  const info = workerInfo();
  info?.stopping.addEventListener("abort", () => queue.shutdown());
  info?.ready();
  const work = async () => {
    for await (const item of queue) {
      if (item < 0) {
        // For all tasks of this process; and this one counts as done.
        await queue.taskDone();
        queue.shutdown();
        return;
      }
      hold(item);
      unlinkSync(`${held}/${item}`);
      say(`did ${item}`);
    }
  };
  await taskGroup((group) => {
    for (let i = 0; i < TASKS; i++) group.createTask(work);
  });
  await queue.close();
});
