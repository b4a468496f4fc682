import { IncompleteReadError, LimitOverrunError } from "../errors.ts";
import type { Task } from "../loop/task.ts";
import type { StreamReader } from "../streams/stream_reader.ts";
import type { StreamWriter } from "../streams/stream_writer.ts";
import { answer, isCommand } from "./_commands.ts";

/** How long a line may be, in bytes; the names of tasks are shorter. */
export const LONGEST_LINE = 4096;

/** An HTTP request is no conversation, however much its first word looks so. */
const REQUEST_REGEXP = /\bHTTP\/\d/i;
const SMALL_A = 0x61;
const SMALL_Z = 0x7a;

const decoder = new TextDecoder();

/**
 * Answers what comes on one connection, and comes back when it is to be closed.
 *
 * Any page in a browser on this machine can send a request here, with what looks
 * like commands in its body. So a connection has to begin with a command: what
 * begins in another way is hung up on, and nothing of it is looked at.
 *
 * @param tasks The tasks of now.
 */
export async function converse(
  reader: StreamReader,
  writer: StreamWriter,
  tasks: () => readonly Task<unknown>[],
): Promise<void> {
  try {
    const first = await firstLine(reader);
    if (first === null || (first !== "quit" && !isCommand(first))) {
      writer.write("Commands only; try: help\n");
      return;
    }
    for (let line = first; line !== "quit"; line = await nextLine(reader)) {
      if (REQUEST_REGEXP.test(line)) return;
      for (const piece of pieces(answer(tasks(), line))) {
        writer.write(piece);
        await writer.drain();
      }
    }
  } catch (error) {
    // The line is too long, or the client has left in the middle of one.
    if (error instanceof LimitOverrunError) return;
    if (error instanceof IncompleteReadError) return;
    throw error;
  }
}

/**
 * The line a connection begins with; `null` for what cannot be a command. Its end
 * is not waited for then: TLS and its like have no lines.
 */
async function firstLine(reader: StreamReader): Promise<string | null> {
  const [initial = 0] = await reader.readExactly(1);
  if (initial < SMALL_A || initial > SMALL_Z) return null;
  const rest = decoder.decode(await reader.readLine()).trimEnd();
  const line = String.fromCharCode(initial) + rest;
  return REQUEST_REGEXP.test(line) ? null : line;
}

/** The next line; at the end "quit", as the client has nothing more to ask. */
async function nextLine(reader: StreamReader): Promise<string> {
  const line = await reader.readLine();
  return line.length === 0 ? "quit" : decoder.decode(line).trim();
}

/** About how many characters are written at once, for the peer to keep up. */
const PIECE = 65_536;

/** The lines of an answer, and the empty one that ends it. */
function* pieces(lines: Iterable<string>): Iterable<string> {
  let piece: string[] = [];
  let size = 0;
  for (const line of lines) {
    piece.push(line);
    size += line.length;
    if (size < PIECE) continue;
    yield `${piece.join("\n")}\n`;
    piece = [];
    size = 0;
  }
  yield [...piece, "", ""].join("\n");
}
