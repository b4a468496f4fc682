/** What the tests of tasks share: virtual time, and a loop that must stay quiet. */
import {
  type EventLoopOptions,
  type ExceptionContext,
  getRunningLoop,
  newEventLoop,
  run,
  sleep,
  VirtualClock,
} from "@asyncio/asyncio";
import { assertEquals } from "@std/assert";

/**
 * A test body in virtual time. The test also fails on whatever is reported to
 * the loop's exception handler, up to and with its closing.
 */
export function virtual(
  body: () => PromiseLike<void> | void,
  options: EventLoopOptions = {},
): () => Promise<void> {
  return async () => {
    const reports: string[] = [];
    const loop = newEventLoop({ clock: new VirtualClock(), ...options });
    // On a busy machine any step may be slow, which debug mode would report.
    loop.slowCallbackDuration = Infinity;
    loop.setExceptionHandler((context) => {
      reports.push(`${context.message}: ${context.error}`);
    });
    await run(body, { loop });
    assertEquals(reports, []);
  };
}

/** Takes over what is reported to the running loop, for tests that expect it. */
export function collectReports(): ExceptionContext[] {
  const reports: ExceptionContext[] = [];
  getRunningLoop().setExceptionHandler((context) => {
    reports.push(context);
  });
  return reports;
}

/** Lets the loop have some iterations, so that whatever is ready goes on. */
export async function turns(count: number): Promise<void> {
  while (count-- > 0) await sleep(0);
}

/** The time of the running loop. */
export function now(): number {
  return getRunningLoop().time();
}

/**
 * An operation of the platform, such as `fetch`: not one of ours, and stopped
 * through a signal only.
 */
export function foreignOperation(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), {
      once: true,
    });
  });
}

/** One that, as `fetch` on Deno, ends a turn of the host after the abort. */
export function slowForeignOperation(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => {
      setImmediate(() => reject(signal.reason));
    }, { once: true });
  });
}

/** A signal that counts who listens to it. */
export function countingSignal(): {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
  listeners(): number;
} {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: unknown[]) => {
    listeners++;
    addEventListener.apply(signal, args as never);
  };
  signal.removeEventListener = (...args: unknown[]) => {
    listeners--;
    removeEventListener.apply(signal, args as never);
  };
  return {
    signal,
    abort: (reason) => controller.abort(reason),
    listeners: () => listeners,
  };
}

/** A promise and what settles it; Node 20 has no `Promise.withResolvers`. */
export function deferred<T>(): {
  readonly promise: Promise<T>;
  resolve(value: T): void;
} {
  let resolve!: (value: T) => void;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
