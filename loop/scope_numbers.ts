/**
 * Numbers for scopes, and scopes for numbers. The host carries a scope's number
 * through the code instead of the scope (see current.ts), so a lookup must cost
 * next to nothing, and a scope that has ended must be free to be collected
 * although some forgotten piece of code may still carry its number.
 *
 * Numbers go up and are not used again for 2**30 scopes. A live scope is in
 * the slot of its number's low bits; a number whose slot is taken is skipped.
 * Numbers are given to kernels in blocks, by which code that has outlived its
 * scope at least finds its loop.
 */
import type { Kernel } from "./kernel.ts";
import type { Scope } from "./scope.ts";

const LARGEST = 2 ** 30 - 1;
const BLOCK = 1024;
/** How many of the last blocks are remembered: four million scopes. */
const BLOCKS = 4096;

let slots: (Scope | undefined)[] = new Array(64);
let mask = slots.length - 1;
let live = 0;
let lastBlock = -1;
const owners: (Kernel | undefined)[] = [];

/** The numbers a kernel may give out. */
export class NumberBlock {
  next = 0;
  end = 0;
  /** Where the kernel stands among the owners. */
  readonly places: number[] = [];
}

/** The scope's number; it gets one when first asked. */
export function numberOf(scope: Scope): number {
  if (scope.number >= 0) return scope.number;
  if (live * 2 > mask) grow();
  const { kernel } = scope;
  const { numbers } = kernel;
  let number: number;
  do {
    if (numbers.next === numbers.end) takeBlock(kernel);
    number = numbers.next++;
  } while (slots[number & mask] !== undefined);
  slots[number & mask] = scope;
  live++;
  scope.number = number;
  return number;
}

/** The scope with this number; if it has ended, the root of its loop. */
export function scopeNumbered(number: number): Scope | undefined {
  const scope = slots[number & mask];
  return scope !== undefined && scope.number === number
    ? scope
    : ownerOf(number)?.root;
}

/** The scope has ended. */
export function dropNumber(scope: Scope): void {
  const { number } = scope;
  if (number < 0) return;
  slots[number & mask] = undefined;
  live--;
  scope.number = -1;
}

/** The kernel is closed: nothing leads to it any more. */
export function dropBlocks(kernel: Kernel): void {
  for (const place of kernel.numbers.places) {
    if (owners[place] === kernel) owners[place] = undefined;
  }
}

function takeBlock(kernel: Kernel): void {
  lastBlock = (lastBlock + 1) % ((LARGEST + 1) / BLOCK);
  const { numbers } = kernel;
  numbers.next = lastBlock * BLOCK;
  numbers.end = numbers.next + BLOCK;
  const place = lastBlock % BLOCKS;
  owners[place] = kernel;
  if (!kernel.ambient) numbers.places.push(place);
}

function ownerOf(number: number): Kernel | undefined {
  return owners[Math.floor(number / BLOCK) % BLOCKS];
}

function grow(): void {
  const grown: (Scope | undefined)[] = new Array(slots.length * 2);
  mask = grown.length - 1;
  for (const scope of slots) {
    if (scope !== undefined) grown[scope.number & mask] = scope;
  }
  slots = grown;
}
