/** A module that the tests of threads call in workers. */
import {
  cancelSignal,
  checkCancelled,
  ContextVar,
  currentTask,
  QueueEmpty,
  runCoroutineThreadsafe,
  sleep,
  transfer,
} from "@asyncio/asyncio";

export const user: ContextVar<string> = new ContextVar<string>("user", {
  defaultValue: "nobody",
});
export const attachment: ContextVar<unknown> = new ContextVar<unknown>(
  "attachment",
);

/** A value, not a function. */
export const version = 3;

let calls = 0;

export function count(): number {
  return ++calls;
}

export function double(n: number): number {
  return 2 * n;
}

export function nameOfUser(): string {
  return user.get();
}

export async function nameOfUserLater(): Promise<string> {
  await sleep(1);
  return user.get();
}

export function hasAttachment(): boolean {
  return attachment.get(null) !== null;
}

export function changeUser(): string {
  user.set("someone else");
  return user.get();
}

export function nameOfTask(): string | undefined {
  return currentTask()?.name;
}

export function fail(): never {
  throw new QueueEmpty("Nothing there");
}

export function zeros(size: number): Uint8Array {
  return transfer(new Uint8Array(size));
}

/** Says that it runs, and goes on until it is cancelled. */
export function spin(state: Int32Array): void {
  Atomics.store(state, 0, 1);
  try {
    for (;;) checkCancelled();
  } finally {
    // The cancellation was delivered, so this does not throw.
    checkCancelled();
    Atomics.store(state, 0, 2);
  }
}

export function spinOnSignal(state: Int32Array): void {
  Atomics.store(state, 0, 1);
  while (!cancelSignal().aborted);
  Atomics.store(state, 0, 2);
}

/** The same with a wait; tells the reason of the cancellation. */
export async function nap(state: Int32Array): Promise<void> {
  Atomics.store(state, 0, 1);
  try {
    await sleep(60_000);
  } catch (error) {
    await runCoroutineThreadsafe("say", (error as Error).message);
    throw error;
  } finally {
    await sleep(1);
    Atomics.store(state, 0, 2);
  }
}

export async function callAndCancel(): Promise<string> {
  const call = runCoroutineThreadsafe("forever");
  await runCoroutineThreadsafe("begun");
  call.cancel("enough");
  try {
    await call;
    return "not cancelled";
  } catch (error) {
    return (error as Error).name;
  }
}
