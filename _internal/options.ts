/** The last parameter of a call: an object, of the names that the call has. */
import { checkAbortSignal, checkBoolean, checkString } from "./check.ts";
import { OPTION_WORDS } from "./option_words.ts";
import { show } from "./show.ts";

/** The name that a bare value was meant for, by what `typeof` says of it. */
type Bare<O> = Readonly<
  Partial<
    Record<"bigint" | "boolean" | "number" | "string", Extract<keyof O, string>>
  >
>;

const CHECKS: Readonly<Record<Kind, typeof checkString>> = {
  boolean: checkBoolean,
  signal: checkAbortSignal,
  string: checkString,
};

/** What an option must be, where that is the same in all calls. */
type Kind = "boolean" | "signal" | "string";

/**
 * Every name of an options type, with its kind, or else with `true`; an option
 * that is an object of options itself has its own names there.
 */
export type NamesOf<O> = {
  readonly [K in keyof O]-?: KindOf<Exclude<O[K], undefined>>;
};

type KindOf<T> = [T] extends [boolean] ? "boolean"
  : [T] extends [AbortSignal] ? "signal"
  : [string] extends [T] ? [T] extends [string] ? "string" | true
    : true | OptionNames
  : true | OptionNames;

/**
 * The names of an options type, made beside it. Of the type `O` none may be
 * missing, and none be there that it does not have.
 *
 * Names that are `ignored` are no options, and come with the objects that are
 * handed over as options: an address has a `transport`.
 *
 * @typeParam O The options type.
 */
export class OptionNames<O extends object = object> {
  readonly known: ReadonlyMap<string, true | Kind | OptionNames>;
  readonly ignored: ReadonlySet<string>;
  /** What to write in place of a bare value. */
  readonly bare: Readonly<Record<string, string>>;

  constructor(
    known: NamesOf<O>,
    bare: Bare<O> = {},
    ignored: readonly string[] = [],
  ) {
    this.known = new Map(
      Object.entries<true | Kind | OptionNames>(known),
    );
    this.ignored = new Set(ignored);
    this.bare = bare as Readonly<Record<string, string>>;
  }
}

/**
 * Checks the options of a call: an object, and own names that are known ones.
 * One of another name that is `undefined` says nothing, and passes.
 */
export function checkOptions(
  action: string,
  options: unknown,
  names: OptionNames,
): void {
  if (typeof options !== "object" || options === null) {
    throw new TypeError(
      `Cannot ${action} as 'options' must be an object: received ${
        show(options)
      }${bareHint(options, names)}`,
    );
  }
  checkNames(action, "", options, names);
}

function bareHint(value: unknown, { bare }: OptionNames): string {
  const name = bare[typeof value];
  return name === undefined ? "" : `; write { ${name}: ${show(value)} }`;
}

function checkNames(
  action: string,
  path: string,
  options: object,
  names: OptionNames,
): void {
  const { known } = names;
  let isEmpty = true;
  // deno-lint-ignore guard-for-in -- the keys in an array would cost as much again
  for (const name in options) {
    const inner = known.get(name);
    if (inner !== undefined) isEmpty = false;
    if (inner === true) continue;
    const value: unknown = (options as Record<string, unknown>)[name];
    if (typeof inner === "string") {
      if (value !== undefined) CHECKS[inner](action, path + name, value);
    } else if (inner !== undefined) {
      if (typeof value !== "object" || value === null) continue;
      checkNames(action, `${path}${name}.`, value, inner);
    } else if (value !== undefined && Object.hasOwn(options, name)) {
      if (names.ignored.has(name)) continue;
      checkInstance(action, path, options, names);
      throw new TypeError(
        `Cannot ${action} as there is no such option: received ${
          show(path + name)
        }; ${advice(path, name, names)}`,
      );
    }
  }
  if (isEmpty) checkInstance(action, path, options, names);
}

/**
 * An instance of a class may hold options. One that has none of them is a
 * mistake, such as a clock in place of `{ clock }`.
 */
function checkInstance(
  action: string,
  path: string,
  options: object,
  names: OptionNames,
): void {
  if (!Array.isArray(options)) {
    const { constructor } = options;
    if (constructor === undefined || constructor === Object) return;
    if ([...names.known.keys()].some((name) => name in options)) return;
    // Plain, if not of this realm.
    const parent = Object.getPrototypeOf(options);
    if (parent === null || Object.getPrototypeOf(parent) === null) return;
  }
  throw new TypeError(
    `Cannot ${action} as '${
      path === "" ? "options" : path.slice(0, -1)
    }' must be an object of options: received ${show(options)}; ${
      list(path, names)
    }`,
  );
}

function advice(path: string, name: string, names: OptionNames): string {
  const meant = nearest(name, names);
  return meant === null ? list(path, names) : `did you mean '${path}${meant}'?`;
}

function list(path: string, { known }: OptionNames): string {
  const all = [...known.keys()].map((name) => `'${path}${name}'`);
  const last = all.pop();
  return all.length === 0
    ? `the only one is ${last}`
    : `there are ${all.join(", ")} and ${last}`;
}

/** The option that was likely meant: one written alike, or another word for it. */
function nearest(name: string, names: OptionNames): string | null {
  const plain = simplify(name);
  // With its path, one that belongs into an object of options further in.
  const all = new Map<string, string>();
  for (const known of names.known.keys()) all.set(known, known);
  for (const [known, inner] of names.known) {
    if (!(inner instanceof OptionNames)) continue;
    for (const each of inner.known.keys()) {
      if (!all.has(each)) all.set(each, `${known}.${each}`);
    }
  }
  for (const [known, path] of all) if (simplify(known) === plain) return path;
  for (const word of OPTION_WORDS.get(plain) ?? []) {
    const path = all.get(word);
    if (path !== undefined) return path;
  }
  let best: string | null = null;
  // Two mistakes at the most, and one in three letters.
  let least = Math.min(2, Math.floor(plain.length / 3)) + 1;
  for (const [known, path] of all) {
    const mistakes = distance(plain, simplify(known));
    if (mistakes < least) [best, least] = [path, mistakes];
  }
  return best;
}

/** `max_size`, `maxsize` and `maxSize` are one. */
function simplify(name: string): string {
  return name.slice(0, 60).toLowerCase().replaceAll(/[_-]/g, "");
}

/** How many letters to add, drop, change or swap with the next. */
function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      let least = Math.min(
        last[j]! + 1,
        row[j - 1]! + 1,
        last[j - 1]! + (isSame ? 0 : 1),
      );
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, beforeLast[j - 2]! + 1);
      }
      row.push(least);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}
