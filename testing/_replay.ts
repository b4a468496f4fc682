/**
 * The string that brings an order back: the seed, an `h` if those who wait in a
 * line could be passed, and the choices up to the last one that is not the
 * natural one, as in `5:0.0.1`.
 */
import { show } from "../_internal/show.ts";
import { oddOnes } from "./_shrink.ts";

/** What a string of this kind says. */
export interface Replay {
  readonly seed: number;
  readonly handovers: boolean;
  readonly choices: readonly number[];
}

const FORM = /^(\d{1,15})(h?):((?:\d{1,9}(?:\.\d{1,9})*)?)$/;

export function writeReplay({ seed, handovers, choices }: Replay): string {
  const end = (oddOnes(choices).at(-1) ?? -1) + 1;
  return `${seed}${handovers ? "h" : ""}:${choices.slice(0, end).join(".")}`;
}

export function readReplay(action: string, value: unknown): Replay {
  const parts = typeof value === "string" ? FORM.exec(value) : null;
  if (parts === null) {
    throw new TypeError(
      `Cannot ${action} as 'replay' must be the 'replay' of a ScheduleError: received ${
        show(value)
      }`,
    );
  }
  const choices = parts[3]!;
  return {
    seed: Number(parts[1]),
    handovers: parts[2] !== "",
    choices: choices === "" ? [] : choices.split(".").map(Number),
  };
}
