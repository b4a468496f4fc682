import { notForCaller } from "../_internal/caller_frame.ts";
import { checkInteger } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import { show } from "../_internal/show.ts";
import { ConnectionAbortedError, InvalidStateError } from "../errors.ts";
import { hostFiles } from "../platform/files.ts";
import type { HostFile } from "../platform/types/files.ts";
import { waitForHost } from "./host.ts";
import {
  checkTransport,
  type Occupant,
  type Transport,
  transportInternals,
} from "./transport.ts";

/** An open file, read from where it stands: a `Deno.FsFile` is one. */
export interface FileSource {
  /**
   * Reads into `buffer`. If {@linkcode sendfile} is cancelled, what this gives
   * after that is dropped.
   *
   * @param buffer Where the bytes go.
   * @returns How many came; `null` at the end.
   */
  read(buffer: Uint8Array): Promise<number | null>;
}

/** Options of {@linkcode sendfile}. */
export interface SendfileOptions {
  /**
   * Where in the file to begin, in bytes.
   *
   * @default {0}
   */
  offset?: number | undefined;
  /**
   * How many bytes to send at the most, 1 or more.
   *
   * @default {all there are}
   */
  count?: number | undefined;
  /** Ends the sending when it is aborted, and throws its reason. */
  signal?: AbortSignal | undefined;
}

const SENDFILE_OPTIONS = new OptionNames<SendfileOptions>({
  offset: true,
  count: true,
  signal: "signal",
}, { number: "offset" });

/** What is read at once; larger pieces are no faster. */
const PIECE = 65_536;

/** Has the writing direction while a file is sent: it says when to go on. */
class Gate implements Occupant {
  #isPaused = false;
  #end: { readonly error: unknown } | null = null;
  #open: () => void = () => {};

  pause(isPaused: boolean): void {
    this.#isPaused = isPaused;
    if (!isPaused) this.#open();
  }

  end(error: unknown): void {
    this.#end ??= { error };
    this.#open();
  }

  /** Called when writing may go on; throws if the connection is closed. */
  async pass(): Promise<void> {
    while (this.#isPaused && this.#end === null) {
      // deno-lint-ignore no-await-in-loop -- it may be paused again meanwhile
      await new Promise<void>((resolve) => {
        this.#open = resolve;
      });
    }
    if (this.#end !== null) {
      throw this.#end.error ?? new ConnectionAbortedError(
        "Cannot send the rest of a file as the connection was closed meanwhile: received a call of close() or abort()",
        { code: "ECONNABORTED" },
      );
    }
  }
}

/**
 * Sends a file over a transport. Equivalent of `asyncio.loop.sendfile`; neither
 * runtime lets the system do it by itself, so the file goes through memory, a
 * piece at a time.
 *
 * Reading is paused meanwhile, and nothing else may be written: no `write`, no
 * second file.
 *
 * @example Sending a part of a file
 * ```ts
 * import {
 *   createConnection,
 *   Protocol,
 *   sendfile,
 *   startServer,
 * } from "@asyncio/asyncio";
 * import { assertEquals } from "@std/assert";
 *
 * const page = await Deno.makeTempFile();
 * await Deno.writeTextFile(page, "skipped: hello");
 * let received = "";
 * await using server = await startServer(async (reader, writer) => {
 *   received = new TextDecoder().decode(await reader.read());
 *   writer.close();
 * }, { hostname: "127.0.0.1", port: 0 });
 * const [transport] = await createConnection(() => new Protocol(), {
 *   hostname: "127.0.0.1",
 *   port: server.port,
 * });
 * assertEquals(await sendfile(transport, page, { offset: 9 }), 5);
 * transport.close();
 * server.close();
 * await server.waitClosed();
 * assertEquals(received, "hello");
 * ```
 *
 * @param transport The connection.
 * @param file The path of the file, or an open one: whatever has
 * `read(buffer)`. An open file is read from where it stands, and stays open.
 * @param options Which part of it.
 * @returns How many bytes were sent.
 * @throws {FileNotFoundError} When there is no such file.
 * @throws {OSError} When the file cannot be read: it is a directory, say.
 * @throws {TypeError} When `transport` is no `Transport`, `file` is no file, or
 * its `read` gives anything but a number of bytes or `null`.
 * @throws {RangeError} When `offset` is negative, or `count` is below 1, or the
 * path is none.
 * @throws {InvalidStateError} When the transport is closing, or another file is
 * being sent.
 * @throws {ConnectionError} When the connection is lost or closed meanwhile.
 * @throws {CancelledError} When the task is cancelled meanwhile; a part of the
 * file may have been sent.
 * @throws The reason of `signal`, when it is aborted; a part of the file may have
 * been sent, unless it was aborted before.
 */
