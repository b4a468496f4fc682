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

export function frame(head: Due | Death, body: Uint8Array): Uint8Array {
  const line = encoder.encode(`${JSON.stringify(head)}\n`);
  const bytes = new Uint8Array(line.length + body.length);
  bytes.set(line);
  bytes.set(body, line.length);
  return bytes;
}

export function unframe<H extends Due | Death>(
  bytes: Uint8Array,
): { head: H; body: Uint8Array } {
  const end = bytes.indexOf(LINE_FEED);
  return {
    head: JSON.parse(decoder.decode(bytes.subarray(0, end))) as H,
    body: bytes.slice(end + 1),
  };
}
