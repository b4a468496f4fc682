import { copyOf } from "../shared/bytes.ts";
import { OneWayPipe } from "../shared/one_way_pipe.ts";
import { childrenOf, returnCode } from "../shared/programs.ts";
import { systemError } from "../system_errors.ts";
import type {
  HostChild,
  HostChildren,
  HostCommand,
  HostStdio,
} from "../types/children.ts";
import type { HostConnection, HostReceiver } from "../types/net.ts";
import type { SignalName } from "../types/signals.ts";
import { mapError } from "./errors.ts";
import { Pause } from "./pause.ts";

/** What an idle pipe keeps for what may come. */
const SMALLEST_READ = 4096;
/** The system's pipe holds no more. */
const LARGEST_READ = 65_536;
/** More than this is written in pieces, so that progress is seen. */
const LARGEST_WRITE = 1_048_576;

const ignore = () => {};

/** A pipe that a child writes to. The host fills our buffers (BYOB). */
class ReadPipe extends OneWayPipe {
  readonly #reader: ReadableStreamBYOBReader;
  readonly #pause = new Pause();
  #receiver: HostReceiver | null = null;

  constructor(stream: ReadableStream<Uint8Array>) {
    super();
    this.#reader = stream.getReader({ mode: "byob" });
  }

  override start(receiver: HostReceiver): void {
    const isFirst = this.#receiver === null;
    this.#receiver = receiver;
    if (isFirst) this.#pump();
  }

  override pause(): void {
    this.#pause.pause();
  }

  override resume(): void {
    this.#pause.resume();
  }

  override close(): void {
    if (!this.#pause.close()) return;
    this.#receiver = null;
    this.#reader.cancel().catch(ignore);
  }

  async #pump(): Promise<void> {
    const reader = this.#reader;
    const pause = this.#pause;
    let size = SMALLEST_READ;
    let buffer = new Uint8Array(size);
    try {
      for (;;) {
        if (pause.isPaused) await pause.over();
        if (pause.isClosed) return;
        const { value, done } = await reader.read(buffer);
        if (pause.isPaused) await pause.over();
        if (pause.isClosed) return;
        if (done) return this.#receiver?.end();
        if (value.length * 4 < size * 3) {
          // The buffer would keep alive more than it shows. A copy is not
          // zeroed first, so it costs no more than another buffer.
          this.#receiver?.data(copyOf(value, value.length));
          buffer = new Uint8Array(value.buffer);
        } else {
          if (value.length === size && size < LARGEST_READ) size *= 4;
          this.#receiver?.data(value);
          buffer = new Uint8Array(size);
        }
      }
    } catch (error) {
      const receiver = this.#receiver;
      if (pause.isClosed || receiver === null) return;
      this.close();
      receiver.lost(mapError(error, "read from the pipe"));
    }
  }
}

/**
 * A pipe that a child reads from. That it no longer does shows in writing, and
 * at the child's end: Deno has no way to look at an idle pipe.
 */
class WritePipe extends OneWayPipe {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #receiver: HostReceiver | null = null;
  #isClosed = false;
  #writing = false;
  #gone = false;

  constructor(stream: WritableStream<Uint8Array>) {
    super();
    this.#writer = stream.getWriter();
  }

