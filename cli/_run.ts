/** The command line: what it is asked, and what it answers. */
import process from "node:process";
import { parseArgs } from "node:util";
import { attachDebugger } from "./_copies.ts";
import { openDoor } from "./_door.ts";
import { Failure, InterruptFailure, UsageFailure } from "./_failure.ts";
import type { Target } from "./_target.ts";
import { record, write } from "./_trace.ts";
import { chains, stack, type Style, styleOf, table, tree } from "./_view.ts";

/** How many tasks of a loop are shown unless more are asked for. */
const DEFAULT_LIMIT = 1000;

/** No system has a process id above it. */
const LAST_PROCESS = 2 ** 31 - 1;

/** So long a trace lasts unless it is to last longer. */
const DEFAULT_SECONDS = 5;
const MOST_SECONDS = 3600;

const HELP = `Looks into a running program that uses @asyncio/asyncio.

Usage: asyncio COMMAND PROCESS [TASK] [options]

  ps PROCESS            a table of the tasks
  pstree PROCESS        the tasks below those that await them
  where PROCESS TASK    where a task is, and who awaits it
  blocked PROCESS       the function that holds the loop, if one does
  cancel PROCESS TASK   asks a task to cancel
  trace PROCESS         a timeline of the next seconds, for ui.perfetto.dev

PROCESS is a process id, or HOST:PORT of the inspector of a program that was
started with --inspect, or the URL that startInspector() gives. TASK is a name, or
an id such as #3.

  --json                answers for programs, as JSON
  --limit N             at most so many tasks of each loop, ${DEFAULT_LIMIT} by default
  --seconds N           for how long to trace, ${DEFAULT_SECONDS} by default
  -o, --output FILE     where to write the trace; to stdout by default
  --help                this text

The program opens its inspector for as long as the command takes; it needs Node
or Deno 2.9.2 or later, and the same user.

The status is 0 if it was answered, 1 if that was not possible, 2 if the command
line is wrong, and 130 after Ctrl-C.
`;

interface Request {
  readonly command: string;
  readonly target: string;
  readonly task: string;
  readonly isJson: boolean;
  readonly limit: number;
  readonly seconds: number;
  readonly output: string | null;
}

type Command = (
  target: Target,
  request: Request,
  style: Style,
  interrupted: Promise<never>,
) => Promise<{ readonly data: unknown; readonly lines: readonly string[] }>;

const COMMANDS: Readonly<Record<string, Command>> = {
  ps: async (target, { limit }, style) => {
    const facts = await target.oldest(limit);
    return { data: facts.copies, lines: table(facts, style) };
  },
  pstree: async (target, { limit }, style) => {
    const facts = await target.oldest(limit);
    return { data: facts.copies, lines: tree(facts, style) };
  },
  where: async (target, { task }, style) => {
    const facts = await target.wanted(task);
    const lines = chains(facts, task, style);
    if (lines.length === 0) throw noTask(task);
    return { data: facts.copies, lines };
  },
  cancel: async (target, { task }) => {
    const names = await target.cancel(task);
    if (names.length === 0) throw noTask(task);
    return {
      data: names,
      lines: names.map((name) => `asked ${name} to cancel`),
    };
  },
  blocked: async (target, _request, style) => {
    const frames = await target.blocked();
    return {
      data: frames,
      lines: frames === null
        ? ["Nothing holds the loop: it answers"]
        : stack(frames, style),
    };
  },
  trace: async ({ session }, { seconds, output }, _style, interrupted) => {
    if (session === null) {
      throw new Failure(
        "An inspector of the program's own records nothing for others: give the process id, or look at the timeline on its page",
      );
    }
    const trace = await record(session, seconds, interrupted);
    if (output === null) {
      return { data: trace, lines: [JSON.stringify(trace)] };
    }
    const { traceEvents: { length: events }, otherData } = trace;
    const line = await write(output, trace);
    return { data: { file: output, events, ...otherData }, lines: [line] };
  },
};

/** It ends by itself at Ctrl-C, when it has cleaned up. */
const TRACE = "trace";
const WITH_TASK = ["where", "cancel"];

/** What is no id of one may stand for several, such as 0 for a whole group. */
function isProcess(target: string): boolean {
  const id = Number(target);
  return /^\d+$/.test(target) && id >= 1 && id <= LAST_PROCESS;
}

function isUrl(target: string): boolean {
  return /^https?:\/\//.test(target);
}

function noTask(task: string): Failure {
  return new Failure(`There is no task ${task}: \`ps\` lists them`);
}

