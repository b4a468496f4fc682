/**
 * What is left to chance or to the clock by the language itself: inside of a
 * simulation it comes from the seed and from virtual time. While one runs, the
 * globals are replaced by functions that look where the calling code is, so that
 * other simulations and code outside have what is theirs.
 */
import { enteredScope } from "../loop/current.ts";
import type { Kernel } from "../loop/kernel.ts";

/** Chance and time, as the code of one simulation has them. */
export interface World {
  /** From 0 up to, and without, 1. */
  random(): number;
  /** From 0 to 255. */
  randomByte(): number;
  /** The time of the running code's host, in milliseconds since 1970. */
  now(): number;
}

const worlds = new WeakMap<Kernel, World>();

/** The code of a loop is in `world` from here on. */
export function setWorld(kernel: Kernel, world: World): void {
  worlds.set(kernel, world);
}

/** It is in the real one again. */
export function removeWorld(kernel: Kernel): void {
  worlds.delete(kernel);
}

function worldHere(): World | null {
  const scope = enteredScope();
  return scope === undefined ? null : worlds.get(scope.kernel) ?? null;
}

/** A property of a global, and what is there while a simulation runs. */
interface Replacement {
  readonly holder: object;
  readonly name: string;
  readonly value: unknown;
  /** What was there; undefined if it was inherited. */
  own: PropertyDescriptor | undefined;
}

let users = 0;
let replacements: Replacement[] | null = null;

/** Replaces them until the function that it returns is called. */
export function seedGlobals(): () => void {
  if (users++ === 0) { for (const each of replacements ??= make()) put(each); }
  return () => {
    if (--users === 0) { for (const each of replacements!) putBack(each); }
  };
}

function put(replacement: Replacement): void {
  const { holder, name, value } = replacement;
  replacement.own = Object.getOwnPropertyDescriptor(holder, name);
  Object.defineProperty(holder, name, {
    configurable: true,
    enumerable: replacement.own?.enumerable ?? true,
    writable: true,
    value,
  });
}

/** If somebody else has replaced it meanwhile, it is theirs to put back. */
function putBack({ holder, name, value, own }: Replacement): void {
  if ((holder as Record<string, unknown>)[name] !== value) return;
  if (own === undefined) delete (holder as Record<string, unknown>)[name];
  else Object.defineProperty(holder, name, own);
}

/** What is found now is what code outside gets, also later. */
function make(): Replacement[] {
  const { Date: HostDate, Math: HostMath, crypto } = globalThis;
  const { random } = HostMath;
  const { now } = HostDate;
  const list: [holder: object, name: string, value: unknown][] = [
    [HostMath, "random", () => worldHere()?.random() ?? random()],
    [HostDate, "now", () => worldHere()?.now() ?? now()],
    [globalThis, "Date", seededDate(HostDate)],
    [crypto, "getRandomValues", seededValues(crypto)],
    [crypto, "randomUUID", seededUuid(crypto)],
  ];
  return list.map(([holder, name, value]) => ({
    holder,
    name,
    value,
    own: undefined,
  }));
}

/** `new Date()` and `Date()`; all else is that of the host. */
function seededDate(HostDate: DateConstructor): DateConstructor {
  const seeded: DateConstructor = new Proxy(HostDate, {
    construct(target, args, newTarget) {
      const world = args.length === 0 ? worldHere() : null;
      const given = world === null ? args : [world.now()];
      return Reflect.construct(
        target,
        given,
        newTarget === seeded ? target : newTarget,
      );
    },
    apply(target) {
      const world = worldHere();
      return world === null ? target() : new target(world.now()).toString();
    },
  });
  return seeded;
}

function seededValues(crypto: Crypto): Crypto["getRandomValues"] {
  const getRandomValues = crypto.getRandomValues.bind(crypto);
  return (array) => {
    // It knows what may be asked for.
    getRandomValues(array);
    const world = worldHere();
    if (world === null || array === null) return array;
    const { buffer, byteOffset, byteLength } = array as ArrayBufferView<
      ArrayBuffer
    >;
    fill(new Uint8Array(buffer, byteOffset, byteLength), world);
    return array;
  };
}

function seededUuid(crypto: Crypto): Crypto["randomUUID"] {
  const randomUUID = crypto.randomUUID.bind(crypto);
  return () => {
    const world = worldHere();
    if (world === null) return randomUUID();
    const bytes = fill(new Uint8Array(16), world);
    // Version 4 of RFC 9562.
    bytes[6] = bytes[6]! & 0x0f | 0x40;
    bytes[8] = bytes[8]! & 0x3f | 0x80;
    const digits = Array.from(
      bytes,
      (byte) => byte.toString(16).padStart(2, "0"),
    ).join("");
    return [
      digits.slice(0, 8),
      digits.slice(8, 12),
      digits.slice(12, 16),
      digits.slice(16, 20),
      digits.slice(20),
    ].join("-") as ReturnType<Crypto["randomUUID"]>;
  };
}

function fill(bytes: Uint8Array, world: World): Uint8Array {
  for (let i = 0; i < bytes.length; i++) bytes[i] = world.randomByte();
  return bytes;
}
