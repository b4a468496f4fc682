/** Text that comes in pieces, by the line. */

/** A line without an end is given away when it is longer. */
const LONGEST_LINE = 65_536;

export class LineSplitter {
  readonly #decoder = new TextDecoder();
  readonly #onLine: (line: string) => void;
  #rest = "";

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  feed(bytes: Uint8Array): void {
    this.#take(this.#decoder.decode(bytes, { stream: true }));
  }

  /** Nothing more comes: what is left is a line. */
  end(): void {
    this.#take(this.#decoder.decode());
    if (this.#rest !== "") this.#onLine(this.#rest);
    this.#rest = "";
  }

  #take(text: string): void {
    const lines = text.split("\n");
    lines[0] = this.#rest + lines[0];
    this.#rest = lines.pop()!;
    for (const line of lines) {
      this.#onLine(line.endsWith("\r") ? line.slice(0, -1) : line);
    }
    if (this.#rest.length <= LONGEST_LINE) return;
    this.#onLine(this.#rest);
    this.#rest = "";
  }
}
