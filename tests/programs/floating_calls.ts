// Cancels tasks and scopes in which async functions were called without await.
import {
  cancelSignal,
  createTask,
  ensureFuture,
  gather,
  moveOnAfter,
  run,
  sleep,
  taskGroup,
  timeout,
} from "@asyncio/asyncio";

let calls = 0;

async function floating(): Promise<void> {
  calls++;
  await sleep(60_000);
}

async function floatingUntilSignal(): Promise<void> {
  calls++;
  const signal = cancelSignal();
  await new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason));
  });
}

async function floatingOnFuture(): Promise<void> {
  calls++;
  await ensureFuture(new Promise(() => {}));
}

async function floatingOnTasks(): Promise<void> {
  calls++;
  await gather([() => sleep(60_000), () => sleep(60_000)]);
}

await run(async () => {
  const task = createTask(async () => {
    floating();
    floating();
    floatingUntilSignal();
    floatingOnFuture();
    floatingOnTasks();
    await sleep(60_000);
  });
  await sleep(0);
  task.cancel();
  await task.catch(() => {});

  const late = createTask(() => {
    late.cancel();
    floating();
  });
  await late.catch(() => {});

  await moveOnAfter(50, async () => {
    floating();
    await sleep(60_000);
  });
  await timeout(50, async () => {
    floating();
    floatingUntilSignal();
    await sleep(60_000);
  }).catch(() => {});

  await taskGroup(async (group) => {
    group.createTask(() => group.cancel());
    floating();
    await sleep(60_000);
  });
  await sleep(2);
});

await new Promise((resolve) => setTimeout(resolve, 5));
console.log(`${calls} floating calls, still alive`);
