import { nanosecondsEach } from "../memory.ts";
import { check, limits } from "../sides.ts";
import { atLeast } from "../targets.ts";
import type { MeasuredRow, Metric } from "../types.ts";

const metrics: readonly Metric[] = ["schedule", "fire", "cancel"].map((
  name,
) => ({ name, unit: "ns", targets: atLeast({ uvloop: 1 }) }));

/**
 * When the timers are due: over ten milliseconds and in no order, so that a heap has to work, and late enough for all of
 * them to be scheduled before the first is due.
 */
function plan(size: number, now: number): { times: number[]; last: number } {
  const first = now + 20 + size / 250;
  return {
    times: Array.from(
      { length: size },
      (_, i) => first + (i * 7919) % 1000 / 100,
    ),
    last: first + 10,
  };
}

/** Nothing else happens until the time has come: what is measured is the firing, not the wait. */
function spinUntil(time: number, now: () => number): void {
  while (now() < time);
}

/** `size` timers at once: scheduling them, firing them when they are all due, and cancelling as many. */
export function timers(size: number): MeasuredRow {
  return {
    kind: "measured",
    id: `timers_${size}`,
    title: `${size.toLocaleString("en")} timers at once, each`,
    size,
    ...limits(size),
    python: true,
    metrics,
    notes: {
      bare: "setTimeout, clearTimeout",
      effection: "left out: it has no timers",
      effect: "left out: it has no timers",
    },
    peers: {
      async ours() {
        const { getRunningLoop, run } = await import("@asyncio/asyncio");
        return (size) =>
          run(async () => {
            const loop = getRunningLoop();
            const done = loop.createFuture<void>();
            let fired = 0;
            const callback = () => {
              if (++fired === size) done.setResult(undefined);
            };
            const { times, last } = plan(size, loop.time());
            let start = performance.now();
            for (const time of times) loop.callAt(time, callback);
            const schedule = nanosecondsEach(start, size);
            spinUntil(last, () => loop.time());
            start = performance.now();
            await done;
            const fire = nanosecondsEach(start, size);
            check(fired, size);
            const handles = times.map((time) =>
              loop.callAt(time + 3_600_000, callback)
            );
            start = performance.now();
            for (const handle of handles) handle.cancel();
            return { schedule, fire, cancel: nanosecondsEach(start, size) };
          });
      },
      bare: () =>
        Promise.resolve(async (size) => {
          let fired = 0;
          let resolve = () => {};
          const done = new Promise<void>((settle) => {
            resolve = settle;
          });
          const callback = () => {
            if (++fired === size) resolve();
          };
          const now = performance.now();
          const { times, last } = plan(size, now);
          let start = performance.now();
          for (const time of times) setTimeout(callback, time - now);
          const schedule = nanosecondsEach(start, size);
          // A host timer counts from when it was set.
          spinUntil(last + performance.now() - now, () => performance.now());
          start = performance.now();
          await done;
          const fire = nanosecondsEach(start, size);
          check(fired, size);
          const handles = times.map(() => setTimeout(callback, 3_600_000));
          start = performance.now();
          for (const handle of handles) clearTimeout(handle);
          return { schedule, fire, cancel: nanosecondsEach(start, size) };
        }),
    },
  };
}