/**
 * Runs the command line.
 *
 * @returns The status to exit with: 0 if it was answered, 1 if that was not
 * possible, 2 if the command line is wrong, and 130 if Ctrl-C ended it.
 */
export async function runCommand(args: readonly string[]): Promise<number> {
  try {
    const request = parse(args);
    if (request === null) {
      process.stdout.write(HELP);
      return 0;
    }
    const text = await interruptible((interrupted) =>
      answer(request, interrupted)
    );
    await print(text);
    return 0;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    process.stderr.write(`${error.message}\n`);
    if (error instanceof InterruptFailure) return 130;
    return error instanceof UsageFailure ? 2 : 1;
  }
}

/** Gives the answer when the program is left alone again. */
async function answer(
  request: Request,
  interrupted: Promise<never>,
): Promise<string> {
  const { stdout, env } = process;
  const target = isUrl(request.target)
    ? openDoor(request.target)
    : await attachDebugger(request.target);
  try {
    const { command } = request;
    const style = styleOf(stdout, env);
    const asked = COMMANDS[command]!(target, request, style, interrupted);
    const { data, lines } = command === TRACE
      ? await asked
      : await Promise.race([asked, interrupted]);
    return request.isJson
      ? `${JSON.stringify(data, null, 2)}\n`
      : `${lines.join("\n")}\n`;
  } finally {
    await target.detach();
  }
}

/** Ctrl-C may not leave the program with an open inspector. */
async function interruptible<T>(
  fn: (interrupted: Promise<never>) => Promise<T>,
): Promise<T> {
  let interrupt = (): void => {};
  const interrupted = new Promise<never>((_, reject) => {
    interrupt = () => reject(new InterruptFailure("Interrupted"));
  });
  // It may come before anyone listens, or after.
  interrupted.catch(() => {});
  process.on("SIGINT", interrupt);
  try {
    return await fn(interrupted);
  } finally {
    process.off("SIGINT", interrupt);
  }
}

/** Resolves when all is written, or when the reader, such as `head`, has gone. */
function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const { stdout } = process;
    const fail = (error: Error & { code?: string }) =>
      error.code === "EPIPE" ? resolve() : reject(error);
    stdout.on("error", fail);
    stdout.write(text, (error) => {
      // A stream says both to whoever writes and to everyone: after this.
      setTimeout(() => stdout.off("error", fail), 0);
      if (error === null || error === undefined) resolve();
      else fail(error);
    });
  });
}

function parse(args: readonly string[]): Request | null {
  const { values, positionals } = readArguments(args);
  const [command = "", target, task, ...others] = positionals;
  if (values.help === true || positionals.length === 0) return null;
  if (!Object.hasOwn(COMMANDS, command)) {
    throw new UsageFailure(
      `There is no command ${command}: there are ${
        Object.keys(COMMANDS).join(", ")
      }`,
    );
  }
  if (target === undefined) {
    throw new UsageFailure(
      `The command ${command} needs a process id, or HOST:PORT or the URL of an inspector`,
    );
  }
  if (!isProcess(target) && !isUrl(target) && !/^[^/]+:\d+$/.test(target)) {
    throw new UsageFailure(
      `A process is a number from 1 to ${LAST_PROCESS}, HOST:PORT or a URL: received ${target}`,
    );
  }
  const needsTask = WITH_TASK.includes(command);
  if (needsTask && task === undefined) {
    throw new UsageFailure(`The command ${command} needs a task`);
  }
  const extra = needsTask ? others[0] : task;
  if (extra !== undefined) {
    throw new UsageFailure(`The command ${command} takes no ${extra}`);
  }
  const limit = Number(values.limit ?? DEFAULT_LIMIT);
  if (!Number.isInteger(limit) || limit < 0) {
    throw new UsageFailure(
      `--limit must be an integer of at least 0: received ${values.limit}`,
    );
  }
  const seconds = Number(values.seconds ?? DEFAULT_SECONDS);
  if (!(seconds > 0 && seconds <= MOST_SECONDS)) {
    throw new UsageFailure(
      `--seconds must be a number above 0 and up to ${MOST_SECONDS}: received ${values.seconds}`,
    );
  }
  const { output = null } = values;
  return {
    command,
    target,
    task: task ?? "",
    isJson: values.json === true,
    limit,
    seconds,
    output,
  };
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: "boolean" },
        limit: { type: "string" },
        seconds: { type: "string" },
        output: { type: "string", short: "o" },
        help: { type: "boolean", short: "h" },
      },
    });
  } catch (error) {
    throw new UsageFailure((error as Error).message.replaceAll("\n", " "));
  }
}
