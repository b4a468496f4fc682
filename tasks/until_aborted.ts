import { cancelOn } from "./cancel_on.ts";

/**
 * The `signal` of a call that waits for one thing: aborted, it ends the wait as a
 * cancellation of the task would, and its reason is thrown; aborted before, `wait`
 * is not called. What has come when it is aborted is given all the same, as
 * nobody else would get it.
 */
export function untilAborted<T>(
  signal: AbortSignal | undefined,
  wait: () => Promise<T>,
): Promise<T> {
  if (signal === undefined) return wait();
  if (signal.aborted) return Promise.reject(signal.reason);
  return keepWhatCame(signal, wait);
}

async function keepWhatCame<T>(
  signal: AbortSignal,
  wait: () => Promise<T>,
): Promise<T> {
  let came: { readonly value: T } | null = null as { readonly value: T } | null;
  try {
    return await cancelOn(signal, async () => {
      came = { value: await wait() };
      return came.value;
    });
  } catch (error) {
    if (came !== null) return came.value;
    throw error;
  }
}
