const INSPECTORS = [
  Symbol.for("Deno.customInspect"),
  Symbol.for("nodejs.util.inspect.custom"),
];

/** Lets `console.log` show the instances of a class by their `toString`. */
export function inspectByToString(prototype: object): void {
  for (const key of INSPECTORS) {
    Object.defineProperty(prototype, key, {
      value(this: object): string {
        return this.toString();
      },
    });
  }
}
