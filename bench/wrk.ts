/** Lets `wrk` ask a server of HTTP for as long as a run lasts, from the process of the server. On Deno and on Node. */

import { spawn } from "node:child_process";
import { Skip } from "./skip.ts";

/** Connections that are kept open, each of which sends its next request when it has the answer to the last. */
const CONNECTIONS = 100;

/** What a request costs, in nanoseconds, where `seconds` of them are made. */
export async function nanosecondsPerRequest(
  port: number,
  seconds: number,
): Promise<number> {
  const printed = await wrk([
    "--threads=1",
    `--connections=${CONNECTIONS}`,
    `--duration=${seconds}s`,
    `http://127.0.0.1:${port}/`,
  ]);
  const perSecond = Number(/^Requests\/sec: +([\d.]+)/m.exec(printed)?.[1]);
  // wrk counts an answer that it does not understand as an error, and goes on.
  if (!(perSecond > 0) || /Socket errors|Non-2xx/.test(printed)) {
    throw new Error(`The answers were not all good: ${printed}`);
  }
  return 1e9 / perSecond;
}

function wrk(args: readonly string[]): Promise<string> {
  const child = spawn("wrk", args, { stdio: ["ignore", "pipe", "inherit"] });
  return new Promise((resolve, reject) => {
    let printed = "";
    child.stdout.on("data", (data: Uint8Array) => printed += data);
    child.on("error", () => reject(new Skip("wrk is not installed")));
    child.on("close", () => resolve(printed));
  });
}
