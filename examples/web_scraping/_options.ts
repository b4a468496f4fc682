/**
 * The command line of the programs of this chapter.
 *
 * @module
 */

import { argv } from "node:process";
import { parseArgs } from "node:util";

export interface Options {
  /** How long a unit is, in milliseconds. */
  readonly unit?: number;
  /** Where a server listens; without, the client has one of its own. */
  readonly port?: number;
}

function toNumber(name: string, text: string, most: number): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= most) return value;
  throw new RangeError(
    `--${name} is a number from 0 to ${most}, not "${text}"`,
  );
}

/** The options of the command line: `[--live] [--unit=MS] [--port=PORT]`. */
export function getOptions(): Options {
  const { values: { live, unit, port } } = parseArgs({
    args: argv.slice(2),
    options: {
      live: { type: "boolean" },
      unit: { type: "string" },
      port: { type: "string" },
    },
  });
  return {
    unit: unit !== undefined
      ? toNumber("unit", unit, 60_000)
      : live
      ? 1000
      : 100,
    ...port !== undefined && { port: toNumber("port", port, 65_535) },
  };
}
