import { inspectByToString } from "../_internal/inspect.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { allTasks } from "../loop/all_tasks.ts";
import { getEventLoop } from "../loop/ambient.ts";
import type { EventLoop } from "../loop/event_loop.ts";
import { kernelOf } from "../loop/kernel.ts";
import { currentTask, type Task } from "../loop/task.ts";
import type { Server } from "../streams/server.ts";
import { startServer } from "../streams/start_server.ts";
import { converse, LONGEST_LINE } from "./_conversation.ts";

/** Options of {@linkcode startInspector}. */
export interface InspectorOptions {
  /**
   * The port to listen on; 0 for any that is free.
   *
   * @default {0}
   */
  port?: number | undefined;
  /**
   * The address to listen on. Who can reach it can see and cancel the tasks.
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
}

const INSPECTOR_OPTIONS = new OptionNames<InspectorOptions>({
  port: true,
  hostname: true,
  loop: true,
}, { number: "port", string: "hostname" });

// Set by the class below: nobody else makes one.
let make: (server: Server, loop: EventLoop) => Inspector;

/**
 * A door into the running program, made by {@linkcode startInspector}.
 *
 * @example Open for as long as a block runs
 * ```ts
 * import { run, startInspector } from "@asyncio/asyncio";
 *
 * await run(async () => {
 *   await using inspector = await startInspector();
 *   console.log(`nc 127.0.0.1 ${inspector.port}`);
 * });
 * ```
 */
export class Inspector {
  readonly #server: Server;
  readonly #loop: EventLoop;

  /**
   * Made by {@linkcode startInspector}.
   *
   * @internal
   * @ignore
   */
  private constructor(server: Server, loop: EventLoop) {
    this.#server = server;
    this.#loop = loop;
  }

  /** The port it listens on. */
  get port(): number {
    return this.#server.port;
  }

  /**
   * Stops listening, and hangs up on who is connected.
   *
   * @returns When all connections are closed.
   */
  async close(): Promise<void> {
    this.#server.close();
    this.#server.abortClients();
    await this.#server.waitClosed();
  }

  /**
   * The same as {@linkcode Inspector.close}, for `await using`.
   *
   * @returns When all connections are closed.
   */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * The inspector and its port.
   *
   * @returns For example `<Inspector port=20101 of <EventLoop running>>`.
   */
  toString(): string {
    return `<Inspector port=${this.port} of ${this.#loop}>`;
  }

  static {
    inspectByToString(this.prototype);
    make = (server, loop) => new Inspector(server, loop);
  }
}

/**
 * Lets one look into the running program from another terminal. Equivalent of
 * `python -m asyncio ps` and `pstree`, which in JavaScript the program itself
 * has to allow.
 *
 * ```text
 * $ nc 127.0.0.1 20101
 * ps
 * task    awaited by  state
 * Task-1  -           waiting for the tasks of TaskGroup
 * fetch   Task-1      waiting for StreamReader.read
 * ```
 *
 * A command a line: `ps` gives the tasks, `pstree` the tasks below those that
 * await them, `where TASK` the call graph of one, `cancel TASK` asks it to
 * cancel, `help` lists them. An empty line ends each answer. It is the loop
 * itself that answers, so not while a step holds it.
 *
 * A connection that does not begin with a command is closed, and nothing of it
 * is done: so a page in a browser on this machine, whose requests get here as
 * well, cannot cancel anything.
 *
 * @example Asking for the tasks
 * ```ts
 * import { openConnection, run, startInspector } from "@asyncio/asyncio";
 * import { assertStringIncludes } from "@std/assert";
 *
 * await run(async () => {
 *   const inspector = await startInspector();
 *   const { port } = inspector;
 *   const [reader, writer] = await openConnection({ port });
 *   writer.write("ps\n");
 *   writer.writeEof();
 *   const answer = new TextDecoder().decode(await reader.read());
 *   assertStringIncludes(answer, "Task-");
 *   writer.close();
 *   await inspector.close();
 * });
 * ```
 *
 * @param options Where to listen, and which loop to look at.
 * @returns The inspector, once it listens. To be closed: an open one keeps the
 * program running.
 * @throws {TypeError} When an option has the wrong type.
 * @throws {RangeError} When `port` is not a port.
 * @throws {OSError} When it cannot listen there.
 */
export async function startInspector(
  options: InspectorOptions = {},
): Promise<Inspector> {
  checkOptions("start an inspector", options, INSPECTOR_OPTIONS);
  const { port = 0, hostname = "127.0.0.1", loop = getEventLoop() } = options;
  // Refuses what is no loop.
  kernelOf(loop);
  const own = new Set<Task<unknown> | null>();
  const server = await startServer(
    async (reader, writer) => {
      const task = currentTask();
      own.add(task);
      try {
        await converse(
          reader,
          writer,
          () => [...allTasks(loop)].filter((each) => !own.has(each)).reverse(),
        );
      } finally {
        own.delete(task);
        writer.close();
      }
    },
    { hostname, port, limit: LONGEST_LINE },
  );
  return make(server, loop);
}