  override start(receiver: HostReceiver): void {
    this.#receiver = receiver;
    if (this.#gone) this.childEnded();
  }

  override write(bytes: Uint8Array): void {
    const piece = bytes.length > LARGEST_WRITE
      ? bytes.subarray(0, LARGEST_WRITE)
      : bytes;
    this.#writing = true;
    this.#writer.write(piece).then(() => {
      this.#writing = false;
      this.#receiver?.written(piece.length);
      if (this.#receiver !== null && piece.length < bytes.length) {
        this.write(bytes.subarray(piece.length));
      }
      if (this.#gone) this.childEnded();
    }, this.#fail);
  }

  /** What is being written is left to tell by itself whether it was read. */
  childEnded(): void {
    this.#gone = true;
    const receiver = this.#receiver;
    if (this.#writing || receiver === null) return;
    this.abort();
    receiver.lost(null);
  }

  override closeWrite(): void {
    this.#writer.close().then(() => this.#receiver?.end(), this.#fail);
  }

  override close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#receiver = null;
    this.#writer.close().catch(ignore);
  }

  override abort(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#receiver = null;
    this.#writer.abort().catch(ignore);
  }

  readonly #fail = (error: unknown): void => {
    const receiver = this.#receiver;
    if (this.#isClosed || receiver === null) return;
    this.abort();
    receiver.lost(mapError(error, "write to the pipe"));
  };
}

/**
 * The return code of a child that a signal has ended for which Deno has no name,
 * such as one of the real-time signals: an error has its number.
 */
function unnamedSignal(error: unknown): number {
  const found = /^Invalid signal: (\d+)$/.exec((error as Error).message);
  if (found === null) throw error;
  return -Number(found[1]);
}

function isGone(error: unknown): boolean {
  return error instanceof TypeError || error instanceof Deno.errors.NotFound;
}

function signalled(pid: number, signal: SignalName, send: () => void): void {
  try {
    send();
  } catch (error) {
    const action = `send ${signal} to process ${pid}`;
    throw isGone(error)
      ? systemError("ESRCH", action, error)
      : mapError(error, action);
  }
}

class DenoChild implements HostChild {
  readonly pid: number;
  readonly exited: Promise<number>;
  readonly pipes: readonly (HostConnection | null)[];
  readonly #process: Deno.ChildProcess;

  constructor(process: Deno.ChildProcess, command: HostCommand) {
    this.#process = process;
    this.pid = process.pid;
    const stdin = command.stdin === "pipe"
      ? new WritePipe(process.stdin)
      : null;
    this.exited = process.status.then(
      ({ code, signal }) => returnCode(code, signal),
      unnamedSignal,
    ).then((code) => {
      stdin?.childEnded();
      return code;
    });
    this.pipes = [
      stdin,
      command.stdout === "pipe" ? new ReadPipe(process.stdout) : null,
      command.stderr === "pipe" ? new ReadPipe(process.stderr) : null,
    ];
  }

  kill(signal: SignalName): void {
    signalled(
      this.pid,
      signal,
      () => this.#process.kill(signal as Deno.Signal),
    );
  }

  killGroup(signal: SignalName): void {
    signalled(
      this.pid,
      signal,
      () => Deno.kill(-this.pid, signal as Deno.Signal),
    );
  }

  unref(): void {
    this.#process.unref();
  }
}

const STDIO = { pipe: "piped", null: "null", inherit: "inherit" } as const;

function start(command: HostCommand): HostChild {
  const { cwd, env, uid, gid } = command;
  const options: Deno.CommandOptions = {
    args: command.args as string[],
    stdin: STDIO[command.stdin],
    stdout: STDIO[command.stdout],
    stderr: STDIO[command.stderr as HostStdio],
    detached: command.detached,
  };
  if (cwd !== null) options.cwd = cwd;
  if (env !== null) {
    options.clearEnv = true;
    options.env = env;
  }
  if (uid !== null) options.uid = uid;
  if (gid !== null) options.gid = gid;
  return new DenoChild(
    new Deno.Command(command.program, options).spawn(),
    command,
  );
}

/** By the file's mode: who this program runs as is no one's business here. */
function mayRun(path: string): boolean {
  const { mode } = Deno.statSync(path);
  return mode === null || (mode & 0o111) !== 0;
}

function env(): Record<string, string> | null {
  const { state } = Deno.permissions.querySync({ name: "env" });
  return state === "granted" ? Deno.env.toObject() : null;
}

/** Child processes on Deno. */
export const children: HostChildren = childrenOf(start, {
  mayRun,
  env,
});
