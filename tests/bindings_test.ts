import { assertEquals } from "@std/assert";
import {
  bind,
  type Binding,
  bindings,
  find,
  type Key,
  unbind,
} from "../loop/bindings.ts";
import { makeRandom } from "../_internal/random.ts";

type Tree = Binding<Key> | null;

function contents(tree: Tree): Map<Key, unknown> {
  return new Map([...bindings(tree)].map(({ key, value }) => [key, value]));
}

function depth(tree: Tree): number {
  return tree === null ? 0 : 1 + Math.max(depth(tree.zero), depth(tree.one));
}

Deno.test("a tree of bindings stays as it was when it is changed", () => {
  const [a, b] = [{ number: 0 }, { number: 1 }];
  const one = bind<Key>(null, a, "a");
  const two = bind(one, b, undefined);
  const none = unbind(one, a);
  assertEquals([...contents(one)], [[a, "a"]]);
  assertEquals([...contents(two)], [[a, "a"], [b, undefined]]);
  assertEquals(none, null);
  assertEquals(find(one, b), null);
  assertEquals(find(two, b)?.value, undefined);
  assertEquals(contents(unbind(one, b)), contents(one));
});

Deno.test("a thousand bindings stand at most ten deep", () => {
  let tree: Tree = null;
  for (let number = 1000; number > 0; number--) {
    tree = bind(tree, { number }, number);
  }
  assertEquals(depth(tree), 10);
});

Deno.test.each([1, 2, 3])(
  "a tree of bindings does what a map does, at random (seed %i)",
  (seed: number) => {
    const random = makeRandom(seed);
    const keys = Array.from({ length: 40 }, (_, i) => ({ number: 7 * i }));
    const model = new Map<Key, unknown>();
    let tree: Tree = null;
    for (let step = 0; step < 1000; step++) {
      const key = keys[random(keys.length)]!;
      if (random(2) === 0) {
        tree = bind(tree, key, step);
        model.set(key, step);
      } else {
        tree = unbind(tree, key);
        model.delete(key);
      }
      assertEquals(contents(tree), model);
      for (const each of keys) {
        assertEquals(find(tree, each)?.value, model.get(each));
      }
    }
  },
);
