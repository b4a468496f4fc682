/**
 * The values of variables, as an immutable tree: a change makes those few nodes
 * again that lead to it, and whoever held the tree still holds the old one.
 *
 * The binary digits of a key's number, the last one first, lead from the top
 * towards its node, which is at the first free place. As numbers are given
 * one after the other, the tree of n keys is about log n deep.
 */

/** What a value can be bound to. */
export interface Key {
  /** No other key has it. */
  readonly number: number;
}

/** A key with its value, and the trees below. */
export class Binding<K extends Key> {
  readonly key: K;
  readonly value: unknown;
  /** Those whose next digit is 0. */
  readonly zero: Binding<K> | null;
  /** Those whose next digit is 1. */
  readonly one: Binding<K> | null;

  constructor(
    key: K,
    value: unknown,
    zero: Binding<K> | null,
    one: Binding<K> | null,
  ) {
    this.key = key;
    this.value = value;
    this.zero = zero;
    this.one = one;
  }
}

/** The binding of `key`, or null. */
export function find<K extends Key>(
  tree: Binding<K> | null,
  key: K,
): Binding<K> | null {
  let node = tree;
  for (let digits = key.number; node !== null; digits >>= 1) {
    if (node.key === key) break;
    node = (digits & 1) === 0 ? node.zero : node.one;
  }
  return node;
}

/** The tree with `key` bound to `value`. */
export function bind<K extends Key>(
  tree: Binding<K> | null,
  key: K,
  value: unknown,
  digits: number = key.number,
): Binding<K> {
  if (tree === null) return new Binding(key, value, null, null);
  const { zero, one } = tree;
  if (tree.key === key) return new Binding(key, value, zero, one);
  return (digits & 1) === 0
    ? new Binding(
      tree.key,
      tree.value,
      bind(zero, key, value, digits >> 1),
      one,
    )
    : new Binding(
      tree.key,
      tree.value,
      zero,
      bind(one, key, value, digits >> 1),
    );
}

/** The tree without `key`. */
export function unbind<K extends Key>(
  tree: Binding<K> | null,
  key: K,
  digits: number = key.number,
): Binding<K> | null {
  if (tree === null) return null;
  if (tree.key === key) return withoutTop(tree);
  const { zero, one } = tree;
  return (digits & 1) === 0
    ? new Binding(tree.key, tree.value, unbind(zero, key, digits >> 1), one)
    : new Binding(tree.key, tree.value, zero, unbind(one, key, digits >> 1));
}

/** All bindings of the tree, in no particular order. */
export function* bindings<K extends Key>(
  tree: Binding<K> | null,
): Generator<Binding<K>, void, undefined> {
  if (tree === null) return;
  yield tree;
  yield* bindings(tree.zero);
  yield* bindings(tree.one);
}

/** One from below takes the place at the top: all that may be below it may. */
function withoutTop<K extends Key>(tree: Binding<K>): Binding<K> | null {
  const { zero, one } = tree;
  if (zero !== null) {
    return new Binding(zero.key, zero.value, withoutTop(zero), one);
  }
  if (one !== null) {
    return new Binding(one.key, one.value, null, withoutTop(one));
  }
  return null;
}