export async function sendfile(
  transport: Transport,
  file: string | URL | FileSource,
  options: SendfileOptions = {},
): Promise<number> {
  const action = "send a file";
  checkOptions(action, options, SENDFILE_OPTIONS);
  const { offset = 0, count = Number.MAX_SAFE_INTEGER } = options;
  checkInteger(action, "offset", offset, 0);
  checkInteger(action, "count", count, 1);
  checkTransport(action, transport);
  checkFile(action, file);
  const isPath = typeof file === "string" || file instanceof URL;
  if (transport.isClosing()) {
    throw new InvalidStateError(
      `Cannot ${action} as the transport is closed: received ${transport}`,
    );
  }
  const { signal } = options;
  signal?.throwIfAborted();
  const gate = new Gate();
  transportInternals.occupy(transport, gate);
  const wasReading = transport.isReading();
  transport.pauseReading();
  let opened: HostFile | null = null;
  try {
    if (isPath) {
      opened = await waitForHost(
        "sendfile",
        () => hostFiles.open(file),
        (late) => late.close(),
        signal,
      );
    }
    const source = opened ?? theirs(file as FileSource);
    return await waitForHost(
      "sendfile",
      (given) => copy(transport, gate, source, { offset, count }, given),
      () => {},
      signal,
    );
  } finally {
    opened?.close();
    transportInternals.vacate(transport);
    if (wasReading) transport.resumeReading();
  }
}

function checkFile(action: string, file: unknown): void {
  if (typeof file === "string") {
    if (file !== "" && !file.includes("\0")) return;
    throw new RangeError(
      `Cannot ${action} as a path must not be empty or contain a NUL byte: received ${
        show(file)
      }`,
    );
  }
  if (file instanceof URL) {
    if (file.protocol === "file:") return;
    throw new TypeError(
      `Cannot ${action} as the URL of a file begins with "file:": received ${file}`,
    );
  }
  if (typeof (file as FileSource | null)?.read === "function") return;
  throw new TypeError(
    `Cannot ${action} as 'file' must be a path or an open file: received ${
      show(file)
    }`,
  );
}

/** What `read` of a file gives; Node's `FileHandle` has another one. */
function checkRead(got: unknown, size: number): void {
  if (
    got === null ||
    Number.isInteger(got) && got as number >= 0 && got as number <= size
  ) return;
  throw new TypeError(
    `Cannot send a file as its read() must give a number of bytes from 0 to ${size}, or null: received ${
      show(got)
    }`,
  );
}

/** What an open file of a user throws stays as it is. */
function theirs(file: FileSource): FileSource {
  return {
    async read(buffer) {
      try {
        return await file.read(buffer);
      } catch (error) {
        throw notForCaller(error);
      }
    },
  };
}

async function copy(
  transport: Transport,
  gate: Gate,
  file: FileSource,
  { offset, count }: { offset: number; count: number },
  signal: AbortSignal,
): Promise<number> {
  let skip = offset;
  let sent = 0;
  while (sent < count && !signal.aborted) {
    const size = Math.min(PIECE, skip + count - sent);
    const buffer = new Uint8Array(size);
    const got = await file.read(buffer);
    if (signal.aborted) break;
    checkRead(got, size);
    if (got === null || got === 0) break;
    const bytes = buffer.subarray(Math.min(skip, got), got);
    skip -= got - bytes.length;
    await gate.pass();
    if (signal.aborted) break;
    sent += bytes.length;
    transportInternals.occupantWrite(transport, bytes);
    await gate.pass();
  }
  return sent;
}
