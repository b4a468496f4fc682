/**
 * Names of locks, queues and their like. They are kept beside the objects, so
 * that one without a name has nothing for it, not even a field.
 */
import { oneLine, show } from "../_internal/show.ts";

/** Options of locks, events and their like: a name for reports. */
export interface NamedOptions {
  /**
   * Its name, for messages and for whoever looks into the program. Need not be
   * unique.
   *
   * @default {none}
   */
  name?: string | undefined;
}

const names = new WeakMap<object, string>();
/** Those that have a name and were not collected. */
const known = new Set<WeakRef<object>>();
const collected = new FinalizationRegistry<WeakRef<object>>((entry) => {
  known.delete(entry);
});

/**
 * Names what is being made, where the options say so.
 *
 * @param action For messages: `create a lock`.
 */
export function nameByOptions(
  action: string,
  named: object,
  options: NamedOptions,
): void {
  checkNamedOptions(action, options);
  giveName(named, options.name);
}

/**
 * As `checkOptions` does. A lock has no other option, and with the table of all
 * words for options its bundle would be a tenth larger.
 */
function checkNamedOptions(action: string, options: object): void {
  const wrong = mistakeIn(options);
  if (wrong === null) return;
  const hint = typeof options === "string"
    ? `write { name: ${show(options)} }`
    : "the only one is 'name'";
  throw new TypeError(`Cannot ${action} as ${wrong}; ${hint}`);
}

function mistakeIn(options: object): string | null {
  const isObject = typeof options === "object" && options !== null;
  // A plain one has a prototype without one, in any realm, or has none itself.
  const isPlain = isObject &&
    !Object.getPrototypeOf(Object.getPrototypeOf(options) ?? Object.prototype);
  if (!isPlain && !(isObject && "name" in options)) {
    const kind = isObject ? " of options" : "";
    return `'options' must be an object${kind}: received ${show(options)}`;
  }
  const unknown = Object.entries(options)
    .find(([key, value]) => key !== "name" && value !== undefined);
  return unknown === undefined
    ? null
    : `there is no such option: received ${show(unknown[0])}`;
}

/** The same for options that were checked. */
export function giveName(named: object, name: string | undefined): void {
  // A name may come from where there are no types.
  if (name === undefined || name === null) return;
  names.set(named, String(name));
  const entry = new WeakRef(named);
  known.add(entry);
  collected.register(named, entry);
}

/** What an object was named. */
export function givenName(named: object): string | undefined {
  return names.get(named);
}

/** What its text begins with: `Lock`, or `Lock name="database"`. */
export function titleOf(named: object, kind: string): string {
  const name = names.get(named);
  return name === undefined ? kind : `${kind} name=${show(name)}`;
}

/**
 * What waits for it waits for: `Lock.acquire`, or `Lock.acquire on database`.
 *
 * @param named `undefined` for what can have no name.
 */
export function whatOf(named: object | undefined, what: string): string {
  const name = names.get(named as object);
  return name === undefined ? what : `${what} on ${oneLine(name)}`;
}

/** All that have a name, in the order in which they got it. */
export function* allNamed(): Iterable<object> {
  for (const entry of known) {
    const named = entry.deref();
    if (named !== undefined) yield named;
  }
}
