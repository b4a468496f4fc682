import { checkDuration, checkInteger } from "../_internal/check.ts";
import { checkOptions, OptionNames } from "../_internal/options.ts";
import type { Scope } from "../loop/scope.ts";
import { connectionScope } from "../streams/host.ts";
import { makeReader } from "../streams/open_connection.ts";
import { StreamProtocol } from "../streams/stream_protocol.ts";
import type { StreamReader } from "../streams/stream_reader.ts";
import { StreamWriter } from "../streams/stream_writer.ts";
import { transportInternals } from "../streams/transport.ts";
import { MemoryConnection } from "./_memory_connection.ts";
import { Pieces } from "./_pieces.ts";

/** One end of a {@linkcode memoryStreamPair}: what it reads, and what it writes. */
export type MemoryStream = [StreamReader, StreamWriter];

/** Options of {@linkcode memoryStreamPair}. */
export interface MemoryStreamOptions {
  /**
   * How much the reader of each end keeps, in bytes: a longer line is an error,
   * and beyond twice as much the other end has to wait.
   *
   * @default {65536}
   */
  limit?: number | undefined;
  /**
   * How many bytes come at most to a reader at a time, and no more while it has
   * some of them: so a `read` ends where a packet of the network might. With 1,
   * code meets every boundary there is. A function is asked for each piece;
   * what it throws, or a size that is none, is what reads throw.
   *
   * @default {what has come}
   */
  chunkSize?: number | (() => number) | undefined;
  /**
   * The connection breaks when this many bytes have gone in one direction: what was
   * sent by then can be read, and then reads and writes of both ends are a
   * {@linkcode ConnectionResetError}. At 0, none comes through.
   *
   * @default {never}
   */
  cutAfter?: number | undefined;
  /**
   * How long what is written is under way, in milliseconds; it stays in order. A
   * function is asked for each piece that is sent, for the end, and for a reset.
   *
   * @default {0}
   */
  delay?: number | (() => number) | undefined;
}

const MEMORY_STREAM_OPTIONS = new OptionNames<MemoryStreamOptions>({
  limit: true,
  chunkSize: true,
  cutAfter: true,
  delay: true,
}, { number: "chunkSize" });

/**
 * Two ends of a connection in memory, each with a reader and a writer, as
 * `openConnection` gives them and a handler of `startServer` gets them. So
 * clients and handlers can be tested without a socket, in virtual time, and in
 * every order. Equivalent of trio's `memory_stream_pair`; asyncio has no such
 * thing.
 *
 * Reader, writer and transport are those of a socket, and so is what one end
 * sees of the other: ends, half-closed connections, resets. In between lie 64 KiB
 * at most; while that is full and the reader has twice its limit, `drain` waits.
 * Bytes arrive in the next iteration of the loop at the earliest.
 * `getExtraInfo("peername")` is the address of a Unix socket, `memory`. There is
 * no TLS.
 *
 * Close both ends: one that is open when its loop is closed is reported, as a
 * socket is.
 *
 * @example A handler without a server
 * ```ts
 * import { createTask } from "@asyncio/asyncio";
 * import type { StreamReader, StreamWriter } from "@asyncio/asyncio";
 * import { memoryStreamPair, runVirtual } from "@asyncio/asyncio/testing";
 * import { assertEquals } from "@std/assert";
 *
 * async function shout(reader: StreamReader, writer: StreamWriter) {
 *   const text = new TextDecoder();
 *   for await (const line of reader) {
 *     writer.write(text.decode(line).toUpperCase());
 *     await writer.drain();
 *   }
 *   writer.close();
 * }
 *
 * await runVirtual(async () => {
 *   const [client, server] = memoryStreamPair({ chunkSize: 1 });
 *   const handled = createTask(() => shout(...server));
 *   const [reader, writer] = client;
 *   writer.write("hello\n");
 *   writer.writeEof();
 *   assertEquals(new TextDecoder().decode(await reader.read()), "HELLO\n");
 *   writer.close();
 *   await handled;
 * });
 * ```
 *
 * @param options Of both ends.
 * @returns The two ends; neither is the server's or the client's.
 * @throws {TypeError} When an option is of the wrong kind.
 * @throws {RangeError} When `limit` or `chunkSize` is not an integer of at least
 * 1, `cutAfter` none of at least 0, or `delay` negative.
 */
export function memoryStreamPair(
  options: MemoryStreamOptions = {},
): [MemoryStream, MemoryStream] {
  const action = "create a pair of streams";
  checkOptions(action, options, MEMORY_STREAM_OPTIONS);
  const { limit, chunkSize, cutAfter, delay } = options;
  if (limit !== undefined) checkInteger(action, "limit", limit, 1);
  if (chunkSize !== undefined && typeof chunkSize !== "function") {
    checkInteger(action, "chunkSize", chunkSize, 1);
  }
  if (cutAfter !== undefined) checkInteger(action, "cutAfter", cutAfter, 0);
  if (delay !== undefined && typeof delay !== "function") {
    checkDuration(action, "delay", delay);
  }
  const faults = { cutAfter: cutAfter ?? Infinity, delayOf: delayOf(delay) };
  const sizeOfNext = typeof chunkSize === "number"
    ? () => chunkSize
    : chunkSize;
  const scopes = [connectionScope(), connectionScope()] as const;
  const [first, second] = MemoryConnection.pair(scopes, faults);
  const open = (host: MemoryConnection, scope: Scope): MemoryStream => {
    const reader = makeReader(limit);
    const inlet = sizeOfNext && new Pieces(scope, reader, sizeOfNext);
    const protocol = new StreamProtocol(reader, null, inlet);
    const transport = transportInternals.open({ scope, host, protocol });
    return [reader, new StreamWriter(transport, protocol, reader)];
  };
  return [open(first, scopes[0]), open(second, scopes[1])];
}

function delayOf(
  delay: MemoryStreamOptions["delay"],
): (() => number) | null {
  if (delay === undefined || delay === 0) return null;
  if (typeof delay === "number") return () => delay;
  return () => {
    const ms = delay();
    checkDuration("send in memory", "delay()", ms);
    return ms;
  };
}
