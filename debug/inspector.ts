import { refusedNew } from "../_internal/made_by.ts";
import { checkInteger } from "../_internal/check.ts";
import { inspectByToString } from "../_internal/inspect.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { getEventLoop } from "../loop/ambient.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import { kernelOf } from "../loop/kernel.ts";
import { noteWaitAges } from "../loop/wait_ages.ts";
import { hostHttp } from "../platform/http.ts";
import type { HttpServer } from "../platform/types/http.ts";
import { Guard, inUrl, isLoopback } from "./_guard.ts";
import { Service } from "./_service.ts";

/** Options of {@linkcode startInspector}. */
export interface InspectorOptions {
  /**
   * The port to listen on; 0 for any that is free.
   *
   * @default {0}
   */
  port?: number | undefined;
  /**
   * The address to listen on: one that only this machine can reach.
   *
   * @default {"127.0.0.1"}
   */
  hostname?: string | undefined;
  /**
   * The loop to look at.
   *
   * @default {the running one if there is one, otherwise the default one}
   */
  loop?: EventLoop | undefined;
  /**
   * Gives the start up when it is aborted before the inspector listens, and throws
   * its reason.
   */
  signal?: AbortSignal | undefined;
}

const INSPECTOR_OPTIONS = new OptionNames<InspectorOptions>({
  port: true,
  hostname: "string",
  loop: true,
  signal: "signal",
}, { number: "port", string: "hostname" });

/** What an inspector is made of. */
interface Parts {
  readonly server: HttpServer;
  readonly loop: EventLoop;
  readonly url: URL;
  /** Ends all that is done while it is open. */
  stop(): void;
}

// Set by the class below: nobody else makes one.
let make: (parts: Parts) => Inspector;

/**
 * A door into the running program, made by {@linkcode startInspector}.
 *
 * @example Open for as long as a block runs
 * ```ts
 * import { run, startInspector } from "@asyncio/asyncio";
 *
 * await run(async () => {
 *   await using inspector = await startInspector();
 *   console.log(`Look inside: ${inspector.url}`);
 * });
 * ```
 */
export class Inspector {
  readonly #parts: Parts;

  /**
   * Made by {@linkcode startInspector}.
   *
   * @internal
   * @ignore
   */
  private constructor(parts: Parts) {
    if (parts?.server === undefined) {
      throw refusedNew(
        "an Inspector",
        "it belongs to its server",
        "startInspector()",
      );
    }
    this.#parts = parts;
  }

  /** The port it listens on. */
  get port(): number {
    return this.#parts.server.port;
  }

  /**
   * Where its page is, with the token in it: whoever has the URL can see and
   * cancel the tasks.
   */
  get url(): URL {
    return new URL(this.#parts.url);
  }

  /**
   * Stops listening, and hangs up on who is connected. A cancellation does not
   * interrupt it.
   *
   * @returns When all connections are closed.
   */
  async close(): Promise<void> {
    this.#parts.stop();
    await this.#parts.server.close();
  }

  /**
   * The same as {@linkcode Inspector.close}, for `await using`. A cancellation
   * does not interrupt it.
   *
   * @returns When all connections are closed.
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * The inspector and its port. Not its token: this is for logs.
   *
   * @returns For example `<Inspector port=20101 of <EventLoop running>>`.
   */
  toString(): string {
    return `<Inspector port=${this.port} of ${this.#parts.loop}>`;
  }

  static {
    inspectByToString(this.prototype);
    make = (parts) => new Inspector(parts);
  }
}

/**
 * Lets one look into the running program, with a browser or from another
 * terminal. The command line of `@asyncio/asyncio/cli` looks into a program that
 * has no inspector. Equivalent of `python -m asyncio ps` and `pstree`.
 *
 * {@linkcode Inspector.url} is a page: the tree of tasks with what each waits for
 * and for how long, locks and queues with who waits for them, deadlocks, by how
 * much the loop is behind; a task's call graph, and a way to cancel it. The same
 * by HTTP:
 *
 * ```text
 * $ curl -H "authorization: Bearer $TOKEN" 127.0.0.1:20101/ps
 * task    awaited by  state
 * Task-1  -           waiting for the tasks of TaskGroup
 * fetch   Task-1      waiting for StreamReader.read for 2.4 s
 * ```
 *
 * `GET /ps` gives the tasks, `/pstree` the tasks below those that await them,
 * `/where?task=NAME` the call graph of one, `/deadlocks` those that wait for each
 * other; `POST /cancel?task=NAME` asks one to cancel; `/help` lists them. It is
 * the loop's thread that answers, so not while a step holds it.
 *
 * Nothing is answered without the token of the URL, which is another one each
 * time, nor to another name than that of this machine, nor to a page of another
 * origin. An inspector neither keeps the program running nor hides that it is in a
 * deadlock. While it is open, it is noted when each wait begins.
 *
 * @example Asking for the tasks
 * ```ts
 * import { run, startInspector } from "@asyncio/asyncio";
 * import { assertStringIncludes } from "@std/assert";
 *
 * await run(async () => {
 *   const inspector = await startInspector();
 *   const { url } = inspector;
 *   url.pathname = "/ps";
 *   const response = await fetch(url);
 *   assertStringIncludes(await response.text(), "Task-");
 *   await inspector.close();
 * });
 * ```
 *
 * @param options Where to listen, and which loop to look at.
 * @returns The inspector, once it listens.
 * @throws {TypeError} When an option has the wrong type.
 * @throws {RangeError} When `port` is not a port, or others than this machine
 * could reach `hostname`.
 * @throws {OSError} When it cannot listen there.
 * @throws The reason of `signal`, when it is aborted before it listens.
 */
export async function startInspector(
  options: InspectorOptions = {},
): Promise<Inspector> {
  checkOptions(ACTION, options, INSPECTOR_OPTIONS);
  const { port = 0, hostname = "127.0.0.1", loop = getEventLoop() } = options;
  checkPort(port);
  checkLoopback(hostname);
  const { signal } = options;
  signal?.throwIfAborted();
  const kernel = kernelOf(loop);
  const guard = new Guard(hostname);
  const service = new Service(kernel, guard);
  const server = await hostHttp.serve(
    { hostname, port, action: `listen on ${inUrl(hostname)}:${port}` },
    (request) => service.answer(request),
  );
  if (signal?.aborted) {
    await server.close();
    throw signal.reason;
  }
  const stopAges = noteWaitAges(kernel);
  const url = new URL(`http://${inUrl(hostname)}:${server.port}/`);
  url.searchParams.set("token", guard.token);
  const stop = () => {
    service.stop();
    stopAges();
  };
  return make({ server, loop, url, stop });
}

const ACTION = "start an inspector";

function checkPort(port: number): void {
  checkInteger(ACTION, "port", port, 0);
  if (port <= 65_535) return;
  throw new RangeError(
    `Cannot ${ACTION} as 'port' must be an integer from 0 to 65535: received ${port}`,
  );
}

function checkLoopback(hostname: string): void {
  if (isLoopback(hostname)) return;
  throw new RangeError(
    `Cannot ${ACTION} as 'hostname' must be an address that only this machine can reach, such as "127.0.0.1": received ${
      show(hostname)
    }`,
  );
}
