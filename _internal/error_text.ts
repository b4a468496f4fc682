/**
 * Errors as text. What was thrown may refuse to be looked at: a getter throws,
 * a proxy is revoked, a name is a symbol, the causes form a circle. To report
 * it must neither fail nor grow without end, so all that looks at an error for
 * a report does it here.
 */
import { read, readText, show } from "./show.ts";

/** Characters of a message in one line, and of an error with its stack. */
const LONGEST_LINE = 1000;
const LONGEST_TEXT = 20_000;
/** Of the errors that one error has below it, as causes and in groups. */
const MOST_ERRORS = 50;

const { toString: tagOf } = Object.prototype;

/** Whether it is an error, also one of another realm. Never throws. */
export function isError(value: unknown): value is Error {
  if (typeof value !== "object" || value === null) return false;
  try {
    return value instanceof Error || tagOf.call(value) === "[object Error]";
  } catch {
    // A revoked proxy is nothing any more.
    return false;
  }
}

/** The errors of a group; `null` if it is no group. */
export function errorsOf(error: unknown): readonly unknown[] | null {
  try {
    if (!(error instanceof AggregateError)) return null;
    const { errors } = error;
    return Array.isArray(errors) ? [...errors] : null;
  } catch {
    return null;
  }
}

/** What went wrong, for a sentence: `TypeError: no such file`. */
export function errorLine(error: unknown): string {
  if (!isError(error)) return show(error);
  const name = cut(readText(error, "name"), LONGEST_LINE) || "Error";
  const message = messageOf(error);
  return message === "" ? name : `${name}: ${message}`;
}

/** The message alone; of what is no error, the value. */
export function messageOf(error: unknown): string {
  return isError(error)
    ? cut(readText(error, "message"), LONGEST_LINE)
    : show(error);
}

/** An error with its stack, its causes and, of a group, its errors. */
export function errorText(error: unknown): string {
  return new Writer().write(error);
}

/** What its `toString` says, if that can be called and says anything. */
export function stringOf(value: unknown): string {
  try {
    const text = String(value);
    if (!text.startsWith("[object ")) return cut(text, LONGEST_TEXT);
    const json = JSON.stringify(value);
    if (json !== undefined && json !== "{}") return cut(json, LONGEST_TEXT);
  } catch {
    // It has neither; what kind of thing it is can be said in any case.
  }
  return show(value);
}

function cut(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest)}\u2026` : text;
}

/** Writes each error once, however many others refer to it. */
class Writer {
  readonly #written = new Set<unknown>();

  write(error: unknown): string {
    if (!isError(error)) return `thrown: ${stringOf(error)}`;
    if (this.#written.has(error)) return `[as above] ${errorLine(error)}`;
    this.#written.add(error);
    const stack = read(error, "stack");
    const text = typeof stack === "string" && stack !== ""
      ? cut(stack, LONGEST_TEXT)
      : errorLine(error);
    const cause = read(error, "cause");
    return text + this.#writeGroup(errorsOf(error) ?? []) +
      (cause === undefined ? "" : `\nCaused by: ${this.#writeNext(cause)}`);
  }

  #writeGroup(errors: readonly unknown[]): string {
    let text = "";
    for (let index = 0; index < errors.length; index++) {
      if (this.#isFull) return `${text}\n[${index + 1}] and so on`;
      const inner = this.#writeNext(errors[index]);
      text += `\n[${index + 1}] ${inner.replaceAll("\n", "\n    ")}`;
    }
    return text;
  }

  #writeNext(error: unknown): string {
    return this.#isFull ? "and so on" : this.write(error);
  }

  get #isFull(): boolean {
    return this.#written.size >= MOST_ERRORS;
  }
}
