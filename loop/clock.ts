import { LONGEST_HOST_TIMER_MS } from "../_internal/constants.ts";
import { hostTimers } from "../platform/timers.ts";

/** A pending call of a {@linkcode Clock}. */
export interface Alarm {
  /** Calls it off. */
  cancel(): void;
}

/** Whom a {@linkcode Clock} wakes: an event loop. */
export interface AlarmTarget {
  /** Called once the time has come; earlier is harmless. */
  ring(): void;
  /** Whether nothing is ready to run, so that time may jump. */
  isIdle(): boolean;
}

/**
 * Where an event loop's time comes from. The default is the host's monotonic
 * clock; a `VirtualClock` makes time a variable of the test.
 */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Rings `target` when `when` has come, in milliseconds of `now()`. */
  setAlarm(when: number, target: AlarmTarget): Alarm;
}

/**
 * The host's monotonic clock. A span longer than a host timer can hold rings
 * early; the loop then sees that nothing is due and asks again.
 */
export const systemClock: Clock = {
  now: hostTimers.now,
  setAlarm(when, target) {
    const left = when - hostTimers.now();
    if (left <= 0) return ringNow(target);
    // Rounded up: a host timer that fires a fraction early would only have to
    // be armed once more.
    const delay = Math.ceil(left);
    const timer = hostTimers.setTimer(
      () => target.ring(),
      Math.min(delay, LONGEST_HOST_TIMER_MS),
    );
    return { cancel: () => hostTimers.clearTimer(timer) };
  },
};

/** In the host's next turn: its shortest timer is one of a millisecond. */
function ringNow(target: AlarmTarget): Alarm {
  let isOn = true;
  hostTimers.setImmediate(() => {
    if (isOn) target.ring();
  });
  return {
    cancel() {
      isOn = false;
    },
  };
}
