import { planWorkers } from "./_check.ts";
import { launcher } from "./_process.ts";
import type { PreforkOptions } from "./options.ts";
import { supervise, type Supervisor } from "./supervisor.ts";

/**
 * Runs a script in several processes that share a port, and looks after them:
 * a JavaScript program uses one processor, and so this many programs use that
 * many. The way of Gunicorn and of nginx.
 *
 * In the script, `startServer({ port, reusePort: true })` shares the port: the
 * system gives each connection to one of the workers. There is nothing else to
 * do: a worker is ready when its first server serves; when it is to stop, its
 * servers accept what waits and no more, connections are let come to their end
 * for `graceMs`, then the tasks that are left are cancelled, and the program
 * ends. {@linkcode workerInfo} tells a script more. The same script runs alone,
 * too; for a shared port that needs the flag `--unstable-net` on Deno, and Node
 * 22.12 on Linux.
 *
 * A script that starts no server of this library says with
 * `workerInfo().ready()` that it is ready, and is told to stop by
 * `workerInfo().stopping`; one that does neither gets SIGTERM.
 *
 * @example A server on all processors
 * ```ts ignore
 * // main.ts
 * import { prefork, run } from "@asyncio/asyncio";
 *
 * await run(async () => {
 *   const supervisor = await prefork({
 *     script: new URL("./server.ts", import.meta.url),
 *   });
 *   await supervisor.wait(); // until SIGTERM or Ctrl-C; SIGHUP reloads
 * });
 *
 * // server.ts
 * import { run, startServer } from "@asyncio/asyncio";
 *
 * await run(async () => {
 *   const server = await startServer(async (reader, writer) => {
 *     for await (const line of reader) {
 *       writer.write(line);
 *       await writer.drain();
 *     }
 *     writer.close();
 *   }, { port: 8080, reusePort: true });
 *   await server.serveForever();
 * });
 * ```
 *
 * @example Programs that listen at no port
 * ```ts
 * import { prefork } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const script = await Deno.makeTempFile({ suffix: ".js" });
 * await Deno.writeTextFile(script, "setInterval(() => {}, 1000);");
 * await using supervisor = await prefork({
 *   script,
 *   workers: 2,
 *   readyMs: 50,
 *   graceMs: 100,
 * });
 * assertEquals(String(supervisor), "<Supervisor 1: ready 2: ready>");
 * ```
 *
 * @param options The script, how many workers, and how they are treated.
 * @returns The supervisor, once all workers are ready.
 * @throws {WorkerError} When the workers end before they are ready.
 * @throws {OSError} When the system cannot start a process.
 * @throws {FileNotFoundError} When there is no such `cwd`.
 * @throws {TypeError} When an option is of the wrong kind.
 * @throws {RangeError} When a number is out of range.
 * @throws {CancelledError} When the task is cancelled; no worker is left.
 */
export async function prefork(options: PreforkOptions): Promise<Supervisor> {
  const plan = planWorkers(options);
  return await supervise(plan, launcher(plan), options.signal);
}
