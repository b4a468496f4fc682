import { builtin } from "../shared/builtin.ts";
import { plainBytes } from "../shared/bytes.ts";
import { nodeProcess } from "../shared/node_process.ts";
import { OneWayPipe } from "../shared/one_way_pipe.ts";
import { childrenOf, isWindows, returnCode } from "../shared/programs.ts";
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

type ChildProcess = import("node:child_process").ChildProcess;
type Readable = import("node:stream").Readable;
type Writable = import("node:stream").Writable;

/** More than this is written in pieces, so that progress is seen. */
const LARGEST_WRITE = 1_048_576;

/**
 * A pipe that a child writes to. Node reads on when the child exits, even if
 * it was told to pause: what comes then is held.
 */
class ReadPipe extends OneWayPipe {
  readonly #stream: Readable;
  #held: Uint8Array[] = [];
  #ended = false;
  #error: unknown = null;
  #receiver: HostReceiver | null = null;
  /** By its reader; nothing comes before it is started, either. */
  #paused = false;
  #isClosed = false;

  constructor(stream: Readable) {
    super();
    this.#stream = stream;
    stream.on("data", (data: Uint8Array) => {
      if (this.#mayRead()) {
        this.#receiver?.data(plainBytes(data));
        return;
      }
      this.#held.push(plainBytes(data));
      stream.pause();
    });
    stream.on("error", (error) => {
      this.#error ??= error;
    });
    stream.on("end", () => {
      this.#ended = true;
      this.#finish();
    });
    stream.on("close", () => {
      if (this.#ended) return;
      this.#ended = true;
      this.#error ??= new Error("The pipe was closed");
      this.#finish();
    });
    stream.pause();
  }

  override start(receiver: HostReceiver): void {
    const isFirst = this.#receiver === null;
    this.#receiver = receiver;
    if (isFirst && !this.#paused) this.resume();
  }

  override pause(): void {
    this.#paused = true;
    this.#stream.pause();
  }

  override resume(): void {
    this.#paused = false;
    if (!this.#mayRead()) return;
    while (this.#held.length > 0) {
      const data = this.#held.shift() as Uint8Array;
      this.#receiver?.data(data);
      if (!this.#mayRead()) return;
    }
    this.#finish();
    if (!this.#ended) this.#stream.resume();
  }

  override close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#receiver = null;
    this.#held = [];
    this.#stream.destroy();
  }

  #mayRead(): boolean {
    return this.#receiver !== null && !this.#paused && !this.#isClosed;
  }

  #finish(): void {
    if (!this.#ended || !this.#mayRead()) return;
    const receiver = this.#receiver;
    const error = this.#error;
    if (error === null) return receiver?.end();
    this.close();
    receiver?.lost(mapError(error, "read from the pipe"));
  }
}

class PipeClosed extends Error {
  readonly code = "EPIPE";
}

/** Of the socket that Node puts behind a child's stdin. */
interface StdinHandle {
  onread: (data: ArrayBuffer | undefined) => void;
  readStart(): void;
}

/**
 * A pipe that a child reads from. On Unix it is a pair of sockets: one that the
 * child has closed can be read to its end.
 */
class WritePipe extends OneWayPipe {
  readonly #stream: Writable;
  #receiver: HostReceiver | null = null;
  #isClosed = false;
  #gone = false;
  #writing = false;
  #error: unknown = null;

  constructor(stream: Writable) {
    super();
    this.#stream = stream;
    stream.on("error", (error) => {
      this.#error ??= error;
      this.#fail();
    });
    stream.on("close", () => this.readerGone());
    const handle = (stream as { _handle?: StdinHandle })._handle;
    if (isWindows() || typeof handle?.readStart !== "function") return;
    handle.onread = (data) => {
      // What a child sends this way, no one waits for.
      if (data === undefined && !this.#writing) this.readerGone();
    };
    handle.readStart();
  }

  /**
   * Nobody reads any more: that is no error, unless something was to be written.
   */
  readerGone(): void {
    this.#gone = true;
    this.#fail();
  }

  override start(receiver: HostReceiver): void {
    this.#receiver = receiver;
    this.#fail();
  }

  override write(bytes: Uint8Array): void {
    const piece = bytes.length > LARGEST_WRITE
      ? bytes.subarray(0, LARGEST_WRITE)
      : bytes;
    this.#writing = true;
    this.#stream.write(piece, (error) => {
      // What went wrong comes as an event.
      if (error || this.#receiver === null) return;
      this.#writing = false;
      this.#receiver.written(piece.length);
      if (this.#receiver !== null && piece.length < bytes.length) {
        this.write(bytes.subarray(piece.length));
      }
    });
  }

  override closeWrite(): void {
    this.#stream.end(() => {
      if (this.#error === null) this.#receiver?.end();
    });
  }

  override close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#receiver = null;
    this.#stream.end(() => this.#stream.destroy());
  }

  override abort(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#receiver = null;
    this.#stream.destroy();
  }

  #fail(): void {
    const receiver = this.#receiver;
    if (this.#isClosed || receiver === null) return;
    if (this.#error === null) {
      if (!this.#gone) return;
      if (this.#writing) this.#error = new PipeClosed("The pipe was closed");
    }
    this.abort();
    receiver.lost(
      this.#error === null ? null : mapError(this.#error, "write to the pipe"),
    );
  }
}

/** A child of Node. */
export class NodeChild implements HostChild {
  readonly pid: number;
  readonly exited: Promise<number>;
  readonly pipes: readonly (HostConnection | null)[];
  readonly #process: ChildProcess;
  /** Of the last signal that was not sent. */
  #error: unknown = null;

  constructor(process: ChildProcess, pid: number) {
    this.#process = process;
    this.pid = pid;
    const stdin = process.stdin && new WritePipe(process.stdin);
    this.exited = new Promise((resolve) => {
      process.once("exit", (code, signal) => {
        stdin?.readerGone();
        resolve(returnCode(code, signal));
      });
    });
    process.on("error", (error) => {
      this.#error = error;
    });
    this.pipes = [
      stdin,
      process.stdout && new ReadPipe(process.stdout),
      process.stderr && new ReadPipe(process.stderr),
    ];
  }

  kill(signal: SignalName): void {
    const action = `send ${signal} to process ${this.pid}`;
    this.#error = null;
    let isSent: boolean;
    try {
      isSent = this.#process.kill(signal as NodeJS.Signals);
    } catch (error) {
      throw mapError(error, action);
    }
    if (isSent) return;
    if (this.#error !== null) throw mapError(this.#error, action);
    throw systemError("ESRCH", action, new Error("It has ended"));
  }

  killGroup(signal: SignalName): void {
    try {
      nodeProcess().kill(-this.pid, signal);
    } catch (error) {
      throw mapError(error, `send ${signal} to process group ${this.pid}`);
    }
  }

  unref(): void {
    this.#process.unref();
  }
}

const STDIO = { pipe: "pipe", null: "ignore", inherit: "inherit" } as const;

function start(command: HostCommand): HostChild | Promise<never> {
  const { program, args, cwd, env, uid, gid } = command;
  const process = builtin("node:child_process").spawn(program, args, {
    stdio: [
      STDIO[command.stdin],
      STDIO[command.stdout],
      STDIO[command.stderr as HostStdio],
    ],
    detached: command.detached,
    windowsHide: true,
    ...(cwd !== null && { cwd }),
    ...(env !== null && { env }),
    ...(uid !== null && { uid }),
    ...(gid !== null && { gid }),
  });
  return process.pid === undefined
    ? new Promise((_, reject) => process.on("error", reject))
    : new NodeChild(process, process.pid);
}

function mayRun(path: string): boolean {
  const { accessSync, constants } = builtin("node:fs");
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Child processes on Node. */
export const children: HostChildren = childrenOf(start, {
  mayRun,
  env: () => nodeProcess().env,
});
