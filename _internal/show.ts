const LONGEST = 60;

/** A value as an error message shows it: short, on one line, never throwing. */
export function show(value: unknown): string {
  switch (typeof value) {
    case "string":
      return oneLine(shorten(JSON.stringify(value)));
    case "bigint":
      return shorten(`${value}n`);
    case "function": {
      const name = read(value, "name");
      return typeof name === "string" && name !== ""
        ? `the function ${oneLine(name)}`
        : "an anonymous function";
    }
    case "object":
      return value === null ? "null" : showObject(value);
    default:
      return shorten(String(value));
  }
}

function showObject(value: object): string {
  const length = lengthOf(value);
  if (length !== null) return `an array of ${length}`;
  const name = read(read(value, "constructor"), "name");
  if (typeof name !== "string" || name === "" || name === "Object") {
    return "an object";
  }
  return `${/^[AEIOU]/.test(name) ? "an" : "a"} ${oneLine(name)}`;
}

/** The length of an array; otherwise `null`, as of a revoked proxy. */
function lengthOf(value: object): number | null {
  try {
    return Array.isArray(value) ? value.length : null;
  } catch {
    return null;
  }
}

/** A property of anything; `undefined` if it cannot be read. */
export function read(value: unknown, key: string): unknown {
  try {
    return (value as Record<string, unknown> | null | undefined)?.[key];
  } catch {
    return undefined;
  }
}

/** A property that should be a text; what is none is shown. Never throws. */
export function readText(value: unknown, key: string): string {
  const text = read(value, key);
  if (text === undefined) return "";
  return typeof text === "string" ? text : show(text);
}

/** Gives an object a property that is not among its keys, where it lets one. */
export function tryToDefine(object: object, key: string, value: unknown): void {
  try {
    Reflect.defineProperty(object, key, {
      value,
      configurable: true,
      writable: true,
    });
  } catch {
    // A proxy that refuses: it stays as it is.
  }
}

function shorten(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}\u2026` : text;
}

/**
 * What ends a line, steers a terminal or turns the direction of reading: in a
 * name it would let one task pass for two, or for another.
 */
const UNPRINTABLE =
  /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

const SHORT: Readonly<Record<string, string>> = {
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
};

/** A text on one line, in which what cannot be printed is written out. */
export function oneLine(text: string): string {
  return text.replace(UNPRINTABLE, (character) =>
    SHORT[character] ??
      `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
