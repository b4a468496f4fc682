import { checkDuration } from "../_internal/check.ts";
import type { NamesOf } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import type { Way } from "./_wires.ts";

/** What the network between two simulated hosts is like. */
export interface SimulatedLinkOptions {
  /**
   * How long a packet takes from one host to the other, in milliseconds; two
   * numbers for the least and the most. Datagrams overtake each other if it is
   * two. On one host it takes no time.
   *
   * @default {1}
   */
  latency?: number | readonly [number, number] | undefined;
  /**
   * How many bytes a second go in each direction; what is sent faster waits its
   * turn.
   *
   * @default {Infinity}
   */
  bandwidth?: number | undefined;
  /**
   * From 0 to 1, how likely it is that a packet is lost. A datagram is gone then;
   * what a connection sends, and an attempt to connect, is sent again after a
   * while, so it comes late.
   *
   * @default {0}
   */
  loss?: number | undefined;
  /**
   * From 0 to 1, how likely it is that a datagram comes twice.
   *
   * @default {0}
   */
  duplication?: number | undefined;
}

export const LINK_NAMES: NamesOf<SimulatedLinkOptions> = {
  latency: true,
  bandwidth: true,
  loss: true,
  duplication: true,
};

/** What was given of a way, checked. */
export function checkLink(
  action: string,
  options: SimulatedLinkOptions,
): Partial<Way> {
  const { latency, bandwidth, loss, duplication } = options;
  for (const [name, value] of Object.entries({ loss, duplication })) {
    if (value !== undefined) checkChance(action, name, value);
  }
  if (bandwidth !== undefined) checkBandwidth(action, bandwidth);
  return {
    ...(latency !== undefined && { latency: checkLatency(action, latency) }),
    ...(bandwidth !== undefined && { bandwidth }),
    ...(loss !== undefined && { loss }),
    ...(duplication !== undefined && { duplication }),
  };
}

function checkLatency(
  action: string,
  latency: number | readonly [number, number],
): readonly [number, number] {
  if (!Array.isArray(latency)) {
    checkDuration(action, "latency", latency);
    return [latency as number, latency as number];
  }
  const [least, most] = latency as [number, number];
  checkDuration(action, "latency[0]", least);
  checkDuration(action, "latency[1]", most);
  if (least <= most) return [least, most];
  throw new RangeError(
    `Cannot ${action} as the least 'latency' must not be more than the most: received ${
      show(latency)
    }`,
  );
}

function checkChance(action: string, name: string, value: unknown): void {
  if (typeof value !== "number") throw wrong(action, name, "a number", value);
  if (value >= 0 && value <= 1) return;
  throw new RangeError(
    `Cannot ${action} as '${name}' must be from 0 to 1: received ${value}`,
  );
}

function checkBandwidth(action: string, value: unknown): void {
  if (typeof value !== "number") {
    throw wrong(action, "bandwidth", "a number of bytes a second", value);
  }
  if (value > 0) return;
  throw new RangeError(
    `Cannot ${action} as 'bandwidth' must be > 0: received ${value}`,
  );
}

function wrong(
  action: string,
  name: string,
  what: string,
  value: unknown,
): TypeError {
  return new TypeError(
    `Cannot ${action} as '${name}' must be ${what}: received ${show(value)}`,
  );
}
