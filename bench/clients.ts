/** Starts the clients of the socket rows, from the process of the server; see load.ts and load_tls.ts. On Deno and on Node. */

import { spawn } from "node:child_process";
import process from "node:process";

/** How many clients there are, and how long their messages and the answers to them are, in bytes. */
export interface ClientOptions {
  readonly connections: number;
  readonly send: number;
  readonly receive: number;
  /** Whether they speak TLS. */
  readonly tls?: boolean;
}

/** Does `count` of the command; resolves when the clients are through. */
export type Command = (
  name: "exchange" | "stream" | "connect",
  count: number,
) => Promise<void>;

/** Connects the clients to a port of this machine. */
export async function startClients(
  port: number,
  { connections, send, receive, tls = false }: ClientOptions,
): Promise<Command> {
  const { BENCH_DENO: deno = "deno", BENCH_LOAD, BENCH_LOAD_TLS } = process.env;
  const load = (tls ? BENCH_LOAD_TLS : BENCH_LOAD) ?? "";
  const child = spawn(deno, [
    ...["run", "--quiet", "--no-check", "--allow-all", load],
    ...[port, connections, send, receive].map(String),
  ], { stdio: ["pipe", "pipe", "inherit"] });
  let done: (() => void) | undefined;
  let fail: ((error: Error) => void) | undefined;
  child.stdout.on("data", () => done?.());
  child.on("exit", () => fail?.(new Error("The clients gave up")));
  const answered = () =>
    new Promise<void>((resolve, reject) => {
      done = resolve;
      fail = reject;
    });
  await answered();
  return (name, count) => {
    const promise = answered();
    child.stdin.write(`${name} ${count}\n`);
    return promise;
  };
}
