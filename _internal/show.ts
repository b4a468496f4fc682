const LONGEST = 60;

/** A value as an error message shows it: short, on one line, never throwing. */
export function show(value: unknown): string {
  switch (typeof value) {
    case "string":
      return shorten(JSON.stringify(value));
    case "bigint":
      return `${value}n`;
    case "function":
      return value.name === ""
        ? "an anonymous function"
        : `the function ${value.name}`;
    case "object":
      return value === null ? "null" : showObject(value);
    default:
      return String(value);
  }
}

function showObject(value: object): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  const name: unknown = value.constructor?.name;
  if (typeof name !== "string" || name === "" || name === "Object") {
    return "an object";
  }
  return /^[AEIOU]/.test(name) ? `an ${name}` : `a ${name}`;
}

function shorten(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}\u2026` : text;
}
