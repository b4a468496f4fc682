/** Supervises two workers: says who they are whenever all have changed. */
import { argv } from "node:process";
import { createTask, prefork, run, sleep } from "@asyncio/asyncio";

const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf("."));

await run(async () => {
  const supervisor = await prefork({
    workers: 2,
    script: new URL(`./worker_server${EXTENSION}`, import.meta.url),
    args: [argv[2]!],
    onLog: ({ worker, stream, text }) => {
      if (stream === "stderr") console.log(`${worker} ${text}`);
    },
  });
  let said: readonly (number | null)[] = [];
  const say = async () => {
    for (;; await sleep(20)) {
      const { workers } = supervisor;
      const pids = workers.map(({ pid }) => pid);
      if (workers.some(({ state }) => state !== "ready")) continue;
      if (pids.some((pid) => said.includes(pid))) continue;
      console.log(`pids ${pids.join(" ")}`);
      said = pids;
    }
  };
  createTask(say);
  await supervisor.wait();
  console.log("stopped");
});
