/** An item with what is said about it: a line of JSON, and the bytes. */

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const LINE_FEED = 10;

/** Said of an item that is kept back. */
export interface Due {
  /** When it can be taken, by the clock of the wall. */
  readonly due: number;
}

/** Said of a dead letter. */
export interface Death {
  readonly id: string | null;
  readonly deliveries: number;
}

export function isDue(head: object): head is Due {
  return "due" in head && typeof head.due === "number";
}

export function isDeath(head: object): head is Death {
  return "id" in head && (head.id === null || typeof head.id === "string") &&
    "deliveries" in head && typeof head.deliveries === "number";
}

export function frame(head: Due | Death, body: Uint8Array): Uint8Array {
  const line = encoder.encode(`${JSON.stringify(head)}\n`);
  const bytes = new Uint8Array(line.length + body.length);
  bytes.set(line);
  bytes.set(body, line.length);
  return bytes;
}

/** @returns `null` if it is none, as anybody can send to the subjects. */
export function unframe<H extends Due | Death>(
  bytes: Uint8Array,
  isHead: (head: object) => head is H,
): { head: H; body: Uint8Array } | null {
  const end = bytes.indexOf(LINE_FEED);
  if (end === -1) return null;
  let head: unknown;
  try {
    head = JSON.parse(decoder.decode(bytes.subarray(0, end)));
  } catch {
    return null;
  }
  if (typeof head !== "object" || head === null || !isHead(head)) return null;
  return { head, body: bytes.slice(end + 1) };
}
